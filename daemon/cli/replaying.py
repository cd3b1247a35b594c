"""The record as the replay takes it: rules from a configuration or an epoch, inputs with a bar that shows progress."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from daemon.alerts.recorded import mutes
from daemon.config import Config
from daemon.replay.player import Scheme
from daemon.replay.verify import Epoch
from daemon.rules import recorded
from daemon.rules.errors import ExpressionError
from daemon.store.history import History
from daemon.store.past import PastEpoch
from daemon.types import AccountState, ClockStep, Input, Millis, Reading, Transition

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Some = TypeVar("Some", bound=Input)

OFTEN = 2_000
"""Inputs between two movements of the bar."""

END: Millis = 2**62


def scheme(config: Config) -> Scheme:
    """What a configuration would have the daemon do."""
    waits = {channel.name: channel.group_wait for channel in config.channels}
    return Scheme(config.account_rules, tuple(waits), config.mutes, waits)


@dataclass(frozen=True, slots=True)
class RecordedAccount:
    """One account's record, as `verify` and `explain` ask for it."""

    history: History
    account: str

    def epochs(self) -> Iterator[Epoch]:
        """Those that name the account."""
        for epoch in self.history.epochs(0, END):
            if self.account in epoch.state:
                yield epoch_of(epoch, self.account)

    def inputs(self, after: int, until: int | None) -> Iterator[Input]:
        return self.history.inputs(self.account, after, until)

    def warm(self, seq: int, since: Millis) -> Iterator[Reading]:
        return self.history.warm(self.account, seq, since)

    def lacks(self, after: int, before: int) -> bool:
        return any(self.history.holes(self.account, after, before - 1))

    def transitions(self) -> Iterator[Transition]:
        return (each.transition for each in self.history.transitions(self.account))


def epoch_of(epoch: PastEpoch, account: str) -> Epoch:
    """With its rules, or the reason for which they cannot be replayed; none watches an account that it leaves out."""
    state = epoch.state.get(account, AccountState(account))
    try:
        return Epoch(state, recorded.rules(epoch.rules), mutes=mutes(epoch.rules))
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, ExpressionError):
        why = f"its rules were recorded by version {epoch.version}, and this one cannot read them: replay with that one"
        return Epoch(state, (), why)


@dataclass(slots=True)
class Bar:
    """Progress on a terminal, elsewhere none is shown; and what was judged of each account."""

    progress: "Progress | None"
    task: "TaskID | None"
    seen: int = 0
    """Inputs, those included that only fill windows."""
    judged: int = 0
    """Inputs that were judged."""
    begins: dict[str, Millis] = field(default_factory=dict)
    """By account: the instant of the first input that was judged, as it is meant at the last one (SEMANTICS A5)."""
    ends: dict[str, Millis] = field(default_factory=dict)
    """By account: the instant of its last input."""
    imported: bool = False
    """Whether imported readings were judged."""

    def note(self, _: object) -> None:
        self.seen += 1
        if self.progress is not None and self.task is not None and self.seen % OFTEN == 0:
            self.progress.advance(self.task, OFTEN)

    def along(self, account: str, inputs: Iterable[Some], first: int) -> Iterator[Some]:
        """The same, counted; those before the counter `first` fill windows and are not judged."""
        last = None
        for event in inputs:
            self.note(event)
            if event.seq >= first:
                if last is None:
                    self.begins[account] = event.at
                    self.imported |= event.seq < 0  # imported ones come first
                elif isinstance(event, ClockStep):
                    self.begins[account] += event.by
                self.judged += 1
                last = event
            yield event
        if last is not None:
            self.ends[account] = last.at


@contextmanager
def bar(what: str, inputs: int) -> Iterator[Bar]:
    """A bar for so many inputs, on a terminal's stderr."""
    if not sys.stderr.isatty():
        yield Bar(None, None)
        return
    from rich.console import Console  # noqa: PLC0415 -- only terminals need it
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as progress:
        yield Bar(progress, progress.add_task(what, total=max(1, inputs)))
