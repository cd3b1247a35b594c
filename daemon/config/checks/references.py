"""Checks across tables of a rules.toml: names are unique, and every reference leads somewhere."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from daemon.config.model import SYSTEM_RULES
from daemon.config.parse.document import Document
from daemon.config.parse.tables import Item
from daemon.config.problems import Problems, format_value
from daemon.rules.rule import Rule, is_pattern

MAX_SHOWN = 10
"""Most rules of a circle that are named."""


def check(document: Document, problems: Problems) -> None:
    """Report every duplicate name, dangling reference and circle."""
    several: tuple[Sequence[Item[Any]], ...]
    several = (
        document.accounts,
        document.channels,
        document.rules,
        document.mutes,
        document.reports,
    )
    for items in several:
        _unique(items, problems)
    _targets(document, problems)
    _inhibitions(document, problems)


def check_accounts(document: Document, problems: Problems) -> None:
    """Report every account that a rule names and that does not exist.

    Rules to be tried out may name other accounts.
    """
    accounts = {item.name for item in document.accounts}
    for rule in document.rules if accounts else ():
        _known(
            rule,
            "accounts",
            (each for each in rule.table.accounts if not is_pattern(each)),
            accounts,
            problems,
        )


def _unique(items: Sequence[Item[Any]], problems: Problems) -> None:
    first: dict[str, str] = {}
    for item in items:
        if item.section == "rules" and item.name in SYSTEM_RULES:
            problems.add(
                f"{item.place}.name",
                f"{format_value(item.name)} is the name of a system rule; choose another",
            )
        before = first.setdefault(item.name, item.place)
        if item.name and before != item.place:
            sentence = f"{format_value(item.name)} is already the name of {problems.shown(before)}"
            problems.add(f"{item.place}.name", sentence)


def _targets(document: Document, problems: Problems) -> None:
    channels, mutes, rules = (
        {item.name for item in items}
        for items in (document.channels, document.mutes, document.rules)
    )
    for rule in document.rules:
        _known(rule, "channels", rule.table.channels, channels, problems)
        _known(rule, "inhibited_by", rule.table.inhibited_by, rules | SYSTEM_RULES, problems)
        _known(rule, "mute", rule.table.mute, mutes, problems)
        _escalation(rule, channels, problems)
    for channel in document.channels:
        _known(channel, "fallback", (channel.table.fallback,), channels | {""}, problems)
        if channel.name and channel.table.fallback == channel.name:
            problems.add(f"{channel.place}.fallback", "a channel cannot be its own fallback")
    others: tuple[Item[Any], ...] = (*document.reports, document.system)
    for item in others:
        _known(item, "channels", item.table.channels, channels, problems)


def _escalation(rule: Item[Rule], channels: set[str], problems: Problems) -> None:
    """Report steps to channels that do not exist, or that the rule tells at once."""
    named = [name for step in rule.table.escalate for name in step.channels]
    _known(rule, "escalate", named, channels, problems)
    if named and not rule.table.channels and not problems.within(f"{rule.place}.channels"):
        problems.add(
            f"{rule.place}.escalate",
            "has no effect, as the rule tells every channel at once; name in channels those that"
            " are told first",
        )
    for name in named:
        if name in rule.table.channels:
            problems.add(
                f"{rule.place}.escalate",
                f"the rule tells {format_value(name)} at once; take it out of channels, or out of"
                " escalate",
            )


_KIND = {
    "accounts": "account",
    "channels": "channel",
    "inhibited_by": "rule",
    "mute": "mute",
    "escalate": "channel",
    "fallback": "channel",
}


def _known(
    item: Item[Any], key: str, written: Iterable[str], known: set[str], problems: Problems
) -> None:
    for name in written:
        if name not in known:
            hint = problems.did_you_mean(name, known)
            problems.add(
                f"{item.place}.{key}", f"there is no {_KIND[key]} {format_value(name)}{hint}"
            )


def _inhibitions(document: Document, problems: Problems) -> None:
    """Report circles of rules that mute each other: they would mute them all."""
    places = {rule.name: rule.place for rule in reversed(document.rules)}
    inhibitors = {rule.name: rule.table.inhibited_by for rule in document.rules}
    for circle in _circles(inhibitors):
        problems.add(f"{places[circle[0]]}.inhibited_by", _round(circle))


def _circles(inhibitors: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Circles that share no rule, each from its first rule along the inhibitors."""
    order = {name: number for number, name in enumerate(inhibitors)}
    left = dict(inhibitors)
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            circle = error.args[1][:0:-1]  # each is inhibited by the next one
        else:
            return
        first = circle.index(min(circle, key=order.__getitem__))
        yield (*circle[first:], *circle[:first])
        for name in circle:
            del left[name]


def _round(circle: tuple[str, ...]) -> str:
    if len(circle) == 1:
        return "a rule cannot inhibit itself"
    shown = (
        circle if len(circle) <= MAX_SHOWN else (*circle[:MAX_SHOWN], f"… ({len(circle):,} rules)")
    )
    return f"these rules inhibit each other in a circle: {' → '.join((*shown, circle[0]))}"
