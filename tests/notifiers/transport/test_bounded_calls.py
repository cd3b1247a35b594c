"""Blocking calls from the event loop: one at a time, given up in time, never blocking an exit."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence

import pytest

from daemon.notifiers.transport.bounded_calls import GRACE, BoundedCalls, Unfinished
from daemon.notifiers.transport.connections import CallConnections, current
from tests.fakes import ManualClock, settle
from tests.notifiers.hostile import no_call_is_left


async def test_a_result_comes_back() -> None:
    """The work's return value is the result."""
    calls: BoundedCalls[int] = BoundedCalls(ManualClock(), 1000, bool)
    assert await calls.run(lambda: 42) == 42


async def test_a_failure_is_raised_where_it_is_awaited() -> None:
    """Exceptions of the work are raised to the caller, not printed by its thread."""
    calls: BoundedCalls[float] = BoundedCalls(ManualClock(), 1000, bool)
    with pytest.raises(ZeroDivisionError):
        await calls.run(lambda: 1 / 0)


async def test_calls_take_turns() -> None:
    """F2: a second call begins when the first one has ended."""
    release = threading.Event()
    calls: BoundedCalls[bool] = BoundedCalls(ManualClock(), 1000, bool)
    began: list[str] = []

    def work(name: str) -> bool:
        began.append(name)
        return release.wait(60)

    first = asyncio.ensure_future(calls.run(lambda: work("first")))
    second = asyncio.ensure_future(calls.run(lambda: work("second")))
    await settle()
    assert began == ["first"]
    release.set()
    assert [await first, await second, began] == [True, True, ["first", "second"]]


async def test_hanging_calls_are_given_up_and_bounded() -> None:
    """F2: a late call is given up; while too many hang none begins; after that all is well."""
    clock, release = ManualClock(), threading.Event()
    calls: BoundedCalls[bool] = BoundedCalls(clock, 1000, bool, abandoned=0)
    hanging = asyncio.ensure_future(calls.run(lambda: release.wait(60)))
    await clock.advance(1000 + GRACE)
    assert await hanging is Unfinished.TIMED_OUT
    assert await calls.run(lambda: True) is Unfinished.CROWDED
    release.set()
    for thread in threading.enumerate():
        if thread.name == "notifier":
            thread.join()
    await settle()
    assert await calls.run(lambda: True) is True


@pytest.mark.parametrize(
    ("tells", "expected"),
    [
        ([], Unfinished.TIMED_OUT),
        ([CallConnections.connecting], Unfinished.UNSENT),
        ([CallConnections.connecting, CallConnections.sending], Unfinished.TIMED_OUT),
        (
            [CallConnections.connecting, CallConnections.sending, CallConnections.connecting],
            Unfinished.TIMED_OUT,
        ),
    ],
)
async def test_a_call_that_sent_nothing_is_told_apart(
    tells: Sequence[Callable[[CallConnections], None]], expected: Unfinished
) -> None:
    """F1: only where its library shows that nothing left; then it sends nothing any more."""
    clock, release = ManualClock(), threading.Event()
    refused: list[str] = []

    def work() -> bool:
        call = current()
        assert call is not None
        for tell in tells:
            tell(call)
        release.wait(60)
        try:
            call.sending()
        except ConnectionAbortedError as error:
            refused.append(str(error))
        return False

    calls: BoundedCalls[bool] = BoundedCalls(clock, 1000, bool)
    hanging = asyncio.ensure_future(calls.run(work))
    await clock.advance(1000 + GRACE)
    assert await hanging is expected
    release.set()
    no_call_is_left()
    assert refused == ["the call was given up"]


async def test_a_cancelled_call_frees_its_turn() -> None:
    """Cancelling an attempt does not block the channel: the next one begins."""
    release = threading.Event()
    calls: BoundedCalls[bool] = BoundedCalls(ManualClock(), 1000, bool)
    hanging = asyncio.ensure_future(calls.run(lambda: release.wait(60)))
    await settle()
    hanging.cancel()
    await asyncio.wait([hanging])
    assert await calls.run(lambda: True) is True
    release.set()


HANGS = """
import asyncio, threading
from daemon.clock import SystemClock
from daemon.notifiers.transport.bounded_calls import BoundedCalls
calls = BoundedCalls(SystemClock(), 1, bool)
print(asyncio.run(calls.run(threading.Event().wait)))
"""


def test_a_hanging_call_does_not_hold_the_process() -> None:
    """A process whose receiver hangs for ever still ends."""
    done = subprocess.run(
        [sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=60, check=True
    )
    assert (done.stdout.strip(), done.stderr) == ("Unfinished.TIMED_OUT", "")
