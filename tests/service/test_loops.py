import asyncio
import logging

import pytest

from daemon.errors import StoreError
from daemon.log import FailureLog
from daemon.service.loops import supervise
from tests.fakes import ManualClock


async def test_a_loop_that_breaks_is_started_again_and_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A fault of ours does not silence a loop for good; it is logged once, without a traceback."""
    clock, lives = ManualClock(), list[int]()

    async def loop() -> None:
        lives.append(clock.elapsed())
        if len(lives) < 3:
            raise ZeroDivisionError("by zero")

    caplog.set_level(logging.INFO)
    task = asyncio.create_task(
        supervise("the judging of main", loop, clock, FailureLog(logging.getLogger("x"), clock))
    )
    await clock.advance(5_000)
    assert task.done()
    assert len(lives) == 3
    assert [record.message for record in caplog.records] == [
        (
            "the judging of main broke (ZeroDivisionError: by zero) and is started again;"
            " please report this"
        )
    ]


async def test_a_loop_that_cannot_read_the_record_tells_what_to_do(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A damaged database is not our bug: it is logged once without a request to report it."""
    clock, lives = ManualClock(), list[int]()

    async def loop() -> None:
        lives.append(clock.elapsed())
        if len(lives) < 3:
            raise StoreError("the table alerts is damaged: mend it")

    task = asyncio.create_task(
        supervise("the judging of main", loop, clock, FailureLog(logging.getLogger("x"), clock))
    )
    await clock.advance(5_000)
    assert task.done()
    assert [record.message for record in caplog.records] == [
        (
            "the judging of main cannot go on, and is tried again every second: the table alerts is"
            " damaged: mend it"
        )
    ]


async def test_a_cancelled_loop_ends() -> None:
    """Stopping is no fault."""
    clock = ManualClock()

    async def loop() -> None:
        await clock.sleep(1_000_000)

    task = asyncio.create_task(
        supervise("a loop", loop, clock, FailureLog(logging.getLogger("x"), clock))
    )
    await clock.advance(10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
