"""What the tables of a rules.toml say about each other: every name once, every reference leads somewhere."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from daemon.config.document import Document
from daemon.config.model import SYSTEM_RULES
from daemon.config.problems import Problems, did_you_mean, shown
from daemon.config.tables import Item
from daemon.rules.rule import is_pattern


def check(document: Document, problems: Problems) -> None:
    """Reports every double name, dangling reference and circle."""
    several: tuple[Sequence[Item[Any]], ...]
    several = (document.accounts, document.channels, document.rules, document.mutes, document.reports)
    for items in several:
        _unique(items, problems)
    _targets(document, problems)
    _inhibitions(document, problems)


def check_accounts(document: Document, problems: Problems) -> None:
    """Reports every account that a rule names and that is not there. Rules to be tried out may be about others."""
    accounts = {item.name for item in document.accounts}
    for rule in document.rules if accounts else ():
        _known(rule, "accounts", (each for each in rule.table.accounts if not is_pattern(each)), accounts, problems)


def _unique(items: Sequence[Item[Any]], problems: Problems) -> None:
    first: dict[str, str] = {}
    for item in items:
        if item.section == "rules" and item.name in SYSTEM_RULES:
            problems.add(f"{item.place}.name", f"{shown(item.name)} is the name of a system rule; choose another")
        if item.name and first.setdefault(item.name, item.place) != item.place:
            problems.add(f"{item.place}.name", f"{shown(item.name)} is already the name of {first[item.name]}")


def _targets(document: Document, problems: Problems) -> None:
    channels, mutes, rules = (
        {item.name for item in items} for items in (document.channels, document.mutes, document.rules)
    )
    for rule in document.rules:
        _known(rule, "channels", rule.table.channels, channels, problems)
        _known(rule, "inhibited_by", rule.table.inhibited_by, rules | SYSTEM_RULES, problems)
        _known(rule, "mute", rule.table.mute, mutes, problems)
    for channel in document.channels:
        _known(channel, "fallback", (channel.table.fallback,), channels | {""}, problems)
        if channel.name and channel.table.fallback == channel.name:
            problems.add(f"{channel.place}.fallback", "a channel cannot be its own fallback")
    others: tuple[Item[Any], ...] = (*document.reports, document.system)
    for item in others:
        _known(item, "channels", item.table.channels, channels, problems)


_KIND = {"accounts": "account", "channels": "channel", "inhibited_by": "rule", "mute": "mute", "fallback": "channel"}


def _known(item: Item[Any], key: str, written: Iterable[str], known: set[str], problems: Problems) -> None:
    for name in written:
        if name not in known:
            hint = did_you_mean(name, known - {""})
            problems.add(f"{item.place}.{key}", f"there is no {_KIND[key]} {shown(name)}{hint}")


def _inhibitions(document: Document, problems: Problems) -> None:
    """A circle of rules that mute each other would mute them all."""
    inhibitors = {rule.name: rule.table.inhibited_by for rule in document.rules}
    told: set[frozenset[str]] = set()
    for rule in document.rules:
        circle = _circle(rule.name, inhibitors)
        if circle and frozenset(circle) not in told:
            told.add(frozenset(circle))
            problems.add(f"{rule.place}.inhibited_by", _round(circle))


def _circle(start: str, inhibitors: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The way from a rule along its inhibitors back to itself; empty when there is none."""
    seen: set[str] = set()
    paths: list[tuple[str, ...]] = [(start,)]
    while paths:
        path = paths.pop()
        for name in inhibitors.get(path[-1], ()):
            if name == start:
                return path
            if name not in seen:
                seen.add(name)
                paths.append((*path, name))
    return ()


def _round(circle: tuple[str, ...]) -> str:
    if len(circle) == 1:
        return "a rule cannot inhibit itself"
    return f"these rules inhibit each other in a circle: {' → '.join((*circle, circle[0]))}"
