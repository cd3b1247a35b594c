"""Promise 6: replay gives exactly the recorded transitions, over everything that can happen to a
daemon.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from daemon.alerts.mutes import Mutes
from daemon.cli.replay_source import RecordedAccount
from daemon.replay.verify import Epoch, Verified, verify
from daemon.store.history import History
from daemon.types import SECOND, Input, Reading, RecordedValue, Transition
from tests.lengths import length
from tests.replay.days import ACCOUNTS, live
from tests.replay.played import new_session, readings
from tests.service.lives import Life, RestlessClock, rows
from tests.values import T0, answer, rule, state


def verified(path: Path) -> dict[str, Verified]:
    with History.open(f"sqlite:///{path}") as history:
        return {name: verify(RecordedAccount(history, name)) for name in ACCOUNTS}


@pytest.mark.soak
@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(length(2, 20)))
async def test_promise_6_replay_equals_live(tmp_path: Path, seed: int) -> None:
    """Promise 6: misses, suspects, steps, stops, kills, reloads and new rules replay the same."""
    path = tmp_path / "m.db"
    await live(path, seed, rounds=length(200, 400))
    found = verified(path)
    assert [each.differences for each in found.values()] == [[], []]
    (recorded,) = rows(path, "SELECT count(*) FROM transitions")
    assert (sum(each.transitions for each in found.values()),) == recorded
    assert recorded > (100,)
    assert all(not stretch.why for each in found.values() for stretch in each.stretches)


async def test_promise_6_days_begin_in_the_recorded_time_zone(tmp_path: Path) -> None:
    """Promise 6: a replay on a machine of another zone compares with the same reading."""
    path, clock = tmp_path / "m.db", RestlessClock()
    kathmandu = Mutes(zone=ZoneInfo("Asia/Kathmandu"))  # it is 16:45 there at the start
    lost = rule("lost", 'since(available_margin, "16:46") < -30')
    async with Life(f"sqlite:///{path}", ["main"], [lost], clock=clock, mutes=kathmandu) as life:
        for margin in ("500", "480", "440"):
            await clock.advance(25 * SECOND)
            await life.tell({"main": answer(available_margin=margin)})
    assert rows(path, "SELECT value FROM transitions") == [(-40,)]
    with History.open(f"sqlite:///{path}") as history:
        found = verify(RecordedAccount(history, "main"))
    assert (found.transitions, found.differences) == (1, [])


async def test_promise_6_a_peak_that_a_restart_lost_is_a_difference(tmp_path: Path) -> None:
    """It changes later verdicts, so it must not differ in silence."""
    path, clock = tmp_path / "m.db", RestlessClock()
    fallen = rule("fallen", "available_margin < 50% * peak(available_margin)")
    for margins in (("1000",), ("400", "300")):
        async with Life(f"sqlite:///{path}", ["main"], [fallen], clock=clock) as life:
            for margin in margins:
                await clock.advance(5 * SECOND)
                await life.tell({"main": answer(available_margin=margin)})
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("DELETE FROM rule_values")
    with History.open(f"sqlite:///{path}") as history:
        found = verify(RecordedAccount(history, "main"))
    kept = RecordedValue("fallen", "peak(available_margin)", Decimal(1000))
    assert [(each.rule, each.recorded, each.replayed) for each in found.differences] == [
        ("fallen", None, kept)
    ]


class Growing:
    """A record that grows each time its inputs are read."""

    def __init__(self, transitions: list[Transition], *, hole: bool = False) -> None:
        self._inputs = readings("500", "90", "500", "90", "500", start=T0)[1:]
        if hole:
            del self._inputs[2]
        self._transitions = transitions
        self._there = 2

    def epochs(self) -> list[Epoch]:
        return [Epoch(state(since=T0, at=T0), [rule()])]

    def inputs(self, after: int, until: int | None) -> Iterator[Input]:
        assert until is None
        yield from [event for event in self._inputs[: self._there] if event.seq > after]
        self._there += 2

    def warm(self, seq: int, since: int) -> Iterator[Reading]:
        return iter(())

    def lacks(self, after: int, before: int) -> bool:
        return False

    def transitions(self) -> Iterator[Transition]:
        return iter(self._transitions)


def recorded() -> list[Transition]:
    """The transitions of all inputs."""
    past = Growing([])
    past._there = 9
    playing = new_session(rule())
    playing.state = past.epochs()[0].state
    return [each for event in past.inputs(0, None) for each in playing.play(event).transitions]


def test_promise_6_a_daemon_that_goes_on_writing_makes_no_difference() -> None:
    """Transitions recorded during the replay are replayed before they count as a difference."""
    transitions = recorded()
    assert len(transitions) == 4
    assert verify(Growing(transitions)).differences == []
    assert verify(Growing(transitions[:3])).differences == []
    wrong = replace(transitions[2], reason="other")
    assert [each.recorded for each in verify(Growing([*transitions[:2], wrong])).differences] == [
        wrong
    ]


def test_promise_6_catching_up_ends_where_an_input_lacks() -> None:
    """A span that cannot be replayed is not guessed."""
    transitions = recorded()
    assert [
        each.recorded for each in verify(Growing(transitions, hole=True)).differences
    ] == transitions[2:]
