"""Report of one account, or of the daemon itself: state, alerts, gaps and fields. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from daemon.messages.report_data import FieldSummary, ReportedAlert, ReportSpan, Seen, Watched
from daemon.messages.report_words import Calendar, counted
from daemon.messages.section import FieldRow, Section
from daemon.readings.fields import CORE
from daemon.text.names import account_label, rule_label
from daemon.text.numbers import format_rounded
from daemon.types import SEVERITIES

FIRING, ALERTS, GAPS, OK = "FIRING", "ALERTS", "GAPS", "OK"
WORDS = (FIRING, ALERTS, GAPS, OK)
"""States, the worst first: still firing, fired, not read, well all the time."""


@dataclass(frozen=True, slots=True)
class Fate:
    """Result of one account; without `watched`, that of the daemon itself."""

    account: str
    episodes: tuple[ReportedAlert, ...]
    watched: Watched | None = None

    @property
    def gaps(self) -> tuple[ReportSpan, ...]:
        return () if self.watched is None else self.watched.gaps

    @property
    def unread(self) -> bool:
        return self.watched is not None and self.watched.readings == 0

    @property
    def word(self) -> str:
        if any(each.until is None for each in self.episodes):
            return FIRING
        if self.episodes:
            return ALERTS
        return GAPS if self.gaps or self.unread else OK


def account_section(fate: Fate, calendar: Calendar) -> Section:
    """Section of one account. Its headline says all that is bad; the margin follows if brief."""
    said = f"{account_label(fate.account)}: {', '.join(_said(fate))}"
    lines = (*_alerts(fate.episodes, calendar), *_missing(fate, calendar))
    rows = tuple(_rows(fate.watched, calendar)) if fate.watched is not None else ()
    foot = tuple(_foot(fate.watched, calendar)) if fate.watched is not None else ()
    return Section(fate.word, said, tuple(str(row) for row in rows[:1]), lines, rows, foot)


def _said(fate: Fate) -> Iterator[str]:
    yield counted(len(fate.episodes), "alert")
    if fate.watched is not None:
        yield "no readings" if fate.unread else counted(len(fate.gaps), "gap")


def _alerts(episodes: Sequence[ReportedAlert], calendar: Calendar) -> Iterator[str]:
    """Yield one line per rule, the most severe first."""
    ordered = sorted(episodes, key=lambda each: (SEVERITIES.index(each.severity), each.rule))
    for _, alike in groupby(ordered, key=attrgetter("severity", "rule")):
        yield _rule(sorted(alike, key=attrgetter("since")), calendar)


def _rule(episodes: Sequence[ReportedAlert], calendar: Calendar) -> str:
    name = f"{rule_label(episodes[0].rule)} ({episodes[0].severity})"
    firing = [each for each in episodes if each.until is None]
    spans = [ReportSpan(each.since, each.until) for each in episodes if each.until is not None]
    over = f"fired {_times(len(spans))}{calendar.stretches(spans)}" if spans else ""
    still = f"fires since {calendar.time(firing[0].since)}" if firing else ""
    return f"{name} {'; '.join(part for part in (over, still) if part)}"


def _times(number: int) -> str:
    return "for " if number == 1 else f"{number} times, "


def _missing(fate: Fate, calendar: Calendar) -> Iterator[str]:
    if fate.gaps:
        yield f"{counted(len(fate.gaps), 'gap')}, {calendar.stretches(fate.gaps)}"
    misses = fate.watched.misses if fate.watched is not None else {}
    if misses:
        reasons = ", ".join(
            f"{reason} {count:,}"
            for reason, count in sorted(misses.items(), key=lambda each: -each[1])
        )
        yield f"{counted(sum(misses.values()), 'attempt')} to read failed: {reasons}"


def _rows(watched: Watched, calendar: Calendar) -> Iterator[FieldRow]:
    for field in CORE:
        course = watched.courses.get(field)
        if course is not None:
            yield FieldRow(
                field, format_rounded(course.last.value), tuple(_range(course, calendar))
            )


def _range(course: FieldSummary, calendar: Calendar) -> Iterator[str]:
    if course.low.value == course.high.value:
        yield "all the time"
        return
    yield f"low {_seen(course.low, calendar)}"
    yield f"high {_seen(course.high, calendar)}"


def _seen(seen: Seen, calendar: Calendar) -> str:
    return f"{format_rounded(seen.value)} at {calendar.time(seen.at)}"


def _foot(watched: Watched, calendar: Calendar) -> Iterator[str]:
    since = ""
    if watched.since > calendar.span.since:
        since = f", watched since {calendar.time(watched.since)}"
    yield f"{counted(watched.readings, 'reading')}{since}"
