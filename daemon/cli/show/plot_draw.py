"""Reading the charts of `marginwatch plot`, and showing them as text or as a picture."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from daemon.charts import from_history
from daemon.charts.chart import Chart, ChartSpan, common_span
from daemon.charts.from_history import Subject
from daemon.charts.renderer import ASKED_FOR, DRAWING, Drawer, NotDrawn
from daemon.cli.output import progress, times
from daemon.cli.output.terminal import is_encodable, say, terminal_width
from daemon.cli.record_access import OpenRecord
from daemon.cli.session import CommandSession
from daemon.cli.show.terminal_chart import BRAILLE, PLAIN, draw
from daemon.config.effective_intervals import settled_intervals
from daemon.errors import MarginwatchError, UsageError
from daemon.readings.fields import AGE, VALUES, find_field
from daemon.readings.similar_fields import similar_field
from daemon.rules.rule import is_pattern
from daemon.types import Millis

DEFAULT = "24h"
"""The default span of a picture."""

OUTPUT = "-"

MOST = 12
"""Most charts of one picture."""


@dataclass(frozen=True, slots=True)
class PlotOptions:
    """The options of one call."""

    fields: tuple[str, ...]
    account: str | None
    since: str | None
    until: str | None
    file: str | None
    """The file of the picture; None shows the charts in the terminal."""

    def check(self) -> None:
        """Raise UsageError for mistakes that can be found without the record."""
        self.drawn()
        if self.file == OUTPUT and sys.stdout.isatty():
            raise UsageError(
                "a picture is nothing for a terminal: name a file, or send the output to one"
            )

    def drawn(self) -> list[str]:
        """The fields, each once.

        Raises:
            UsageError: where there is none, or one that no reading has.

        """
        if not self.fields:
            raise UsageError("name a field to draw, such as available_margin")
        return list(dict.fromkeys(drawable(word) for word in self.fields))


def drawable(word: str) -> str:
    """The field of this name, in either spelling.

    Raises:
        UsageError: where no reading has a value of such a field.

    """
    field = find_field(word)
    if field in VALUES:
        return str(field)
    if field == AGE:
        raise UsageError(
            f"{AGE} is no value of a reading: in the picture of any other field a gap shows it"
        )
    similar = similar_field(word, VALUES)
    hint = f'did you mean "{similar}"?' if similar else f"there are {', '.join(VALUES)}"
    raise UsageError(f'there is no field "{word}": {hint}')


def show(past: OpenRecord, wish: PlotOptions, session: CommandSession) -> None:
    """Show the charts in the terminal, or write their picture.

    Raises:
        UsageError: for an unknown field or account, a bad time, or too many charts.
        MarginwatchError: where nothing is recorded, or they cannot be drawn or written.

    """
    found = charts(past, wish, session.clock.now())
    if wish.file is not None:
        _write(found, wish.file, session)
        return
    signs = BRAILLE if is_encodable(BRAILLE.level) else PLAIN
    clock = times.DisplayClock(session.clock.now(), past.zone)
    for index, chart in enumerate(found):
        if index:
            say("")
        for line in draw(chart, clock, terminal_width(), signs):
            say(line)


def _write(found: Sequence[Chart], file: str, session: CommandSession) -> None:
    drawer = Drawer(session.clock, session.environ, DRAWING, ASKED_FOR)
    picture = asyncio.run(drawer.draw(*found))
    if isinstance(picture, NotDrawn):
        raise MarginwatchError(f"the picture could not be drawn: {picture.why}")
    _put(picture, file)
    _tell(found, file)


def charts(past: OpenRecord, wish: PlotOptions, now: Millis) -> list[Chart]:
    """The charts that are asked for, account by account, at least one.

    Raises:
        UsageError: for an unknown field or account, a bad time, or too many charts.
        MarginwatchError: where nothing is recorded.

    """
    subjects = _subjects(past, wish, now)
    if len(subjects) > MOST:
        raise UsageError(
            f"these are {len(subjects)} charts, and a picture has room for {MOST}:"
            " name fewer fields or accounts"
        )
    return [_chart(past, subject) for subject in subjects]


def _subjects(past: OpenRecord, wish: PlotOptions, now: Millis) -> list[Subject]:
    # A picture is of accounts that were chosen; the terminal shows all.
    pattern = wish.account or ("*" if wish.file is None else "")
    if is_pattern(pattern):
        accounts = past.matching(pattern) or [past.one(None)]
    else:
        accounts = [past.one(wish.account)]
    since, until = past.span(wish.since or DEFAULT, wish.until or "now", now)
    if since >= min(until, now):
        raise UsageError(
            "nothing has been between --since and --until yet: let --since name an earlier time"
        )
    span, zone = ChartSpan(since, min(until, now)), past.config.daemon.timezone
    every = settled_intervals(past.config.accounts, past.config.budget, past.history.user_ids())
    return [
        Subject(account, field, span, zone, every.get(account))
        for account in accounts
        for field in wish.drawn()
    ]


def _chart(past: OpenRecord, subject: Subject) -> Chart:
    rules = [rule for rule in past.config.rules if rule.watches(subject.account)]
    extent = past.history.extent(subject.account, *subject.span)
    with progress.bar("reading", 0 if extent is None else extent.inputs) as bar:
        return from_history.field_chart(past.history, subject, rules, bar.note)


def _put(picture: bytes, file: str) -> None:
    if file == OUTPUT:
        sys.stdout.buffer.write(picture)
        return
    try:
        Path(file).write_bytes(picture)
    except OSError as error:
        remedy = "name another place with --png, or let this user write there"
        raise MarginwatchError(f"{file} cannot be written ({error.strerror}): {remedy}") from None


def _tell(found: Sequence[Chart], file: str) -> None:
    if file != OUTPUT:
        fields = ", ".join(dict.fromkeys(chart.field for chart in found))
        accounts = ", ".join(dict.fromkeys(chart.account for chart in found))
        shown = (times.format_time(at, found[0].zone) for at in common_span(found))
        is_whole = any(chart.begins is None for chart in found)
        hint = "" if is_whole else "; nothing is recorded before that"
        say(f"{file}: {fields} of {accounts}, {' to '.join(shown)}{hint}")
    for chart in found:
        if not chart.lines and not chart.infinite:
            say(_why_empty(chart), err=True)


def _why_empty(chart: Chart) -> str:
    if chart.begins is not None and chart.is_before_record:
        begins = times.format_time(chart.begins, chart.zone)
        return f"the record of {chart.account} begins later, at {begins}, and the picture says so"
    nothing = f"no reading of {chart.account} has {chart.field} in this span"
    return f"{nothing}, and the picture says so; an earlier --since looks further back"
