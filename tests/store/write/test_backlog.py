"""Operations that wait while the store refuses writes."""

from dataclasses import replace
from decimal import Decimal

from daemon.store.operations import Operation, SetUserId, StoreDownGap
from daemon.store.write.backlog import Backlog
from daemon.types import ClockStep, Gap, GapReason, Record, RecordedValue
from tests.store.records import ACCOUNT, alert, clears, fires, key, read
from tests.values import T0, miss

LIMIT = 2


def filled(*operations: Operation) -> Backlog:
    backlog = Backlog(LIMIT)
    for operation in operations:
        backlog.add(operation)
    return backlog


def test_order_is_kept() -> None:
    """The oldest is written first, and stays until it is."""
    backlog = filled(read(2), read(3))
    assert backlog.head(1) == [read(2)]
    backlog.drop(1)
    assert (backlog.head(9), len(backlog)) == ([read(3)], 1)


def test_beyond_the_bound_readings_become_one_gap() -> None:
    """Promise 1: an overflow is a gap `store_down`, which counts and spans what it replaces."""
    backlog = filled(*map(read, range(2, 5)), Record(ACCOUNT, miss(5, T0 + 5_000)), read(6))
    assert backlog.head(9) == [
        read(2),
        read(3),
        StoreDownGap(ACCOUNT, 6, T0 + 4_000, T0 + 6_000, 3),
    ]


def test_a_gap_keeps_what_rules_remember() -> None:
    """Promise 4: a peak among the readings that are lost outlasts them."""
    kept = [RecordedValue("r", "peak(equity)", Decimal(n)) for n in (5, 7)]
    other = RecordedValue("other", "peak(equity)", Decimal(1))
    backlog = filled(
        read(2),
        read(3),
        *(replace(read(4 + n), values=(each,)) for n, each in enumerate(kept)),
        replace(read(6), values=(other,)),
    )
    (gap,) = backlog.head(9)[2:]
    assert isinstance(gap, StoreDownGap)
    assert gap.values == (kept[1], other)


def test_each_account_has_its_gap() -> None:
    """The losses of one account do not count for another."""
    backlog = filled(read(2), read(3), read(4), read(2, account="other"), read(5))
    gaps = [
        StoreDownGap(ACCOUNT, 5, T0 + 4_000, T0 + 5_000, 2),
        StoreDownGap("other", 2, T0 + 2_000, T0 + 2_000, 1),
    ]
    assert backlog.head(9)[2:] == gaps


def test_whatever_tells_something_is_kept() -> None:
    """Transitions, notifications, clock steps, suspends and other non-readings stay, in order."""
    step = Record(ACCOUNT, ClockStep(6, T0, -250))
    superseding = replace(read(7), superseded=(key(),))
    woken = replace(read(8), gap=Gap(ACCOUNT, 8, T0, T0 + 7_000, GapReason.SUSPENDED, 1))
    kept: list[Operation] = [
        fires(4),
        clears(5, 4),
        step,
        superseding,
        woken,
        SetUserId(ACCOUNT, "1"),
    ]
    assert filled(read(2), read(3), *kept).head(9)[2:] == kept


def test_a_gap_does_not_reach_across_what_is_kept() -> None:
    """An alert's state in a gap never overtakes a later one."""
    backlog = filled(read(2), read(3), read(4), fires(5), read(6))
    first, second = (
        StoreDownGap(ACCOUNT, 4, T0 + 4_000, T0 + 4_000, 1),
        StoreDownGap(ACCOUNT, 6, T0 + 6_000, T0 + 6_000, 1),
    )
    assert backlog.head(9)[2:] == [first, fires(5), second]


def test_a_gap_keeps_the_last_state_of_its_alerts() -> None:
    """Readings that only made an alert worse are lost; how bad it was is not."""
    worse, worst = replace(alert(2), worst=None), alert(2)
    backlog = filled(
        read(2), read(3), replace(read(4), alerts=(worse,)), replace(read(5), alerts=(worst,))
    )
    assert backlog.head(9)[2] == StoreDownGap(ACCOUNT, 5, T0 + 4_000, T0 + 5_000, 2, (worst,))


def test_a_gap_that_is_being_written_does_not_grow() -> None:
    """Later losses begin another one."""
    backlog = filled(read(2), read(3), read(4))
    assert len(backlog.head(9)) == 3
    backlog.add(read(5))
    backlog.drop(3)
    backlog.add(read(6))
    assert backlog.head(9) == [StoreDownGap(ACCOUNT, 5, T0 + 5_000, T0 + 5_000, 1), read(6)]
