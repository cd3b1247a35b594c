"""Reads the data of a report from the record. Read only and blocking: for a thread."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from daemon.alerts.mutes import NO_MUTES, Mutes, muted_rules
from daemon.alerts.silences import standing_silences
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
from daemon.service.judging.startup import watching
from daemon.service.reporting.scheduler import ReportPeriod
from daemon.store.history import History
from daemon.types import MINUTE, Millis

PATIENCE: Millis = MINUTE
"""Downtimes up to this long are not reported: a missed slot is read again by then."""

MISSED = 3
"""Least number of missing readings that counts, at long intervals."""


@dataclass(frozen=True, slots=True)
class ReportReader:
    """Reader of report data."""

    database: Secret
    clock: Clock
    zone: ZoneInfo | None
    accounts: Sequence[str]
    channels: Sequence[str]
    every: Callable[[str], Millis | None]
    """By account: how often it is read."""
    rules: Sequence[Rule] = ()
    mutes: Mutes = NO_MUTES

    def facts(self, period: ReportPeriod) -> ReportData:
        """The data of the period, or the reason why it cannot be read."""
        try:
            with History.open(self.database.reveal()) as history:
                return self._facts(history, period)
        except StoreError as error:
            return ReportData(
                period.name, period.span, next_at=period.next_at, unreadable=str(error)
            )

    def chart(self, told: Watched, facts: ReportData, rules: Iterable[Rule]) -> Chart:
        """The chart of one account's margin over the period, with the levels of its rules.

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
        """The function that renders a report's chart: that of the account in the worst state."""

        async def draw(facts: ReportData) -> bytes:
            told = worst_account(facts)
            if told is None:
                return b""
            return await chart_renderer.render(lambda: self.chart(told, facts, rules))

        return draw

    def _facts(self, history: History, period: ReportPeriod) -> ReportData:
        span, now = period.span, self.clock.now()
        patience = {name: max(PATIENCE, MISSED * (self.every(name) or 0)) for name in self.accounts}
        episodes = tuple(history.episodes(span))
        held = {each.code for each in episodes if each.until is None}
        return ReportData(
            period.name,
            span,
            tuple(history.watched(name, span, patience[name]) for name in self.accounts),
            episodes,
            tuple(history.posted(self.channels, span, now)),
            tuple(history.downs(span, PATIENCE)),
            period.next_at,
            silences=tuple(standing_silences(history.silences(), held, now)),
            muted=tuple(muted_rules(self.rules, self.mutes, now)),
        )
