"""Reading a file of test cases: TOML, checked as a whole against the rules that it tests.

    text → tables → series → inputs
                  → lines of expect, told → changes, posts

It gives cases that are ready to play, or every mistake at once, each with its place. `case_lines`
parses the lines of `expect` and `told`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from functools import partial
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from daemon.cli.output import times
from daemon.cli.rules_test import case_lines
from daemon.cli.rules_test.case_lines import CHANNEL, CaseNames
from daemon.cli.rules_test.case_series import accounts_of, with_caret
from daemon.config import Config
from daemon.config.parse import tables, values
from daemon.config.places import Places
from daemon.config.problems import SECTIONS, MistakeError, Problems, did_you_mean, format_value
from daemon.replay.cases import (
    CaseAck,
    ExpectedMessage,
    ExpectedTransition,
    RuleTestCase,
    case_inputs,
)
from daemon.rules.language.errors import ExpressionError
from daemon.types import DAY, SECOND, Millis, State, base

T = TypeVar("T")

START = "2026-01-05T12:00"
"""The default start of a case: Monday noon, outside usual mute windows."""

_START = datetime.fromisoformat(START)

KEYS = ("rules", "tests")
"""The keys of a file."""

MESSAGE = ("message", "contains")
"""The keys of a line of `told` that is written as a table."""

FIRST, LAST = 1971, 2100
"""The first and the last year in which a case may start."""

LONGEST: Millis = 3_653 * DAY
"""The longest time that a case may last."""


def _title(raw: object) -> str:
    if (
        not values.text(raw).strip()
        or len(values.text(raw)) > 200
        or not values.text(raw).isprintable()
    ):
        raise MistakeError("must say in one line what is tested, in at most 200 characters")
    return values.text(raw)


def _start(raw: object) -> datetime:
    try:
        at = raw if isinstance(raw, datetime) else datetime.fromisoformat(str(raw))
    except ValueError:
        at = None
    if at is None or not FIRST <= at.year <= LAST or not isinstance(raw, str | date):
        raise MistakeError(f'must be a time such as "{START}", not {format_value(raw)}')
    return at


def _flag(raw: object) -> bool:
    if not isinstance(raw, bool):
        raise MistakeError(f"must be true or false, not {format_value(raw)}")
    return raw


Raw = Annotated[Any, lambda raw: raw]


@dataclass(frozen=True, slots=True)
class CaseTable:
    """One table of `[[tests]]`: each key with the function that reads it, and its default."""

    name: Annotated[str, _title]
    interval: Annotated[Millis, values.longer_than(1)] = 5 * SECOND
    start: Annotated[datetime, _start] = _START
    timezone: Annotated[ZoneInfo | None, values.optional(values.zone, empty=None)] = None
    rules: Annotated[tuple[str, ...], values.list_of(values.reference)] = ()
    series: Raw = None
    accounts: Raw = None
    expect: Raw = None
    told: Raw = None
    acks: Raw = None
    pending: Annotated[bool, _flag] = False


def is_rules(raw: Mapping[str, object]) -> bool:
    """Whether the file has tables of a configuration; `rules` of a file of cases is a name."""
    return any(isinstance(raw.get(section), list | dict) for section in SECTIONS)


def cases(text: str, raw: Mapping[str, object], config: Config) -> list[RuleTestCase]:
    """The cases of a file with this text and these tables.

    Raises:
        ConfigError: with all mistakes, each with its place.

    """
    problems = Problems(Places(text, raw).shown)
    tests = raw.get("tests")
    for key in raw:
        if key not in KEYS:
            problems.add(key, f"unknown key{did_you_mean(key, KEYS)}")
    if not isinstance(raw.get("rules", ""), str):
        problems.add("rules", "must be the name of a file of rules, in quotes")
    if (
        not isinstance(tests, list)
        or not tests
        or not all(isinstance(each, dict) for each in tests)
    ):
        problems.add("tests", "must be tables that each begin with [[tests]], at least one")
        tests = []
    found = [
        _Reader(config, problems, f"tests[{index}]").case(each) for index, each in enumerate(tests)
    ]
    _unique(found, problems)
    problems.raise_if_any()
    return [case for case in found if case is not None]


def _unique(found: Sequence[RuleTestCase | None], problems: Problems) -> None:
    first: dict[str, int] = {}
    for index, case in enumerate(found):
        if case is not None and first.setdefault(case.name, index) != index:
            problems.add(
                f"tests[{index}].name",
                f"{format_value(case.name)} is already the name of"
                f" {problems.shown(f'tests[{first[case.name]}]')}",
            )


@dataclass(slots=True)
class _Reader:
    """Reads one case and collects its mistakes."""

    config: Config
    problems: Problems
    place: str

    def case(self, raw: Mapping[str, object]) -> RuleTestCase | None:
        """The case; None where it has a mistake."""
        table = tables.read(CaseTable, raw, self.place, self.problems).table
        zone = table.timezone or self.config.daemon.timezone or UTC
        start = self._start(table.start, zone)
        accounts = accounts_of(table.series, table.accounts, self.place, self.problems)
        looked_at = self._rules(table.rules)
        cast = CaseNames(
            {rule.name: rule for rule in self.config.account_rules},
            looked_at,
            tuple(accounts),
            channels(self.config),
        )
        changes, posts = self._changes(table.expect, cast), self._posts(table.told, cast)
        acks = self._acks(table.acks, cast)
        if table.expect is None and table.told is None:
            self._add(
                "expect", "is missing; write what is to happen, [] for nothing, or what is told"
            )
        if self.problems.within(self.place):
            return None
        played = {name: case_inputs(each, start, table.interval) for name, each in accounts.items()}
        if max(each[-1].at for each in played.values()) - start > LONGEST:
            self._add("interval", "the case lasts longer than ten years; use a shorter interval")
        expects_pending = any(each.to is State.PENDING for each in changes or ())
        return RuleTestCase(
            name=table.name,
            start=start,
            zone=zone,
            inputs=played,
            rules=looked_at | _mentioned(changes, posts),
            changes=changes,
            posts=posts,
            pending=table.pending or expects_pending,
            acks=acks,
        )

    def _start(self, at: datetime, zone: tzinfo) -> Millis:
        try:
            return times.to_instant(at, zone)
        except times.WallTimeError as error:
            self._add("start", f"{format_value(at.isoformat())} {error}")
            return 0

    def _add(self, key: str, sentence: str) -> None:
        self.problems.add(f"{self.place}.{key}", sentence)

    def _rules(self, names: Sequence[str]) -> frozenset[str]:
        """The rules that the case looks at: those it names, or all rules of the file."""
        known = frozenset(rule.name for rule in self.config.account_rules)
        for number, name in enumerate(names, 1):
            if name not in known:
                self._add(
                    f"rules, entry {number}",
                    f"there is no rule {format_value(name)}{did_you_mean(name, known)}",
                )
        good = frozenset(names) if known.issuperset(names) else known
        return good or frozenset(rule.name for rule in self.config.rules)

    def _changes(self, raw: object, cast: CaseNames) -> tuple[ExpectedTransition, ...] | None:
        found: list[ExpectedTransition] = []
        for key, line in self._lines(raw, "expect"):
            if isinstance(line, str):
                found += self._parsed(key, partial(case_lines.changes, line, cast), cast)
            else:
                self._add(
                    key,
                    'must be a line such as "3m25s low-margin firing 90", not'
                    f" {format_value(line)}",
                )
        return None if raw is None else tuple(found)

    def _acks(self, raw: object, cast: CaseNames) -> tuple[CaseAck, ...]:
        found: list[CaseAck] = []
        for key, line in self._lines(raw, "acks"):
            if isinstance(line, str):
                found += self._parsed(key, partial(case_lines.acks, line, cast), cast)
            else:
                self._add(key, f'must be a line such as "5m low-margin", not {format_value(line)}')
        return tuple(found)

    def _posts(self, raw: object, cast: CaseNames) -> tuple[ExpectedMessage, ...] | None:
        found: list[ExpectedMessage] = []
        for key, line in self._lines(raw, "told"):
            for written, contains in self._message(line, key):
                found += self._parsed(key, partial(case_lines.posts, written, contains, cast), cast)
        return None if raw is None else tuple(found)

    def _lines(self, raw: object, key: str) -> Iterator[tuple[str, object]]:
        if isinstance(raw, list):
            yield from ((f"{key}, entry {number}", line) for number, line in enumerate(raw, 1))
        elif raw is not None:
            self._add(key, f"must be a list of lines, not {format_value(raw)}")

    def _message(self, line: object, key: str) -> Iterator[tuple[str, list[str]]]:
        """The line about a message and the texts it must contain; nothing after a mistake."""
        table = {"message": line} if isinstance(line, str) else line
        if not isinstance(table, dict) or not isinstance(table.get("message"), str):
            self._add(
                key,
                'must be a line such as "3m26s low-margin firing", or { message = "…", contains ='
                ' ["…"] }',
            )
            return
        for name in table:
            if name not in MESSAGE:
                self._add(f"{key}.{name}", f"unknown key{did_you_mean(name, MESSAGE)}")
        contains = table.get("contains", [])
        if isinstance(contains, list) and all(isinstance(each, str) and each for each in contains):
            yield table["message"], contains
        else:
            self._add(f"{key}.contains", 'must be a list of texts, such as ["available_margin 90"]')

    def _parsed(self, key: str, parse: Callable[[], list[T]], cast: CaseNames) -> list[T]:
        """The result of parsing a line; empty after a mistake, or if the case has no account."""
        try:
            return parse() if cast.accounts else []
        except ExpressionError as error:
            self._add(key, with_caret(error))
            return []


def channels(config: Config) -> tuple[str, ...]:
    """The channels of the configuration; if it has none, CHANNEL stands for all."""
    return tuple(channel.name for channel in config.channels) or (CHANNEL,)


def _mentioned(
    changes: Sequence[ExpectedTransition] | None, posts: Sequence[ExpectedMessage] | None
) -> frozenset[str]:
    """The rules that lines name: system rules are looked at only then."""
    named = [each.rule for each in changes or ()] + [
        news.rule for each in posts or () for news in each.news
    ]
    return frozenset(map(base, named))
