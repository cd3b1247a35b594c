"""docs/configuration.md and the comments of rules.toml: every key with its real default."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal

import pytest

from daemon import exchanges
from daemon.alerts import system_rules as unwritten
from daemon.config import Account, Answers, new_config
from daemon.config.checks import not_available
from daemon.config.parse import tables
from daemon.config.problems import SECTIONS, Problems
from daemon.errors import ConfigError
from tests.config.written import TABLES, WrittenKey, keys_of
from tests.docs.markdown import CONFIGURATION, ROOT, code


@pytest.mark.parametrize("section", TABLES)
def test_every_key_is_explained_with_its_default(section: str) -> None:
    """The table of a section has each of its keys in order, with the default in force."""
    table, keys = CONFIGURATION.table(section), tables.keys(TABLES[section])
    shown = dict(zip(map(code, table.column("key")), table.column("default"), strict=True))
    assert list(shown) == list(keys)
    written = {
        key: _toml(code(default)) for key, default in shown.items() if default != "*required*"
    }
    assert [key for key in shown if key not in written] == _required(section)
    assert _table(section, written) == _table(section, {})
    assert all(table.column("meaning"))


def test_keys_in_the_prose_exist() -> None:
    """What the page sets, as in `proxy = "env"`, or explains at length is a key of some table."""
    text = CONFIGURATION.text
    named = {*re.findall(r"\*\*`([a-z_-]+)", text), *re.findall(r"`([a-z_-]+) = ", text)}
    known = {key for kind in TABLES.values() for key in tables.keys(kind)}
    assert {"proxy", "on_missing", "summary"} <= named <= known


def test_the_addresses_are_those_of_the_exchange() -> None:
    """The defaults of [[accounts]] name the exchange and, as its adapter does, its addresses."""
    keys = tables.keys(Account)
    adapter = exchanges.load(str(keys["exchange"].default))
    assert keys["rest_url"].default == adapter.REST_URL
    assert keys["ws_url"].default == adapter.WS_URL


def test_every_key_that_waits_is_marked() -> None:
    """`not yet` stands at exactly the keys whose values are refused as not available yet."""
    waiting = {
        f"{section}.{code(key)}"
        for section in TABLES
        for key, mark in zip(
            CONFIGURATION.table(section).column("key"),
            CONFIGURATION.table(section).column(""),
            strict=True,
        )
        if mark == "not yet"
    }
    assert waiting == not_available.NOT_YET


def test_the_tables_are_those_of_the_file() -> None:
    """No table is left out here."""
    assert tuple(TABLES) == SECTIONS


def test_comments_of_the_shipped_file_show_defaults() -> None:
    """A key in a comment of rules.toml shows its default; only what has none is an example."""
    shown = [each for each in keys_of((ROOT / "rules.toml").read_text()) if each.commented]
    _check_defaults(shown, at_least=50)


def test_comments_of_a_first_file_show_defaults() -> None:
    """So do those of the file that `init` writes; only tables in a comment are examples."""
    first = keys_of(new_config(Answers("main", "env:KEY", "env:SECRET")))
    shown = [each for each in first if each.commented and not each.example]
    _check_defaults(shown, at_least=3)


def _check_defaults(shown: Sequence[WrittenKey], *, at_least: int) -> None:
    assert len(shown) >= at_least
    for each in shown:
        if each.key not in _required(each.section):
            written = {each.key: each.value}
            assert _table(each.section, written) == _table(each.section, {}), each


def _toml(default: str) -> object:
    return tomllib.loads(f"value = {default}")["value"]


def _required(section: str) -> list[str]:
    return [name for name, key in tables.keys(TABLES[section]).items() if key.required]


def _table(section: str, written: Mapping[str, object]) -> object:
    """A table of the file with only these keys, as the configuration reads it."""
    found, mistakes = Problems(), []
    table = tables.read(TABLES[section], written, section, found).table
    try:
        found.raise_if_any()
    except ConfigError as error:
        mistakes = error.problems
    assert mistakes == [f"{section}.{key}: is missing" for key in _required(section)]
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
