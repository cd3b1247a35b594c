"""What reaches an account: readings, misses, and what happens to its clock and configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from daemon.types.time import Millis


class Source(StrEnum):
    """Where a reading came from."""

    REST = "rest"
    WS = "ws"
    CONFIRM = "confirm"
    IMPORT = "import"


class Quality(StrEnum):
    """Whether a reading is judged (SEMANTICS B5, B7): only `ok`, `confirmed` and `unconfirmed`
    are.
    """

    OK = "ok"
    SUSPECT = "suspect"
    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    UNCONFIRMED = "unconfirmed"
    STALE = "stale"


JUDGED = frozenset({Quality.OK, Quality.CONFIRMED, Quality.UNCONFIRMED})


class MissReason(StrEnum):
    """Why an attempt to read gave no reading: the closed set of SEMANTICS A3."""

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
    """Why there are no readings, beyond the reasons of misses (SEMANTICS A3)."""

    DAEMON_DOWN = "daemon_down"
    SUSPENDED = "suspended"
    CLOCK_STEP = "clock_step"
    STORE_DOWN = "store_down"


@dataclass(frozen=True, slots=True)
class Balances:
    """The fields of a reading, in USDT. None is a field that the source did not send, never a
    zero.
    """

    available_margin: Decimal | None = None
    available_usdt: Decimal | None = None
    almighty_gold: Decimal | None = None
    al_margin: Decimal | None = None
    al_freeze: Decimal | None = None
    cross_un_pnl: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the exchange said about one account, before our clock and counter are put on it.

    `extra` holds the fields of the answer that we do not know, as sent. `user_id` is "" where it
    was not told.
    """

    user_id: str
    exchange_at: Millis | None
    balances: Balances
    extra: Mapping[str, object] = field(default_factory=dict)
    source: Source = Source.REST
    asked_at: Millis | None = field(default=None, compare=False)
    """When the request left, by `Clock.elapsed`; None where nobody asked, or nobody knows."""
    overtaken: bool = False
    """A push arrived after the request had left, and says otherwise (SEMANTICS B7)."""
    missing: tuple[str, ...] = field(default=(), compare=False)
    """The names of what the exchange should have sent and did not: fields, `user_id`, `time`."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """An attempt to read that gave none: the reason for machines, one sentence for people (never a
    secret).
    """

    reason: MissReason
    detail: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer of the exchange about one account; stored as a snapshot."""

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
    """A suspect reading that no confirming read settled in time: now it is judged after all."""

    seq: int
    at: Millis
    reading: Reading


@dataclass(frozen=True, slots=True)
class ClockStep:
    """Our wall clock was set: every instant held before moves by `by`, so that durations stay
    true.
    """

    seq: int
    at: Millis
    by: Millis


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """The rules in force may have changed: a start or a reload."""

    seq: int
    at: Millis


@dataclass(frozen=True, slots=True)
class Check:
    """The daemon looked at itself: an input of the account without a name, which no table holds
    (SEMANTICS D7).
    """

    seq: int
    at: Millis


Input: TypeAlias = Reading | Miss | Unconfirmed | ClockStep | ConfigChange | Check
