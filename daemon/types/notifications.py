"""Who is told what: the news of alerts for channels, what holds it back, and the messages that
carry it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from daemon.types.alerts import DecidingComparison, FlapRange, Severity
from daemon.types.inputs import Balances
from daemon.types.time import Millis


class Kind(StrEnum):
    """What a notification tells."""

    FIRING = "firing"
    REPEAT = "repeat"
    WORSE = "worse"
    RESOLVED = "resolved"
    RETIRED = "retired"
    ACK = "ack"
    """Somebody knows of it: there will be no more reminders."""


NEWS = frozenset({Kind.FIRING, Kind.REPEAT, Kind.WORSE})
"""What tells that an alert fires."""

ENDS = frozenset({Kind.RESOLVED, Kind.RETIRED})
"""What tells that it does no more."""


class Late(StrEnum):
    """Why a channel hears of an alert later than when it fired (SEMANTICS E2, E5, F3)."""

    NO = ""
    MUTED = "muted"
    FLAPPING = "flapping"
    NEW_CHANNEL = "new_channel"
    HANDED_OVER = "handed_over"


class Outcome(StrEnum):
    """How an attempt to deliver ended (SEMANTICS F1)."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    LATER = "later"
    UNKNOWN = "unknown"
    NEVER_MADE = "never_made"
    """It was recorded, and then not made: no channel answers so."""


@dataclass(frozen=True, slots=True)
class Step:
    """The change of a field between two readings that followed each other."""

    before: Decimal
    before_at: Millis
    after: Decimal
    after_at: Millis


@dataclass(frozen=True, slots=True)
class SteadyChange:
    """A steady change of a field, and the span until now within which it happened."""

    change: Decimal
    span: Millis


@dataclass(frozen=True, slots=True)
class Trend:
    """How the judged field got worse in the last minutes; never how it got better."""

    step: Step | None = None
    """The largest single change."""
    pace: SteadyChange | None = None
    """The change of the last minute or two, where that goes on steadily."""


@dataclass(frozen=True, slots=True)
class NotificationFacts:
    """What a notification tells, as it was when it was decided; the message is written from this
    alone.
    """

    severity: Severity
    code: str
    since: Millis
    fired_at: Millis | None
    at: Millis
    judged: DecidingComparison | None
    worst: Decimal | None = None
    reason: str = ""
    balances: Balances = field(default_factory=Balances)
    """The fields at the last judged reading."""
    changes: Mapping[str, Decimal] = field(default_factory=dict)
    """By field: its change over the last ten minutes, where known."""
    span: Millis = 0
    """How far back the readings for that reach: ten minutes, or less since a start."""
    hourly: Mapping[str, Decimal] = field(default_factory=dict)
    """By field: its change over the last hour, where readings reach that far."""
    trend: Trend = field(default_factory=Trend)
    late: Late = Late.NO
    """Why the channel hears of it only now."""
    handed_over_by: str = ""
    """The channel that could not deliver it (SEMANTICS F3, F4)."""
    handed_over_since: Millis | None = None
    """Since when that channel fails."""
    handed_over_why: str = ""
    """What it said then."""
    summary: str = ""
    """The rule's own words, filled in."""
    unfilled: str = ""
    """Why they could not be."""
    unconfirmed: bool = False
    """Judged on a suspect reading that nothing confirmed (SEMANTICS B5)."""
    detail: str = ""
    """What a system rule found, in one sentence."""
    swings: FlapRange | None = None
    """Of news about a flapping rule."""
    not_before: Millis | None = None
    """When it may leave: the end of the mute window in which an alert ended (SEMANTICS E2)."""
    told: Decimal | None = None
    """Of news that it got worse: the value last told."""


@dataclass(frozen=True, slots=True)
class Silence:
    """What somebody does not want to be told for a while (SEMANTICS E2), or, as an `ack`, no more
    reminded of (E1).
    """

    id: int
    ack: bool
    rule: str
    """A glob; of an ack, and of a silence about one alert, the alert's own rule."""
    account: str
    """Likewise; `*` takes the daemon's own alerts in."""
    code: str
    """The alert that it is about alone; empty where it is about all that the globs match."""
    started_at: Millis
    ended_at: Millis | None
    """None where it lasts as long as the alert does."""
    comment: str = ""

    def holds(self, at: Millis) -> bool:
        return self.started_at <= at and (self.ended_at is None or at < self.ended_at)


@dataclass(frozen=True, slots=True)
class NoticeKey:
    """What makes a notification the one it is, before any database numbers it."""

    account: str
    rule: str
    alert_seq: int
    channel: str
    kind: Kind
    seq: int
    """Of the input that caused it."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One alert's news for one channel: a notification before and while it is delivered."""

    key: NoticeKey
    at: Millis
    facts: NotificationFacts

    @property
    def episode(self) -> tuple[str, str, int]:
        """The alert that it is about."""
        return self.key.account, self.key.rule, self.key.alert_seq


@dataclass(frozen=True, slots=True)
class Message:
    """What is actually sent. Plain text tells all of it; the rest is for channels that can do with
    more.
    """

    title: str
    body: str
    severity: Severity
    html: str = ""
    """The body once more, for those that show it: a fragment of HTML."""
    thread: str = ""
    """What it belongs to: messages with the same one are kept together where the channel can do
    that.
    """
    picture: bytes = b""
    """A chart, as PNG."""
    quiet: bool = False
    """It must not make the phone ring, where the channel can do that."""
    good: bool = False
    """It tells only that trouble is over: `severity` says nothing then."""


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """How one attempt to deliver a message ended. `detail` is one sentence without secrets."""

    outcome: Outcome
    detail: str = ""
    retry_after: Millis | None = None
