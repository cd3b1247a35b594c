"""Episodes of rules: what an account's engine remembers, and how it changes."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from daemon.types.time import Millis

DAEMON_ACCOUNT = ""
"""The account of the daemon's own alerts."""


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class State(StrEnum):
    """Where an alert stands. `ok` is the absence of one and appears only as the start of a
    transition.
    """

    OK = "ok"
    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"
    RETIRED = "retired"


class OnMissing(StrEnum):
    """What a rule makes of missing readings (SEMANTICS D4)."""

    KEEP = "keep"
    FIRING = "firing"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` within any span of `per`."""

    count: int
    per: Millis

    @property
    def halved(self) -> "Limit":
        return Limit(max(1, self.count // 2), self.per)


@dataclass(frozen=True, slots=True)
class DecidingComparison:
    """The comparison that decided a condition: `text` as written, with the values of both its
    sides.

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
    directed: bool = dataclasses.field(default=True, compare=False)
    """False for `==` and `!=`, of which neither higher nor lower values are worse."""
    percentage: bool = dataclasses.field(default=False, compare=False)
    """Both sides are ratios, of which one is written as a percentage."""

    @property
    def side(self) -> tuple[str, bool]:
        """What gets worse, and which way: values of another side cannot be compared with those of
        this one.
        """
        return self.field, self.falling


@dataclass(frozen=True, slots=True)
class FlapEpisode:
    """One episode of a rule that may turn out to be flapping, and the range of the values it was
    judged by.
    """

    fired_at: Millis
    low: Decimal | None = None
    high: Decimal | None = None
    meaning: str = ""
    """The rule's, then: episodes of a rule that means something else now do not count."""
    judged: DecidingComparison | None = None
    """The comparison by which it fired, of whose left side the range is; None where readings were
    missing.
    """


@dataclass(frozen=True, slots=True)
class FlapRange:
    """What is told of a flapping rule: how many episodes, and the range of their values."""

    count: int
    low: Decimal | None
    high: Decimal | None


FLAPPING = ":flapping"
"""What the alert about a flapping rule is called behind the rule's name; no name of a person's has
a colon.
"""


def base(rule: str) -> str:
    """The rule that an alert is about, be it the rule's own or the one that tells of its
    flapping.
    """
    return rule.removesuffix(FLAPPING)


@dataclass(frozen=True, slots=True)
class Alert:
    """One episode of one rule on one account, as recorded: everything the next step needs, nothing
    derived.

    An episode is identified by (account, rule, seq), `seq` being that of the input that began it.
    """

    rule: str
    seq: int
    code: str
    """The four characters by which people know it."""
    severity: Severity
    state: State
    meaning: str
    """The rule's meaning when the episode began (SEMANTICS D5); another meaning retires the
    alert.
    """
    started_at: Millis
    """When the condition became true."""
    fired_at: Millis | None = None
    ended_at: Millis | None = None
    judged: DecidingComparison | None = None
    """The comparison that decided when it began, or fired; of one about flapping that of the last
    episode before.
    """
    worst: Decimal | None = None
    """The worst value of that comparison's left side during the episode."""
    clearing_since: Millis | None = None
    """When the condition for its end became true, while `keep_firing_for` runs (SEMANTICS D2)."""
    missing: bool = False
    """It fires because readings were missing (SEMANTICS D4)."""
    detail: str = ""
    """One sentence more than the comparison says: what a system rule found."""
    swings: FlapRange | None = None
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
    """All that one account's engine remembers: recorded, and advanced only by
    `alerts.engine.step`.
    """

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
    fired: Mapping[str, tuple[FlapEpisode, ...]] = field(default_factory=dict)
    """By rule: its episodes within the span of its `flapping`, oldest first."""
