"""The output of `backtest` for people: the span, the last messages, a summary of each rule."""

import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from daemon.cli.backtest.headline import headline, nothing_replayed
from daemon.cli.backtest.span import Run, Summaries
from daemon.cli.output.progress import Bar
from daemon.cli.output.tables import Table, cell_time
from daemon.cli.output.terminal import say
from daemon.cli.output.times import DisplayClock, format_time
from daemon.replay.backtest import ReplayedMessage
from daemon.replay.statistics import RuleSummary, Worst
from daemon.rules.evaluation.signals import LASTING
from daemon.text.names import rule_label
from daemon.text.numbers import format_duration, format_value
from daemon.types import Millis, Record

MOST = 200
"""The most messages that a table shows; csv and json have all."""

NUMBERS = ("alerts", "at night", "firing", "longest", "worst", "early")

OPTIONAL = ("at night", "early", "longest")
"""Columns that a narrow terminal may lack, the first one first."""


@dataclass(slots=True)
class _SentMessage:
    """A message, and the channels that got it."""

    at: Millis
    title: str
    channels: list[str]


@dataclass(slots=True)
class BacktestTable:
    """Prints a line per message, then a table of the rules."""

    run: Run
    _last: deque[_SentMessage] = field(default_factory=lambda: deque(maxlen=MOST))
    _all: int = 0

    def take(self, each: Record | ReplayedMessage) -> None:
        if isinstance(each, Record):
            return
        for before in reversed(self._last):
            if before.at != each.at:
                break
            if before.title == each.message.title:
                before.channels.append(each.channel)
                return
        self._all += 1
        self._last.append(_SentMessage(each.at, each.message.title, [each.channel]))

    def finish(self, summaries: Summaries, bar: Bar) -> None:
        if not bar.judged:
            say(nothing_replayed(self.run.span))
            return
        for line in headline([self.run], bar):
            say(line)
        say("")
        self._messages()
        say("")
        rows = [
            (rule_label(each.rule), *cells(each))
            for each in summaries.values()
            if is_listed(each, self.run)
        ]
        Table(("rule", *NUMBERS), rows, frozenset(NUMBERS), OPTIONAL).write()

    def _messages(self) -> None:
        if not self._last:
            say("nothing would have been announced")
            return
        if self._all > len(self._last):
            say(f"{self._all:,} messages; the last {len(self._last)} (--format csv has all):")
        clock = DisplayClock(self.run.span.now, self.run.span.past.zone)
        rows = [
            (replayed_time(clock, told.at), told.title, ", ".join(told.channels))
            for told in self._last
        ]
        Table(("time", "message", "to"), rows).write()


def replayed_time(clock: DisplayClock, at: Millis) -> str:
    """An instant of the history: short on a terminal, else with its date in any case."""
    return cell_time(clock, at) if sys.stdout.isatty() else format_time(at, clock.zone)


def is_listed(each: RuleSummary, run: Run) -> bool:
    """Whether the rule is listed: rules of the file always, system rules if they fired."""
    return bool(each.alerts) or any(rule.name == each.rule for rule in run.config.rules)


def worst_text(known: Sequence[Worst]) -> str:
    """The worst value; of several comparisons each value with its field.

    Fields that measure how long something lasted are left out: they are seen up to a limit only.
    """
    shown = [each for each in known if each.judged.field not in LASTING]
    values = [format_value(each.value, each.judged) for each in shown]
    if len(shown) < 2:
        return "".join(values)
    return ", ".join(
        f"{each.judged.field} {value}" for each, value in zip(shown, values, strict=True)
    )


def cells(each: RuleSummary) -> tuple[str, ...]:
    """The cells of a rule, in the order of NUMBERS."""
    return (
        str(each.alerts),
        str(each.at_night),
        format_duration(each.firing) if each.firing else "",
        format_duration(each.longest) if each.longest else "",
        worst_text(each.worst),
        "" if each.early is None else format_duration(each.early),
    )
