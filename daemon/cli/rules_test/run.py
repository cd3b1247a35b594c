"""`marginwatch rules test`: finds the files, plays their cases and prints the results.

files → cases (`case_file`) → outcomes (`replay.cases`) → differences → table, csv or json
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from daemon import config as configs
from daemon.alerts.mutes import Mutes
from daemon.cli.options import Format
from daemon.cli.output import progress, times
from daemon.cli.output.progress import Bar
from daemon.cli.output.tables import Row, exact, rule_row, value_unit, write_csv, write_json
from daemon.cli.rules_test import case_file, table
from daemon.cli.session import CommandSession
from daemon.config import Config
from daemon.config.files import is_present
from daemon.config.parse import syntax
from daemon.errors import ConfigError, UsageError
from daemon.replay.cases import (
    CaseOutcome,
    ExpectedMessage,
    ExpectedTransition,
    RuleTestCase,
    run_case,
)
from daemon.replay.context import ContextRows, context_rows
from daemon.replay.differences import DifferenceLine, Differences, differences
from daemon.replay.session import RuleSet
from daemon.text.durations import duration_text
from daemon.types import Millis

COLUMNS = ("file", "case", "result", "attempts", "transitions", "messages", "differences")
"""Columns of csv, with one row per case."""

SUFFIX = ".test.toml"

LONG = 10_000
"""Attempts of a case from which on a progress bar is shown."""


@dataclass(frozen=True, slots=True)
class RulesTestOptions:
    """The options of one call."""

    files: Sequence[Path]
    """The files of cases; if empty, all beside the configuration."""
    pattern: str | None
    output: Format


@dataclass(frozen=True, slots=True)
class Suite:
    """A file of cases with the rules that it tests."""

    path: Path
    rules: Path
    config: Config
    cases: Sequence[RuleTestCase]

    def played(self) -> Iterator["Played"]:
        """Play each case and yield its result."""
        for case in self.cases:
            scheme = self._scheme(case)
            with _bar(case) as bar:
                outcome = run_case(case, scheme, bar.note)
            found = differences(case, outcome)
            why = None if found.place is None else context_rows(case, scheme, found.place)
            yield Played(self.path, case, outcome, found, why)

    def _scheme(self, case: RuleTestCase) -> RuleSet:
        """The daemon's set of rules, with mute windows in the case's time zone."""
        mutes = Mutes(self.config.mutes.windows, case.zone)
        waits = {each.name: each.group_wait for each in self.config.channels}
        return RuleSet(self.config.account_rules, case_file.channels(self.config), mutes, waits)


@dataclass(frozen=True, slots=True)
class Played:
    """One case with its result."""

    path: Path
    case: RuleTestCase
    outcome: CaseOutcome
    found: Differences
    why: ContextRows | None
    """The readings around the first difference."""

    @property
    def good(self) -> bool:
        return not self.found.any


def _bar(case: RuleTestCase) -> AbstractContextManager[Bar]:
    """A progress bar for a long case; it is erased before the result is printed."""
    if case.attempts < LONG:
        return nullcontext(Bar(None, None))
    return progress.bar(case.name, case.attempts)


def show(session: CommandSession, wish: RulesTestOptions) -> int:
    """Play the cases, print the results and return the exit status.

    Raises:
        ConfigError: with all mistakes of all files, each with its place.
        UsageError: when there is nothing to play.

    """
    began = session.clock.elapsed()
    suites = _chosen(_loaded(session, _files(session, wish.files)), wish.pattern)
    if wish.output is Format.TABLE:
        sheet = table.RulesTestTable()
        for suite in suites:
            sheet.begin(suite.path, suite.rules)
            for each in suite.played():
                sheet.take(each.case, each.outcome, each.found, each.why, each.path)
        sheet.end(session.clock.elapsed() - began)
        return 1 if sheet.failures else 0
    played = [each for suite in suites for each in suite.played()]
    if wish.output is Format.JSON:
        write_json(map(_object, played))
    else:
        write_csv(COLUMNS, map(_row, played))
    return 0 if all(each.good for each in played) else 1


def _files(session: CommandSession, named: Sequence[Path]) -> Sequence[Path]:
    if named:
        return named
    config = configs.find(session.path, session.environ)
    found = sorted(config.parent.glob(f"*{SUFFIX}"))
    if not found:
        raise UsageError(f"there is no *{SUFFIX} beside {config}; name a file, or write one")
    return found


def _loaded(session: CommandSession, files: Sequence[Path]) -> list[Suite]:
    """Load every file; raises ConfigError with the mistakes of all of them."""
    suites: list[Suite] = []
    problems: list[str] = []
    for path in files:
        try:
            suites.append(_suite(session, path))
        except ConfigError as error:
            problems += [each for each in error.problems if each not in problems]
    if problems:
        raise ConfigError(problems)
    return suites


def _suite(session: CommandSession, path: Path) -> Suite:
    text = configs.read_text(path)
    raw = syntax.parse(text, path)
    if "tests" not in raw and case_file.is_rules(raw):
        raise ConfigError([f"{path}: this is a file of rules; {_its_tests(path)}"])
    where = _rules(session, path, raw)
    config = configs.read_policy(where, base=_nothing(where), environ=session.environ)
    try:
        return Suite(path, where, config, case_file.cases(text, raw, config))
    except ConfigError as error:
        raise ConfigError([f"{path.name}: {each}" for each in error.problems]) from None


def _its_tests(path: Path) -> str:
    """A hint to the file with the tests of a file of rules."""
    if path.name.endswith(SUFFIX):
        return "those of tests begin with [[tests]]"
    tests = path.with_name(f"{path.stem}{SUFFIX}")
    return f"its tests stand in {tests.name}" + (
        "" if is_present(tests) else ", which is still to be written"
    )


def _nothing(path: Path) -> Config:
    """An empty configuration: rules are tested without accounts and keys."""
    return Config(path, configs.Daemon(configs.Secret("")), ())


def _rules(session: CommandSession, path: Path, raw: Mapping[str, object]) -> Path:
    """The file of rules that a file of cases tests.

    In this order: --config, the file's key `rules`, the file of the same name, the configuration.
    """
    if session.path is not None:
        return session.path
    named = raw.get("rules")
    if isinstance(named, str) and named:
        if not is_present(path.parent / named):
            sentence = f"there is no file {path.parent / named}; name the one with the rules"
            raise ConfigError([f"{path.name}: rules: {sentence}"])
        return path.parent / named
    beside = path.with_name(f"{path.name.removesuffix(SUFFIX)}.toml")
    return beside if beside != path and is_present(beside) else configs.find(None, session.environ)


def _chosen(suites: Sequence[Suite], pattern: str | None) -> list[Suite]:
    if pattern is None:
        return list(suites)
    kept = [
        replace(each, cases=[case for case in each.cases if _fits(case, pattern)])
        for each in suites
    ]
    if not any(suite.cases for suite in kept):
        raise UsageError(
            f'no case is called "{pattern}": give a word of its name, or a pattern such as'
            ' "*margin*"'
        )
    return [suite for suite in kept if suite.cases]


def _fits(case: RuleTestCase, pattern: str) -> bool:
    name, wanted = case.name.lower(), pattern.lower()
    return wanted in name or fnmatchcase(name, wanted)


def _row(played: Played) -> Row:
    lines = (*played.found.changes, *played.found.posts)
    return {
        "file": str(played.path),
        "case": played.case.name,
        "result": "ok" if played.good else "failed",
        "attempts": played.case.attempts,
        "transitions": len(played.outcome.changes),
        "messages": len(played.outcome.posts),
        "differences": sum(line.sign != " " for line in lines),
    }


def _object(played: Played) -> Row:
    case = played.case
    lines = (*played.found.changes, *played.found.posts)
    return {
        "file": str(played.path),
        "case": case.name,
        "ok": played.good,
        "attempts": case.attempts,
        "transitions": [{**_at(each.at, case), **_change(each)} for each in played.outcome.changes],
        "messages": [{**_at(each.at, case), **_post(each)} for each in played.outcome.posts],
        "differences": [
            {"sign": line.sign, **_at(line.at, case), **_line(line)}
            for line in lines
            if line.sign != " "
        ],
    }


def _at(at: Millis, case: RuleTestCase) -> Row:
    return {"after": duration_text(at), "at": times.format_iso(case.start + at, case.zone)}


def _change(each: ExpectedTransition) -> Row:
    return {
        **rule_row(each.rule),
        "account": each.account,
        "to": each.to.value,
        "value": exact(each.value),
        **value_unit(each.value, each.judged),
        "reason": each.reason,
    }


def _post(each: ExpectedMessage) -> Row:
    news = [{"rule": one.rule, "account": one.account, "kind": one.kind.value} for one in each.news]
    return {"channel": each.channel, "news": news, "text": each.text}


def _line(line: DifferenceLine) -> Row:
    return {"what": " ".join(filter(None, line.cells)), "remark": line.remark}
