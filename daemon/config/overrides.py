"""Rules to be tried out in the place of those in force: what their file leaves out is as in the
configuration.

Only what judging and telling depend on can be replaced: rules, mutes, system rules, channels, and
the time zone. The accounts of a complete configuration say how often is read, and nothing more; the
database is never another one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from daemon.config.model import Config
from daemon.config.parse.document import Document
from daemon.config.parse.tables import ChannelTable, Item, MuteTable, RuleTable, StrictTable
from daemon.hidden import HiddenMapping

T = TypeVar("T", bound=StrictTable)

TRIED = frozenset({"rules", "mutes", "system", "channels"})
"""Tables for whose sake such a file is written."""

NO_URL = "none"
"""Stands where a channel has none: nothing is sent."""


def says_anything(raw: Mapping[str, object]) -> bool:
    """Whether the file says anything that makes a difference."""
    return not TRIED.isdisjoint(raw) or _says_zone(raw)


def without_urls(raw: Mapping[str, object]) -> dict[str, object]:
    """The channels as they are written, each with a URL; nothing where there are none, or no
    tables.
    """
    channels = raw.get("channels")
    if not isinstance(channels, list) or not all(isinstance(each, dict) for each in channels):
        return {}
    return {"channels": [{"url": NO_URL} | each for each in channels]}


def completed(written: Document, raw: Mapping[str, object], base: Config) -> Document:
    """With the names that the tables of `base` add, for what refers to them."""
    changes: dict[str, Any] = {}
    if "channels" not in raw:
        changes["channels"] = _named(
            ChannelTable, "channels", (each.name for each in base.channels)
        )
    if "mutes" not in raw:
        changes["mutes"] = _named(MuteTable, "mutes", base.mutes.windows)
    if "rules" not in raw:
        changes["rules"] = _named(RuleTable, "rules", (each.name for each in base.rules))
    return replace(written, **changes)


def _named(kind: type[T], section: str, names: Iterable[str]) -> tuple[Item[T], ...]:
    """Tables of which nothing but the name is known."""
    return tuple(
        Item(f"{section}[{index}]", HiddenMapping({"name": name}), kind.model_construct(name=name))
        for index, name in enumerate(names)
    )


def merged(config: Config, raw: Mapping[str, object], base: Config) -> Config:
    """What the file says, over what is in force."""
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
