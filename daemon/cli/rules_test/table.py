"""The results of test cases for people: a line per case, details of each failure, the totals."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from daemon.cli.output.tables import counted
from daemon.cli.output.terminal import Styled, echo, terminal_width, wrapped
from daemon.replay.cases import CaseOutcome, RuleTestCase
from daemon.replay.context import NOT_SENT, ContextRow, ContextRows
from daemon.replay.differences import BOTH, MISSING, DifferenceLine, Differences
from daemon.text.durations import duration_text
from daemon.text.printable import printable
from daemon.types import SECOND, Millis

MOST = 60
"""The most lines of a comparison; --format json has all."""

CASE = len("FAIL  ")
"""Columns of the result before the name of a case."""

_COLOURS = {BOTH: None, MISSING: "red", "+": "green"}


@dataclass(frozen=True, slots=True)
class Failure:
    path: Path
    case: RuleTestCase
    found: Differences
    why: ContextRows | None


@dataclass(slots=True)
class RulesTestTable:
    """Prints the results as the cases are played."""

    good: int = 0
    failures: list[Failure] = field(default_factory=list)

    def begin(self, path: Path, rules: Path) -> None:
        """Print the heading of a file."""
        _print(Styled(f"{path} with the rules of {rules}", bold=True))

    def take(
        self,
        case: RuleTestCase,
        outcome: CaseOutcome,
        found: Differences,
        why: ContextRows | None,
        path: Path,
    ) -> None:
        """Print the line of a case."""
        sums = (
            f"({counted(case.attempts, 'attempt')}, {counted(len(outcome.changes), 'transition')})"
        )
        if found.any:
            self.failures.append(Failure(path, case, found, why))
        else:
            self.good += 1
        word = Styled("FAIL", fg="red", bold=True) if found.any else Styled("ok", fg="green")
        first, *further = case_lines(case.name, sums)
        echo(word, " " * (CASE - len(word.text)), first[0], Styled(first[1], dim=True))
        for name, rest in further:
            echo(" " * CASE, name, Styled(rest, dim=True))

    def end(self, lasted: Millis) -> None:
        """Print the failures and the totals."""
        for failure in self.failures:
            echo()
            for line in _told(failure):
                _print(line)
        total, failed = self.good + len(self.failures), len(self.failures)
        sum_ = (
            f"{counted(total, 'case')}, {f'{failed} failed' if failed else 'all good'}, in"
            f" {lasted / SECOND:.2f} s"
        )
        echo()
        echo(Styled(sum_, fg="red" if failed else "green", bold=True))


def case_lines(name: str, sums: str) -> list[tuple[str, str]]:
    """The lines of a case behind its result: parts of its name, and of its sums.

    On a terminal they are wrapped between words; the sums stay together.
    """
    name = printable(name)
    if not sys.stdout.isatty():
        return [(f"{name} ", sums)]
    width = terminal_width() - CASE
    names = wrapped(name, width)
    if len(names[-1]) + 1 + len(sums) <= width:
        return [*((each, "") for each in names[:-1]), (f"{names[-1]} ", sums)]
    return [*((each, "") for each in names), *(("", each) for each in wrapped(sums, width))]


def _print(line: str | Styled) -> None:
    """Print a line of details; on a narrow terminal it goes on below, further to the right."""
    styled = line if isinstance(line, Styled) else Styled(line)
    text = printable(styled.text)
    is_long = sys.stdout.isatty() and len(text) > terminal_width()
    for each in wrapped(text, terminal_width(), 2 * CASE) if is_long else [text]:
        echo(replace(styled, text=each))


def _told(failure: Failure) -> Iterator[str | Styled]:
    yield Styled(f"FAIL  {failure.case.name}", fg="red", bold=True)
    yield Styled(f"      {failure.path}; - was expected, + is what came", dim=True)
    for title, lines in (("transitions", failure.found.changes), ("messages", failure.found.posts)):
        if lines:
            yield f"  {title}"
            yield from _compared(lines)
    for post in failure.found.texts:
        yield f"  what {post.channel} was told at {duration_text(post.at)}"
        yield from (f"    {line}" for line in post.text.splitlines())
    if failure.why is not None:
        yield from _why(failure.why, failure)


def _compared(lines: Sequence[DifferenceLine]) -> Iterator[str | Styled]:
    cells = [(line.sign, duration_text(line.at), *line.cells, line.remark) for line in lines]
    for line, text in list(zip(lines, _columns(cells), strict=True))[:MOST]:
        yield Styled(f"  {text}", fg=_COLOURS[line.sign])
    if len(lines) > MOST:
        yield f"  … and {counted(len(lines) - MOST, 'line')} more, which --format json shows"


def _why(why: ContextRows, failure: Failure) -> Iterator[str | Styled]:
    """The readings around the difference, with the rule's conditions and its alert."""
    rule = why.rule
    several = f" of {why.account}" if len(failure.case.inputs) > 1 else ""
    yield f"  the readings{several}, and what {rule.name} made of them"
    yield Styled(f"    when        {rule.when.text}", dim=True)
    if rule.clear_when is not None:
        yield Styled(f"    clear_when  {rule.clear_when.text}", dim=True)
    head = (
        "",
        "at",
        *why.fields,
        "when",
        *(["clear_when"] if rule.clear_when is not None else []),
        "alert",
        "",
    )
    rows = [_cells(row, why) for row in why.rows]
    first, *texts = _columns([head, *rows])
    yield Styled(f"  {first}", dim=True)
    before = None
    for row, text in zip(why.rows, texts, strict=True):
        if before is not None and row.index != before + 1:
            yield "    …"
        before = row.index
        yield Styled(f"  {text}", bold=row.marked)
    yield from _unwritten(why)


def _unwritten(why: ContextRows) -> Iterator[str | Styled]:
    """A remark on each field without a series: it is not sent, so its value is unknown."""
    for name, values in zip(
        why.fields, zip(*(row.fields for row in why.rows), strict=True), strict=True
    ):
        if set(values) == {NOT_SENT}:
            yield f"    {name} is not sent here, so nothing is known of it: give it a series"


def _cells(row: ContextRow, why: ContextRows) -> tuple[str, ...]:
    clear = [row.clear] if why.rule.clear_when is not None else []
    return (
        ">" if row.marked else "",
        duration_text(row.at),
        *row.fields,
        row.when,
        *clear,
        row.state.value,
        row.remark,
    )


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
