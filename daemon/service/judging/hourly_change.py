"""How an account's fields stood about an hour ago, read ahead of need: no alert waits for what it
tells beside.

Nothing is judged by it; where nobody can read it, messages do without.
"""

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal

from daemon.alerts.notification_facts import balance_changes
from daemon.errors import StoreError
from daemon.service.async_store import AsyncStore
from daemon.types import HOUR, MINUTE, SECOND, Balances, Millis, Reading

ABOUT: Millis = 10 * MINUTE
"""A reading so much older than an hour still tells what has changed within one."""

RENEWED: Millis = 30 * SECOND
"""How often it is read again."""


class HourlyBaseline:
    """Of one account. Instants are its own, and an hour is one by them."""

    def __init__(self, account: str, async_store: AsyncStore) -> None:
        self._account = account
        self._async_store = async_store
        self._renewed_at: Millis | None = None
        self._read_at: Millis | None = None
        self._ahead: Millis = 0
        """How much later the next input was expected when it was read."""
        self._earlier: Reading | None = None

    def hourly(self, at: Millis, now: Balances) -> Mapping[str, Decimal]:
        """How the fields moved until `at`, by what was read ahead; nothing where nobody read them
        about then.
        """
        earlier = self._earlier
        if earlier is None or not -self._ahead <= at - HOUR - earlier.at <= ABOUT:
            return {}
        return balance_changes(earlier.balances, now)

    async def renew(self, at: Millis) -> None:
        """Look ahead to the next input, which is expected as long after this one as this came after
        the last.
        """
        before, self._renewed_at = self._renewed_at, at
        if self._read_at is not None and 0 <= at - self._read_at < RENEWED:
            return
        self._ahead = 0 if before is None else min(max(0, at - before), ABOUT)
        self._read_at, self._earlier = at, None
        with suppress(StoreError):
            self._earlier = await self._async_store.standing(self._account, at + self._ahead - HOUR)
