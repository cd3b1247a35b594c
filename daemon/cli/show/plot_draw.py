"""Drawing of `marginwatch plot`: in the terminal, or as a picture in a file."""

import asyncio
import sys
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from daemon.charts import from_history
from daemon.charts.chart import Chart, ChartSpan
from daemon.charts.from_history import Subject
from daemon.charts.renderer import ASKED_FOR, DRAWING, Drawer, NotDrawn
from daemon.cli.output import progress, times
from daemon.cli.output.terminal import echo, is_encodable, say, terminal_width
from daemon.cli.record_access import OpenRecord
from daemon.cli.session import CommandSession
from daemon.cli.show.terminal_chart import BRAILLE, PLAIN, draw
from daemon.config.effective_intervals import settled_intervals
from daemon.errors import MarginwatchError, UsageError
from daemon.readings.fields import AGE, SPELLINGS, VALUES, find_field
from daemon.types import Millis

DEFAULT = "24h"
"""The default span of a picture."""

OUTPUT = "-"


@dataclass(frozen=True, slots=True)
class PlotOptions:
    """The options of one call."""

    field: str
    account: str | None
    since: str | None
    until: str | None
    file: str | None
    """The file of the picture; None draws in the terminal."""

    def check(self) -> None:
        """Raise UsageError for mistakes that can be found without the record."""
        drawable(self.field)
        if self.file == OUTPUT and sys.stdout.isatty():
            raise UsageError(
                "a picture is nothing for a terminal: name a file, or send the output to one"
            )


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
    near = get_close_matches(word, [each for each in SPELLINGS if find_field(each) != AGE], 1)
    hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(VALUES)}"
    raise UsageError(f'there is no field "{word}": {hint}')


def show(past: OpenRecord, wish: PlotOptions, session: CommandSession) -> None:
    """Draw a chart in the terminal for each account that matches.

    Raises:
        UsageError: for an unknown field or account, or a bad time.
        MarginwatchError: where nothing is recorded.

    """
    now = session.clock.now()
    signs = BRAILLE if is_encodable(BRAILLE.level) else PLAIN
    clock = times.DisplayClock(now, past.zone)
    for index, account in enumerate(past.matching(wish.account or "*") or [past.one(None)]):
        if index:
            echo("")
        chart = _chart(past, _subject(past, wish, account, now))
        for line in draw(chart, clock, terminal_width(), signs):
            say(line)


def write(past: OpenRecord, wish: PlotOptions, session: CommandSession, file: str) -> None:
    """Draw the picture and write it to its file.

    Raises:
        UsageError: for an unknown field or account, or a bad time.
        MarginwatchError: where it cannot be drawn or written.

    """
    subject = _subject(past, wish, past.one(wish.account), session.clock.now())
    chart = _chart(past, subject)
    picture = asyncio.run(Drawer(session.clock, session.environ, DRAWING, ASKED_FOR).draw(chart))
    if isinstance(picture, NotDrawn):
        raise MarginwatchError(f"the picture could not be drawn: {picture.why}")
    _put(picture, file)
    _tell(chart, file)


def _subject(past: OpenRecord, wish: PlotOptions, account: str, now: Millis) -> Subject:
    since, until = past.span(wish.since or DEFAULT, wish.until or "now", now)
    if since >= min(until, now):
        raise UsageError(
            "nothing has been between --since and --until yet: let --since name an earlier time"
        )
    every = settled_intervals(
        past.config.accounts, past.config.budget, past.history.user_ids()
    ).get(account)
    return Subject(
        account,
        drawable(wish.field),
        ChartSpan(since, min(until, now)),
        past.config.daemon.timezone,
        every,
    )


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


def _tell(chart: Chart, file: str) -> None:
    if file != OUTPUT:
        since, until = (times.format_time(at, chart.zone) for at in chart.span)
        say(f"{file}: {chart.field} of {chart.account}, {since} to {until}")
    if not chart.lines and not chart.infinite:
        nothing = (
            f"no reading of {chart.account} has {chart.field} in this span, and the picture says so"
        )
        say(f"{nothing}; an earlier --since looks further back", err=True)
