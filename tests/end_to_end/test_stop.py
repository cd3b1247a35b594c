"""The running daemon is started, stopped and started again as systemd does it: by signals, with its
exit status.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from daemon.errors import StoreError
from daemon.store import Store
from tests.end_to_end.running import ENDED, FIRED, HIGH, STOPS_WITHIN, Stage, send, stage
from tests.service.lives import rows

NOTIFICATIONS = "SELECT kind, state, attempts FROM notifications ORDER BY id"
ATTEMPTS = "SELECT outcome FROM attempts ORDER BY id"
EPOCHS = "SELECT end_reason FROM epochs ORDER BY id"


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path) as it:
        yield it


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_ends_the_epoch_and_exits_with_0(it: Stage, number: signal.Signals) -> None:
    """SIGTERM and Ctrl-C end in order: nothing is lost, systemd is told, the lock is free."""
    await it.start()
    await it.until(lambda: it.told("main", HIGH) >= 2)
    assert await it.stop(number, STOPS_WITHIN) == 0
    assert rows(it.database, EPOCHS) == [("stop",)]
    assert rows(it.database, "SELECT count(*) FROM snapshots") == [(it.told("main", HIGH),)]
    assert it.manager.told == ["READY=1", "STOPPING=1"]
    assert "Traceback" not in it.said()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_does_not_wait_for_a_receiver_that_hangs(
    it: Stage, number: signal.Signals
) -> None:
    """The message in the receiver's hands stays open, and is a marked repeat after a start."""
    it.receiver.meanwhile = asyncio.Event().wait
    it.show("main", "90")
    await it.start()
    await it.until(lambda: it.receiver.heard)
    assert await it.stop(number, STOPS_WITHIN) == 0
    assert rows(it.database, NOTIFICATIONS) == [(FIRED, "sending", 1)]
    assert rows(it.database, ATTEMPTS) == [(None,)]
    it.receiver.meanwhile = None
    await it.start()
    await it.until(lambda: rows(it.database, NOTIFICATIONS) == [(FIRED, "delivered", 2)])
    assert rows(it.database, ATTEMPTS) == [(None,), ("delivered",)]
    assert [one.maybe_repeat for message in it.receiver.heard for one in message.news] == [
        False,
        True,
    ]


async def test_what_arises_while_a_receiver_hangs_stays_queued(it: Stage) -> None:
    """The end waits behind a message that hangs; both come after the next start, the end once."""
    it.receiver.meanwhile = asyncio.Event().wait
    it.show("main", "90")
    await it.start()
    await it.until(lambda: it.receiver.heard)
    it.show("main", HIGH)
    await it.until(lambda: len(rows(it.database, NOTIFICATIONS)) == 2)
    assert await it.stop(within=STOPS_WITHIN) == 0
    assert rows(it.database, NOTIFICATIONS) == [(FIRED, "sending", 1), (ENDED, "queued", 0)]
    it.receiver.meanwhile = None
    await it.start()
    await it.until(
        lambda: {state for _, state, _ in rows(it.database, NOTIFICATIONS)} == {"delivered"}
    )
    (again,) = it.receiver.heard[-1].news
    assert (sorted(again.kinds), again.maybe_repeat) == ([FIRED, ENDED], True)


async def test_a_stop_tells_what_is_due(tmp_path: Path) -> None:
    """A message that waits for its group is tried once before the end."""
    async with stage(tmp_path, group_wait="1h") as it:
        await it.start()
        it.show("main", "90")
        await it.until(lambda: rows(it.database, NOTIFICATIONS) == [(FIRED, "queued", 0)])
        assert await it.stop(within=STOPS_WITHIN) == 0
        assert rows(it.database, NOTIFICATIONS) == [(FIRED, "delivered", 1)]
        assert len(it.receiver.heard) == 1


async def test_a_second_daemon_names_the_first_and_exits(it: Stage) -> None:
    """A second daemon ends with 1 and the first one's pid, and changes nothing."""
    first = await it.start()
    second = await it.begin()
    assert await second.over() == 1
    assert f"pid {first.process.pid}" in it.said()
    ready, why = it.manager.told
    assert (ready, why.partition(":")[0]) == ("READY=1", "STATUS=failed")
    assert not first.death.done()
    send(first.process, signal.SIGTERM)
    assert await first.over() == 0


async def test_it_is_ready_only_once_it_has_its_store(it: Stage) -> None:
    """READY=1 comes after configuration and database are in order; not if the start fails."""
    it.config.rename(it.folder / "kept.toml")
    assert await (await it.begin()).over() == 78
    (it.folder / "kept.toml").rename(it.config)
    it.database.write_bytes(b"this is no database" * 100)
    assert await (await it.begin()).over() == 1
    it.database.unlink()
    holder = await asyncio.to_thread(Store.open, f"sqlite:///{it.database}")
    assert await (await it.begin()).over() == 1
    await asyncio.to_thread(holder.close)
    assert [word.partition(":")[0] for word in it.manager.told] == ["STATUS=failed"] * 3
    await it.start()
    with pytest.raises(StoreError):
        Store.open(f"sqlite:///{it.database}")
    assert it.manager.told[3:] == ["READY=1"]


async def test_an_exchange_that_does_not_answer_keeps_nobody_from_stopping(it: Stage) -> None:
    """A call that hangs is given up, and leaves nothing behind but the readings before it."""
    await it.start()
    await it.until(lambda: it.told("main", HIGH) >= 2)
    it.accounts["main"].fault("hang")
    await it.until(lambda: it.simulator.log[-1].said == "hang")
    answered = it.told("main", HIGH)
    assert await it.stop(within=STOPS_WITHIN) == 0
    assert rows(it.database, "SELECT count(*) FROM snapshots") == [(answered,)]
