"""Builds the rules and mute windows in force from tables, built-in system rules included."""

from collections.abc import Iterable
from datetime import tzinfo

from daemon.alerts import system_rules as unwritten
from daemon.alerts.mutes import Mutes, MuteWindow, time_of_day
from daemon.config.model import System
from daemon.config.parse.tables import Item, MuteTable, RuleTable
from daemon.rules.rule import Rule
from daemon.types import OnMissing, Severity


def rules(items: Iterable[Item[RuleTable]]) -> tuple[Rule, ...]:
    return tuple(made for item in items if (made := rule(item.table)))


def rule(table: RuleTable) -> Rule | None:
    """The rule of a table; None when its condition is missing or wrong."""
    if table.when is None:
        return None
    return Rule(
        name=table.name,
        when=table.when,
        clear_when=table.clear_when,
        hold=table.hold,
        severity=Severity(table.severity),
        accounts=table.accounts,
        channels=table.channels,
        repeat=table.repeat,
        inhibited_by=table.inhibited_by,
        keep_firing_for=table.keep_firing_for,
        at_least=table.at_least,
        on_missing=OnMissing(table.on_missing),
        missing_after=table.missing_after,
        flapping=table.flapping,
        worse_by=table.worse_by,
        mute=table.mute,
        summary=table.summary,
    )


def mutes(items: Iterable[Item[MuteTable]], zone: tzinfo | None) -> Mutes:
    """The mute windows by name; a window with a mistake is left out."""
    return Mutes({item.name: _window(item.table) for item in items if item.table.between}, zone)


def _window(table: MuteTable) -> MuteWindow:
    start, end = map(time_of_day, table.between)
    return MuteWindow(table.name, frozenset(table.days), start, end)


def system_rules(system: System, names: Iterable[str]) -> tuple[Rule, ...]:
    """The system rules among `names` that are not off."""
    limits = ((name, getattr(system, name.replace("-", "_"))) for name in names)
    return tuple(
        unwritten.system_rule(name, limit, system.channels)
        for name, limit in limits
        if limit is not None
    )
