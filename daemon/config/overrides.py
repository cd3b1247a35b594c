"""Rules to be tried out instead of those in force. Missing parts come from the configuration.

Only judging and delivery can be changed: rules, mutes, system rules, channels and the time zone.
The accounts of a complete configuration only say how often they are read. The database stays the
same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from daemon.config.model import Channel, Config, WrittenMute
from daemon.config.parse import tables
from daemon.config.parse.document import Document
from daemon.config.parse.tables import Item
from daemon.config.problems import Problems
from daemon.rules.rule import Rule

T = TypeVar("T")

TRIED = frozenset({"rules", "mutes", "system", "channels"})
"""Tables that such a file may change."""

NO_URL = "none"
"""Placeholder URL of a channel without one: nothing is sent."""


def says_anything(raw: Mapping[str, object]) -> bool:
    """Whether the file sets anything that makes a difference."""
    return not TRIED.isdisjoint(raw) or _says_zone(raw)


def without_urls(raw: Mapping[str, object]) -> dict[str, object]:
    """The channels as written, each with a placeholder URL; empty without channel tables."""
    channels = raw.get("channels")
    if not isinstance(channels, list) or not all(isinstance(each, dict) for each in channels):
        return {}
    return {"channels": [{"url": NO_URL} | each for each in channels]}


def completed(written: Document, raw: Mapping[str, object], base: Config) -> Document:
    """The document with the names from the tables of `base` added, so that references resolve."""
    changes: dict[str, Any] = {}
    if "channels" not in raw:
        changes["channels"] = _named(Channel, "channels", (each.name for each in base.channels))
    if "mutes" not in raw:
        changes["mutes"] = _named(WrittenMute, "mutes", base.mutes.windows)
    if "rules" not in raw:
        changes["rules"] = _named(Rule, "rules", (each.name for each in base.rules))
    return replace(written, **changes)


def _named(kind: type[T], section: str, names: Iterable[str]) -> tuple[Item[T], ...]:
    """Tables of which only the name is known."""
    return tuple(
        tables.read(kind, {"name": name}, f"{section}[{index}]", Problems())
        for index, name in enumerate(names)
    )


def merged(config: Config, raw: Mapping[str, object], base: Config) -> Config:
    """The configuration of the file, completed by the one in force."""
    said = {
        key for key in ("accounts", "channels", "rules", "mutes", "system", "budget") if key in raw
    }
    taken: dict[str, Any] = {key: getattr(config, key) for key in said}
    if "system" in said:
        taken |= {"system_rules": config.system_rules, "daemon_rules": config.daemon_rules}
    daemon = (
        replace(base.daemon, timezone=config.daemon.timezone) if _says_zone(raw) else base.daemon
    )
    mutes = replace(taken.get("mutes", base.mutes), zone=daemon.timezone)
    return replace(base, **(taken | {"daemon": daemon, "mutes": mutes}))


def _says_zone(raw: Mapping[str, object]) -> bool:
    daemon = raw.get("daemon")
    return isinstance(daemon, dict) and "timezone" in daemon
