"""Hourly rollups, made behind the readings: in steps of their own, so that no reading waits.

    inputs not seen yet ──► their hours are marked ──► hours that are over are rolled, and unmarked

All that is known of it is in the database, so a kill costs at most one step. A first start over an
old database goes on with it for as long as it takes, while everything else runs.
"""

import asyncio
import logging

from daemon.clock import Clock
from daemon.errors import StoreError
from daemon.store import Store
from daemon.store.operations import CommitFailed, MarkHours, Upkeep, WriteRollups
from daemon.types import MINUTE, SECOND, Millis

_log = logging.getLogger("marginwatch")

HOURS = 3
"""Hours rolled in one step: a hundredth of a second of work, for which Python stops the others."""

PAUSE: Millis = 10
"""Time between two steps, in which others have the database and the processor."""

TELL: Millis = 30 * SECOND
"""Time between two lines of progress in the log."""


class Rollups:
    """The loop; one in a process."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._told_at: Millis | None = None
        """Elapsed time at the last line of progress; None while it is not behind."""
        self._failure = ""

    async def run(self) -> None:
        """Catch up every minute, until cancelled; not at once, as a start has other work."""
        while True:
            await self._clock.sleep(MINUTE)
            try:
                failure = await self._catch_up()
            except (StoreError, CommitFailed) as error:
                failure = str(error)
            if failure and failure != self._failure:
                _log.warning("the hourly rollups wait, and are tried every minute: %s", failure)
            self._failure = failure

    async def _catch_up(self) -> str:
        """Roll what can be; returns why the hours of some account cannot, or "".

        A damaged row of one account must not keep the hours of the others.
        """
        failure = ""
        for account in await asyncio.to_thread(self._store.recorded_accounts):
            try:
                await self._catch_up_account(account)
            except (StoreError, CommitFailed) as error:
                failure = failure or str(error)
        if self._told_at is not None and not failure:
            self._told_at = None
            _log.info("the hourly rollups are up to date")
        return failure

    async def _catch_up_account(self, account: str) -> None:
        while await self._mark(account) or await self._roll(account):
            await self._tell()
            await self._clock.sleep(PAUSE)

    async def _mark(self, account: str) -> bool:
        """Mark the hours of the next inputs; False when there are none."""
        found = await asyncio.to_thread(self._store.unseen_inputs, account)
        if found is None:
            return False
        await self._write(MarkHours(account, found.hours, found.seq))
        return True

    async def _roll(self, account: str) -> bool:
        """Roll the next hours that are over; False when there are none."""
        now = self._clock.now()
        marks = await asyncio.to_thread(self._store.pending_hours, account, now, HOURS)
        if not marks:
            return False
        rolled = await asyncio.to_thread(self._store.roll_hours, account, marks)
        await self._write(WriteRollups(account, tuple(rolled), marks))
        return True

    async def _write(self, operation: Upkeep) -> None:
        await asyncio.wrap_future(self._store.submit(operation))

    async def _tell(self) -> None:
        """Log how much is left, if that is more than usual, now and then."""
        elapsed = self._clock.elapsed()
        if self._told_at is not None and elapsed - self._told_at < TELL:
            return
        left = await asyncio.to_thread(self._store.rollups_left, self._clock.now())
        if self._told_at is None and not left.is_behind:
            return
        self._told_at = elapsed
        _log.info(
            "hourly rollups of older readings are being made; readings go on",
            extra={"hours_left": left.hours, "inputs_left": left.inputs},
        )
