"""The values that flow through marginwatch, and the vocabulary they carry.

Everything here is a frozen value: no clock, no I/O, no behaviour beyond reading itself. Instants are integer
milliseconds UTC, durations integer milliseconds, amounts exact decimals as the exchange sent them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

Millis: TypeAlias = int
"""An instant (since 1970, UTC) or a duration, in milliseconds."""

SECOND: Millis = 1_000
MINUTE: Millis = 60 * SECOND
HOUR: Millis = 60 * MINUTE
DAY: Millis = 24 * HOUR


class Source(StrEnum):
    """Where a reading came from."""

    REST = "rest"
    WS = "ws"
    CONFIRM = "confirm"
    IMPORT = "import"


class Quality(StrEnum):
    """Whether a reading is judged (SEMANTICS B5, B7): only `ok`, `confirmed` and `unconfirmed` are."""

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


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class State(StrEnum):
    """Where an alert stands. `ok` is the absence of one and appears only as the start of a transition."""

    OK = "ok"
    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"
    RETIRED = "retired"


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


class OnMissing(StrEnum):
    """What a rule makes of missing readings (SEMANTICS D4)."""

    KEEP = "keep"
    FIRING = "firing"
    OK = "ok"


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


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` within any span of `per`."""

    count: int
    per: Millis

    @property
    def halved(self) -> "Limit":
        return Limit(max(1, self.count // 2), self.per)


@dataclass(frozen=True, slots=True)
class Balances:
    """The fields of a reading, in USDT. None is a field that the source did not send, never a zero."""

    available_margin: Decimal | None = None
    available_usdt: Decimal | None = None
    almighty_gold: Decimal | None = None
    al_margin: Decimal | None = None
    al_freeze: Decimal | None = None
    cross_un_pnl: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the exchange said about one account, before our clock and counter are put on it.

    `extra` holds the fields of the answer that we do not know, as sent.
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


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """An attempt to read that gave none: the reason for machines, one sentence for people (never a secret)."""

    reason: MissReason
    detail: str


# The inputs of an account's engine: exactly these (SEMANTICS A1). `seq` is the account's own counter, `at`
# the one reading of our clock made when the input left the mailbox.


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
    """Our wall clock was set: every instant held before moves by `by`, so that durations stay true."""

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
    """The daemon looked at itself: an input of the account without a name, which no table holds (SEMANTICS D7)."""

    seq: int
    at: Millis


Input: TypeAlias = Reading | Miss | Unconfirmed | ClockStep | ConfigChange | Check


@dataclass(frozen=True, slots=True)
class Judged:
    """The comparison that decided a condition: `text` as written, with the values of both its sides.

    `field` names the left side for people (`available_margin`, `delta(al_freeze, 10m)`).
    """

    text: str
    field: str
    value: Decimal | None
    threshold: Decimal | None
    falling: bool
    """True when lower values are worse (`<`, `<=`)."""
    duration: bool = False
    """Both sides are milliseconds."""

    @property
    def side(self) -> tuple[str, bool]:
        """What gets worse, and which way: values of another side cannot be compared with those of this one."""
        return self.field, self.falling


@dataclass(frozen=True, slots=True)
class Swing:
    """One episode of a rule that may turn out to be flapping, and the range of the values it was judged by."""

    fired_at: Millis
    low: Decimal | None = None
    high: Decimal | None = None
    meaning: str = ""
    """The rule's, then: episodes of a rule that means something else now do not count."""
    judged: Judged | None = None
    """The comparison by which it fired, of whose left side the range is; None where readings were missing."""


@dataclass(frozen=True, slots=True)
class Swings:
    """What is told of a flapping rule: how many episodes, and the range of their values."""

    count: int
    low: Decimal | None
    high: Decimal | None


FLAPPING = ":flapping"
"""What the alert about a flapping rule is called behind the rule's name; no name of a person's has a colon."""


def base(rule: str) -> str:
    """The rule that an alert is about, be it the rule's own or the one that tells of its flapping."""
    return rule.removesuffix(FLAPPING)


@dataclass(frozen=True, slots=True)
class Alert:
    """One episode of one rule on one account, as recorded: everything the next step needs, nothing derived.

    An episode is identified by (account, rule, seq), `seq` being that of the input that began it.
    """

    rule: str
    seq: int
    code: str
    """The four characters by which people know it."""
    severity: Severity
    state: State
    meaning: str
    """The rule's meaning when the episode began (SEMANTICS D5); another meaning retires the alert."""
    started_at: Millis
    """When the condition became true."""
    fired_at: Millis | None = None
    ended_at: Millis | None = None
    judged: Judged | None = None
    """The comparison that decided when it began, or fired; of one about flapping that of the last episode before."""
    worst: Decimal | None = None
    """The worst value of that comparison's left side during the episode."""
    clearing_since: Millis | None = None
    """When the condition for its end became true, while `keep_firing_for` runs (SEMANTICS D2)."""
    missing: bool = False
    """It fires because readings were missing (SEMANTICS D4)."""
    detail: str = ""
    """One sentence more than the comparison says: what a system rule found."""
    swings: Swings | None = None
    """Of an alert about a flapping rule."""
    ended_seq: int | None = None
    """Of the input that ended it."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One state change of an alert."""

    rule: str
    alert_seq: int
    at: Millis
    from_state: State
    to_state: State
    reason: str
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class AccountState:
    """All that one account's engine remembers: recorded, and advanced only by `alerts.engine.step`."""

    account: str
    seq: int = 0
    """Of the last input."""
    at: Millis = 0
    """Of the last input."""
    judged_at: Millis | None = None
    """Of the last judged reading."""
    alerts: Mapping[str, Alert] = field(default_factory=dict)
    """By rule: the alerts that are pending or firing."""
    since: Millis | None = None
    """Since when readings are expected of it: its first configuration."""
    fired: Mapping[str, tuple[Swing, ...]] = field(default_factory=dict)
    """By rule: its episodes within the span of its `flapping`, oldest first."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a notification tells, as it was when it was decided; the message is written from this alone."""

    severity: Severity
    code: str
    since: Millis
    fired_at: Millis | None
    at: Millis
    judged: Judged | None
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
    swings: Swings | None = None
    """Of news about a flapping rule."""
    not_before: Millis | None = None
    """When it may leave: the end of the mute window in which an alert ended (SEMANTICS E2)."""
    told: Decimal | None = None
    """Of news that it got worse: the value last told."""


@dataclass(frozen=True, slots=True)
class Silence:
    """What somebody does not want to be told for a while (SEMANTICS E2), or, as an `ack`, no more reminded of (E1)."""

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
    facts: Facts

    @property
    def episode(self) -> tuple[str, str, int]:
        """The alert that it is about."""
        return self.key.account, self.key.rule, self.key.alert_seq


@dataclass(frozen=True, slots=True)
class Message:
    """What is actually sent. Plain text tells all of it; the rest is for channels that can do with more."""

    title: str
    body: str
    severity: Severity
    html: str = ""
    """The body once more, for those that show it: a fragment of HTML."""
    thread: str = ""
    """What it belongs to: messages with the same one are kept together where the channel can do that."""
    picture: bytes = b""
    """A chart, as PNG."""
    quiet: bool = False
    """It must not make the phone ring, where the channel can do that."""


@dataclass(frozen=True, slots=True)
class Attempted:
    """How one attempt to deliver a message ended. `detail` is one sentence without secrets."""

    outcome: Outcome
    detail: str = ""
    retry_after: Millis | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """Everything one input of one account causes; commits as a whole or not at all (promise 1)."""

    account: str
    event: Input
    alerts: tuple[Alert, ...] = ()
    """Those whose recorded state this input changed."""
    transitions: tuple[Transition, ...] = ()
    notices: tuple[Notice, ...] = ()
    superseded: tuple[NoticeKey, ...] = ()
    """Queued notifications that this input made pointless."""
    contradicts: int | None = None
    """The first of the suspect readings that this one contradicts; with it all those up to this one (SEMANTICS B5)."""
