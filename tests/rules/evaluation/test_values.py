"""The value table: each window is kept once, and the frame shows present values."""

from decimal import Decimal

from daemon.rules.evaluation.values import ValueTable
from daemon.rules.functions._day import LOOK_BACK
from daemon.rules.language.parse import parse_condition
from daemon.rules.language.tree import Call, Comparison
from daemon.types import Balances


def call(text: str, nothing: str = "0") -> Call:
    """The call on the left of a comparison with 0."""
    tree = parse_condition(f"{text} > {nothing}").tree
    assert isinstance(tree, Comparison)
    assert isinstance(tree.left, Call)
    return tree.left


def test_equal_windows_are_kept_once() -> None:
    """DESIGN 6: equal windows of equal expressions share a slot, however they are spelled."""
    table = ValueTable()
    first = table.window(call("max(alMargin + 1.0, 60s)"))
    assert table.window(call("max(al_margin + 1, 1m)")) == first
    assert (
        len(
            {
                first,
                table.window(call("max(al_margin + 1, 2m)")),
                table.window(call("min(al_margin + 1, 1m)")),
            }
        )
        == 3
    )


def test_fields_are_kept_once() -> None:
    """A field has one slot, derived ones and `age` too."""
    table = ValueTable()
    slots = [table.field(name) for name in ("al_margin", "margin_usage", "age", "al_margin", "age")]
    assert slots == [0, 1, 2, 0, 2]


def test_shows_fields() -> None:
    """After a reading the frame shows the fields in use, derived ones included, and age 0."""
    table = ValueTable()
    slots = [table.field(name) for name in ("al_margin", "margin_usage", "age", "cross_un_pnl")]
    table.feed(5_000, Balances(available_margin=Decimal(8), al_margin=Decimal(2)))
    assert [table.frame[slot] for slot in slots] == [Decimal(2), Decimal("0.25"), Decimal(0), None]


def test_unknown_values_are_not_held() -> None:
    """C1: a reading with an unknown value is in no window of it, but the window moves on."""
    table = ValueTable()
    slot = table.window(call("max(al_margin, 1s)"))
    table.feed(0, Balances(al_margin=Decimal(9)))
    table.feed(1_000, Balances())
    assert table.frame[slot] == Decimal(9)
    table.feed(1_001, Balances())
    assert table.frame[slot] is None


def test_nested_windows_see_this_reading() -> None:
    """C1: the inner window of a nested one has taken the reading in before the outer looks."""
    table = ValueTable()
    slot = table.window(call("max(delta(al_margin, 10s), 10s)"))
    shown = []
    for at, value in ((0, 1), (5_000, 4), (15_000, 2), (16_000, 2)):
        table.feed(at, Balances(al_margin=Decimal(value)))
        shown.append(table.frame[slot])
    assert shown == [None, Decimal(3), Decimal(3), Decimal(0)]


def test_c5_levels_are_of_this_reading() -> None:
    """C5: a level is taken at the present instant, in whichever order rules name its parts."""
    table = ValueTable()
    first = table.window(call("max(al_margin, 1m)"))
    slot = table.window(call("time_to(al_margin, min(al_freeze, 1m), 1m)", "0s"))
    again = table.window(call("time_to(al_freeze, max(al_margin, 1m), 1m)", "0s"))
    for number, (margin, freeze) in enumerate(((90, 0), (80, 30), (70, 60))):
        table.feed(number * 10_000, Balances(al_margin=Decimal(margin), al_freeze=Decimal(freeze)))
    assert [table.frame[each] for each in (first, slot, again)] == [
        Decimal(90),
        Decimal(70_000),
        Decimal(10_000),
    ]


def test_functions_of_a_window_share_it() -> None:
    """DESIGN 6: functions of equal expressions over equal spans slide along together."""
    table = ValueTable()
    calls = [
        call(f"{name}(al_margin, 1m)") for name in ("sum", "avg", "max", "drop", "stddev", "zscore")
    ]
    assert len({table.window(each) for each in calls}) == 6
    assert len({id(table.held(each)) for each in calls}) == 1
    assert len(table.held(calls[0])._running) == 3


def test_memory_is_told() -> None:
    """DESIGN 6: estimated memory of windows, by look-back and by aggregates."""
    table = ValueTable()
    assert table.memory(5_000) == 0
    table.window(call("max(al_margin, 1h)"))
    hour = table.memory(5_000)
    table.window(call("avg(al_margin, 1h)"))
    assert table.memory(5_000) == hour
    table.window(call("median(al_margin, 1h)"))
    assert table.memory(5_000) == hour + 721 * 120
    assert table.memory(10_000) < table.memory(5_000)


def test_memory_of_what_remembers_is_told() -> None:
    """A day's readings are held for `today`, one value for `prev` and `peak`."""
    table = ValueTable()
    table.stateful(call("prev(al_margin)"))
    slot = table.stateful(call("peak(al_margin)"))
    assert table.memory(5_000) == 0
    assert slot == table.stateful(call("peak(al_margin)"))
    table.stateful(call("today(al_margin)"))
    assert table.memory(5_000) == 70 * (LOOK_BACK // 5_000 + 1)


def test_fed() -> None:
    """Before the first reading there is none, whatever has happened."""
    table = ValueTable()
    table.advance(5_000)
    assert not table.fed
    table.feed(6_000, Balances())
    assert table.fed


def test_memory_is_bounded() -> None:
    """DESIGN 6: however many readings come, about as many are held as the longest window needs."""
    table = ValueTable()
    table.window(call("max(al_margin, 1m)"))
    slot = table.window(call("delta(al_margin, 10m)"))
    for number in range(5_000):
        table.feed(number * 5_000, Balances(al_margin=Decimal(number)))
    assert table.frame[slot] == Decimal(120)
    assert [len(series.ring) < 1_000 for series in table._series.values()] == [True]


def test_a5_shift_before_the_first_reading() -> None:
    """A5: with nothing held, a step of the clock moves nothing."""
    table = ValueTable()
    slot = table.field("age")
    table.shift(1_000)
    table.advance(5_000)
    assert table.frame[slot] is None
