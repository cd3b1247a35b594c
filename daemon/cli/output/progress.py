"""Progress of a long replay: a bar on a terminal, and counts of what was judged."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from daemon.types import ClockStep, Input, Millis

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Some = TypeVar("Some", bound=Input)

OFTEN = 2_000
"""Inputs between two updates of the bar."""


@dataclass(slots=True)
class Bar:
    """A progress bar, invisible if not on a terminal, with counts of what was judged."""

    progress: "Progress | None"
    task: "TaskID | None"
    seen: int = 0
    """Inputs, including those that only fill windows."""
    judged: int = 0
    """Inputs that were judged."""
    begins: dict[str, Millis] = field(default_factory=dict)
    """By account: the instant of its first judged input, by the last clock (SEMANTICS A5)."""
    ends: dict[str, Millis] = field(default_factory=dict)
    """By account: the instant of its last judged input."""
    imported: bool = False
    """Whether imported readings were judged."""

    def note(self, _: object) -> None:
        self.seen += 1
        if self.progress is not None and self.task is not None and self.seen % OFTEN == 0:
            self.progress.advance(self.task, OFTEN)

    def along(self, account: str, inputs: Iterable[Some], first: int) -> Iterator[Some]:
        """Pass the inputs through and count them; those before `first` only fill windows."""
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
def bar(what: str, inputs: int, *, printing: bool = False) -> Iterator[Bar]:
    """A bar for so many inputs, on a terminal's stderr.

    `printing` hides it where rows are printed to the same terminal.
    """
    if not sys.stderr.isatty() or (printing and sys.stdout.isatty()):
        yield Bar(None, None)
        return
    from rich.console import Console  # noqa: PLC0415 -- only terminals need it
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
    )
    with Progress(
        *columns,
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        # Otherwise rich sends our output to its own console, and `> file` stays empty.
        redirect_stdout=False,
        redirect_stderr=False,
    ) as progress:
        yield Bar(progress, progress.add_task(what, total=max(1, inputs)))
