"""Gaps that no miss tells of are recorded as they end: nobody ran, or the machine slept."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Connection

from daemon.readings.gaps import ListedGap, gaps
from daemon.readings.slots import slots_passed
from daemon.service.judging.arrivals import Arrival, Slept
from daemon.store import FaultInjection
from daemon.store.database.failures import Refused
from daemon.store.history import History
from daemon.types import MINUTE, SECOND, GapReason, Millis, MissReason, NoAnswer
from tests.fakes import ManualClock
from tests.service.lives import KILL, RELOAD, STOP, Life, RestlessClock, Step, rows
from tests.values import answer, rule

EVERY = 5 * SECOND
GAPS = "SELECT reason, started_at, ended_at, missed FROM gaps"
NONE = NoAnswer(MissReason.TIMEOUT, "no answer within 10 s")


def recorded_gaps(folder: Path) -> list[ListedGap]:
    with History.open(f"sqlite:///{folder / 'm.db'}") as history:
        return list(gaps(history.missing("main", 0)))


def life(
    folder: Path,
    clock: ManualClock,
    reason: str = "start",
    every: Millis = EVERY,
    fault_injection: FaultInjection | None = None,
) -> Life:
    url = f"sqlite:///{folder / 'm.db'}"
    return Life(
        url,
        ["main"],
        [rule()],
        clock=clock,
        reason=reason,
        every=every,
        fault_injection=fault_injection,
    )


@pytest.mark.parametrize("ending", [STOP, KILL])
async def test_a3_downtime_is_found_at_the_start(tmp_path: Path, ending: str) -> None:
    """A3: from the last instance's end, or its last input after a kill, to this start."""
    clock = RestlessClock()
    async with life(tmp_path, clock) as first:
        await first.tell({"main": answer()})
        read_at = clock.now()
        await clock.advance(2 * SECOND)
        first.ending = ending
    ended_at = clock.now() if ending == STOP else read_at
    await clock.advance(MINUTE)
    async with life(tmp_path, clock) as second:
        await second.tell({"main": answer()})
    [gap] = recorded_gaps(tmp_path)
    assert (gap.reason, gap.started_at, gap.ended_at) == (
        GapReason.DAEMON_DOWN,
        ended_at,
        clock.now(),
    )
    assert gap.missed == slots_passed("main", EVERY, ended_at, clock.now())


async def test_b3_no_gap_where_no_slot_was_missed(tmp_path: Path) -> None:
    """B3: the first start, a quick restart, any reload, and an account that was not watched."""
    clock = RestlessClock()
    await clock.advance(MINUTE)
    for pause, reason in ((EVERY, "start"), (0, "start"), (MINUTE, RELOAD)):
        async with life(tmp_path, clock, reason) as living:
            await living.tell({"main": answer()})
            living.ending = RELOAD if reason == RELOAD else STOP
        await clock.advance(pause)
    async with Life(f"sqlite:///{tmp_path / 'm.db'}", [], [rule()], clock=clock):
        pass
    await clock.advance(MINUTE)
    async with life(tmp_path, clock):
        pass
    assert rows(tmp_path / "m.db", GAPS) == []


async def test_b3_a_pause_that_outlasts_a_restart_is_no_downtime(tmp_path: Path) -> None:
    """B3: during a pause the daemon was away for two seconds, without a slot in them."""
    clock = RestlessClock()
    async with life(tmp_path, clock, every=MINUTE) as first:
        await first.tell({"main": answer()})
        await first.tell({"main": NoAnswer(MissReason.BLOCKED, "kept out")})
        await clock.advance(4 * MINUTE)
        first.ending = STOP
    await clock.advance(2 * SECOND)
    async with life(tmp_path, clock, every=MINUTE):
        pass
    assert all(int(str(missed)) <= 1 for *_, missed in rows(tmp_path / "m.db", GAPS))
    assert [each.reason for each in recorded_gaps(tmp_path)][:1] == [MissReason.BLOCKED]


async def test_a3_a_suspend_is_recorded_with_what_ended_it(tmp_path: Path) -> None:
    """A3: by a reading or a miss; adjacent suspends are one; none without a missed slot."""
    clock = RestlessClock()
    async with life(tmp_path, clock) as living:
        await living.tell({"main": answer()})
        begun = clock.now()
        for _ in range(2):
            await clock.suspend(MINUTE)
            await living.tell({"main": Slept(MINUTE, 12)})
        assert rows(tmp_path / "m.db", GAPS) == []
        await living.tell({"main": NONE})
        await living.tell({"main": answer()})
        await living.tell({"main": Slept(2 * SECOND, 0)})
        await living.tell({"main": answer()})
    assert rows(tmp_path / "m.db", GAPS) == [("suspended", begun, begun + 2 * MINUTE, 24)]
    assert [each.reason for each in recorded_gaps(tmp_path)] == [
        GapReason.SUSPENDED,
        MissReason.TIMEOUT,
    ]


async def test_a5_a_suspend_moves_with_the_clock_until_it_is_recorded(tmp_path: Path) -> None:
    """A5: a clock step right after the suspend has its own gap row; both are recorded."""
    clock = RestlessClock()
    async with life(tmp_path, clock) as living:
        await living.tell({"main": answer()})
        await clock.suspend(MINUTE)
        await living.tell({"main": Slept(MINUTE, 12)})
        await living.tell({"main": Step(10 * MINUTE)})
        await living.tell({"main": answer()})
    woke = clock.now()
    assert sorted(
        (each.reason, each.started_at, each.ended_at) for each in recorded_gaps(tmp_path)
    ) == [
        (GapReason.CLOCK_STEP, woke, woke),
        (GapReason.SUSPENDED, woke - MINUTE, woke),
    ]


async def test_a1_a_gap_on_record_changes_no_counter(tmp_path: Path) -> None:
    """A1: a gap is no input: the next life goes on from the last one that was."""
    clock = RestlessClock()
    for _ in range(3):
        async with life(tmp_path, clock) as living:
            await clock.suspend(MINUTE)
            await living.tell({"main": Slept(MINUTE, 12)})
            await living.tell({"main": answer()})
        await clock.advance(MINUTE)
    assert rows(tmp_path / "m.db", "SELECT seq FROM snapshots") == [(2,), (4,), (6,)]
    with History.open(f"sqlite:///{tmp_path / 'm.db'}") as history:
        assert list(history.holes("main", 0, 6)) == []


def killed_at(number: int) -> Callable[[Connection], None]:
    """A way to commit that works until the process is killed at one of its commits."""
    commits = count(1)

    def commit(connection: Connection) -> None:
        if next(commits) < number:
            connection.commit()
            return
        connection.rollback()
        raise Refused("the process is dead")

    return commit


ENDS: dict[str, Arrival] = {
    "reading": answer(),
    "miss": NONE,
    "firing": answer(available_margin="90"),
}
"""What may end a suspend."""


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("commits", range(1, 6))
async def test_promise_1_a_gap_is_there_exactly_if_the_input_is_that_ended_it(
    tmp_path: Path, end: str, commits: int
) -> None:
    """Strict 5: after a kill, a suspend and its next input are both recorded, or neither."""
    clock = RestlessClock()
    async with life(tmp_path, clock):
        pass
    async with life(
        tmp_path,
        clock,
        reason=RELOAD,
        fault_injection=FaultInjection(commit=killed_at(commits + 1)),
    ) as living:
        await living.tell({"main": answer()})
        await clock.suspend(MINUTE)
        await living.tell({"main": Slept(MINUTE, 12)})
        await living.tell({"main": ENDS[end]})
    inputs = rows(
        tmp_path / "m.db", "SELECT seq FROM snapshots UNION SELECT seq FROM misses ORDER BY 1"
    )
    suspends = rows(tmp_path / "m.db", "SELECT seq FROM gaps WHERE reason = 'suspended'")
    assert suspends == inputs[1:]


@pytest.mark.parametrize("end", ENDS)
async def test_promise_1_a_commit_that_fails_keeps_the_gap_for_the_next_try(
    tmp_path: Path, end: str
) -> None:
    """Strict 5: its input is judged anew, and takes the suspend along once."""
    clock, commits = RestlessClock(), count(1)

    def commit(connection: Connection) -> None:
        if next(commits) in {3, 4, 6}:
            connection.rollback()
            raise OSError("nobody knows")
        connection.commit()

    async with life(tmp_path, clock, fault_injection=FaultInjection(commit=commit)) as living:
        await living.tell({"main": answer()})
        for _ in range(2):
            await clock.suspend(MINUTE)
            await living.tell({"main": Slept(MINUTE, 12)})
            await living.tell({"main": ENDS[end]})
    assert rows(tmp_path / "m.db", "SELECT seq, missed FROM gaps ORDER BY seq") == [
        (3, 12),
        (4, 12),
    ]
