"""One call with new keys, so that `init` can propose limits from the balance.

It uses no database: before the first start no other program of this machine has the keys.
"""

import asyncio

from daemon import exchanges
from daemon.clock import Clock
from daemon.config import BudgetLimits
from daemon.exchanges import ExchangeAccount, ExchangeDependencies
from daemon.exchanges.common import http
from daemon.exchanges.common.rate_limit import Budget
from daemon.hidden import Secret
from daemon.types import SECOND, Answer, NoAnswer

EXCHANGE = "coinw"
TIMEOUT = 5 * SECOND


def read_balance(keys: tuple[Secret, Secret], clock: Clock, url: str = "") -> Answer | NoAnswer:
    """The exchange's answer about the account of these keys, at `url` or its own address."""
    return asyncio.run(_read(keys, clock, url))


async def _read(keys: tuple[Secret, Secret], clock: Clock, url: str) -> Answer | NoAnswer:
    adapter, limits = exchanges.load(EXCHANGE), BudgetLimits()
    key, secret = (each.reveal() for each in keys)
    account = ExchangeAccount("new", key, secret, url or adapter.REST_URL, timeout=TIMEOUT)
    async with http.open_session() as session:
        budget = Budget(clock, limits.host, limits.user, {})
        exchange = adapter.connect(account, ExchangeDependencies(session, budget, clock))
        try:
            return await exchange.read()
        finally:
            await exchange.close()
