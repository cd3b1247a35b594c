"""An account's mailbox, and messages about an exchange that limits the calls."""

import asyncio
from pathlib import Path

from daemon.alerts.system_rules import system_rule
from daemon.exchanges.common.penalties import Pause, pause_after
from daemon.service.async_store import ThreadedStore
from daemon.store import Store
from daemon.store.operations import Operation, Written
from daemon.types import MINUTE, SECOND, MissReason, NoAnswer
from tests.fakes import ManualClock, settle
from tests.service.lives import Life, RestlessClock, rows
from tests.values import answer, rule


class Gated(ThreadedStore):
    """Commits wait until somebody opens the gate."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        super().__init__(store, clock)
        self.gate = asyncio.Event()

    async def write(self, operation: Operation) -> Written:
        await self.gate.wait()
        return await super().write(operation)


async def test_a6_readings_that_arrive_during_a_commit_wait_and_none_is_skipped(
    tmp_path: Path,
) -> None:
    """A6: each is judged after the one before is committed, in the order in which they came."""
    path = tmp_path / "m.db"
    async with Life(f"sqlite:///{path}", ["main"], [rule()], async_store=Gated) as life:
        margins = ["90", "500", "80", "500"]
        for margin in margins:
            life.owners["main"].post(answer(available_margin=margin))
            await settle()
        assert rows(path, "SELECT seq FROM snapshots") == []
        assert isinstance(life.async_store, Gated)
        life.async_store.gate.set()
        await life.owners["main"].drained()
    found = rows(path, "SELECT seq, available_margin FROM snapshots ORDER BY seq")
    assert found == [(seq, float(margin)) for seq, margin in enumerate(margins, 2)]
    moved = [state for (state,) in rows(path, "SELECT to_state FROM transitions ORDER BY id")]
    assert moved == ["firing", "resolved", "firing", "resolved"]


async def test_b2_a_person_is_told_once_that_the_exchange_limits_the_calls(tmp_path: Path) -> None:
    """B2: once in half an hour of refusals, and once when it is over."""
    clock, pause = RestlessClock(), Pause()
    limited = system_rule("rate-limited", 2 * MINUTE)
    async with Life(f"sqlite:///{tmp_path / 'm.db'}", ["main"], [limited], clock=clock) as life:
        refused = [
            MissReason.RATE_LIMITED,
            MissReason.RATE_LIMITED,
            MissReason.BLOCKED,
            MissReason.TIMEOUT,
        ]
        began = clock.now()
        while clock.now() - began < 30 * MINUTE:
            reason = refused[len(life.observer.records) % len(refused)]
            pause = pause_after(pause, reason, clock.elapsed())
            await life.tell({"main": NoAnswer(reason, "no")})
            await clock.advance(max(pause.length, 5 * SECOND))
        await life.tell({"main": answer()})
    kinds = rows(tmp_path / "m.db", "SELECT kind FROM notifications ORDER BY id")
    assert kinds == [("firing",), ("resolved",)]


async def test_b1_an_unknown_code_that_lasts_is_one_alert_that_quotes_it(tmp_path: Path) -> None:
    """B1, D7: one critical alert after a minute, with the exchange's own words."""
    clock, pause, asked = RestlessClock(), Pause(), 0
    watched = [system_rule("no-readings", 2 * MINUTE), system_rule("answers-unusable", MINUTE)]
    said = "CoinW answered without balances (HTTP 200, 9105: API key has expired)"
    async with Life(f"sqlite:///{tmp_path / 'm.db'}", ["main"], watched, clock=clock) as life:
        await life.tell({"main": answer()})
        began = clock.now()
        while clock.now() - began < 30 * MINUTE:
            asked += 1
            pause = pause_after(pause, MissReason.BAD_ANSWER, clock.elapsed())
            await life.tell({"main": NoAnswer(MissReason.BAD_ANSWER, said)})
            await clock.advance(max(pause.length, 5 * SECOND))
        await life.tell({"main": answer()})
    found = rows(
        tmp_path / "m.db",
        "SELECT rule, kind FROM notifications JOIN alerts ON alerts.id = alert_id",
    )
    assert found == [("answers-unusable", "firing"), ("answers-unusable", "resolved")]
    assert said in str(rows(tmp_path / "m.db", "SELECT facts FROM notifications LIMIT 1"))
    assert asked <= 10 * 12 + 20 + 1
