"""The push stream of one account: listens, reconnects, and says once when it fails and once when it
works again.

    connections ──► a push ──► intake (the mailbox) at once
        └── up ──► one call beside the slots, for what changed while nobody listened

A dead stream costs latency and nothing else: calls go on beside it. It neither judges nor stores.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from daemon.clock import Clock
from daemon.exchanges.common.reconnect import ReconnectingConnections, delays
from daemon.exchanges.common.stream_connection import StreamConnection
from daemon.exchanges.common.stream_protocol import Malformed, Pushed
from daemon.log import FailureLog
from daemon.types import Answer, NoAnswer


@dataclass(frozen=True, slots=True)
class StreamCallbacks:
    """What a stream is given, and to whom it gives."""

    user_id: Callable[[], Awaitable[str]]
    """Whose account it is, once that is known: before, what is pushed might be anybody's."""
    connect: Callable[[str], Awaitable[StreamConnection | NoAnswer]]
    """For the account of that user."""
    pushed: Callable[[Answer], None]
    up: Callable[[], None]
    """Balances may have changed while nobody listened."""
    room: Callable[[], Awaitable[None]]
    """Returns when whoever takes pushes has room for more."""


class StreamWorker:
    """Of one account."""

    def __init__(
        self,
        account: str,
        callbacks: StreamCallbacks,
        clock: Clock,
        jitter: Callable[[], float],
        episodes: FailureLog,
    ) -> None:
        self._account = account
        self._callbacks = callbacks
        self._clock = clock
        self._episodes = episodes
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
        """Until the connection is not worth keeping."""
        was_up = False
        while True:
            what = await connection.next()
            line, now = connection.line, self._clock.elapsed()
            if line.up and not was_up:
                was_up = True
                self._callbacks.up()
            if line.works(now):
                self._episodes.ended(
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
        """Hand on what is the account's own (SEMANTICS B4)."""
        own = [answer for answer in answers if answer.user_id == self._user_id]
        if len(own) < len(answers):
            self._foreign(
                next(answer.user_id for answer in answers if answer.user_id != self._user_id)
            )
        if len(own) > 1:
            self._unusable("what was pushed says different things of one account")
        elif own:
            self._episodes.ended(
                ("push", self._account), "what is pushed can be used again", account=self._account
            )
            self._callbacks.pushed(own[0])

    def _foreign(self, theirs: str) -> None:
        """Said once in a life: whoever pushes another's balances once may do so all the time."""
        why = f"for the account is user {self._user_id}: see whose key it is"
        sentence = f"dropped what was pushed for user {theirs}, {why}"
        self._episodes.failed(("foreign push", self._account), sentence, account=self._account)

    def _unusable(self, detail: str) -> None:
        sentence = f"{detail}: going by what is asked for"
        self._episodes.failed(
            ("push", self._account), sentence, reason="bad_answer", account=self._account
        )

    def _failed(self, why: NoAnswer) -> None:
        sentence = f"no pushes, balances are still asked for: {why.detail}"
        self._episodes.failed(
            ("stream", self._account), sentence, reason=why.reason, account=self._account
        )
