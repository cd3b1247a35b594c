"""Statistics of each rule over a span: count, duration, at night, warning time. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

from daemon.types import Alert, ClockStep, DecidingComparison, Millis, Record, State

NIGHT = (23, 7)
"""First and last hour of the night, when people sleep."""

_Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Worst:
    """The worst value of one comparison of a rule.

    Values of different comparisons cannot be ranked.
    """

    value: Decimal
    judged: DecidingComparison = field(compare=False)
    """The comparison when the alert fired; the value is that of its left side."""


@dataclass(frozen=True, slots=True)
class RuleSummary:
    """One rule over all accounts."""

    rule: str
    alerts: int = 0
    """Alerts that fired."""
    firing: Millis = 0
    """Total duration; an alert that still fires counts up to the end."""
    longest: Millis = 0
    at_night: int = 0
    """Alerts that fired at night."""
    worst: tuple[Worst, ...] = ()
    """Worst value of each comparison that decided an alert, by first use."""
    early: Millis | None = None
    """Shortest time from firing to the worst value, over alerts that got worse after firing."""


@dataclass(slots=True)
class _Open:
    """A firing alert."""

    fired_at: Millis
    worst: Decimal | None
    worst_at: Millis
    judged: DecidingComparison | None


@dataclass(slots=True)
class Summary:
    """Takes records and gives a RuleSummary for each rule."""

    rules: Iterable[str]
    zone: tzinfo | None
    _of: dict[str, RuleSummary] = field(default_factory=dict)
    _open: dict[_Key, _Open] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._of = {rule: RuleSummary(rule) for rule in self.rules}

    def take(self, record: Record) -> None:
        if isinstance(record.event, ClockStep):
            self._shift(record.account, record.event.by)
        for alert in record.alerts:
            key = (record.account, alert.rule, alert.seq)
            if alert.state is State.FIRING:
                self._go_on(key, alert, record.event.at)
            elif key in self._open:
                self._end(key, alert.rule, record.event.at)

    def finish(self, ends: Mapping[str, Millis]) -> Mapping[str, RuleSummary]:
        """Summaries by rule; `ends` is the last judged instant of each account."""
        for key in list(self._open):
            self._end(key, key[1], ends.get(key[0], self._open[key].fired_at))
        return self._of

    def _shift(self, account: str, by: Millis) -> None:
        """Move open alerts by a step of the clock, so durations stay true (SEMANTICS A5)."""
        for key, begun in self._open.items():
            if key[0] == account:
                begun.fired_at, begun.worst_at = begun.fired_at + by, begun.worst_at + by

    def _go_on(self, key: _Key, alert: Alert, at: Millis) -> None:
        if key not in self._open:
            self._open[key] = _Open(at, alert.worst, at, alert.judged)
            self._change(alert.rule, alerts=self._summary(alert.rule).alerts + 1)
            hour = datetime.fromtimestamp(at / 1_000, UTC).astimezone(self.zone).hour
            if hour >= NIGHT[0] or hour < NIGHT[1]:
                self._change(alert.rule, at_night=self._summary(alert.rule).at_night + 1)
        elif alert.worst != self._open[key].worst:
            self._open[key].worst, self._open[key].worst_at = alert.worst, at

    def _end(self, key: _Key, rule: str, at: Millis) -> None:
        begun, so_far = self._open.pop(key), self._summary(rule)
        lasted = max(0, at - begun.fired_at)
        self._change(rule, firing=so_far.firing + lasted, longest=max(so_far.longest, lasted))
        if begun.worst is not None and begun.judged is not None:
            self._change(rule, worst=worsened(so_far.worst, Worst(begun.worst, begun.judged)))
        if begun.worst_at > begun.fired_at:
            early = begun.worst_at - begun.fired_at
            self._change(rule, early=early if so_far.early is None else min(early, so_far.early))

    def _summary(self, rule: str) -> RuleSummary:
        return self._of.setdefault(rule, RuleSummary(rule))

    def _change(self, rule: str, **changes: object) -> None:
        self._of[rule] = replace(self._summary(rule), **changes)  # type: ignore[arg-type]


def worsened(known: tuple[Worst, ...], new: Worst) -> tuple[Worst, ...]:
    """Worst value of each comparison, with one more value."""
    if all(each.judged.side != new.judged.side for each in known):
        return (*known, new)
    return tuple(new if is_worse(new, each) else each for each in known)


def is_worse(one: Worst, other: Worst) -> bool:
    """Whether one value is worse than another of the same comparison."""
    if one.judged.side != other.judged.side:
        return False
    return one.value < other.value if one.judged.falling else one.value > other.value
