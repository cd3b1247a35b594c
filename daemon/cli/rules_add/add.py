"""Adds a recipe's rule to rules.toml and its test to rules.test.toml.

    both files → recipe filled in → inserted → checked, test played → rules.toml, then the tests

Nothing is written before everything is checked. A process that is killed between the two files
leaves a rule without a test.
"""

import textwrap
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from itertools import count
from pathlib import Path

from daemon import config as configs
from daemon.cli.output.tables import counted
from daemon.cli.output.terminal import STDOUT, echo, say
from daemon.cli.reload_command import reload_command
from daemon.cli.rules_add import edited_file
from daemon.cli.rules_add.edited_file import EditedFile
from daemon.cli.rules_add.listing import find
from daemon.cli.rules_test import case_file
from daemon.cli.rules_test.run import SUFFIX, Suite
from daemon.cli.session import CommandSession
from daemon.config import Config
from daemon.config.files import normalised
from daemon.config.parse import syntax, values
from daemon.config.problems import MistakeError, did_you_mean, format_value
from daemon.config.recipes import (
    Filling,
    NoPlaceError,
    Recipe,
    case_tables,
    insert_tables,
    parse_limit,
    rule_tables,
)
from daemon.errors import ConfigError, MarginwatchError, UsageError
from daemon.hidden import Secret


@dataclass(frozen=True, slots=True)
class AddOptions:
    """The options of one call."""

    recipe: str
    name: str | None
    """The name of the rule; None is that of the recipe."""
    limit: str | None
    accounts: Sequence[str]
    channels: Sequence[str]
    escalate_to: str = ""
    """A channel, or "" for none."""


@dataclass(frozen=True, slots=True)
class Change:
    """The new texts of both files, checked."""

    rules: EditedFile
    tests: EditedFile
    tables: str
    """The tables that rules.toml gets."""
    new_rules: str
    new_tests: str
    cases: int
    """The number of new test cases; each passes."""
    failed: Sequence[str]
    """Names of earlier test cases that fail with the new rule."""
    warnings: Sequence[str]
    """Warnings about the new rule."""
    database: Secret
    """The address of the database, whose daemon is to load the rule."""


def add(session: CommandSession, wish: AddOptions) -> None:
    """Add the rule and its test, and print what to do next; see `write`."""
    _tell(write(session, wish), "" if session.path is None else f" --config {session.path}")


def write(session: CommandSession, wish: AddOptions) -> Change:
    """Add the rule and its test, or change nothing.

    Raises:
        ConfigError: where a file has mistakes already; the first is named.
        UsageError: for a recipe, account or channel that does not exist, a name that is taken, or a
            limit that the recipe cannot have.
        MarginwatchError: where a file must not be written, or cannot.

    """
    recipe = find(wish.recipe)
    path = configs.find(session.path, session.environ)
    configs.read_text(path)  # where there is no such file, it says what to do
    with edited_file.alone(path.resolve().parent):
        change = _prepared(session, path, recipe, wish)
        edited_file.replace(change.rules, change.new_rules, like=path)
        edited_file.replace(change.tests, change.new_tests, like=path)
    return change


def _prepared(session: CommandSession, path: Path, recipe: Recipe, wish: AddOptions) -> Change:
    """Everything but the writing: nothing may fail behind it but the disk."""
    rules = edited_file.read(path)
    tests = edited_file.read(path.with_name(f"{path.stem}{SUFFIX}"))
    filling = _filling(recipe, wish, _present(session, path, rules.text))
    tables = rule_tables(recipe, filling)
    new_rules = _inserted(rules, rules.text, tables, "rules")
    config = _with_rule(session, path, new_rules)
    cases = case_tables(recipe, filling)
    new_tests = _with_cases(tests, cases, config)
    number, failed = _play(tests.path, new_tests, cases, config)
    place = f"rules {format_value(filling.name)} "
    return Change(
        rules=rules,
        tests=tests,
        tables=tables,
        new_rules=new_rules,
        new_tests=new_tests,
        cases=number,
        failed=failed,
        warnings=[each for each in config.warnings if each.startswith(place)],
        database=config.daemon.database,
    )


def _present(session: CommandSession, path: Path, text: str) -> Config:
    """The configuration as it is."""
    try:
        return _load(session, path, text)
    except ConfigError as error:
        raise _unusable(path, error, "`marginwatch check` lists all of them") from None


def _with_rule(session: CommandSession, path: Path, text: str) -> Config:
    """The configuration as it would be."""
    try:
        return _load(session, path, text)
    except ConfigError as error:
        raise _misfit(path, error) from None


def _load(session: CommandSession, path: Path, text: str) -> Config:
    """As `check` loads it, but for keys and addresses, which may be readable by the daemon only."""
    return configs.load(normalised(text), path=path, environ=session.environ, secrets=False)


def _unusable(path: Path, error: ConfigError, remedy: str) -> ConfigError:
    """The first mistake of a file that has some already."""
    first, *others = error.problems
    more = [f"and {counted(len(others), 'more mistake')}: {remedy}"] if others else []
    return ConfigError([f"{path.name} has a mistake, so nothing was added: {first}", *more])


def _filling(recipe: Recipe, wish: AddOptions, config: Config) -> Filling:
    accounts = [account.name for account in config.accounts]
    watched = [each for each in accounts if any(fnmatchcase(each, glob) for glob in wish.accounts)]
    for pattern in wish.accounts:
        if not any(fnmatchcase(each, pattern) for each in accounts):
            raise UsageError(_unknown("account", pattern, accounts))
    _check_channels(recipe, wish, [channel.name for channel in config.channels])
    return Filling(
        _free_name(wish.name or recipe.name, config),
        _limit(recipe, wish.limit),
        wish.accounts,
        wish.channels,
        wish.escalate_to,
        played_on=watched[0] if watched else "",
    )


def _check_channels(recipe: Recipe, wish: AddOptions, known: Sequence[str]) -> None:
    for channel in filter(None, (*wish.channels, wish.escalate_to)):
        if channel not in known:
            raise UsageError(_unknown("channel", channel, known))
    if recipe.escalates and not wish.escalate_to:
        raise UsageError("name the channel that rings with --escalate-to")
    if wish.escalate_to and not wish.channels:
        raise UsageError(
            "name the channels that are told at once with --channel: without it all are, and none"
            " is left to escalate to"
        )


def _free_name(name: str, config: Config) -> str:
    """The name of the new rule, checked."""
    try:
        values.name(name)
    except MistakeError as mistake:
        raise UsageError(f"the name {mistake}") from None
    taken = {rule.name for rule in config.account_rules} | configs.SYSTEM_RULES
    if name in taken:
        free = next(each for n in count(2) if (each := f"{name}-{n}") not in taken)
        raise UsageError(
            f'there is a rule "{name}" already: name the new one, such as --name "{free}"'
        )
    return name


def _limit(recipe: Recipe, written: str | None) -> Decimal:
    try:
        return parse_limit(recipe, written)
    except MistakeError as mistake:
        raise UsageError(f"the limit {mistake}") from None


def _unknown(kind: str, name: str, known: Sequence[str]) -> str:
    near = did_you_mean(name, known) or f"; there is {', '.join(known) or 'none'}"
    return f'no {kind} is named "{name}"{near}'


def _inserted(edited: EditedFile, text: str, tables: str, section: str) -> str:
    try:
        return insert_tables(text, tables, section)
    except NoPlaceError as error:
        raise MarginwatchError(
            f"{edited.path.name} {error}, so nothing was added: write each as one"
        ) from None


def _with_cases(tests: EditedFile, tables: str, config: Config) -> str:
    """The new text of the file of tests."""
    head = f"# Tests of the rules in {config.path.name}: `marginwatch rules test` plays them.\n"
    try:
        raw = syntax.parse(normalised(tests.text), tests.path)
        if "tests" in raw:
            case_file.cases(normalised(tests.text), raw, config)
    except ConfigError as error:
        raise _unusable(tests.path, error, "`marginwatch rules test` lists all of them") from None
    named = raw.get("rules", config.path.name)
    if named != config.path.name:
        raise MarginwatchError(
            f"{tests.path.name} tests the rules of {named}, so nothing was added: correct its key"
            " `rules`"
        )
    return _inserted(tests, tests.text or head, tables, "tests")


def _play(path: Path, text: str, tables: str, config: Config) -> tuple[int, Sequence[str]]:
    """The number of new cases, which pass, and the names of earlier cases that fail now."""
    new = {each["name"] for each in tomllib.loads(tables)["tests"]}
    raw = syntax.parse(normalised(text), path)
    try:
        suite = Suite(path, config.path, config, case_file.cases(normalised(text), raw, config))
    except ConfigError as error:
        raise _misfit(path, error) from None
    failed = [each.case.name for each in suite.played() if not each.good]
    if not new.isdisjoint(failed):
        raise MarginwatchError("the test of this recipe fails with this limit: choose another one")
    return len(new), failed


def _misfit(path: Path, error: ConfigError) -> UsageError:
    return UsageError(f"this does not fit into {path.name}, which stays as it is: {error}")


def _tell(change: Change, named: str) -> None:
    """Print what was added, and what to do next; `named` names the configuration."""
    rules, tests = change.rules.path, change.tests.path
    say(f"{rules}: added")
    STDOUT.write(textwrap.indent(change.tables, "  "))
    say(f"{tests}: added {counted(change.cases, 'test')}, good when played")
    if change.failed:
        say(
            f"warning: failing now: {counted(len(change.failed), 'earlier test')}, such as"
            f" {format_value(change.failed[0])}; a test without the key `rules` looks at every rule"
        )
    for warning in change.warnings:
        say(f"warning: {warning}")
    echo("Next:")
    echo(f"  marginwatch check{named}")
    echo(f"  {reload_command(change.database.reveal())}")
