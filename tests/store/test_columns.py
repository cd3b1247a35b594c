"""The types of columns keep values."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.store.columns import clean, dump, inexact, load

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)


@given(DECIMALS)
def test_only_what_a_float_loses_is_inexact(value: Decimal) -> None:
    """Promise 7: a value that is not inexact comes back from a float as it was."""
    assert inexact(value) or Decimal(repr(float(value))) == value


@pytest.mark.parametrize(
    ("text", "expected"), [("996660.6064387699998485", True), ("0.1", False), ("Infinity", False)]
)
def test_values_that_exchanges_send(text: str, expected: bool) -> None:
    """CoinW has sent more digits than a float keeps."""
    assert inexact(Decimal(text)) is expected


def test_json_keeps_decimals() -> None:
    """Numbers in JSON are read with all their digits, and decimals are written as strings."""
    assert load('{"a": 0.1234567890123456789}') == {"a": Decimal("0.1234567890123456789")}
    assert json.loads(dump({"a": Decimal("0.1234567890123456789")})) == {
        "a": "0.1234567890123456789"
    }


def test_json_is_ascii_whatever_was_sent() -> None:
    """Half a surrogate pair and NUL, which an answer may hold, go through every database."""
    sent = {"note": "\ud800\0"}
    assert dump(sent).isascii()
    assert load(dump(sent)) == sent


@given(st.text())
def test_clean_text_is_unchanged(text: str) -> None:
    """NUL and broken pairs are removed, nothing else."""
    assert clean(text) == text.replace("\0", "")


def test_clean_takes_out_what_databases_refuse() -> None:
    """PostgreSQL refuses NUL, UTF-8 a half pair."""
    assert clean("a\0b\ud800") == "ab?"
