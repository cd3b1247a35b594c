"""`--after`: the text of the counters that were exported before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.cli.export.position import format_counters, parse_counter, parse_counters
from daemon.errors import UsageError
from daemon.store.read.time_index import FIRST

counters = st.dictionaries(
    st.sampled_from(["main", "grid-1", "Zweit konto", "a.b"]),
    st.integers(FIRST + 1, 2**62),
    min_size=1,
)


@given(counters)
def test_what_is_printed_is_read_back(found: dict[str, int]) -> None:
    """Of one account the number alone, of several each with its name; also below zero."""
    assert parse_counters(format_counters(found), found) == found


def test_an_account_that_is_not_named_begins_at_its_first_row() -> None:
    """It may be newer than the former export."""
    assert parse_counters("main=5", {"main": 9, "new": 3}) == {"main": 5, "new": FIRST}
    assert parse_counters(None, {"main": None}) == {"main": FIRST}


def test_the_last_row_itself_is_no_mistake() -> None:
    """Then nothing is exported; only what lies beyond is of another database."""
    assert parse_counter("9", 9) == 9
    with pytest.raises(UsageError, match="beyond the end: the last seq is 9; is this the right"):
        parse_counter("10", 9)
    with pytest.raises(UsageError, match="beyond the end of main: nothing is recorded"):
        parse_counters("main=1", {"main": None})
