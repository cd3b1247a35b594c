"""The whole rules.toml, table by table, as written.

References between tables are checked elsewhere.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from daemon.config.checks import not_available
from daemon.config.model import (
    Account,
    BudgetLimits,
    Channel,
    Daemon,
    Report,
    System,
    WrittenMute,
)
from daemon.config.parse import tables
from daemon.config.parse.tables import Item
from daemon.config.problems import SECTIONS, Problems
from daemon.rules.rule import Rule

T = TypeVar("T")

MAX_CONDITIONS = 200_000
"""Most characters of all conditions together: parsing them takes most of the loading time."""


@dataclass(frozen=True, slots=True)
class Document:
    daemon: Item[Daemon]
    accounts: tuple[Item[Account], ...]
    channels: tuple[Item[Channel], ...]
    rules: tuple[Item[Rule], ...]
    mutes: tuple[Item[WrittenMute], ...]
    reports: tuple[Item[Report], ...]
    system: Item[System]
    budget: Item[BudgetLimits]

    def items(self) -> Iterator[Item[Any]]:
        """Every table of the file."""
        for each in fields(self):
            value = getattr(self, each.name)
            yield from value if isinstance(value, tuple) else (value,)


def read(raw: Mapping[str, object], problems: Problems) -> Document:
    """Every table; unknown parts are reported to `problems`."""
    for key in raw:
        if key not in SECTIONS:
            problems.add(key, _unknown(key, raw[key], problems))
    conditions = _condition_length(raw.get("rules"))
    if conditions > MAX_CONDITIONS:
        what = (
            f"the conditions have {conditions:,} characters in all; at most {MAX_CONDITIONS:,} are"
            " possible"
        )
        problems.add("rules", what)
        raw = {**raw, "rules": []}
    return Document(
        daemon=_single(Daemon, "daemon", raw, problems),
        accounts=_several(Account, "accounts", raw, problems),
        channels=_several(Channel, "channels", raw, problems),
        rules=_several(Rule, "rules", raw, problems),
        mutes=_several(WrittenMute, "mutes", raw, problems),
        reports=_several(Report, "reports", raw, problems),
        system=_single(System, "system", raw, problems),
        budget=_single(BudgetLimits, "budget", raw, problems),
    )


def _condition_length(rules: object) -> int:
    tables = [each for each in rules if isinstance(each, dict)] if isinstance(rules, list) else []
    texts = [each.get(key) for each in tables for key in ("when", "clear_when")]
    return sum(len(text) for text in texts if isinstance(text, str))


def _unknown(key: str, value: object, problems: Problems) -> str:
    if not isinstance(value, dict | list):
        return "stands outside of any table; put it below the [table] it belongs to"
    return f"unknown table{problems.did_you_mean(key, SECTIONS)}"


def _single(kind: type[T], section: str, raw: Mapping[str, object], problems: Problems) -> Item[T]:
    value = raw.get(section, {})
    if not isinstance(value, dict):
        problems.add(section, f"must be one table that begins with [{section}]")
        value = {}
    return tables.read(kind, not_available.without_empty(section, value), section, problems)


def _several(
    kind: type[T], section: str, raw: Mapping[str, object], problems: Problems
) -> tuple[Item[T], ...]:
    value = raw.get(section, [])
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        problems.add(section, f"must be tables that each begin with [[{section}]]")
        return ()
    return tuple(
        tables.read(
            kind, not_available.without_empty(section, each), f"{section}[{index}]", problems
        )
        for index, each in enumerate(value)
    )
