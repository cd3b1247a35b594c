"""Words of a report for instants, spans and counts: to the minute, with a short date. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from daemon.messages.report_data import ReportSpan
from daemon.text.numbers import format_minutes
from daemon.types import DAY, HOUR, Millis

LISTED = 3
"""Maximum number of listed spans; beyond it, only the longest."""

_ONE_DAY = DAY + 2 * HOUR
"""Span within which a time of day is enough; a day may have 25 hours."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Calendar of the report's span by the wall clock. No zone is the system's."""

    span: ReportSpan
    zone: tzinfo | None

    def date(self, at: Millis) -> str:
        """Day and time: `Fri 2 Jan 08:00`."""
        there = self._local(at)
        return f"{there:%a} {there.day} {there:%b %H:%M}"

    def time(self, at: Millis) -> str:
        """Time alone if only one day is possible; within a week with the day of the week."""
        if self.span.lasted <= _ONE_DAY and self.span.since <= at <= self.span.until:
            return f"{self._local(at):%H:%M}"
        if self.span.lasted <= 7 * DAY and self.span.since <= at <= self.span.until:
            return f"{self._local(at):%a %H:%M}"
        return self.date(at)

    def stretch(self, told: ReportSpan) -> str:
        return f"{self.time(told.since)} to {self.time(told.until)}"

    def stretches(self, told: Sequence[ReportSpan]) -> str:
        """Total length of the spans, and their times."""
        if len(told) == 1:
            return f"{format_minutes(told[0].lasted)}, {self.stretch(told[0])}"
        total = format_minutes(sum(each.lasted for each in told))
        if len(told) <= LISTED:
            return f"{total} in all: {', '.join(map(self.stretch, told))}"
        longest = max(told, key=lambda each: each.lasted)
        return (
            f"{total} in all, the longest {format_minutes(longest.lasted)}, {self.stretch(longest)}"
        )

    def _local(self, at: Millis) -> datetime:
        return datetime.fromtimestamp(at / 1_000, UTC).astimezone(self.zone)


def counted(number: int, what: str) -> str:
    """`1 alert`, `17,280 readings`, `no gaps`."""
    return f"{f'{number:,}' if number else 'no'} {what}{'' if number == 1 else 's'}"
