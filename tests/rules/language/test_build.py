"""Building: types that do not fit, unknown names, exceeded bounds."""

import pytest

from daemon.rules.language.build import MAX_DEPTH
from daemon.rules.language.errors import ExpressionError
from daemon.rules.language.parse import parse_condition
from daemon.types import DAY

TIME_TO = "`time_to(al_margin, 5, 1h)`"
LEAST = "expected the least to divide by, a number above 0, such as `0.5`"
FIELDS = (
    "available_margin, available_usdt, almighty_gold, al_margin, al_freeze, cross_un_pnl, "
    "free_margin, equity, margin_usage, freeze_ratio, age"
)
FUNCTIONS = (
    "abs, avg, change, count, delta, drop, first, greatest, last, least, max, median, min, peak,"
    " prev, rise, since, slope, spike, stddev, sum, time_to, today, zscore"
)
NEITHER = (
    "is neither a number, such as `1_000`, `0.5` or `20%`, nor a duration, such as `250ms`, `90s`"
    " or `1h30m`"
)


def refusal(text: str) -> tuple[int, str]:
    """Column and message of a refusal."""
    with pytest.raises(ExpressionError) as caught:
        parse_condition(text)
    return caught.value.column, caught.value.message


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        (
            "al_margin",
            0,
            "expected a comparison, such as `available_margin < 100`; `al_margin` is a number",
        ),
        ("age", 0, "expected a comparison, such as `available_margin < 100`; `age` is a duration"),
        (
            "1 < 2 and 3",
            10,
            "expected a comparison, such as `available_margin < 100`; `3` is a number",
        ),
        (
            "al_margin or 1 < 2",
            0,
            "expected a comparison, such as `available_margin < 100`; `al_margin` is a number",
        ),
        (
            "not 5m",
            4,
            "expected a comparison, such as `available_margin < 100`; `5m` is a duration",
        ),
        (
            "age < 100",
            6,
            (
                "`age` is a duration and can be compared only with one, such as `10m`; `100` is a"
                " number"
            ),
        ),
        (
            "al_margin < 10m",
            12,
            "`al_margin` is a number and can be compared only with one; `10m` is a duration",
        ),
        ("1 < 2 < 3s", 8, "`2` is a number and can be compared only with one; `3s` is a duration"),
        (
            "1 < (1 < 2)",
            5,
            "`1` is a number and can be compared only with one; `1 < 2` is a comparison",
        ),
        ("(1 < 2) == (2 < 3)", 1, "expected a number; `1 < 2` is a comparison"),
        ("al_margin + age < 1", 12, "expected a number; `age` is a duration"),
        ("5m * 2 < age", 0, "expected a number; `5m` is a duration"),
        ("-age < 1", 1, "expected a number; `age` is a duration"),
        ("max(age, 10m) < 1", 4, "expected a number; `age` is a duration"),
        ("max(al_margin < 1, 10m) < 1", 4, "expected a number; `al_margin < 1` is a comparison"),
    ],
)
def test_c6_kinds(text: str, column: int, message: str) -> None:
    """C6: durations compare only with durations, and nothing is taken for what it is not."""
    assert refusal(text) == (column, message)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        (
            "1 < avaliable_margin",
            4,
            "there is no field `avaliable_margin`; did you mean `available_margin`?",
        ),
        (
            "AvailableMargin < 1",
            0,
            "there is no field `AvailableMargin`; did you mean `available_margin`?",
        ),
        ("margin < 100", 0, "there is no field `margin`; did you mean `available_margin`?"),
        ("1 > Frozen", 4, "there is no field `Frozen`; did you mean `al_freeze`?"),
        ("xyz < 1", 0, f"there is no field `xyz`; the fields are {FIELDS}"),
        (
            "max < 1",
            0,
            "`max` is a function: expected `(` after it, as in `max(x, duration)`",
        ),
        ("maxx(al_margin, 1m) < 1", 0, "there is no function `maxx`; did you mean `max`?"),
        ("qqq(1) < 1", 0, f"there is no function `qqq`; the functions are {FUNCTIONS}"),
        (
            "al_margin(1) < 1",
            0,
            "`al_margin` is a field and takes no arguments: expected an operator",
        ),
        ("key_refused > 0", 0, f"there is no field `key_refused`; the fields are {FIELDS}"),
        ("spikes(al_margin, 1m) < 1", 0, "there is no function `spikes`; did you mean `spike`?"),
        ("x" * 60 + " < 1", 0, f"there is no field `{'x' * 40}…`; the fields are {FIELDS}"),
    ],
)
def test_names(text: str, column: int, message: str) -> None:
    """An unknown name is pointed at, with the name that was probably meant or those there are."""
    assert refusal(text) == (column, message)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("delta(al_margin) < 0", 0, "`delta` takes 2 arguments, `delta(x, duration)`; found 1"),
        ("1 < max()", 4, "`max` takes 2 arguments, `max(x, duration)`; found 0"),
        ("abs() < 1", 0, "`abs` takes 1 argument, `abs(x)`; found 0"),
        ("abs(1, 2) < 1", 0, "`abs` takes 1 argument, `abs(x)`; found 2"),
        ("least(1) < 1", 0, "`least` takes 2 or more arguments, `least(a, b, …)`; found 1"),
        ("least(1, 5m) < 1", 9, "expected a number; `5m` is a duration"),
        ("abs(age) < 1", 4, "expected a number; `age` is a duration"),
        (
            "spike(al_margin) < 1",
            0,
            "`spike` takes 2 or 3 arguments, `spike(x, duration[, least])`; found 1",
        ),
        ("spike(al_margin, 1h, 0) < 1", 21, f"{LEAST}, found `0`"),
        ("spike(al_margin, 1h, 5m) < 1", 21, f"{LEAST}, found `5m`"),
        ("spike(al_margin, 1h, -1) < 1", 21, f"{LEAST}, found `-1`"),
        ("spike(al_margin, 1h, al_freeze) < 1", 21, f"{LEAST}, found `al_freeze`"),
        (
            "time_to(al_margin, 1h) < 1h",
            0,
            "`time_to` takes 3 arguments, `time_to(x, level, duration)`; found 2",
        ),
        ("time_to(al_margin, 1h, 5) < 1h", 19, "expected a number; `1h` is a duration"),
        (
            "time_to(al_margin, 5, 5) < 1h",
            22,
            "expected the length of the window, such as `10m`, found `5`",
        ),
        (
            "time_to(al_margin, 5, 1h) < 5",
            28,
            (
                f"{TIME_TO} is a duration and can be compared only with one, such as `10m`; `5` is"
                " a number"
            ),
        ),
        (
            "max(time_to(al_margin, 5, 1h), 1h) < 5",
            4,
            f"expected a number; {TIME_TO} is a duration",
        ),
        (
            "max(al_margin, 10) < 1",
            15,
            "expected the length of the window, such as `10m`, found `10`",
        ),
        (
            "max(al_margin, age) < 1",
            15,
            "expected the length of the window, such as `10m`, found `age`",
        ),
        (
            "max(al_margin, 0s) < 1",
            15,
            "expected the length of the window, such as `10m`, found `0s`",
        ),
        (
            "0 < max(min(al_margin, 4d), 4d)",
            4,
            (
                "`max(min(al_margin, 4d), 4d)` looks back 8d, windows within windows added up; the"
                " longest possible is 7d"
            ),
        ),
    ],
)
def test_arguments(text: str, column: int, message: str) -> None:
    """Arguments that do not fit a function are pointed at."""
    assert refusal(text) == (column, message)


@pytest.mark.parametrize(
    "word",
    ["10min", "1__0", "1_", "1.", ".5", "1.2.3", "10%%", "5m%", "1e5", "0x10", "9" * 16 + "d"],
)
def test_malformed_numbers(word: str) -> None:
    """A word that begins like a number is one, or is refused as a whole."""
    assert refusal(f"al_margin < {word}") == (12, f"`{word}` {NEITHER}")


def test_long_numbers_are_exact() -> None:
    """Promise 7: no digit of a number is rounded away, not even of a percentage."""
    digits = "1" * 60
    assert str(parse_condition(f"al_margin < {digits}%")) == f"al_margin < {'1' * 58}.11"


def test_depth() -> None:
    """An expression nests to the bound and no further; the place is where it is exceeded."""
    inside, beyond = MAX_DEPTH - 2, MAX_DEPTH - 1
    assert str(parse_condition("(" * inside + "1 < 2" + ")" * inside)) == "1 < 2"
    message = (
        "the condition nests more than 64 levels deep (operators in a row count, too); simplify it"
    )
    assert refusal("(" * beyond + "1 < 2" + ")" * beyond) == (beyond, message)


def test_longest_window() -> None:
    """DESIGN 6: a window of seven days is possible, a millisecond more is not."""
    assert str(parse_condition("max(al_margin, 168h) < 1")) == "max(al_margin, 7d) < 1"
    column, message = refusal(f"max(al_margin, {7 * DAY + 1}ms) < 1")
    assert (column, message.partition(",")[0]) == (0, "`max(al_margin")


NO_TIME = (
    'is no time of day: write hours and minutes, from `"00:00"` to `"23:59"`; nothing else'
    " stands in quotes"
)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ('since(equity, "24:00") < 1', 14, f'`"24:00"` {NO_TIME}'),
        ('since(equity, "8:00") < 1', 14, f'`"8:00"` {NO_TIME}'),
        ("since(equity, '12:60') < 1", 14, f"`'12:60'` {NO_TIME}"),
        ('available_margin < "100"', 19, f'`"100"` {NO_TIME}'),
        (
            "since(equity, 10m) < 1",
            14,
            'expected a time of day, such as `"08:00"`; `10m` is a duration',
        ),
        ('"08:00" == "08:00"', 0, 'expected a number; `"08:00"` is a time of day'),
        (
            'equity < "08:00"',
            9,
            '`equity` is a number and can be compared only with one; `"08:00"` is a time of day',
        ),
        (
            "today(equity, 10m) < 1",
            0,
            (
                "`today` takes 1 argument, `today(x)`; found 2: for the change since another time"
                ' write `since(x, "08:00")`'
            ),
        ),
        ("since(equity) < 1", 0, '`since` takes 2 arguments, `since(x, "HH:MM")`; found 1'),
        (
            "today(5) < 1",
            6,
            (
                "`5` is the same at every reading, so there is nothing to remember; write a field,"
                " as in `today(equity)`"
            ),
        ),
        (
            "prev(prev(equity)) < 1",
            5,
            (
                "`prev` takes values of one reading, and `prev(equity)` looks back itself; for an"
                " earlier value write `first(x, 10m)`"
            ),
        ),
        (
            "peak(equity, 10m) < 1",
            0,
            (
                "`peak` takes 1 argument, `peak(x)`; found 2: for the highest value of a span write"
                " `max(x, 10m)`"
            ),
        ),
        (
            "max(equity / peak(equity), 1h) < 1",
            4,
            (
                "`peak(equity)` cannot stand inside `max`: of a peak only the present value is"
                " kept; compare with it, as in `available_margin < 0.9 * peak(available_margin)`"
            ),
        ),
        (
            "peak(peak(equity)) < 1",
            5,
            (
                "`peak(equity)` cannot stand inside `peak`: of a peak only the present value is"
                " kept; compare with it, as in `available_margin < 0.9 * peak(available_margin)`"
            ),
        ),
        (
            "peak(avg(equity, 1m)) < 1",
            5,
            (
                "`peak` takes values of one reading, and `avg(equity, 1m)` looks back itself; for"
                " an earlier value write `first(x, 10m)`"
            ),
        ),
        (
            "prev(max(equity, 10m)) < 1",
            5,
            (
                "`prev` takes values of one reading, and `max(equity, 10m)` looks back itself; for"
                " an earlier value write `first(x, 10m)`"
            ),
        ),
    ],
)
def test_what_remembers_has_a_sentence_for_each_mistake(
    text: str, column: int, message: str
) -> None:
    """Times of day, constants, and values that look back themselves."""
    assert refusal(text) == (column, message)
