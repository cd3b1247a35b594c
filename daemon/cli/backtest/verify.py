"""`marginwatch backtest --verify`: lists covered and uncovered spans and every difference.

A difference breaks promise 6: replay must give exactly what is recorded.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from daemon.cli.backtest.verify_text import ExactFormatter
from daemon.cli.options import Format
from daemon.cli.output import progress, times
from daemon.cli.output.tables import Row, counted, to_json, write_csv, write_rows
from daemon.cli.output.terminal import STDOUT, echo
from daemon.cli.record_access import END, OpenRecord
from daemon.cli.replay_source import RecordedAccount
from daemon.replay.verify import Verified, VerifiedSpan, verify
from daemon.types import SECOND

COLUMNS = (
    "account",
    "what",
    "since",
    "until",
    "inputs",
    "at",
    "rule",
    "recorded",
    "replayed",
    "why",
)
"""Columns of csv, with one row per span and per difference."""

NOTHING = "nothing is recorded yet: let the daemon run first"


@dataclass(frozen=True, slots=True)
class _Account:
    name: str
    found: Verified
    speller: ExactFormatter

    @property
    def zone(self) -> tzinfo | None:
        return self.speller.zone

    @property
    def inputs(self) -> int:
        return sum(stretch.inputs for stretch in self.found.stretches)


def show(past: OpenRecord, names: Sequence[str], output: Format) -> int:
    """Print the result and return the exit status: 1 where replay and record differ."""
    done = list(_verified(past, names))
    own = 0 if past.history.accounts() != names else sum(1 for _ in past.history.transitions(""))
    if output is Format.TABLE:
        for line in _for_people(done, own):
            echo(line)
    elif output is Format.CSV:
        write_csv(COLUMNS, ())
        write_rows(COLUMNS, (row for account in done for row in _rows(account)))
    else:
        accounts = [_object(account) for account in done]
        STDOUT.write(to_json({"accounts": accounts, "own_transitions": own}, indent=1) + "\n")
    return 1 if any(account.found.differences for account in done) else 0


def _verified(past: OpenRecord, names: Sequence[str]) -> Iterator[_Account]:
    extents = (past.history.extent(name, 0, END) for name in names)
    with progress.bar(
        "verifying", sum(extent.inputs for extent in extents if extent is not None)
    ) as bar:
        for name in names:
            source = RecordedAccount(past.history, name)
            yield _Account(name, verify(source, bar.note), ExactFormatter(source, past.zone))


def _for_people(done: Sequence[_Account], own: int) -> Iterator[str]:
    if not done:
        yield NOTHING
    for account in done:
        yield from _lines(account)
    if own:
        told = counted(own, "transition")
        yield (
            f"the daemon's own alerts, with {told}, are not replayed: no account's inputs cause"
            " them"
        )
    differences = sum(len(account.found.differences) for account in done)
    if differences:
        yield f"{counted(differences, 'difference')}: replay does not give what is recorded"


def _lines(account: _Account) -> Iterator[str]:
    found, zone = account.found, account.zone
    if not found.stretches:
        yield f"{account.name}: no daemon ever judged it, so there is nothing to compare with"
        return
    differ = counted(len(found.differences), "difference") if found.differences else "no difference"
    what = f"{counted(account.inputs, 'input')} and {counted(found.transitions, 'transition')}"
    yield f"{account.name}: {what} replayed, {differ}"
    for stretch in _telling(_joined(found.stretches)):
        yield (
            f"  {'not covered' if stretch.why else 'covered    '}"
            f" {_span(stretch, zone)}{_why(stretch)}"
        )
    for each in found.differences:
        recorded, replayed = account.speller.sides(each)
        at = times.format_time(each.at, zone)
        if each.at % SECOND:
            at += f".{each.at % SECOND:03}"  # transitions may differ in nothing else
        yield f"  differs     {at} {each.rule}: recorded {recorded}; replayed {replayed}"


def _telling(stretches: Sequence[VerifiedSpan]) -> Sequence[VerifiedSpan]:
    """The spans without the empty ones, unless all are empty."""
    return [each for each in stretches if each.why or each.inputs] or stretches


def _joined(stretches: Sequence[VerifiedSpan]) -> list[VerifiedSpan]:
    """Join covered spans that follow each other: starts and reloads do not matter here."""
    joined: list[VerifiedSpan] = []
    for each in stretches:
        if joined and not joined[-1].why and not each.why:
            last = joined.pop()
            joined.append(VerifiedSpan(last.since, each.until, last.inputs + each.inputs))
        else:
            joined.append(each)
    return joined


def _span(stretch: VerifiedSpan, zone: tzinfo | None) -> str:
    return f"{times.format_time(stretch.since, zone)} to {times.format_time(stretch.until, zone)}"


def _why(stretch: VerifiedSpan) -> str:
    return f": {stretch.why}" if stretch.why else f", {counted(stretch.inputs, 'input')}"


def _rows(account: _Account) -> Iterator[Row]:
    for stretch in account.found.stretches:
        what = "not_covered" if stretch.why else "covered"
        yield {"account": account.name, "what": what, **_stretch(stretch, account.zone)}
    for each in account.found.differences:
        recorded, replayed = account.speller.sides(each)
        found = {"rule": each.rule, "recorded": recorded, "replayed": replayed}
        yield {
            "account": account.name,
            "what": "difference",
            "at": times.format_iso(each.at, account.zone),
            **found,
        }


def _stretch(each: VerifiedSpan, zone: tzinfo | None) -> Mapping[str, object]:
    span = {
        "since": times.format_iso(each.since, zone),
        "until": times.format_iso(each.until, zone),
    }
    return {**span, "why": each.why} if each.why else {**span, "inputs": each.inputs}


def _object(account: _Account) -> Row:
    found, zone = account.found, account.zone
    return {
        "account": account.name,
        "inputs": account.inputs,
        "transitions": found.transitions,
        "covered": [_stretch(each, zone) for each in found.stretches if not each.why],
        "not_covered": [_stretch(each, zone) for each in found.stretches if each.why],
        "differences": [account.speller.row(each) for each in found.differences],
    }
