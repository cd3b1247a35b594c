"""Alerts: the state that an account's engine remembers, and its transitions."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from daemon.types.time import Millis

DAEMON_ACCOUNT = ""
"""Account name of the daemon's own alerts."""


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


SEVERITIES = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)
"""The most severe first."""


class State(StrEnum):
    """State of an alert. `ok` means no alert and appears only as the start of a transition."""

    OK = "ok"
    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"
    RETIRED = "retired"


class TransitionReason(StrEnum):
    """Reason for a state change of an alert, as recorded and shown."""

    CONDITION = "condition"
    """The condition became true."""
    HELD = "held"
    """It was true for as long as `for` says."""
    NOT_HELD = "not_held"
    """It became false before that."""
    CLEARED = "cleared"
    """`clear_when` became true, and stayed so for `keep_firing_for`."""
    MISSING = "missing"
    """Readings are missing (SEMANTICS D4)."""
    BACK = "back"
    """Readings are back."""
    FLAPPING = "flapping"
    CALM = "calm"
    """The rule no longer flaps."""
    RULE_CHANGED = "rule_changed"
    RULE_REMOVED = "rule_removed"


class OnMissing(StrEnum):
    """Reaction of a rule to missing readings (SEMANTICS D4)."""

    KEEP = "keep"
    FIRING = "firing"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Limit:
    """Limit of `count` events within any span of `per`."""

    count: int
    per: Millis

    @property
    def halved(self) -> "Limit":
        return Limit(max(1, self.count // 2), self.per)


@dataclass(frozen=True, slots=True)
class DecidingComparison:
    """Comparison that decided a condition: `text` as written, with the values of both sides.

    `field` names the left side for people (`available_margin`, `delta(al_freeze, 10m)`).
    """

    text: str
    field: str
    value: Decimal | None
    threshold: Decimal | None
    falling: bool
    """True if lower values are worse (`<`, `<=`)."""
    duration: bool = False
    """True if both sides are durations in milliseconds."""
    directed: bool = dataclasses.field(default=True, compare=False)
    """False for `==` and `!=`, where neither direction is worse."""
    percentage: bool = dataclasses.field(default=False, compare=False)
    """True if both sides are ratios and one is written as a percentage."""
    ratio: bool = dataclasses.field(default=False, compare=False)
    """True if the left side is a ratio, which messages show as a percentage."""

    @property
    def side(self) -> tuple[str, bool]:
        """Field and direction. Only values of the same side can be compared."""
        return self.field, self.falling


@dataclass(frozen=True, slots=True)
class FlapEpisode:
    """One firing of a rule that has a flapping limit, with the range of its values."""

    fired_at: Millis
    low: Decimal | None = None
    high: Decimal | None = None
    meaning: str = ""
    """Meaning of the rule at that time. Episodes of another meaning do not count."""
    judged: DecidingComparison | None = None
    """Comparison that fired; the range is of its left side. None for missing readings."""


@dataclass(frozen=True, slots=True)
class FlapRange:
    """Number of episodes of a flapping rule, and the range of their values."""

    count: int
    low: Decimal | None
    high: Decimal | None


FLAPPING = ":flapping"
"""Suffix of a rule's name for its flapping alert. Names that people give have no colon."""


def base(rule: str) -> str:
    """Name of the rule that an alert is about; flapping alerts belong to their rule."""
    return rule.removesuffix(FLAPPING)


@dataclass(frozen=True, slots=True)
class Alert:
    """Episode of one rule on one account, as recorded: all that the next step needs.

    It is identified by (account, rule, seq); `seq` is the counter of the input that began it.
    """

    rule: str
    seq: int
    code: str
    """Four characters that people use to name the alert."""
    severity: Severity
    state: State
    meaning: str
    """Meaning of the rule when the episode began; a change retires the alert (SEMANTICS D5)."""
    started_at: Millis
    """Instant at which the condition became true."""
    fired_at: Millis | None = None
    ended_at: Millis | None = None
    judged: DecidingComparison | None = None
    """Comparison that decided when it began or fired; for flapping, that of the last episode."""
    worst: Decimal | None = None
    """Worst value of that comparison's left side during the episode."""
    clearing_since: Millis | None = None
    """Start of `keep_firing_for`, while it runs (SEMANTICS D2)."""
    missing: bool = False
    """True if it fires because readings are missing (SEMANTICS D4)."""
    detail: str = ""
    """Sentence of a system rule about its finding."""
    swings: FlapRange | None = None
    """Count and range, for an alert about flapping only."""
    ended_seq: int | None = None
    """Counter of the input that ended it."""


@dataclass(frozen=True, slots=True)
class Transition:
    """State change of an alert."""

    rule: str
    alert_seq: int
    at: Millis
    from_state: State
    to_state: State
    reason: TransitionReason | str
    """A text that is none of ours was recorded by another version, and is shown as it is."""
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class RecordedValue:
    """Value that a rule keeps of one expression on one account, such as `peak(equity)`."""

    rule: str
    expression: str
    value: Decimal | None
    """None: it is no longer kept."""

    def __post_init__(self) -> None:
        # It could not be compared with any later value, so the rule could not be judged any more.
        if self.value is not None and self.value.is_nan():
            raise ValueError("a kept value that is no number")

    @property
    def key(self) -> tuple[str, str]:
        return self.rule, self.expression


@dataclass(frozen=True, slots=True)
class AccountState:
    """Memory of one account's engine: recorded, and changed only by `alerts.engine.step`."""

    account: str
    seq: int = 0
    """Counter of the last input."""
    at: Millis = 0
    """Instant of the last input."""
    judged_at: Millis | None = None
    """Instant of the last judged reading."""
    alerts: Mapping[str, Alert] = field(default_factory=dict)
    """Pending and firing alerts, by rule."""
    since: Millis | None = None
    """Instant of the account's first configuration; readings are expected from then on."""
    fired: Mapping[str, tuple[FlapEpisode, ...]] = field(default_factory=dict)
    """Episodes within the span of the rule's `flapping`, by rule, oldest first."""
    values: tuple[RecordedValue, ...] = ()
    """Values that rules keep, in the order of their keys."""
