"""docs/push.md: its table is the mapping."""

from tests.docs.markdown import PUSH, code
from tests.exchanges.test_recorded import HEARD


def test_the_table_is_the_mapping() -> None:
    """B7: what is pushed, and the field that it is, as the mapping's own tests have it."""
    table = next(iter(PUSH.tables()))
    assert {code(field): code(sent) for sent, field in table.rows} == HEARD
