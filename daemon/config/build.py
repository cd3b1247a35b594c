"""Builds the rules and mute windows in force from tables, built-in system rules included."""

from collections.abc import Iterable
from datetime import tzinfo

from daemon.alerts import system_rules as unwritten
from daemon.alerts.mutes import Mutes, MuteWindow, time_of_day
from daemon.config.model import System, WrittenMute
from daemon.config.parse.tables import Item
from daemon.rules.rule import Rule


def rules(items: Iterable[Item[Rule]]) -> tuple[Rule, ...]:
    """The rules whose name and condition are right."""
    return tuple(item.table for item in items if item.complete)


def mutes(items: Iterable[Item[WrittenMute]], zone: tzinfo | None) -> Mutes:
    """The mute windows by name; a window with a mistake is left out."""
    return Mutes({item.name: _window(item.table) for item in items if item.complete}, zone)


def _window(written: WrittenMute) -> MuteWindow:
    start, end = map(time_of_day, written.between)
    return MuteWindow(written.name, frozenset(written.days), start, end)


def system_rules(system: System, names: Iterable[str]) -> tuple[Rule, ...]:
    """The system rules among `names` that are not off."""
    limits = ((name, getattr(system, name.replace("-", "_"))) for name in names)
    return tuple(
        unwritten.system_rule(name, limit, system.channels)
        for name, limit in limits
        if limit is not None
    )
