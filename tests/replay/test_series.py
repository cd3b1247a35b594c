"""The notation of series: what each word gives, that numbers stay exact, and where mistakes are
shown.
"""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.replay.series import MOST, CaseSeries, Slot, parse_series
from daemon.rules.language.errors import ExpressionError
from daemon.types import MINUTE, MissReason

VALUES = st.decimals(0, 10**12, allow_nan=False, allow_infinity=False, places=10).map(abs)
COUNTS = st.integers(1, 40)


def _slots(*values: str | MissReason | None) -> tuple[Slot, ...]:
    return tuple(
        each if each is None or isinstance(each, MissReason) else Decimal(each) for each in values
    )


TIMEOUT = MissReason.TIMEOUT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("500", _slots("500")),
        ("500 -10x3 480", _slots("500", "490", "480", "470", "480")),
        ("500 -10", _slots("500", "490")),
        ("1 +2.5x2", _slots("1", "3.5", "6.0")),
        ("480x3", _slots("480", "480", "480")),
        ("480 x2\n 1", _slots("480", "480", "1")),
        ("=-20 +5 =+3", _slots("-20", "-15", "3")),
        ("5 _ _x2 -1", _slots("5", TIMEOUT, TIMEOUT, TIMEOUT, "4")),
        ("_auth x2 _http_5xx _http_5xxx2", (*[MissReason.AUTH] * 2, *[MissReason.HTTP_5XX] * 3)),
        ("5 ? ?x2 +1", _slots("5", None, None, None, "6")),
        ("007.50", _slots("7.50")),
    ],
)
def test_words_give_attempts(text: str, expected: tuple[Slot, ...]) -> None:
    """Values, steps, misses with reasons, fields not sent, and counts."""
    assert parse_series(text) == CaseSeries(expected)


def test_a_pause_is_the_time_to_the_next_attempt() -> None:
    """A pause is not an attempt."""
    assert parse_series("500 ~10m -10x2 ~1h30m _") == CaseSeries(
        _slots("500", "490", "480", TIMEOUT), {1: 10 * MINUTE, 3: 90 * MINUTE}
    )


def test_a_series_goes_on_as_it_ended() -> None:
    """Beyond its end stands its last attempt, whatever that was."""
    assert [parse_series("1 2").at(index) for index in (0, 1, 99)] == [1, 2, 2]
    assert parse_series("1 _auth").at(7) is MissReason.AUTH


@given(VALUES, VALUES, COUNTS)
def test_steps_are_exact(first: Decimal, step: Decimal, count: int) -> None:
    """Every digit written counts, however many steps there are."""
    slots = parse_series(f"{first:f} +{step:f}x{count} -{step:f}x{count}").slots
    assert slots[-1] == first
    assert len(slots) == 2 * count + 1


@pytest.mark.parametrize(
    ("text", "column", "sentence"),
    [
        ("", 0, "the series is empty: expected one such as `500 -10x30 _x5 480`"),
        (" \n", 0, "the series is empty: expected one such as `500 -10x30 _x5 480`"),
        ("-10x3", 0, "there is no value yet to go on from; for the value itself write `=-10`"),
        ("_x3 +1", 4, "there is no value yet to go on from; for the value itself write `=+1`"),
        ("500 -1Ox3", 6, "`O` cannot stand here: a series is written as in `500 -10x30 _x5 480`"),
        ("1 −3", 2, "`−` cannot stand here: write the minus as `-`"),  # noqa: RUF001
        (
            "5,5",
            1,
            (
                "`,` cannot stand here: values are separated by blanks, and decimals written with a"
                " point"
            ),
        ),
        (
            "480x*",
            3,
            "`x` cannot stand here: a series goes on by itself as it ended, so leave `x*` out",
        ),
        ("480x", 3, "`x` cannot stand here: write how often behind the `x`, as in `480x10`"),
        ("1 \x00", 2, "U+0000 cannot stand here: a series is written as in `500 -10x30 _x5 480`"),
        ("x3", 0, "a number is written as in `500`, `-10` or `0.25`"),
        (f"1{'0' * 31}", 0, "a number is written as in `500`, `-10` or `0.25`"),
        ("1 _aut", 2, "no attempt is missed for the reason `aut`; did you mean `_auth`?"),
        ("1x0", 0, "how often must be at least 1"),
        ("1 ~1x", 2, "a pause is written with its length, at most a year, as in `~10m`"),
        ("1 ~9999d 2", 2, "a pause is written with its length, at most a year, as in `~10m`"),
        ("~1m 1", 0, "a pause stands between two readings; let the series begin with a reading"),
        ("1 ~1m", 2, "nothing follows this pause; let the series end with a reading"),
        ("1 ~1m ~1m 2", 6, "this pause follows another one; write their sum"),
    ],
)
def test_mistakes_are_shown_with_their_place(text: str, column: int, sentence: str) -> None:
    """One sentence with the remedy, and the column of the character."""
    with pytest.raises(ExpressionError) as error:
        parse_series(text)
    assert (error.value.message, error.value.column, error.value.text) == (sentence, column, text)


def test_a_reason_unlike_any_other_is_told_which_there_are() -> None:
    with pytest.raises(ExpressionError, match="there are timeout network http_5xx"):
        parse_series("_zzz")


@pytest.mark.parametrize(
    "text", [f"1x{MOST + 1}", f"1x{MOST} 1", "1x99999999999999999999", "1 _x50000 +1x50000"]
)
def test_a_series_is_bounded(text: str) -> None:
    """However little is written, no more is expanded."""
    with pytest.raises(ExpressionError, match="more than 100000 attempts"):
        parse_series(text)


@given(st.text("0123456789+-=_x~?. mauth,", max_size=30))
def test_any_text_is_a_series_or_a_mistake(text: str) -> None:
    with suppress(ExpressionError):
        assert 0 < len(parse_series(text).slots) <= MOST
