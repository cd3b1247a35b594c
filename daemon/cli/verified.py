"""`marginwatch backtest --verify`: what was covered, what could not be, and every difference (promise 6)."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

import click

from daemon.alerts.numbers import amount
from daemon.cli import replaying, times
from daemon.cli.options import Format
from daemon.cli.output import Row, exact, write_csv, write_rows
from daemon.cli.record import END, Record
from daemon.cli.replaying import RecordedAccount
from daemon.replay.verify import Difference, Stretch, Verified, verify
from daemon.types import Alert, Transition

COLUMNS = ("account", "what", "since", "until", "inputs", "at", "rule", "recorded", "replayed", "why")
"""Of csv: a row per stretch and per difference."""

NOTHING = "nothing is recorded yet: let the daemon run first"


@dataclass(frozen=True, slots=True)
class _Account:
    name: str
    found: Verified
    zone: tzinfo | None

    @property
    def inputs(self) -> int:
        return sum(stretch.inputs for stretch in self.found.stretches)


def show(past: Record, names: Sequence[str], output: Format) -> int:
    """Print it; the exit status, which is 1 where replay and record differ."""
    done = list(_verified(past, names))
    own = 0 if past.history.accounts() != names else sum(1 for _ in past.history.transitions(""))
    if output is Format.TABLE:
        for line in _for_people(done, own):
            click.echo(line)
    elif output is Format.CSV:
        write_csv(COLUMNS, ())
        write_rows(COLUMNS, (row for account in done for row in _rows(account)))
    else:
        accounts = [_object(account) for account in done]
        json.dump({"accounts": accounts, "own_transitions": own}, sys.stdout, ensure_ascii=False, indent=1)
        sys.stdout.write("\n")
    return 1 if any(account.found.differences for account in done) else 0


def _verified(past: Record, names: Sequence[str]) -> Iterator[_Account]:
    extents = (past.history.extent(name, 0, END) for name in names)
    with replaying.bar("verifying", sum(extent.inputs for extent in extents if extent is not None)) as bar:
        for name in names:
            yield _Account(name, verify(RecordedAccount(past.history, name), bar.note), past.zone)


def _for_people(done: Sequence[_Account], own: int) -> Iterator[str]:
    if not done:
        yield NOTHING
    for account in done:
        yield from _lines(account)
    if own:
        yield f"the daemon's own alerts, with {own:,} transitions, are not replayed: no account's inputs cause them"
    differences = sum(len(account.found.differences) for account in done)
    if differences:
        yield f"{differences:,} difference(s): replay does not give what is recorded"


def _lines(account: _Account) -> Iterator[str]:
    found, zone = account.found, account.zone
    if not found.stretches:
        yield f"{account.name}: no daemon ever judged it, so there is nothing to compare with"
        return
    differ = "no difference" if not found.differences else f"{len(found.differences):,} differences"
    yield f"{account.name}: {account.inputs:,} inputs and {found.transitions:,} transitions replayed, {differ}"
    for stretch in _joined(found.stretches):
        yield f"  {'not covered' if stretch.why else 'covered    '} {_span(stretch, zone)}{_why(stretch)}"
    for each in found.differences:
        sides = f"recorded {_side(each.recorded)}; replayed {_side(each.replayed)}"
        yield f"  differs     {times.shown(each.at, zone)} {each.rule}: {sides}"


def _joined(stretches: Sequence[Stretch]) -> list[Stretch]:
    """Covered stretches that follow each other are told as one: starts and reloads do not matter here."""
    joined: list[Stretch] = []
    for each in stretches:
        if joined and not joined[-1].why and not each.why:
            last = joined.pop()
            joined.append(Stretch(last.since, each.until, last.inputs + each.inputs))
        else:
            joined.append(each)
    return joined


def _span(stretch: Stretch, zone: tzinfo | None) -> str:
    return f"{times.shown(stretch.since, zone)} to {times.shown(stretch.until, zone)}"


def _why(stretch: Stretch) -> str:
    return f": {stretch.why}" if stretch.why else f", {stretch.inputs:,} inputs"


def _side(side: Transition | Alert | None) -> str:
    if side is None:
        return "nothing"
    if isinstance(side, Alert):
        return f"the state {side.state}" + ("" if side.worst is None else f", worst {amount(side.worst)}")
    value = "" if side.value is None else f" at {amount(side.value)}"
    return f"{side.from_state} → {side.to_state} ({side.reason}){value}"


def _rows(account: _Account) -> Iterator[Row]:
    for stretch in account.found.stretches:
        what = "not_covered" if stretch.why else "covered"
        yield {"account": account.name, "what": what, **_stretch(stretch, account.zone)}
    for each in account.found.differences:
        sides = {"recorded": _side(each.recorded), "replayed": _side(each.replayed)}
        at = times.iso(each.at, account.zone)
        yield {"account": account.name, "what": "difference", "at": at, "rule": each.rule, **sides}


def _stretch(each: Stretch, zone: tzinfo | None) -> Mapping[str, object]:
    span = {"since": times.iso(each.since, zone), "until": times.iso(each.until, zone)}
    return {**span, "why": each.why} if each.why else {**span, "inputs": each.inputs}


def _object(account: _Account) -> Row:
    found, zone = account.found, account.zone
    return {
        "account": account.name,
        "inputs": account.inputs,
        "transitions": found.transitions,
        "covered": [_stretch(each, zone) for each in found.stretches if not each.why],
        "not_covered": [_stretch(each, zone) for each in found.stretches if each.why],
        "differences": [_difference(each, zone) for each in found.differences],
    }


def _difference(each: Difference, zone: tzinfo | None) -> Row:
    sides = {"recorded": _data(each.recorded), "replayed": _data(each.replayed)}
    return {"at": times.iso(each.at, zone), "rule": each.rule, **sides}


def _data(side: Transition | Alert | None) -> Row | None:
    """A transition, or the state that was recorded at a start."""
    if side is None:
        return None
    if isinstance(side, Alert):
        return {"state": side.state.value, "worst": exact(side.worst)}
    states = {"from": side.from_state.value, "to": side.to_state.value}
    return {**states, "value": exact(side.value), "reason": side.reason}
