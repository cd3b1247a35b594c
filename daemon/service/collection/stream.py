"""Push streams: each listens, reconnects, and logs once when it fails and once when it works again.

    connections ──► a push ──► reconciler ──► mailbox, at once
        └── up ──► one extra call, for changes while nobody listened

A dead stream costs latency and nothing else: polling goes on. A stream neither judges nor stores.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit

from daemon import exchanges
from daemon.clock import Clock
from daemon.exchanges.common.rate_limit import Budget
from daemon.exchanges.common.reconnect import ReconnectingConnections, delays
from daemon.exchanges.common.stream_connection import StreamConnection
from daemon.exchanges.common.stream_protocol import Malformed, Pushed, StreamProtocol
from daemon.log import FailureLog
from daemon.readings.push_check import Pushes
from daemon.service.collection.poller import Poller
from daemon.service.collection.reconcile import PushRestReconciler
from daemon.service.judging.account_owner import Owner
from daemon.types import SECOND, Answer, Limit, NoAnswer

# The exchange's limit for connections is unknown, so these are low. Connections have their own
# limit, so that hanging connects cannot block REST calls. Together with the default [budget] they
# stay below the strictest reading of CoinW's limits.
CONNECT_LIMIT = Limit(20, 10 * SECOND)
USER_CONNECT_LIMIT = Limit(5, 10 * SECOND)

Dial: TypeAlias = Callable[
    [exchanges.ExchangeAccount, StreamProtocol], Awaitable[StreamConnection | NoAnswer]
]
"""Connects to the account's push stream and logs in."""


@dataclass(frozen=True, slots=True)
class StreamCallbacks:
    """Callbacks of a stream."""

    user_id: Callable[[], Awaitable[str]]
    """Waits for the account's user id: before, a push might be anybody's."""
    connect: Callable[[str], Awaitable[StreamConnection | NoAnswer]]
    """Connects for that user id."""
    pushed: Callable[[Answer], None]
    up: Callable[[], None]
    """Called after a connect: balances may have changed while nobody listened."""
    room: Callable[[], Awaitable[None]]
    """Waits until the receiver of pushes has room for more."""


class StreamWorker:
    """Stream of one account."""

    def __init__(
        self,
        account: str,
        callbacks: StreamCallbacks,
        clock: Clock,
        jitter: Callable[[], float],
        failure_log: FailureLog,
    ) -> None:
        self._account = account
        self._callbacks = callbacks
        self._clock = clock
        self._failure_log = failure_log
        self._connections = ReconnectingConnections(self._connect, lambda: delays(jitter), clock)
        self._user_id = ""

    async def run(self) -> None:
        """Listen until cancelled."""
        self._user_id = await self._callbacks.user_id()
        async for connection in self._connections:
            try:
                await self._listen(connection)
            finally:
                await connection.close()

    async def _connect(self) -> StreamConnection | NoAnswer:
        connected = await self._callbacks.connect(self._user_id)
        if isinstance(connected, NoAnswer):
            self._failed(connected)
        return connected

    async def _listen(self, connection: StreamConnection) -> None:
        """Handle events until the connection ends."""
        was_up = False
        while True:
            what = await connection.next()
            line, now = connection.line, self._clock.elapsed()
            if line.up and not was_up:
                was_up = True
                self._callbacks.up()
            if line.works(now):
                self._failure_log.ended(
                    ("stream", self._account), "balances are pushed again", account=self._account
                )
            match what:
                case NoAnswer() as why:
                    self._failed(why)
                    self._connections.lost(why, accepted=line.up, steady=line.steady(now))
                    return
                case Pushed(answers):
                    self._take(answers)
                    await self._callbacks.room()
                case Malformed(detail):
                    self._unusable(detail)

    def _take(self, answers: Sequence[Answer]) -> None:
        """Hand on pushes for the account's own user (SEMANTICS B4)."""
        own = [answer for answer in answers if answer.user_id == self._user_id]
        if len(own) < len(answers):
            self._foreign(
                next(answer.user_id for answer in answers if answer.user_id != self._user_id)
            )
        if len(own) > 1:
            self._unusable("one push says different things about the same account")
        elif own:
            self._failure_log.ended(
                ("push", self._account), "pushes can be used again", account=self._account
            )
            self._callbacks.pushed(own[0])

    def _foreign(self, theirs: str) -> None:
        """Log once that pushes for another user are dropped: they may come all the time."""
        why = f"the account belongs to user {self._user_id}, so check whose key it is"
        sentence = f"ignored pushes for user {theirs}: {why}"
        self._failure_log.failed(("foreign push", self._account), sentence, account=self._account)

    def _unusable(self, detail: str) -> None:
        sentence = f"{detail}: polled readings are used"
        self._failure_log.failed(
            ("push", self._account), sentence, reason="bad_answer", account=self._account
        )

    def _failed(self, why: NoAnswer) -> None:
        sentence = f"no pushes from the exchange, polling goes on: {why.detail}"
        self._failure_log.failed(
            ("stream", self._account), sentence, reason=why.reason, account=self._account
        )


class Streams:
    def __init__(
        self, dial: Dial, clock: Clock, jitter: Callable[[], float], failure_log: FailureLog
    ) -> None:
        self._dial = dial
        self._clock = clock
        self._jitter = jitter
        self._failure_log = failure_log
        self._connect_budgets: dict[str, Budget] = {}
        """By host: one that takes no connections blocks no other."""
        self._reconcilers: dict[str, PushRestReconciler] = {}

    @property
    def accounts(self) -> tuple[str, ...]:
        """Accounts with a push stream."""
        return tuple(self._reconcilers)

    def pushes(self) -> Mapping[str, Pushes]:
        """By account: how its pushes compare with readings."""
        return {account: reconciler.pushes for account, reconciler in self._reconcilers.items()}

    def add(
        self,
        exchange: str,
        account: exchanges.ExchangeAccount,
        reconciler: PushRestReconciler,
        poller: Poller,
        owner: Owner,
    ) -> StreamWorker | None:
        """Build the account's stream; None if its exchange has none, or none is wanted."""
        stream_protocol = exchanges.stream_protocol(exchange, account)
        if stream_protocol is None:
            return None

        host = urlsplit(account.ws_url).netloc.lower()
        budget = self._connect_budgets.setdefault(
            host, Budget(self._clock, CONNECT_LIMIT, USER_CONNECT_LIMIT, {})
        )

        async def connect(user_id: str) -> StreamConnection | NoAnswer:
            async with budget.call("stream", user_id):
                return await self._dial(account, stream_protocol)

        callbacks = StreamCallbacks(
            poller.identified, connect, reconciler.pushed, poller.again, owner.room
        )
        self._reconcilers[account.name] = reconciler
        return StreamWorker(account.name, callbacks, self._clock, self._jitter, self._failure_log)
