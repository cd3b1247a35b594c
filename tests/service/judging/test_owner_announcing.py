"""Owners and what leaves with a commit: exactly what was written, by the silences as they stood
then.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, time
from functools import partial
from itertools import chain, repeat
from pathlib import Path

import pytest
from sqlalchemy import Connection

from daemon.alerts.mutes import DAYS, Mutes, MuteWindow
from daemon.log import FailureLog
from daemon.service.clock_monitor import offset
from daemon.service.delivery.immediate import book
from daemon.service.delivery.queue import NotificationQueue
from daemon.service.judging.account_owner import Owner
from daemon.service.judging.context import JudgingContext
from daemon.store import FaultInjection
from daemon.store.operations import (
    Claim,
    MessageKey,
    Operation,
    RecordWithClaims,
    StaleSilences,
    Written,
)
from daemon.store.write.silence_commands import Quiet
from daemon.types import MINUTE, Message, Notice, Record, Severity, Silence
from tests.fakes import NOON, ListJournal, ManualClock, RecordingWatcher
from tests.service.lives import TRANSITIONS, Life, rows
from tests.values import answer, rule, state


class Ramp:
    """Fake workers that are always free: their messages, and the fate of each."""

    def __init__(self) -> None:
        self.booked: list[Sequence[Notice]] = []
        self.ended: list[str] = []

    def book(self, notices: Sequence[Notice]) -> Claim:
        self.booked.append(notices)
        message = Message("low", "margin 90", Severity.WARNING)
        return Claim(
            MessageKey("telegram", NOON, len(self.booked)),
            tuple(each.key for each in notices),
            message,
        )

    def holds(self, claim: Claim) -> bool:
        return bool(claim.keys)

    def leave(self, claim: Claim) -> None:
        assert len(claim.keys) == len(self.booked[claim.message.n - 1])
        self.ended.append("left")

    def release(self, _: Claim) -> None:
        self.ended.append("released")


SLEEPS = Silence(0, ack=False, rule="low", account="*", code="", started_at=0, ended_at=None)


async def test_e2_whoever_asks_for_silence_before_the_commit_is_heeded(tmp_path: Path) -> None:
    """E2, F7: it is decided again, and the message stays; without silence the next input tells."""
    path, ramp = tmp_path / "m.db", Ramp()
    async with Life(f"sqlite:///{path}", ["main"], [rule()]) as life:
        life.book = partial(book, {"telegram": ramp})
        quiet = Quiet(f"sqlite:///{path}")
        number = quiet.add(SLEEPS, NOON)
        await life.tell({"main": answer(available_margin="90")})
        assert (ramp.ended, life.notifications.open("telegram")) == (["released"], [])
        assert [row[5] for row in rows(path, TRANSITIONS)] == ["firing"]
        quiet.end([number], life.clock.now())
        await life.tell({"main": answer(available_margin="90")})
        assert ramp.ended == ["released", "left"]
    assert rows(path, "SELECT state, attempts FROM notifications") == [("sending", 1)]


async def test_promise_1_what_could_not_be_recorded_does_not_leave_as_if_it_were(
    tmp_path: Path,
) -> None:
    """Promise 1's exception: during an outage nothing leaves by an unwritten claim."""
    path, ramp = tmp_path / "m.db", Ramp()
    async with Life(f"sqlite:///{path}", ["main"], [rule()]) as life:
        life.book = partial(book, {"telegram": ramp})
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        await life.tell({"main": answer(available_margin="90")})
        assert (
            ramp.ended,
            [entry.recorded for entry in life.notifications.waiting("telegram")],
        ) == (
            ["released"],
            [False],
        )
        blocker.execute("ROLLBACK")
        blocker.close()


def lost(connection: Connection) -> None:
    connection.commit()
    raise OSError("nobody knows")


def undone(connection: Connection) -> None:
    connection.rollback()
    raise OSError("nobody knows")


@pytest.mark.parametrize(("fails", "became"), [(lost, ["left"]), (undone, ["released", "left"])])
async def test_what_leaves_is_what_was_committed(
    tmp_path: Path, fails: Callable[[Connection], None], became: list[str]
) -> None:
    """After an unknown outcome: the recorded message leaves, or else the newly decided one."""
    commits, ramp = chain([Connection.commit, fails], repeat(Connection.commit)), Ramp()

    def commit(connection: Connection) -> None:
        next(commits)(connection)

    async with Life(
        f"sqlite:///{tmp_path}/m.db",
        ["main"],
        [rule()],
        fault_injection=FaultInjection(commit=commit),
    ) as life:
        life.book = partial(book, {"telegram": ramp})
        await life.tell({"main": answer(available_margin="90")})
    assert ramp.ended == became
    assert rows(tmp_path / "m.db", "SELECT state, attempts FROM notifications") == [("sending", 1)]


class Fickle(ListJournal):
    """A store in which somebody changes his mind about silences at every moment."""

    async def write(self, operation: Operation) -> Written:
        if isinstance(operation, RecordWithClaims):
            raise StaleSilences("silences are not what they were")
        return await super().write(operation)


async def test_nobody_waits_for_those_who_change_their_minds_about_silence() -> None:
    """After a few attempts it is written by what was read last, and told in the usual way."""
    clock, async_store, observer, ramp = ManualClock(), Fickle(), RecordingWatcher(), Ramp()
    episodes, moved = FailureLog(logging.getLogger("owner"), clock), offset(clock)
    context = JudgingContext(
        async_store,
        NotificationQueue(moved),
        clock,
        ("telegram",),
        set(),
        episodes,
        observer,
        moved,
    )
    owner = Owner(replace(context, book=partial(book, {"telegram": ramp})), state(), (rule("low"),))
    task = asyncio.create_task(owner.run())
    owner.post(answer(available_margin="90"))
    await clock.advance(0)
    assert [type(operation) for operation in async_store.operations] == [Record]
    assert set(ramp.ended) == {"released"}
    assert len(context.notifications.open("telegram")) == 1
    task.cancel()


@pytest.mark.parametrize(
    ("resolve", "kinds"), [(True, ["firing", "resolved"]), (False, ["firing"])]
)
async def test_e2_what_was_over_before_a_mute_window_waits_for_no_end_of_it(
    tmp_path: Path, *, resolve: bool, kinds: list[str]
) -> None:
    """E2: a channel that fails until the window has begun tells it inside the window."""
    window = MuteWindow("noon", frozenset(DAYS), time(11, 1), time(11, 20))
    brief = rule(mute=("noon",), resolve=resolve)
    mutes, clock = Mutes({"noon": window}, UTC), ManualClock()
    async with Life(
        f"sqlite:///{tmp_path}/m.db", ["main"], [brief], clock=clock, mutes=mutes
    ) as life:
        for margin, wait in (("90", 30_000), ("500", MINUTE), ("500", 0)):
            await life.tell({"main": answer(available_margin=margin)})
            await clock.advance(wait)
        assert mutes.until(["noon"], clock.now()) is not None
        ready = life.notifications.ready("telegram", clock.now(), clock.elapsed())
        assert [each.notice.key.kind for each in ready] == kinds
