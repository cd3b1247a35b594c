"""`marginwatch backtest --rules FILE --diff`: compares two sets of rules over one history."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Protocol, TypeAlias

from daemon.cli.backtest import rows as program_rows
from daemon.cli.backtest import table
from daemon.cli.backtest.headline import SIDES as NAMED
from daemon.cli.backtest.headline import headline, nothing_replayed
from daemon.cli.backtest.span import Run, Summaries
from daemon.cli.options import Format
from daemon.cli.output import progress, times
from daemon.cli.output.progress import Bar
from daemon.cli.output.tables import Row, Table, to_json, write_csv, write_rows
from daemon.cli.output.terminal import STDOUT, say
from daemon.cli.output.times import DisplayClock
from daemon.replay.backtest import ReplayedMessage
from daemon.replay.compare import (
    MergedEpisode,
    Pair,
    PairedSessions,
    RuleSetComparison,
    RuleSetDifference,
    merge_pairs,
)
from daemon.replay.session import used_fields
from daemon.replay.statistics import RuleSummary
from daemon.text.names import rule_label
from daemon.text.numbers import format_duration
from daemon.types import SECOND, Millis

MOST = table.MOST
"""The most differences that a table shows; csv and json have all."""

OPTIONAL = ("worst", "ended")
"""Columns of the differences that a narrow terminal may lack, the first one first."""

SIDES = ("config", "file")
"""The rules in force, and those of --rules FILE."""

COLUMNS = (
    "rule", "account", "what", "later_seconds",
    *(f"{side}_{name}" for side in SIDES for name in ("fired", "ended", "worst", "alerts")),
)  # fmt: skip
"""Columns of csv, with one row per difference."""


Both: TypeAlias = tuple[RuleSummary | None, RuleSummary | None]
"""The summaries of one rule by either set; None where the set has no such rule."""


@dataclass(slots=True)
class Result:
    """The summaries and message counts of both sets of rules."""

    summaries: Sequence[Summaries] = ()
    messages: list[int] = field(default_factory=lambda: [0, 0])
    told: list[int] = field(default_factory=lambda: [0, 0])
    """A hash sum of each side's messages: channel, time and content, in any order."""

    def take(self, side: int, messages: Iterable[ReplayedMessage]) -> None:
        for each in messages:
            self.messages[side] += 1
            self.told[side] += hash(
                (each.channel, each.at, tuple(notice.key for notice in each.notices))
            )

    def sameness(self) -> str:
        """The sentence for a comparison in which no alert differs."""
        same = "both raise the same alerts at the same instants"
        if any(_ends_differ(both) for _, both in _by_rule(self.summaries)):
            return f"{same}; what differs is when they end"
        ours, theirs = self.told
        return same if ours == theirs else f"{same}; what differs is who is told of them, or when"


class DifferencePrinter(Protocol):
    def take(self, each: RuleSetDifference) -> None: ...

    def finish(self, result: Result, bar: Bar) -> None: ...


def show(ours: Run, theirs: Run, output: Format) -> int:
    """Print the differences and return the exit status."""
    printer = _PRINTERS[output]((ours, theirs))
    result = Result()
    with progress.bar("comparing", ours.span.about(), printing=output is not Format.TABLE) as bar:
        for each in differences((ours, theirs), bar, result):
            printer.take(each)
    printer.finish(result, bar)
    return 0


def differences(runs: tuple[Run, Run], bar: Bar, result: Result) -> Iterator[RuleSetDifference]:
    """Replay both sets at once; `result` is complete once the iterator is exhausted."""
    comparison, summaries = RuleSetComparison(), [run.summary() for run in runs]
    joiners = [run.joiner() for run in runs]
    for pair in merge_pairs(_account(runs, name, bar) for name in runs[0].span.names):
        for side, record in enumerate(pair):
            summaries[side].take(record)
            result.take(side, joiners[side].next(record))
        yield from comparison.take(pair)
    yield from comparison.finish()
    for side, joiner in enumerate(joiners):
        result.take(side, joiner.rest())
    result.summaries = [summary.finish(bar.ends) for summary in summaries]


def _account(runs: tuple[Run, Run], name: str, bar: Bar) -> Iterator[Pair]:
    """Replay one account, which is read once for both sets."""
    ours, theirs = (run.player(name) for run in runs)
    fields = used_fields((*ours.rules.values(), *theirs.rules.values()))
    look_back = max(ours.evaluator.look_back, theirs.evaluator.look_back)
    span = runs[0].span
    first = span.first(name)
    return PairedSessions(ours, theirs).played(
        bar.along(name, span.inputs(name, fields, look_back), first), first
    )


class _DifferenceJson:
    def __init__(self, runs: tuple[Run, Run]) -> None:
        self._zone = runs[0].span.past.zone
        self._separator = '{"differences": [\n'

    def take(self, each: RuleSetDifference) -> None:
        STDOUT.write(self._separator + to_json(_object(each, self._zone)))
        self._separator = ",\n"

    def finish(self, result: Result, bar: Bar) -> None:
        del bar
        STDOUT.write('{"differences": [],\n' if self._separator.startswith("{") else "\n],\n")
        messages = dict(zip(SIDES, result.messages, strict=True))
        STDOUT.write(f'"messages": {to_json(messages)},\n"summary": [\n')
        rows = []
        for rule, both in _by_rule(result.summaries):
            told = (None if each is None else program_rows.summary(each) for each in both)
            rows.append(to_json({"rule": rule, **dict(zip(SIDES, told, strict=True))}))
        STDOUT.write(",\n".join(rows) + "\n]}\n")


class _DifferenceCsv:
    def __init__(self, runs: tuple[Run, Run]) -> None:
        self._zone = runs[0].span.past.zone
        write_csv(COLUMNS, ())

    def take(self, each: RuleSetDifference) -> None:
        row = _object(each, self._zone)
        for side, episode in zip(SIDES, (each.ours, each.theirs), strict=True):
            told = _episode(episode, self._zone)
            row |= {f"{side}_{name}": value for name, value in (told or {}).items()}
        write_rows(COLUMNS, [row])

    def finish(self, result: Result, bar: Bar) -> None:
        """Nothing follows the rows."""


class _People:
    def __init__(self, runs: tuple[Run, Run]) -> None:
        self._runs = runs
        self._last: deque[RuleSetDifference] = deque(maxlen=MOST)
        self._all = 0

    def take(self, each: RuleSetDifference) -> None:
        self._all += 1
        self._last.append(each)

    def finish(self, result: Result, bar: Bar) -> None:
        if not bar.judged:
            say(nothing_replayed(self._runs[0].span))
            return
        for line in headline(self._runs, bar):
            say(line)
        say(
            f"messages: {_change(*(f'{each:,}' for each in result.messages))} ({' → '.join(NAMED)})"
        )
        say("")
        rows = [
            (rule_label(rule), *map(_change, *map(_cells, both)))
            for rule, both in self._shown(result)
        ]
        Table(("rule", *table.NUMBERS), rows, frozenset(table.NUMBERS), table.OPTIONAL).write()
        say("")
        self._differences(result)

    def _shown(self, result: Result) -> Iterator[tuple[str, Both]]:
        """The rules to list: those of a file, and system rules that fired."""
        for rule, both in _by_rule(result.summaries):
            if any(
                each and table.is_listed(each, run)
                for each, run in zip(both, self._runs, strict=True)
            ):
                yield rule, both

    def _differences(self, result: Result) -> None:
        if not self._last:
            say(result.sameness())
            return
        if self._all > len(self._last):
            say(f"{self._all:,} alerts differ; the last {len(self._last)} (--format csv has all):")
        span = self._runs[0].span
        clock = DisplayClock(span.now, span.past.zone)
        rows = [_row(each, clock) for each in sorted(self._last, key=_begun)]
        Table(
            ("fired", "rule", "account", "what differs", "ended", "worst"),
            rows,
            frozenset({"worst"}),
            OPTIONAL,
        ).write()


_PRINTERS: Mapping[Format, Callable[[tuple[Run, Run]], DifferencePrinter]] = {
    Format.TABLE: _People,
    Format.CSV: _DifferenceCsv,
    Format.JSON: _DifferenceJson,
}


def _by_rule(summaries: Sequence[Summaries]) -> Iterator[tuple[str, Both]]:
    """Every rule of either set, in its order."""
    ours, theirs = summaries
    for rule in {**ours, **theirs}:
        yield rule, (ours.get(rule), theirs.get(rule))


def _ends_differ(both: Both) -> bool:
    ours, theirs = both
    if ours is None or theirs is None:
        return False
    return (ours.firing, ours.longest) != (theirs.firing, theirs.longest)


def _cells(each: RuleSummary | None) -> tuple[str, ...]:
    """The cells of one side; a dash in each where the side has no such rule."""
    return ("-",) * len(table.NUMBERS) if each is None else table.cells(each)


def _change(before: str, after: str) -> str:
    return before if before == after else f"{before or 'none'} → {after or 'none'}"


def _begun(each: RuleSetDifference) -> Millis:
    return min(side.fired_at for side in (each.ours, each.theirs) if side is not None)


def _row(each: RuleSetDifference, clock: DisplayClock) -> tuple[str, ...]:
    shown = each.theirs or each.ours
    assert shown is not None  # a difference has at least one side  # noqa: S101
    ended = "still fires"
    if shown.ended_at is not None:
        ended = table.replayed_time(clock, shown.ended_at)
    if each.later is None:
        timing = "only by the file" if each.ours is None else "only by the configuration"
    else:
        direction = "later" if each.later > 0 else "earlier"
        timing = f"the file {format_duration(abs(each.later))} {direction}"
    return (
        table.replayed_time(clock, shown.fired_at),
        rule_label(each.rule),
        each.account,
        timing,
        ended,
        table.worst_text(shown.worst),
    )


def _object(each: RuleSetDifference, zone: tzinfo | None) -> dict[str, object]:
    if each.later is None:
        what = f"only_{SIDES[0] if each.theirs is None else SIDES[1]}"
    else:
        what = "later" if each.later > 0 else "earlier"
    later = None if each.later is None else each.later / SECOND
    sides = dict(
        zip(SIDES, (_episode(side, zone) for side in (each.ours, each.theirs)), strict=True)
    )
    return {
        "rule": each.rule,
        "account": each.account,
        "what": what,
        "later_seconds": later,
        **sides,
    }


def _episode(each: MergedEpisode | None, zone: tzinfo | None) -> Row | None:
    if each is None:
        return None
    ended = None if each.ended_at is None else times.format_iso(each.ended_at, zone)
    return {
        "fired": times.format_iso(each.fired_at, zone),
        "ended": ended,
        **program_rows.worst(each.worst),
        "alerts": each.alerts,
    }
