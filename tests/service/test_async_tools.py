"""Waiting for an event or a timer, whichever comes first."""

import asyncio

from daemon.service.async_tools import event_or_timer


async def test_the_event_ends_the_wait_and_its_timer() -> None:
    """The timer is cancelled, and its end sets nothing any more."""
    event, timer = asyncio.Event(), asyncio.Event()
    waiting = asyncio.create_task(event_or_timer(event, _until(timer)))
    await asyncio.sleep(0)
    event.set()
    await waiting
    event.clear()
    timer.set()
    for _ in range(3):
        await asyncio.sleep(0)
    assert not event.is_set()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_the_timer_sets_the_event() -> None:
    """Whoever waits for the event goes on."""
    event, timer = asyncio.Event(), asyncio.Event()
    waiting = asyncio.create_task(event_or_timer(event, _until(timer)))
    timer.set()
    await waiting
    assert event.is_set()


async def test_without_a_timer_only_the_event_counts() -> None:
    """A set event ends the wait at once."""
    event = asyncio.Event()
    event.set()
    await event_or_timer(event, None)


async def _until(event: asyncio.Event) -> None:
    await event.wait()
