"""`check` finds conditions that cannot do what they say, each with what to write instead."""

import pytest

from tests.config.checks.test_warnings import rule
from tests.config.written import WHOLE, doubts, loaded

LEVEL = 'clear_when = "available_margin > 500"'


def found(when: str, *lines: str, accounts: str = WHOLE) -> list[str]:
    """The warnings about the `when` of a rule; none is about a missing clear_when."""
    return [
        each.partition(".when: ")[2]
        for each in doubts(loaded(accounts + rule("odd", when, LEVEL, *lines)))
    ]


@pytest.mark.parametrize(
    ("when", "number", "percent"),
    [
        ("margin_usage > 80", "80", "8000"),
        ("freeze_ratio > 200", "200", "20000"),
        ("drop(available_margin, 1h) > 25", "25", "2500"),
        ("drop(available_margin, 1h) > 1", "1", "100"),
        ("drop(available_margin, 1h) >= 15", "15", "1500"),
        ("change(available_margin, 1h) < -20", "-20", "-2000"),
        ("change(available_margin, 1h) < -1.5", "-1.5", "-150"),
        ("change(al_freeze, 1h) > 50", "50", "5000"),
        ("rise(al_freeze, 1h) > 12.5", "12.5", "1250"),
        ("-change(available_margin, 1h) > 20", "20", "2000"),
        ("abs(change(available_margin, 1h)) > 30", "30", "3000"),
        ("max(margin_usage, 1h) > 80", "80", "8000"),
        ("avg(drop(available_margin, 1h), 1h) > 4 * 20", "80", "8000"),
    ],
)
def test_a_percentage_without_its_sign_is_found(when: str, number: str, percent: str) -> None:
    """C6: `20%` is 0.2. A ratio compared with 20 would have to be 2000%, which never happens."""
    sentence = f"in {when} the number {number} means {percent}%; did you mean {number}%?"
    assert found(when) == [f"{sentence} If not, write {percent}%"]


def test_the_side_on_which_a_ratio_is_written_makes_no_difference() -> None:
    """A comparison is shown with the ratio on its left."""
    assert found("80 < margin_usage") == found("margin_usage > 80")


def test_a_clear_when_is_looked_at_too() -> None:
    """Its place is its own key."""
    clear = 'clear_when = "drop(available_margin, 1h) < 15"'
    (warning,) = doubts(loaded(WHOLE + rule("odd", "drop(available_margin, 1h) > 20%", clear)))
    assert ".clear_when: in drop(available_margin, 1h) < 15 the number 15 means 1500%" in warning


@pytest.mark.parametrize("level", ["-20", "-20%", "-0.2"])
def test_a_drop_is_never_negative(level: str) -> None:
    """C3: `drop` is how far it fell, so a fall by a fifth is 20%, and not -20%."""
    call = "drop(available_margin, 1h)"
    assert found(f"{call} < {level}") == [f"{call} is never below 0; did you mean {call} > 20%?"]


@pytest.mark.parametrize(
    "when",
    [
        "margin_usage > 80%",
        "margin_usage > 0.8",
        "margin_usage > 3",
        "freeze_ratio >= 10",
        "rise(al_freeze, 1h) > 5",
        "change(available_margin, 1h) > 2",
        "change(available_margin, 1h) < -0.2",
        "delta(margin_usage, 1h) < -2",
        "drop(available_margin, 1h) > 2500%",
        "drop(available_margin, 1h) >= 1",
        "sum(margin_usage, 1h) > 80",
        "100 * margin_usage > 80",
        "margin_usage > available_margin",
        "available_margin < 80",
        "margin_usage > 1 / 0",
    ],
)
def test_ratios_that_may_be_meant_so_are_left_alone(when: str) -> None:
    """C4: more may be bound than free, and a value may triple."""
    assert found(when) == []


def short(call: str, held: str, enough: str, *, every: str = "5s", name: str = "main") -> str:
    return f'{call} is too short: "{name}" is read every {every}, so {held}; write {enough} or more'


@pytest.mark.parametrize(
    ("call", "held", "enough"),
    [
        (
            "delta(available_margin, 6s)",
            "one missed reading leaves fewer than 2 in its window",
            "15s",
        ),
        ("delta(available_margin, 4s)", "its window hardly ever holds 2 readings", "15s"),
        ("max(available_margin, 2s)", "its window hardly ever holds 2 readings", "15s"),
        ("slope(available_margin, 9s)", "its window hardly ever holds 3 readings", "20s"),
        ("spike(available_margin, 30s)", "its window hardly ever holds 10 readings", "55s"),
    ],
)
def test_a_window_that_holds_too_few_readings_is_found(call: str, held: str, enough: str) -> None:
    """C1, C2: a window goes by time, so a short one has no two readings, or none after a miss."""
    assert found(f"{call} > 5") == [short(call, held, enough)]


def test_the_slowest_account_that_a_rule_watches_decides() -> None:
    """B3: a rule for all accounts must fit the one that is read least often."""
    slow = WHOLE.replace(
        "[[channels]]",
        '[[accounts]]\nname = "slow"\napi_key = "k2"\n'
        'secret_key = "s2"\nevery = "1m"\n[[channels]]',
        1,
    )
    call = "delta(available_margin, 1m30s)"
    held = "one missed reading leaves fewer than 2 in its window"
    assert found(f"{call} < -5", accounts=slow) == [
        short(call, held, "3m", every="1m", name="slow")
    ]
    assert found(f"{call} < -5", 'accounts = ["main"]', accounts=slow) == []
    assert "too short" not in str(found(f"{call} < -5", 'accounts = ["x*"]', accounts=slow))


def at_once(part: str, guard: str) -> str:
    behind = " behind it" if "count" in guard else ""
    return (
        f"{part} is true at the first readings after a start, when its window is nearly empty;"
        f" add {guard}{behind}"
    )


@pytest.mark.parametrize(
    ("when", "part", "guard"),
    [
        (
            "stddev(al_freeze, 30m) == 0",
            "stddev(al_freeze, 30m) == 0",
            '"and count(al_freeze, 30m) > 300"',
        ),
        (
            "al_freeze > 9 and min(al_freeze, 30m) == max(al_freeze, 30m)",
            "min(al_freeze, 30m) == max(al_freeze, 30m)",
            '"and count(al_freeze, 30m) > 300"',
        ),
        (
            "delta(al_freeze, 10m) == 0",
            "delta(al_freeze, 10m) == 0",
            '"and count(al_freeze, 10m) > 100"',
        ),
        (
            "abs(slope(al_freeze, 10m)) < 1 and count(al_freeze, 10m) > 2",
            "abs(slope(al_freeze, 10m)) < 1",
            '"and count(al_freeze, 10m) > 100"',
        ),
        (
            "not stddev(al_freeze, 30m) > 0 or available_margin < 50",
            "not stddev(al_freeze, 30m) > 0",
            '"and count(al_freeze, 30m) > 300"',
        ),
        (
            "zscore(al_freeze, 10m, 5) < 1",
            "zscore(al_freeze, 10m, 5) < 1",
            '"and count(al_freeze, 10m) > 100"',
        ),
        ("count(al_freeze, 10m) < 90", "count(al_freeze, 10m) < 90", 'for = "10m"'),
    ],
)
def test_a_condition_that_is_true_from_the_start_is_found(when: str, part: str, guard: str) -> None:
    """C2: windows are known from few readings, which did not move yet. The guard is shown."""
    warnings = found(when)
    assert warnings[0] == at_once(part, guard)
    guarded = f"({when}) {guard[1:-1]}" if guard.startswith('"') else when
    lines = () if guard.startswith('"') else (guard,)
    assert at_once(part, guard) not in found(guarded, *lines)


@pytest.mark.parametrize(
    ("when", "lines"),
    [
        ("al_margin == 0 and max(al_margin, 2m) > 0", ()),
        ("max(available_margin, 10m) < 100", ()),
        ("stddev(al_freeze, 30m) == 0", ('for = "30m"',)),
        ("stddev(al_freeze, 30m) == 0", ('at_least = "350 of 360"',)),
        ("stddev(al_freeze, 30m) == 0 and count(al_freeze, 30m) > 300 or al_freeze > 5", ()),
        ("time_to(available_margin, 0, 30m) < 1h", ()),
    ],
)
def test_a_condition_that_waits_or_asks_for_a_level_is_left_alone(
    when: str, lines: tuple[str, ...]
) -> None:
    """What does not fire at the first readings needs no guard."""
    assert found(when, *lines) == []


def test_a_step_that_is_over_at_the_next_reading_is_found() -> None:
    """`prev` is the reading before: the alert would begin and end with every step."""
    when = "equity - prev(equity) < -50"
    assert doubts(loaded(WHOLE + rule("odd", when, 'keep_firing_for = "10m"'))) == []
    (warning,) = doubts(loaded(WHOLE + rule("odd", when)))
    assert warning.partition(".when: ")[2] == (
        "prev(equity) is the reading before, so the alert ends at the next reading; add"
        ' keep_firing_for = "10m"'
    )


def test_what_has_not_moved_since_the_reading_before_is_no_step() -> None:
    """It holds until something moves, however many readings that takes."""
    assert doubts(loaded(WHOLE + rule("odd", "al_freeze == prev(al_freeze)", 'for = "30m"'))) == []


@pytest.mark.parametrize(
    ("zone", "when", "expected"),
    [
        ("Europe/Berlin", "since(equity, '02:30') < -50", ["02:30", "2026-03-29", "03:00"]),
        ("Africa/Cairo", "today(equity) < -50", ["00:00", "2026-04-24", "01:00"]),
        ("Europe/Berlin", "today(equity) < -50", []),
        ("Asia/Singapore", "since(equity, '02:30') < -50", []),
    ],
)
def test_a_time_that_the_clock_skips_is_named_with_its_day(
    zone: str, when: str, expected: list[str]
) -> None:
    """The change is counted from the jump on that day, and `check` says so."""
    accounts = f'[daemon]\ntimezone = "{zone}"\n{WHOLE}'
    told = found(when, accounts=accounts)
    assert len(told) == bool(expected)
    for word in expected:
        assert word in told[0]
