"""Parsing of answers: the parts that all exchanges share."""

from decimal import Decimal

import pytest

from daemon.exchanges.common.responses import (
    MAX_BODY,
    MalformedError,
    Page,
    amount,
    decode,
    refusal,
    storable_value,
    tidy,
)


def test_numbers_are_decoded_as_written() -> None:
    """Fractions are Decimal, integers int, or Decimal beyond 64 bits."""
    body = b'{"a":1.10,"b":7,"c":99999999999999999999}'
    expected = [Decimal("1.10"), 7, Decimal(99999999999999999999)]
    assert repr(expected) == repr(list(decode(Page(200, "", body)).values()))


def test_a_cut_body_is_not_read() -> None:
    """A body that went on after the bound is malformed, whatever its beginning says."""
    with pytest.raises(MalformedError, match="is over 1 MiB long"):
        decode(Page(200, "", b"{}", whole=False))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("9" * 24), True),
        (Decimal("-1e24"), False),
        (Decimal("1e999999999"), False),
        (Decimal("1e-999999999"), False),
        (Decimal("-0.0"), True),
        (Decimal("1e-40"), True),
        (Decimal("1e-41"), False),
        (Decimal("0E-18"), True),
        (10**24, False),
        ("0" * 200, False),
    ],
)
def test_amounts_are_bounded(value: object, expected: bool) -> None:
    """An amount has at most 24 digits before the point and 40 after it, so sums stay cheap."""
    try:
        amount(value)
        found = True
    except MalformedError:
        found = False
    assert expected == found


def test_foreign_text_is_tidied_before_it_is_quoted() -> None:
    """One line, nothing unprintable, secrets out (the longest first), and cut only after that."""
    found = tidy("a\r\n\x00b\u202e  KEYLONG KEY " + "x" * 200, ("KEY", "", "KEYLONG"), at_most=30)
    assert found == "a \\x00b\\u202e *** *** xxxxxxx…"


def test_unknown_values_are_bounded_in_depth() -> None:
    """A value nested deeper than any answer is malformed and not stored."""
    with pytest.raises(MalformedError, match="nested too deeply"):
        storable_value([[[[[[[[[]]]]]]]]])


def test_a_plain_page_has_to_be_read() -> None:
    """A JSON answer with an ordinary status is neither a refusal nor a success by itself."""
    assert [refusal(Page(status, "application/json", b"{}"), "X") for status in (200, 404)] == [
        None,
        None,
    ]


def test_the_bound_is_a_mebibyte() -> None:
    """The bound that the sentence names is the bound that is kept."""
    assert MAX_BODY == 1024 * 1024
