"""Small helpers for event loops."""

import asyncio
from collections.abc import Coroutine


async def event_or_timer(
    event: asyncio.Event, timer: Coroutine[object, object, None] | None
) -> None:
    """Return when the event is set. The end of the timer sets it, too.

    The caller goes on in the very next round of the loop: an alert waits for it.
    """
    if timer is None:
        await event.wait()
        return
    task = asyncio.ensure_future(timer)

    def ring(_ended: object) -> None:
        event.set()

    task.add_done_callback(ring)
    try:
        await event.wait()
    finally:
        task.remove_done_callback(ring)
        task.cancel()
