"""Caches the reading of one hour ago, so that an alert never waits for the database.

No rule is judged by it. If it cannot be read, messages do without.
"""

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal

from daemon.alerts.notification_facts import balance_changes
from daemon.errors import StoreError
from daemon.service.async_store import AsyncStore
from daemon.types import HOUR, MINUTE, SECOND, Balances, Millis, Reading

ABOUT: Millis = 10 * MINUTE
"""Tolerance: a reading this much older than an hour still shows the hourly change."""

RENEWED: Millis = 30 * SECOND
"""Interval between two reads."""


class HourlyBaseline:
    """Baseline of one account. Instants are the account's own, and an hour is one by them."""

    def __init__(self, account: str, async_store: AsyncStore) -> None:
        self._account = account
        self._async_store = async_store
        self._renewed_at: Millis | None = None
        self._read_at: Millis | None = None
        self._ahead: Millis = 0
        """Expected time to the next input when it was read."""
        self._earlier: Reading | None = None

    def hourly(self, at: Millis, now: Balances) -> Mapping[str, Decimal]:
        """Changes of the fields in the hour before `at`; empty if no fitting baseline was read."""
        earlier = self._earlier
        if earlier is None or not -self._ahead <= at - HOUR - earlier.at <= ABOUT:
            return {}
        return balance_changes(earlier.balances, now)

    async def renew(self, at: Millis) -> None:
        """Read the baseline for the next input, which is expected after the same interval again."""
        before, self._renewed_at = self._renewed_at, at
        if self._read_at is not None and 0 <= at - self._read_at < RENEWED:
            return
        self._ahead = 0 if before is None else min(max(0, at - before), ABOUT)
        self._read_at, self._earlier = at, None
        with suppress(StoreError):
            self._earlier = await self._async_store.standing(self._account, at + self._ahead - HOUR)
