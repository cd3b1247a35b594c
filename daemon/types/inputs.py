"""Inputs of an account: readings, misses, clock steps and changes of the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from daemon.types.time import Millis


class Source(StrEnum):
    """Origin of a reading."""

    REST = "rest"
    WS = "ws"
    CONFIRM = "confirm"
    IMPORT = "import"


class Quality(StrEnum):
    """Quality of a reading: `ok`, `confirmed` and `unconfirmed` are judged (SEMANTICS B5, B7)."""

    OK = "ok"
    SUSPECT = "suspect"
    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    UNCONFIRMED = "unconfirmed"
    STALE = "stale"


JUDGED = frozenset({Quality.OK, Quality.CONFIRMED, Quality.UNCONFIRMED})


class MissReason(StrEnum):
    """Reason why an attempt to read gave no reading: the closed set of SEMANTICS A3."""

    TIMEOUT = "timeout"
    NETWORK = "network"
    HTTP_5XX = "http_5xx"
    RATE_LIMITED = "rate_limited"
    BLOCKED = "blocked"
    AUTH = "auth"
    PERMISSION = "permission"
    WRONG_USER = "wrong_user"
    BAD_ANSWER = "bad_answer"
    STORE_DOWN = "store_down"


class GapReason(StrEnum):
    """Reason of a gap other than a miss (SEMANTICS A3)."""

    DAEMON_DOWN = "daemon_down"
    SUSPENDED = "suspended"
    CLOCK_STEP = "clock_step"
    STORE_DOWN = "store_down"


@dataclass(frozen=True, slots=True)
class Balances:
    """Fields of a reading, in USDT. None means that the source did not send it, never zero."""

    available_margin: Decimal | None = None
    available_usdt: Decimal | None = None
    almighty_gold: Decimal | None = None
    al_margin: Decimal | None = None
    al_freeze: Decimal | None = None
    cross_un_pnl: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer of the exchange about one account, before it gets an instant and a counter.

    `extra` holds unknown fields of the answer, as sent. `user_id` is "" if it was not sent.
    """

    user_id: str
    exchange_at: Millis | None
    balances: Balances
    extra: Mapping[str, object] = field(default_factory=dict)
    source: Source = Source.REST
    asked_at: Millis | None = field(default=None, compare=False)
    """Time at which the request left, by `Clock.elapsed`; None if unknown or not requested."""
    overtaken: bool = False
    """True if a push arrived after the request left, and differs (SEMANTICS B7)."""
    missing: tuple[str, ...] = field(default=(), compare=False)
    """Names of expected items that were not sent: fields, `user_id`, `time`."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Failed attempt to read: a reason for machines, a sentence without secrets for people."""

    reason: MissReason
    detail: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Answer of the exchange about one account, stored as a snapshot."""

    seq: int
    at: Millis
    source: Source
    quality: Quality
    exchange_at: Millis | None
    balances: Balances
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Miss:
    seq: int
    at: Millis
    reason: MissReason
    detail: str


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Suspect reading that was not confirmed in time, and is now judged after all."""

    seq: int
    at: Millis
    reading: Reading


@dataclass(frozen=True, slots=True)
class ClockStep:
    """Step of our wall clock. Every instant held moves by `by`, so that durations stay true."""

    seq: int
    at: Millis
    by: Millis


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """Start or reload: the rules in force may have changed."""

    seq: int
    at: Millis


@dataclass(frozen=True, slots=True)
class Check:
    """Check of the daemon itself: input of the account without a name, not stored (D7)."""

    seq: int
    at: Millis


Input: TypeAlias = Reading | Miss | Unconfirmed | ClockStep | ConfigChange | Check
