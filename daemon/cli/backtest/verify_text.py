"""Texts of both sides of a difference that `--verify` found, so exact that they never look alike.

Instants have milliseconds, amounts all digits, durations all units. Whether the value of a
transition is a duration is read from its recorded alert; without an alert, from its rule.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import tzinfo
from decimal import Decimal
from functools import cached_property

from daemon.cli.output import times
from daemon.cli.output.tables import Row, exact
from daemon.cli.record_access import BEGINNING, END
from daemon.cli.replay_source import RecordedAccount
from daemon.replay.verify import VerifyDifference
from daemon.rules.evaluation.compile import is_duration_node
from daemon.rules.language.tree import Comparison, walk
from daemon.rules.rule import Rule
from daemon.text.durations import duration_text
from daemon.text.numbers import format_amount, is_duration, transition_comparison
from daemon.types import Alert, RecordedValue, Transition, TransitionReason, base

Side = Transition | Alert | RecordedValue | None

INSTANTS = frozenset({"started_at", "fired_at", "ended_at", "clearing_since"})
"""Fields of an alert that are instants."""

TOLD = frozenset({"state", "worst"})
"""Fields of an alert that are shown whether they differ or not."""

LEFT_OUT = frozenset({"code"})
"""Fields that are not compared: the code depends on the alerts of other accounts."""


@dataclass(frozen=True)
class ExactFormatter:
    """Formats the differences of one account."""

    source: RecordedAccount
    zone: tzinfo | None

    def sides(self, each: VerifyDifference) -> tuple[str, str]:
        """The recorded and the replayed side, in words."""
        apart = differing(each)
        return self._side(each.recorded, apart), self._side(each.replayed, apart)

    def row(self, each: VerifyDifference) -> Row:
        """The row for programs.

        An alert has its state, its worst value and what differs; a kept value its expression.
        """
        apart = differing(each)
        sides = {
            "recorded": self._data(each.recorded, apart),
            "replayed": self._data(each.replayed, apart),
        }
        return {"at": times.format_iso(each.at, self.zone), "rule": each.rule, **sides}

    def _side(self, side: Side, apart: Sequence[str]) -> str:
        if side is None:
            return "nothing"
        if isinstance(side, Alert):
            return "".join(self._state(side, apart))
        if isinstance(side, RecordedValue):
            return f"{side.expression} {exact(side.value)}"
        value = (
            "" if side.value is None else f" at {_spelled(side.value, duration=self._lasts(side))}"
        )
        return f"{side.from_state} → {side.to_state} ({side.reason}){value}"

    def _state(self, alert: Alert, apart: Sequence[str]) -> Iterator[str]:
        yield f"the state {alert.state}"
        leaves, duration = _leaves(alert), is_duration(alert.judged)
        for name in ("worst", *apart):
            value = leaves.get(name)
            if isinstance(value, Decimal):
                yield f", {name} {_spelled(value, duration=duration)}"
            elif name in apart:
                yield f", {name} {self._plain(name, value)}"

    def _data(self, side: Side, apart: Sequence[str]) -> Row | None:
        if side is None:
            return None
        if isinstance(side, Transition):
            states = {"from": side.from_state.value, "to": side.to_state.value}
            return {**states, "value": exact(side.value), "reason": side.reason}
        if isinstance(side, RecordedValue):
            return {"expression": side.expression, "value": exact(side.value)}
        leaves = _leaves(side)
        more = {name: self._datum(name, leaves.get(name)) for name in apart}
        return {"state": side.state.value, "worst": exact(side.worst), **more}

    def _datum(self, name: str, value: object) -> object:
        if isinstance(value, Decimal):
            return exact(value)
        if name in INSTANTS and isinstance(value, int):
            return times.format_iso(value, self.zone)
        return value

    def _plain(self, name: str, value: object) -> str:
        shown = self._datum(name, value)
        if isinstance(shown, bool):
            return "yes" if shown else "no"
        return "none" if shown is None or shown == "" else str(shown)

    def _lasts(self, each: Transition) -> bool:
        """Whether the value of the transition is a duration."""
        alert = self._alerts.get((each.rule, each.alert_seq))
        if alert is not None and each.value is not None:
            return is_duration(transition_comparison(each, alert))
        rule = self._rules.get(base(each.rule))
        missing = each.reason == TransitionReason.MISSING
        return missing or (rule is not None and _judges_durations(rule))

    @cached_property
    def _alerts(self) -> Mapping[tuple[str, int], Alert]:
        """The recorded alerts, by rule and `alert_seq`."""
        found = (
            each.alert
            for each in self.source.history.alerts(BEGINNING, END)
            if each.account == self.source.account
        )
        return {(alert.rule, alert.seq): alert for alert in found}

    @cached_property
    def _rules(self) -> Mapping[str, Rule]:
        return {rule.name: rule for epoch in self.source.epochs() for rule in epoch.rules}


def differing(each: VerifyDifference) -> Sequence[str]:
    """The fields in which two alerts differ, without those that are shown anyway."""
    if not isinstance(each.recorded, Alert) or not isinstance(each.replayed, Alert):
        return ()
    ours, theirs = _leaves(each.recorded), _leaves(each.replayed)
    return [
        name
        for name in {**ours, **theirs}
        if name not in TOLD and ours.get(name) != theirs.get(name)
    ]


def _leaves(value: object, place: str = "") -> dict[str, object]:
    """The fields by their dotted names, as in column `data` of table `alerts`: `judged.value`."""
    found: dict[str, object] = {}
    for field in fields(value) if is_dataclass(value) else ():
        inner, name = getattr(value, field.name), f"{place}{field.name}"
        if is_dataclass(inner):
            found |= _leaves(inner, f"{name}.")
        elif name not in LEFT_OUT:
            found[name] = inner
    return found


def _spelled(value: Decimal, *, duration: bool) -> str:
    if not value.is_finite():
        return format_amount(value)
    return duration_text(int(value)) if duration else exact(value) or ""


def _judges_durations(rule: Rule) -> bool:
    """Whether every comparison of the rule is about a duration."""
    return all(
        is_duration_node(node.left) for node in walk(rule.when.tree) if isinstance(node, Comparison)
    )
