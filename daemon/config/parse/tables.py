"""Reading a table of a rules.toml into its class, which holds the keys and their defaults.

`read` reports every mistake in it. A value with a mistake counts as not written, so that later
checks still see the rest. The result may be used only when no problem was reported.
"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin

from daemon.config.model import System
from daemon.config.parse import values
from daemon.config.parse.escalation import escalation
from daemon.config.problems import Problems
from daemon.hidden import HiddenMapping
from daemon.rules import rule
from daemon.rules.rule import KeyType, Rule
from daemon.types import SECOND, OnMissing, Severity

T = TypeVar("T")

READERS: Mapping[KeyType, Callable[[object], object]] = {
    rule.NAME: values.name,
    rule.NAMES: values.list_of(values.reference),
    rule.CONDITION: values.expression,
    rule.AT_LEAST: values.at_least,
    rule.SPAN: values.duration,
    rule.POSITIVE_SPAN: values.longer_than(1),
    rule.REPEAT_SPAN: values.longer_than(SECOND),
    rule.LIMIT: values.flapping,
    rule.FRACTION: values.percent,
    rule.SEVERITY: values.one_of(Severity),
    rule.ON_MISSING: values.one_of(OnMissing),
    rule.SUMMARY: values.summary,
    rule.UNIT: values.unit,
    rule.FLAG: values.flag,
    rule.ESCALATION: escalation,
}
"""Readers of the keys of a rule, by their types: `rules` does not know how mistakes are told."""


@dataclass(frozen=True, slots=True)
class TableKey:
    """A key of a table: the attribute that holds it, its reader and its default."""

    attribute: str
    read: Callable[[object], object]
    default: object

    @property
    def required(self) -> bool:
        return self.default is MISSING


def keys(kind: type[Any]) -> Mapping[str, TableKey]:
    """The keys of a table by name, in the order of the fields of its class."""
    if kind is Rule:
        return dict(_rule_keys())
    separator = "-" if kind is System else "_"
    return {
        each.name.replace("_", separator): TableKey(each.name, get_args(each.type)[1], each.default)
        for each in fields(kind)
        if get_origin(each.type) is Annotated
    }


def _rule_keys() -> Iterator[tuple[str, TableKey]]:
    for attribute, key in rule.KEYS.items():
        if key.type is not rule.BUILT_IN:
            read = READERS[key.type]
            reader = values.optional(read, empty=None) if key.optional else read
            yield key.name, TableKey(attribute, reader, key.default)


@dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """One table of the file, with its place and its written values."""

    place: str
    raw: HiddenMapping[str, object]
    table: T
    """A key with a mistake is at its default; one without a default is None."""
    complete: bool
    """Whether all keys without a default are there and right."""

    @property
    def section(self) -> str:
        return self.place.partition("[")[0]

    @property
    def name(self) -> str:
        """The name as written, even when it is not valid: other tables may refer to it."""
        name = self.raw.get("name")
        return unicodedata.normalize("NFC", name) if isinstance(name, str) else ""

    def differs(self, key: str) -> bool:
        """Whether the value of a key differs from its default."""
        known = keys(type(self.table))[key]
        return bool(getattr(self.table, known.attribute) != known.default)


def read(kind: type[T], raw: Mapping[str, object], place: str, problems: Problems) -> Item[T]:
    """One table of the file; mistakes go to `problems`, and count as not written."""
    known = keys(kind)
    required = {name: key.attribute for name, key in known.items() if key.required}
    for name in required:
        if name not in raw:
            problems.add(f"{place}.{name}", "is missing")
    found: dict[str, Any] = {}
    for name, key in known.items():
        try:
            if name in raw:
                found[key.attribute] = key.read(raw[name])
        except ValueError as error:
            problems.add(f"{place}.{name}", str(error))
    for name in raw:
        if name not in known:
            problems.add(
                f"{place}.{name}", f"unknown key{problems.did_you_mean(name, known.keys())}"
            )
    table = kind(**{**dict.fromkeys(required.values()), **found})
    return Item(place, HiddenMapping(raw), table, found.keys() >= {*required.values()})
