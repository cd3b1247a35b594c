"""When a connection is worth keeping, and what is to be said on it next: the policy of a push
stream. Pure.

    connected ──► login said ──► (answered, or nobody answered) subscribed ──► up: confirmed, or something was pushed

A silent connection is not a healthy one: it is asked every 15 seconds and given up when it does not
answer. Instants are those of `Clock.elapsed`.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeAlias

from daemon.exchanges.common.stream_protocol import Accepted, Pong, Pushed, StreamEvent, Subscribed
from daemon.types import MINUTE, SECOND, Millis, MissReason, NoAnswer

PING_EVERY: Millis = 15 * SECOND
"""CoinW cuts a silent connection after a minute; its pages say about every 10 s, its clients 5 to
20 s.
"""

PONG_WITHIN: Millis = 10 * SECOND

ANSWER_WITHIN: Millis = 10 * SECOND
"""Of a login or a subscription."""

STEADY: Millis = MINUTE
"""A connection that has been up for so long was no accident: it works."""


class SessionStage(Enum):
    LOGIN = "login"
    """The login was said."""
    ACCEPTED = "accepted"
    """It was answered."""
    SUBSCRIBING = "subscribing"
    UP = "up"


@dataclass(frozen=True, slots=True)
class StreamSession:
    """What was said and heard on a connection."""

    since: Millis
    """When the present stage began."""
    pinged_at: Millis
    """When the last ping left; before the first, when the connection began."""
    stage: SessionStage = SessionStage.LOGIN
    awaits_pong: bool = False
    proven: bool = False
    """Something was pushed: the login took effect, beyond doubt."""

    @property
    def up(self) -> bool:
        return self.stage is SessionStage.UP

    def steady(self, now: Millis) -> bool:
        """Whether it has lasted."""
        return self.up and now - self.since >= STEADY

    def works(self, now: Millis) -> bool:
        """Whether that is as good as certain."""
        return self.up and (self.proven or self.steady(now))


def begun(now: Millis) -> StreamSession:
    """Connected, and the login said."""
    return StreamSession(now, now)


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do for so long, unless something is heard."""

    length: Millis


class Send(Enum):
    SUBSCRIBE = "subscribe"
    PING = "ping"


Action: TypeAlias = Wait | Send | NoAnswer
"""What is next; a NoAnswer is why the connection is worth nothing any more."""


def move(line: StreamSession, now: Millis) -> Action:
    if line.awaits_pong and now - line.pinged_at >= PONG_WITHIN:
        return NoAnswer(MissReason.TIMEOUT, f"answered no ping within {PONG_WITHIN // SECOND}s")
    if line.stage is SessionStage.SUBSCRIBING and now - line.since >= ANSWER_WITHIN:
        said = f"answered neither login nor subscription within {ANSWER_WITHIN // SECOND}s"
        return NoAnswer(MissReason.TIMEOUT, said)
    if line.stage is SessionStage.ACCEPTED or (
        line.stage is SessionStage.LOGIN and now - line.since >= ANSWER_WITHIN
    ):
        return (
            Send.SUBSCRIBE
        )  # also where the login's answer has a shape that nobody has seen yet: a push will tell
    if not line.awaits_pong and now - line.pinged_at >= PING_EVERY:
        return Send.PING
    return Wait(min(_deadlines(line)) - now)


def _deadlines(line: StreamSession) -> list[Millis]:
    heartbeat = line.pinged_at + (PONG_WITHIN if line.awaits_pong else PING_EVERY)
    return [heartbeat] if line.up else [heartbeat, line.since + ANSWER_WITHIN]


def said(line: StreamSession, what: Send, now: Millis) -> StreamSession:
    if what is Send.PING:
        return replace(line, pinged_at=now, awaits_pong=True)
    return replace(line, stage=SessionStage.SUBSCRIBING, since=now)


_NEXT = {
    (SessionStage.LOGIN, Accepted): SessionStage.ACCEPTED,
    (SessionStage.LOGIN, Pushed): SessionStage.ACCEPTED,
    (SessionStage.SUBSCRIBING, Subscribed): SessionStage.UP,
    (SessionStage.SUBSCRIBING, Pushed): SessionStage.UP,
}


def heard(line: StreamSession, what: StreamEvent, now: Millis) -> StreamSession:
    line = replace(
        line,
        awaits_pong=line.awaits_pong and not isinstance(what, Pong),
        proven=line.proven or isinstance(what, Pushed),
    )
    stage = _NEXT.get((line.stage, type(what)))
    return line if stage is None else replace(line, stage=stage, since=now)
