"""The state machine of a push stream: what to send next, and when to give up. Pure.

    connected ──► login sent ──► (answered, or no answer in time) subscribed
              ──► up: confirmed, or a push arrived

A silent connection may be dead: it is pinged every 15 seconds and given up without an answer.
Instants are those of `Clock.elapsed`.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeAlias

from daemon.exchanges.common.stream_protocol import Accepted, Pong, Pushed, StreamEvent, Subscribed
from daemon.types import MINUTE, SECOND, Millis, MissReason, NoAnswer

PING_EVERY: Millis = 15 * SECOND
"""Ping interval.

CoinW cuts a silent connection after a minute. Its pages say about every 10 s, its clients 5 to 20
s.
"""

PONG_WITHIN: Millis = 10 * SECOND

ANSWER_WITHIN: Millis = 10 * SECOND
"""Time to answer a login or a subscription."""

STEADY: Millis = MINUTE
"""Time after which a connection that is up counts as working."""


class SessionStage(Enum):
    LOGIN = "login"
    """The login was sent."""
    ACCEPTED = "accepted"
    """The login was answered."""
    SUBSCRIBING = "subscribing"
    UP = "up"


@dataclass(frozen=True, slots=True)
class StreamSession:
    """The state of one connection."""

    since: Millis
    """Start of the present stage."""
    pinged_at: Millis
    """Instant of the last ping; before the first, the start of the connection."""
    stage: SessionStage = SessionStage.LOGIN
    awaits_pong: bool = False
    proven: bool = False
    """Whether a push arrived, which proves the login."""

    @property
    def up(self) -> bool:
        return self.stage is SessionStage.UP

    def steady(self, now: Millis) -> bool:
        """Whether it has been up for at least STEADY."""
        return self.up and now - self.since >= STEADY

    def works(self, now: Millis) -> bool:
        """Whether it certainly works: a push arrived, or it is steady."""
        return self.up and (self.proven or self.steady(now))


def start_session(now: Millis) -> StreamSession:
    """The state after the connection and the login."""
    return StreamSession(now, now)


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do for `length` ms, unless a frame arrives."""

    length: Millis


class Send(Enum):
    SUBSCRIBE = "subscribe"
    PING = "ping"


Action: TypeAlias = Wait | Send | NoAnswer
"""The next step; a NoAnswer is why the connection is given up."""


def next_action(line: StreamSession, now: Millis) -> Action:
    heartbeat_at = line.pinged_at + (PONG_WITHIN if line.awaits_pong else PING_EVERY)
    if line.awaits_pong and now >= heartbeat_at:
        return NoAnswer(MissReason.TIMEOUT, f"answered no ping within {PONG_WITHIN // SECOND}s")
    if line.stage is SessionStage.SUBSCRIBING and now - line.since >= ANSWER_WITHIN:
        said = f"answered neither login nor subscription within {ANSWER_WITHIN // SECOND}s"
        return NoAnswer(MissReason.TIMEOUT, said)
    if line.stage is SessionStage.ACCEPTED or (
        line.stage is SessionStage.LOGIN and now - line.since >= ANSWER_WITHIN
    ):
        # Also when the login's answer has an unknown form: a push will prove it.
        return Send.SUBSCRIBE
    if now >= heartbeat_at:
        return Send.PING
    until = heartbeat_at if line.up else min(heartbeat_at, line.since + ANSWER_WITHIN)
    return Wait(until - now)


def after_send(line: StreamSession, what: Send, now: Millis) -> StreamSession:
    if what is Send.PING:
        return replace(line, pinged_at=now, awaits_pong=True)
    return replace(line, stage=SessionStage.SUBSCRIBING, since=now)


_NEXT = {
    (SessionStage.LOGIN, Accepted): SessionStage.ACCEPTED,
    (SessionStage.LOGIN, Pushed): SessionStage.ACCEPTED,
    (SessionStage.SUBSCRIBING, Subscribed): SessionStage.UP,
    (SessionStage.SUBSCRIBING, Pushed): SessionStage.UP,
}


def after_event(line: StreamSession, what: StreamEvent, now: Millis) -> StreamSession:
    line = replace(
        line,
        awaits_pong=line.awaits_pong and not isinstance(what, Pong),
        proven=line.proven or isinstance(what, Pushed),
    )
    stage = _NEXT.get((line.stage, type(what)))
    return line if stage is None else replace(line, stage=stage, since=now)
