"""A database that is locked for a while as an alert fires: its attempt on record is one that was
made, or says not.
"""

import asyncio
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from aiohttp import web

from daemon.simulator.faults import RestFault, success
from daemon.simulator.wire import Reply, ReplyConnection, whole
from tests.end_to_end.running import FIRED, HIGH, Stage, send, stage
from tests.service.lives import rows

ACCOUNTS = ("main", "second")
LOW = "90"
TRIES = 10
"""The lock may meet another commit, or be held too long on a busy machine: then the case is another
one.
"""

LONGER_THAN_HELD = 1.2
"""Seconds; a channel is kept free for one second for the message of a commit."""

RECORDED = 0.15
"""Seconds in which a reading is on record; the next one comes 0.4 s after it."""

OUTCOMES = "SELECT outcome FROM attempts ORDER BY id"
NOTIFICATIONS = """
    SELECT name, notifications.state, attempts
    FROM notifications JOIN alerts ON alerts.id = alert_id
    JOIN accounts ON accounts.id = account_id ORDER BY notifications.id
"""

ALERTS = "SELECT code, name FROM alerts JOIN accounts ON accounts.id = account_id"


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another program has begun to write."""
    with closing(sqlite3.connect(database, timeout=60, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def held_until(event: asyncio.Event) -> RestFault:
    """The regular answer, as soon as the event is set."""

    async def hold(line: ReplyConnection, reply: Reply) -> web.StreamResponse:
        await event.wait()
        return await whole(line, reply)

    return RestFault("held", frozenset({None}), success, hold)


async def overtake(it: Stage) -> bool:
    """Let a claim's commit hang, so that another account's message overtakes it; whether it did.

    The receiver holds the first message that it gets.
    """
    await it.until(lambda: all(it.told(name, HIGH) for name in ACCOUNTS))
    it.receiver.meanwhile, answered = asyncio.Event().wait, asyncio.Event()
    it.accounts["second"].fault(held_until(answered), times=1)
    it.show("second", LOW)
    await it.until(lambda: it.told("second", LOW))
    before = it.told("main", HIGH)
    await it.until(lambda: it.told("main", HIGH) > before)
    await it.life.survives(RECORDED)  # or the lock would meet the commit of that reading
    with locked(it.database):
        it.show("main", LOW)
        await it.until(lambda: it.told("main", LOW) >= 2)  # the first of them is judged
        send(it.life.process, signal.SIGSTOP)  # time passes, and no patience with the lock
        await it.life.survives(LONGER_THAN_HELD)
        send(it.life.process, signal.SIGCONT)
        answered.set()
        await it.until(lambda: it.told("second", LOW) >= 2)  # likewise
    await it.until(
        lambda: it.receiver.heard and len(rows(it.database, NOTIFICATIONS)) == len(ACCOUNTS)
    )
    both_claimed = len(rows(it.database, "SELECT title FROM messages")) == len(ACCOUNTS)
    return both_claimed and "second" in it.receiver.heard[0].title


async def test_strict_1_a_claim_that_was_overtaken_is_no_attempt(tmp_path: Path) -> None:
    """Strict 1, F7: after a kill an overtaken message is sent once, not marked as a repeat."""
    for number in range(TRIES):
        async with stage(tmp_path / str(number), ACCOUNTS) as it:
            await it.start()
            if await overtake(it):
                await judge(it)
                return
    raise AssertionError("no message was ever overtaken")


async def judge(it: Stage) -> None:
    await it.until(lambda: rows(it.database, OUTCOMES) == [("never_made",), (None,)])
    assert sorted(rows(it.database, NOTIFICATIONS)) == [
        ("main", "queued", 0),
        ("second", "sending", 1),
    ]
    await it.kill()
    it.receiver.meanwhile = None
    await it.start()
    await it.until(
        lambda: {state for _, state, _ in rows(it.database, NOTIFICATIONS)} == {"delivered"}
    )
    assert await it.stop() == 0
    names = {str(code): name for code, name in rows(it.database, ALERTS)}
    news = [(names[each.code], each) for heard in it.receiver.heard for each in heard.news]
    said = [(name, each.maybe_repeat) for name, each in news]
    assert sorted(said) == [("main", False), ("second", False), ("second", True)]
    assert all(each.kinds == {FIRED} and not each.not_recorded for _, each in news)
    assert rows(it.database, OUTCOMES)[:2] == [("never_made",), (None,)]
