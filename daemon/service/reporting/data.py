"""What a report tells, out of the record. Reads only, blocking: for a thread."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from daemon.charts.chart import Chart, ChartSpan
from daemon.charts.from_history import Subject, field_chart
from daemon.clock import Clock
from daemon.errors import StoreError
from daemon.hidden import Secret
from daemon.messages.report import worst_account
from daemon.messages.report_data import ReportData, Watched
from daemon.readings.fields import CORE
from daemon.rules.rule import Rule
from daemon.service.delivery.chart_sender import ChartRenderer
from daemon.service.judging.opening import watching
from daemon.service.reporting.scheduler import ReportPeriod
from daemon.store.history import History
from daemon.types import MINUTE, Millis

PATIENCE: Millis = MINUTE
"""A time without readings that is no longer is not told: what was due is read again by then."""

MISSED = 3
"""Readings that must be missing at least, where they are far apart."""


@dataclass(frozen=True, slots=True)
class ReportReader:
    """Whose record is read."""

    database: Secret
    clock: Clock
    zone: ZoneInfo | None
    accounts: Sequence[str]
    channels: Sequence[str]
    every: Callable[[str], Millis | None]
    """By account, how often it is read."""

    def facts(self, cover: ReportPeriod) -> ReportData:
        """How the span went; why that cannot be read, where it cannot."""
        try:
            with History.open(self.database.reveal()) as history:
                return self._facts(history, cover)
        except StoreError as error:
            return ReportData(cover.name, cover.span, next_at=cover.next_at, unreadable=str(error))

    def chart(self, told: Watched, facts: ReportData, rules: Iterable[Rule]) -> Chart:
        """The margin of one account over the span, with the levels of the rules that watch it.

        Raises:
            StoreError: where the record cannot be read.

        """
        subject = Subject(
            told.account, CORE[0], ChartSpan(*facts.span), self.zone, self.every(told.account)
        )
        with History.open(self.database.reveal()) as history:
            return field_chart(history, subject, watching(rules, told.account).values())

    def drawing(
        self, chart_renderer: ChartRenderer, rules: Iterable[Rule]
    ) -> Callable[[ReportData], Awaitable[bytes]]:
        """What draws a report's chart: of the account that is told first."""

        async def draw(facts: ReportData) -> bytes:
            told = worst_account(facts)
            return (
                b""
                if told is None
                else await chart_renderer.paint(lambda: self.chart(told, facts, rules))
            )

        return draw

    def _facts(self, history: History, cover: ReportPeriod) -> ReportData:
        span = cover.span
        return ReportData(
            cover.name,
            span,
            tuple(history.watched(name, span, self._patience(name)) for name in self.accounts),
            tuple(history.episodes(span)),
            tuple(history.posted(self.channels, span, self.clock.now())),
            tuple(history.downs(span, PATIENCE)),
            cover.next_at,
        )

    def _patience(self, account: str) -> Millis:
        return max(PATIENCE, MISSED * (self.every(account) or 0))
