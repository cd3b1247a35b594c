"""The file as a whole: which tables there are, and in which brackets they stand."""

import pytest

from tests.config.written import ACCOUNT, WHOLE, problems


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "evry = '5s'\n" + WHOLE,
            "evry: stands outside of any table; put it below the [table] it belongs to",
        ),
        (WHOLE + "[[rule]]\nname = 'a'", 'rule: unknown table; did you mean "rules"?'),
        (ACCOUNT + "[rules]\nname = 'a'", "rules: must be tables that each begin with [[rules]]"),
        (WHOLE + "[[daemon]]\nevery = '5s'", "daemon: must be one table that begins with [daemon]"),
        ("rules = ['a']\n" + ACCOUNT, "rules: must be tables that each begin with [[rules]]"),
    ],
)
def test_a_table_that_does_not_belong_is_named(text: str, sentence: str) -> None:
    """Unknown tables and wrong brackets are one sentence each."""
    assert problems(text) == [sentence]


def test_every_table_of_the_design_may_stand_empty() -> None:
    """A file may announce a table without saying anything in it."""
    assert problems(WHOLE + "[daemon]\n[system]\n[budget]\n") == []
