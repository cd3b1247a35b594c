"""What `backtest` prints for people: what was replayed, the last messages, and what became of each rule."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import click

from daemon.alerts.numbers import lasting, spelled
from daemon.cli import times
from daemon.cli.output import Table, counted
from daemon.cli.playing import Run, Span, Summaries
from daemon.cli.replaying import Bar
from daemon.replay.backtest import Announcement
from daemon.replay.summary import RuleSummary, Worst
from daemon.rules.signs import LASTING
from daemon.types import Millis, Record

MOST = 200
"""Messages that are shown; csv and json have all."""

NUMBERS = ("alerts", "at night", "firing", "longest", "worst", "early")


@dataclass(slots=True)
class _Told:
    """A message, and the channels that got it."""

    at: Millis
    title: str
    channels: list[str]


@dataclass(slots=True)
class Sheet:
    """A line per message, then a table of the rules."""

    run: Run
    _last: deque[_Told] = field(default_factory=lambda: deque(maxlen=MOST))
    _all: int = 0

    def take(self, each: Record | Announcement) -> None:
        if isinstance(each, Record):
            return
        for before in reversed(self._last):
            if before.at != each.at:
                break
            if before.title == each.message.title:
                before.channels.append(each.channel)
                return
        self._all += 1
        self._last.append(_Told(each.at, each.message.title, [each.channel]))

    def finish(self, summaries: Summaries, bar: Bar) -> None:
        if not bar.judged:
            click.echo(nothing(self.run.span))
            return
        for line in headline(self.run, bar):
            click.echo(line)
        click.echo("")
        self._messages()
        click.echo("")
        rows = [(each.rule, *cells(each)) for each in summaries.values() if is_told(each, self.run)]
        Table(("rule", *NUMBERS), rows, frozenset(NUMBERS)).write()

    def _messages(self) -> None:
        if not self._last:
            click.echo("nothing would have been announced")
            return
        if self._all > len(self._last):
            click.echo(f"{self._all:,} messages; the last {len(self._last)} (--format csv has all):")
        zone = self.run.span.past.zone
        rows = [(times.shown(told.at, zone), told.title, ", ".join(told.channels)) for told in self._last]
        Table(("time", "message", "to"), rows).write()


def nothing(span: Span) -> str:
    """Why there is nothing to replay."""
    if not span.past.history.accounts():
        return "nothing is recorded yet: let the daemon run first, or import readings"
    return "nothing is recorded in this span: choose another --since and --until"


def headline(run: Run, bar: Bar) -> Iterator[str]:
    """What was replayed, and what is to be known about it."""
    span, zone = run.span, run.span.past.zone
    began, ended = min(bar.begins.values()), max(bar.ends.values())
    counts = (len(bar.begins), "account"), (len(run.config.rules), "rule"), (bar.judged, "input")
    what = ", ".join(counted(*each) for each in counts)
    yield f"{times.shown(began, zone)} to {times.shown(ended, zone)}, {lasting(ended - began)}: {what}"
    yield from _windows(run, bar, ended)
    configured = {account.name for account in run.config.accounts}
    if gone := [name for name in span.names if name not in configured]:
        yield f"not in the configuration, and replayed all the same: {', '.join(gone)}"
    if unheard := run.unheard():
        yield f"no account here is watched by: {', '.join(unheard)}"
    if not run.config.channels:
        yield "there is no channel, so nobody would have been told anything"


def _windows(run: Run, bar: Bar, ended: Millis) -> Iterator[str]:
    """Where the record begins within the longest window before what was judged, the windows have to fill first."""
    longest, span = run.longest_window(), run.span
    firsts = span.past.history.extent
    begun = [each.first_at for name in bar.begins if (each := firsts(name, span.since - longest, span.until))]
    full = max(begun, default=0) + longest
    if not longest or full <= min(bar.begins.values()):
        return
    if full > ended:
        yield f"the longest window, {lasting(longest)}, is longer than this history: it was never full"
    else:
        at = times.shown(full, span.past.zone)
        yield f"windows fill as the record begins: the longest, {lasting(longest)}, is full from {at} on"


def is_told(each: RuleSummary, run: Run) -> bool:
    """System rules are shown where they fired."""
    return bool(each.alerts) or any(rule.name == each.rule for rule in run.config.rules)


def worst_of(known: Sequence[Worst]) -> str:
    """The value; of several comparisons each with what it is of. How long a thing lasted is seen up to a limit only."""
    shown = [each for each in known if each.judged.field not in LASTING]
    values = [spelled(each.value, each.judged) for each in shown]
    if len(shown) < 2:
        return "".join(values)
    return ", ".join(f"{each.judged.field} {value}" for each, value in zip(shown, values, strict=True))


def cells(each: RuleSummary) -> tuple[str, ...]:
    """In the order of NUMBERS."""
    return (
        str(each.alerts),
        str(each.at_night),
        lasting(each.firing) if each.firing else "",
        lasting(each.longest) if each.longest else "",
        worst_of(each.worst),
        "" if each.early is None else lasting(each.early),
    )
