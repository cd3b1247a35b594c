"""The push streams of one life, and what they share: the doors through which connections are
made.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias
from urllib.parse import urlsplit

from daemon import exchanges
from daemon.clock import Clock
from daemon.exchanges.common.rate_limit import Budget
from daemon.exchanges.common.stream_connection import StreamConnection
from daemon.exchanges.common.stream_protocol import StreamProtocol
from daemon.log import FailureLog
from daemon.readings.push_check import Pushes
from daemon.service.collection.poller import Poller
from daemon.service.collection.reconcile import PushRestReconciler
from daemon.service.collection.stream import StreamCallbacks, StreamWorker
from daemon.service.judging.account_owner import Owner
from daemon.types import SECOND, Limit, NoAnswer

# How many connections an exchange takes is not known: few, and of a budget of their own, so that
# ever so many of them that hang hold up no call. Together with the default [budget] they stay below
# CoinW's strictest reading.
DOORS = Limit(20, 10 * SECOND)
USER_DOORS = Limit(5, 10 * SECOND)

Dial: TypeAlias = Callable[
    [exchanges.ExchangeAccount, StreamProtocol], Awaitable[StreamConnection | NoAnswer]
]
"""Connects to the account's push stream and logs in."""


class Streams:
    def __init__(
        self, dial: Dial, clock: Clock, jitter: Callable[[], float], episodes: FailureLog
    ) -> None:
        self._dial = dial
        self._clock = clock
        self._jitter = jitter
        self._episodes = episodes
        self._doors: dict[str, Budget] = {}
        """By host: one that takes no connections keeps nobody from another."""
        self._intakes: dict[str, PushRestReconciler] = {}

    @property
    def accounts(self) -> tuple[str, ...]:
        """Those that are pushed to."""
        return tuple(self._intakes)

    def pushes(self) -> Mapping[str, Pushes]:
        """By account, what its pushes are worth."""
        return {account: reconciler.pushes for account, reconciler in self._intakes.items()}

    def add(
        self,
        exchange: str,
        account: exchanges.ExchangeAccount,
        reconciler: PushRestReconciler,
        poller: Poller,
        owner: Owner,
    ) -> StreamWorker | None:
        """The account's stream, to be run; None where its exchange has none, or none is wanted."""
        stream_protocol = exchanges.stream_protocol(exchange, account)
        if stream_protocol is None:
            return None

        host = urlsplit(account.ws_url).netloc.lower()
        doors = self._doors.setdefault(host, Budget(self._clock, DOORS, USER_DOORS, {}))

        async def connect(user_id: str) -> StreamConnection | NoAnswer:
            async with doors.call("stream", user_id):
                return await self._dial(account, stream_protocol)

        callbacks = StreamCallbacks(
            poller.identified, connect, reconciler.pushed, poller.again, owner.room
        )
        self._intakes[account.name] = reconciler
        return StreamWorker(account.name, callbacks, self._clock, self._jitter, self._episodes)
