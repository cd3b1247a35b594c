"""docs/configuration.md and the comments of rules.toml: every key with its real default."""

import re
import tomllib
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import MISSING, fields
from decimal import Decimal
from typing import Any

import pytest

from daemon.alerts import system_rules as unwritten
from daemon.alerts.mutes import MuteWindow
from daemon.config import Account, BudgetLimits, Channel, Daemon, Report, Secret, System
from daemon.config.checks import not_available
from daemon.config.parse import tables
from daemon.config.problems import Problems
from daemon.errors import ConfigError
from daemon.rules.rule import Rule
from tests.docs.markdown import CONFIGURATION, ROOT, code

SECTIONS: Mapping[str, type[tables.StrictTable]] = {
    "daemon": tables.DaemonTable,
    "accounts": tables.AccountTable,
    "channels": tables.ChannelTable,
    "rules": tables.RuleTable,
    "mutes": tables.MuteTable,
    "reports": tables.ReportTable,
    "system": tables.SystemTable,
    "budget": tables.BudgetTable,
}
MODELS: Mapping[str, type[Any]] = {
    "daemon": Daemon,
    "accounts": Account,
    "channels": Channel,
    "rules": Rule,
    "mutes": MuteWindow,
    "reports": Report,
    "system": System,
    "budget": BudgetLimits,
}


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_is_explained_with_its_default(section: str) -> None:
    """The table of a section has each of its keys in order, with the default in force."""
    table, kind = CONFIGURATION.table(section), SECTIONS[section]
    shown = dict(zip(map(code, table.column("key")), table.column("default"), strict=True))
    assert list(shown) == list(kind.keys())
    assert {key for key, default in shown.items() if default == "*required*"} == set(kind.required)
    written = {
        key: _toml(code(default)) for key, default in shown.items() if default != "*required*"
    }
    assert _table(section, written) == kind.model_validate({})


def test_every_key_that_waits_is_marked() -> None:
    """`not yet` stands at exactly the keys whose values are refused as not available yet."""
    waiting = {
        f"{section}.{code(key)}"
        for section in SECTIONS
        for key, mark in zip(
            CONFIGURATION.table(section).column("key"),
            CONFIGURATION.table(section).column(""),
            strict=True,
        )
        if mark == "not yet"
    }
    assert waiting == not_available.NOT_YET


@pytest.mark.parametrize("section", SECTIONS)
def test_the_program_starts_from_the_same_defaults(section: str) -> None:
    """The defaults of the values that the daemon is built from are those of the file."""
    table = SECTIONS[section].model_validate({})
    resolved = {"accounts.every", "daemon.database"}
    for each in fields(MODELS[section]):
        if (
            each.default is MISSING
            or each.name not in type(table).model_fields
            or f"{section}.{each.name}" in resolved
        ):
            continue
        default = each.default.reveal() if isinstance(each.default, Secret) else each.default
        assert getattr(table, each.name) == default, each.name


def test_comments_of_the_shipped_file_show_defaults() -> None:
    """A key in a comment of rules.toml shows its default; only what has none is an example."""
    section, shown = "", 0
    for line in (ROOT / "rules.toml").read_text().splitlines():
        if opened := re.match(r"(?:# )?\[\[?(\w+)\]?\]", line):
            section = opened[1]
        found = re.match(r"# ([a-z_-]+) = (.+)", line)
        if found is None or found[1] in SECTIONS[section].required:
            continue
        written = {found[1]: tomllib.loads(f"value = {found[2]}")["value"]}
        assert _table(section, written) == SECTIONS[section].model_validate({}), line
        shown += 1
    assert shown > 10


def _toml(default: str) -> object:
    return tomllib.loads(f"value = {default}")["value"]


def _table(section: str, written: Mapping[str, object]) -> tables.StrictTable:
    """A table of the file with only these keys, as the configuration reads it."""
    found = Problems()
    table = tables.read(SECTIONS[section], written, section, found).table
    with (
        pytest.raises(ConfigError, match="is missing")
        if SECTIONS[section].required
        else nullcontext()
    ):
        found.raise_if_any()
    return table


def test_system_rules_are_explained_with_their_severity() -> None:
    """Each that there is, as severe as it is told."""
    table = CONFIGURATION.table("system", 1)
    shown = {
        name: severity
        for names, severity in zip(
            table.column("system rule"), table.column("severity"), strict=True
        )
        for name in re.findall(r"`([^`]+)`", names)
    }
    assert shown == {
        name: unwritten.system_rule(name, Decimal(1)).severity for name in unwritten.KINDS
    }
