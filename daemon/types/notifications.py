"""Notifications for channels, and messages that carry them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from daemon.types.alerts import DecidingComparison, FlapRange, Severity
from daemon.types.inputs import Balances
from daemon.types.time import Millis


class Kind(StrEnum):
    """Kind of a notification."""

    FIRING = "firing"
    REPEAT = "repeat"
    WORSE = "worse"
    RESOLVED = "resolved"
    RETIRED = "retired"
    ACK = "ack"
    """Acknowledged: there will be no more reminders."""


NEWS = frozenset({Kind.FIRING, Kind.REPEAT, Kind.WORSE})
"""Kinds that say that an alert fires."""

ENDS = frozenset({Kind.RESOLVED, Kind.RETIRED})
"""Kinds that end an alert."""


class Late(StrEnum):
    """Reason why a channel hears of an alert later than it fired (SEMANTICS E2, E5, E6, F3)."""

    NO = ""
    MUTED = "muted"
    FLAPPING = "flapping"
    NEW_CHANNEL = "new_channel"
    ESCALATED = "escalated"
    HANDED_OVER = "handed_over"


class Outcome(StrEnum):
    """Outcome of an attempt to deliver (SEMANTICS F1)."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    LATER = "later"
    UNKNOWN = "unknown"
    NEVER_MADE = "never_made"
    """Recorded, but then not made. No channel returns it."""


@dataclass(frozen=True, slots=True)
class Step:
    """Change of a field in one direction, between two readings close to each other."""

    before: Decimal
    before_at: Millis
    after: Decimal
    after_at: Millis


@dataclass(frozen=True, slots=True)
class SteadyChange:
    """Steady change of a field over the span until now."""

    change: Decimal
    span: Millis


@dataclass(frozen=True, slots=True)
class Trend:
    """Worsening of the judged field in the last minutes; improvements are left out."""

    step: Step | None = None
    """Largest single change."""
    pace: SteadyChange | None = None
    """Change over the last minute or two, if steady."""


@dataclass(frozen=True, slots=True)
class NotificationFacts:
    """Facts of a notification as decided. The message is written from them alone."""

    severity: Severity
    code: str
    since: Millis
    fired_at: Millis | None
    at: Millis
    judged: DecidingComparison | None
    worst: Decimal | None = None
    reason: str = ""
    balances: Balances = field(default_factory=Balances)
    """Fields at the last judged reading."""
    read_at: Millis | None = None
    """Instant of the reading that `balances` are of, if it is older than the news."""
    minutely: Mapping[str, Decimal] = field(default_factory=dict)
    """Change over the last minute, by field, if there is a reading of about that time."""
    changes: Mapping[str, Decimal] = field(default_factory=dict)
    """Change over the last ten minutes, by field, if known."""
    span: Millis = 0
    """Span of `changes`: ten minutes, or less after a start."""
    hourly: Mapping[str, Decimal] = field(default_factory=dict)
    """Change over the last hour, by field, if readings reach that far back."""
    trend: Trend = field(default_factory=Trend)
    late: Late = Late.NO
    """Reason why the channel hears of it only now."""
    handed_over_by: str = ""
    """Channel that could not deliver it (SEMANTICS F3, F4)."""
    handed_over_since: Millis | None = None
    """Instant since when that channel fails."""
    handed_over_why: str = ""
    """Error of that channel."""
    title: str = ""
    """Filled-in title of the rule."""
    summary: str = ""
    """Filled-in summary of the rule."""
    unfilled: str = ""
    """Reason why the title or the summary could not be filled in."""
    unit: str = ""
    """Word of the rule after the values of its comparison."""
    unconfirmed: bool = False
    """True if judged on a suspect reading that nothing confirmed (SEMANTICS B5)."""
    detail: str = ""
    """Finding of a system rule, in one sentence."""
    swings: FlapRange | None = None
    """Count and range, for news about flapping only."""
    not_before: Millis | None = None
    """Earliest time to send: the end of the mute window in which an alert ended (SEMANTICS E2)."""
    told: Decimal | None = None
    """Value last told, for news that it got worse."""
    told_at: Millis | None = None
    """Instant of the news that told it. None in records of earlier versions."""
    still_told: tuple[Kind, ...] = ()
    """Kinds of news that the rule tells of it after an acknowledgement (SEMANTICS E1)."""
    unacknowledged: Millis | None = None
    """Time for which nobody acknowledged it, for an escalation."""


@dataclass(frozen=True, slots=True)
class NoticeKey:
    """Identity of a notification before the database numbers it."""

    account: str
    rule: str
    alert_seq: int
    channel: str
    kind: Kind
    seq: int
    """Counter of the input that caused it."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Notification: news of one alert for one channel, before and during delivery."""

    key: NoticeKey
    at: Millis
    facts: NotificationFacts

    @property
    def episode(self) -> tuple[str, str, int]:
        """Account, rule and counter of the alert that it is about."""
        return self.key.account, self.key.rule, self.key.alert_seq


@dataclass(frozen=True, slots=True)
class Message:
    """Message as sent. The plain text says all; the rest is for channels that support more."""

    title: str
    body: str
    severity: Severity
    html: str = ""
    """Body as an HTML fragment, for channels that show it."""
    thread: str = ""
    """Thread: channels that can do so keep messages of the same thread together."""
    picture: bytes = b""
    """Chart, as PNG."""
    quiet: bool = False
    """True if it must not ring, where the channel supports that."""
    commands: tuple[str, ...] = ()
    """Commands within the body, for channels on which a tap copies them."""
    good: bool = False
    """True if all of it is good: over, acknowledged or retired. `severity` says nothing then."""


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """Result of one attempt to deliver a message. `detail` is one sentence without secrets."""

    outcome: Outcome
    detail: str = ""
    retry_after: Millis | None = None
