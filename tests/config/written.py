"""Configurations written by the tests, and how they load them."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon import config
from daemon.config import (
    Account,
    BudgetLimits,
    Channel,
    Checks,
    Config,
    Daemon,
    Report,
    System,
)
from daemon.config.checks.warnings import NO_HEARTBEAT
from daemon.config.model import WrittenMute
from daemon.errors import ConfigError
from daemon.rules.rule import Rule

TABLES: Mapping[str, type[Any]] = {
    "daemon": Daemon,
    "accounts": Account,
    "channels": Channel,
    "rules": Rule,
    "mutes": WrittenMute,
    "reports": Report,
    "system": System,
    "budget": BudgetLimits,
}
"""The class of each table of a rules.toml."""

PATH = Path("/etc/marginwatch/rules.toml")

ACCOUNT = """
[[accounts]]
name = "main"
api_key = "planted-key-0001"
secret_key = "planted-secret-0001"
"""

CHANNELS = """
[[channels]]
name = "phone"
url = "jsons://example.com/phone"

[[channels]]
name = "mail"
url = "jsons://example.com/mail"
"""

RULE = """
[[rules]]
name = "low"
when = "available_margin < 100"
"""

WHOLE = ACCOUNT + CHANNELS + RULE


def loaded(
    text: str,
    environ: Mapping[str, str] | None = None,
    checks: Checks | None = None,
    path: Path = PATH,
) -> Config:
    return config.load(text, path=path, environ=environ or {}, checks=checks)


def doubts(config: Config) -> list[str]:
    """Its warnings, without the one of every configuration that has no heartbeat."""
    return [warning for warning in config.warnings if warning != NO_HEARTBEAT]


def problems(
    text: str,
    environ: Mapping[str, str] | None = None,
    checks: Checks | None = None,
    path: Path = PATH,
) -> list[str]:
    """Every mistake of a text; empty when it loads."""
    try:
        loaded(text, environ, checks, path)
    except ConfigError as error:
        return error.problems
    return []


@dataclass(frozen=True)
class WrittenKey:
    """A line of a rules.toml that sets a key, or would without its `# `."""

    section: str
    key: str
    value: object
    commented: bool
    example: bool
    """Whether the whole table is a comment."""


def keys_of(text: str) -> Iterator[WrittenKey]:
    """The keys of a rules.toml in their order, in force or in a comment."""
    section, example = "", ""
    for line in text.splitlines():
        if opened := re.match(r"(# )?\[\[?(\w+)\]?\]", line):
            example, section = opened.groups()
        elif found := re.match(r"(# )?([a-z_-]+) = (.+)", line):
            value = tomllib.loads(f"value = {found[3]}")["value"]
            yield WrittenKey(section, found[2], value, bool(found[1]), bool(example))
