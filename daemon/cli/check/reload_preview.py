"""Preview of a reload, for `check`: which rules, accounts and open alerts would change.

`alerts.engine.retirement` decides on each open alert, here as at a start or reload. Pure, except
`running_config`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from daemon.alerts.engine import retirement
from daemon.cli.recorded_config import recorded_rules, watched_accounts
from daemon.config import SYSTEM_RULES
from daemon.rules.rule import KEYS, Rule
from daemon.store.history import History
from daemon.types import Alert, Millis, TransitionReason, base


class AlertFate(StrEnum):
    """Reason why a reload would retire an open alert."""

    CHANGED = "changed"
    RULE_GONE = "rule_gone"
    ACCOUNT_GONE = "account_gone"
    UNWATCHED = "unwatched"
    SYSTEM = "system"
    """Its system rule is off, or has another limit."""


@dataclass(frozen=True, slots=True)
class RunningConfig:
    """The configuration of the running daemon, or of the last one."""

    rules: Sequence[Rule]
    """The rules of the file, without system rules."""
    known: Collection[str]
    """The accounts that were recorded when it began."""
    watched: Collection[str]
    """The accounts with records since then, or with open alerts."""
    alerts: Sequence[tuple[str, Alert]]
    """The open alerts, with their accounts."""


def running_config(history: History, now: Millis) -> RunningConfig | None:
    """The last recorded configuration; None without one, or if its rules cannot be read."""
    epoch = history.last_epoch()
    rules = None if epoch is None else recorded_rules(epoch)
    if epoch is None or rules is None:
        return None
    own = [rule for rule in rules if not rule.system]
    standing = history.status(now)
    alerts = [(each.account, alert) for each in standing for alert in each.alerts.values()]
    return RunningConfig(own, epoch.state.keys(), watched_accounts(standing, epoch), alerts)


def preview_reload(
    rules: Sequence[Rule],
    accounts: Collection[str],
    before: RunningConfig,
    system: Sequence[Rule] = (),
) -> list[str]:
    """A sentence for each change that these rules and accounts would bring.

    `system` are the system rules: they are named only where open alerts would end with them.
    """
    fates = _Fates(_named(rules), _named(system), frozenset(accounts), before)
    return [
        *_line("rule", "changed", fates.changed(), fates.retired(AlertFate.CHANGED)),
        *_line("rule", "is gone", fates.gone(), fates.retired(AlertFate.RULE_GONE)),
        *_line("account", "is gone", fates.left(), fates.retired(AlertFate.ACCOUNT_GONE)),
        *fates.each(AlertFate.UNWATCHED, "as the rule no longer watches the account"),
        *fates.each(AlertFate.SYSTEM, "as [system] changed"),
        *_line("rule", "is new", [rule.name for rule in rules if rule.name not in fates.old]),
        *_line("account", "is new", [name for name in accounts if name not in before.known]),
        *fates.adjusted(),
    ]


def _named(rules: Sequence[Rule]) -> dict[str, Rule]:
    return {rule.name: rule for rule in rules}


class _Fates:
    """Decides the fate of each recorded rule, account and open alert."""

    def __init__(
        self,
        rules: Mapping[str, Rule],
        system: Mapping[str, Rule],
        accounts: frozenset[str],
        before: RunningConfig,
    ) -> None:
        self.old = _named(before.rules)
        self._rules = rules
        self._system = system
        self._accounts = accounts
        self._before = before

    def changed(self) -> list[str]:
        stale = {
            base(alert.rule)
            for account, alert in self._before.alerts
            if self._fate(account, alert) is AlertFate.CHANGED
        }
        return [name for name in self._rules if name in stale or self._differs(name)]

    def gone(self) -> list[str]:
        return [name for name in self.old if name not in self._rules]

    def left(self) -> list[str]:
        return [name for name in self._before.watched if name not in self._accounts]

    def retired(self, fate: AlertFate) -> int:
        return sum(self._fate(account, alert) is fate for account, alert in self._before.alerts)

    def each(self, fate: AlertFate, why: str) -> Iterator[str]:
        """A line on alerts that end for a reason that is no visible change of their rules."""
        alerts = [
            f"{base(alert.rule)} · {account}"
            for account, alert in self._before.alerts
            if self._fate(account, alert) is fate
        ]
        if alerts:
            yield f"{_retiring(len(alerts))}, {why} ({', '.join(alerts)})"

    def adjusted(self) -> Iterator[str]:
        """A line for each rule of which only keys outside its meaning changed: its alerts go on."""
        for name, old in self.old.items():
            new = self._rules.get(name)
            if new is not None and not self._differs(name):
                before, after = old.written(), new.written()
                changed = [
                    key.name
                    for key in KEYS.values()
                    if not key.meaning and before[key.name] != after[key.name]
                ]
                if changed:
                    yield f"{name} keeps its alerts; changed: {', '.join(changed)}"

    def _differs(self, name: str) -> bool:
        return name in self.old and self.old[name].meaning != self._rules[name].meaning

    def _fate(self, account: str, alert: Alert) -> AlertFate | None:
        """The reason why the alert will be retired; None where it goes on."""
        name = base(alert.rule)
        unwritten = name in SYSTEM_RULES
        rule = (self._system if unwritten else self._rules).get(name)
        if account not in self._accounts:
            return AlertFate.ACCOUNT_GONE
        if rule is not None and not rule.watches(account):
            return AlertFate.UNWATCHED
        reason = retirement(alert, rule)
        if reason is None:
            return None
        if unwritten:
            return AlertFate.SYSTEM
        return _FATES[reason]


_FATES = {
    TransitionReason.RULE_REMOVED: AlertFate.RULE_GONE,
    TransitionReason.RULE_CHANGED: AlertFate.CHANGED,
}


def _line(what: str, happened: str, names: Sequence[str], retired: int = 0) -> Iterator[str]:
    if names:
        verb = happened if len(names) == 1 else happened.replace("is ", "are ")
        outcome = f": {_retiring(retired)}" if retired else ""
        yield f"{_counted(len(names), what)} {verb} ({', '.join(names)}){outcome}"


def _retiring(count: int) -> str:
    return f"{_counted(count, 'open alert')} will be retired"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
