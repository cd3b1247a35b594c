"""Calls of other commands are counted once, and in time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from daemon.errors import StoreError
from daemon.exchanges.common.rate_limit import Budget, Budgets
from daemon.service.collection.external_calls import EVERY, ExternalCalls
from daemon.store.operations import RecordCall
from daemon.types import SECOND, Limit, Millis
from tests.fakes import ManualClock, settle


class Booth:
    """A budget of three calls in ten seconds, and the bookings of others."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.booked: list[RecordCall] | None = []
        """None is a database that cannot be read."""
        self.budget = Budget(self.clock, Limit(3, 10 * SECOND), Limit(100, SECOND), {})
        budgets = Budgets(["api.exchange"], lambda: self.budget)
        self.external_calls = ExternalCalls(self.found, budgets, 10 * SECOND, self.clock)

    def found(self, since: Millis) -> list[RecordCall]:
        if self.booked is None:
            raise StoreError("the disk fails")
        return [call for call in self.booked if call.at >= since]

    def book(self, ahead: Millis, n: int = 0) -> None:
        assert self.booked is not None
        self.booked.append(RecordCall(self.clock.now() + ahead, "assets", "7", n))

    @property
    def held(self) -> int:
        """Places of the host that are taken."""
        return len(self.budget._windows[("host",)].ended) if self.budget._windows else 0


@pytest.fixture
async def context() -> AsyncIterator[Booth]:
    """With its loop under way."""
    made = Booth()
    made.book(-SECOND)
    made.external_calls.count_new()
    loop = asyncio.create_task(made.external_calls.listen())
    yield made
    loop.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await loop


async def looked(context: Booth) -> None:
    """The loop has looked once more; reading takes a thread, and so its own time."""
    await context.clock.advance(EVERY)
    while not context.clock._sleepers:
        await settle()


async def test_b3_what_is_booked_meanwhile_is_counted_once(context: Booth) -> None:
    """B3: one booking from before the start, two from during the life, each seen several times."""
    assert context.held == 1
    context.book(0)
    context.book(3 * SECOND, n=1)
    for _ in range(3):
        await looked(context)
    assert context.held == 3


async def test_b3_a_record_that_cannot_be_read_ends_nothing(context: Booth) -> None:
    """B3: the daemon goes on listening, and hears what was booked as soon as it can read it."""
    context.booked, kept = None, context.booked
    await looked(context)
    context.booked = kept
    context.book(0, n=2)
    await looked(context)
    assert context.held == 2
