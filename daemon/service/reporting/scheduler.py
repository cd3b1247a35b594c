"""Reports: issued when they are due, and queued for the channel workers.

    cron ──► due ──► ONE transaction: issued, older ones superseded
    then: read data, render chart ──► report queue ──► channel worker

Reports that waited when the last instance ended wait again. For those that fell due while the
daemon was down, only the newest of each is issued, late. A report is identified by when it is due:
once issued, it is not issued again, even if the clock is set.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from daemon.clock import Clock
from daemon.config import Report
from daemon.errors import StoreError
from daemon.messages.report_data import ReportData, ReportSpan
from daemon.service.async_store import AsyncStore
from daemon.service.delivery.report_queue import QueuedReport, ReportQueue
from daemon.service.reporting import cron
from daemon.store.operations import CommitFailed, Rejected, ReportKey, ScheduleReports, Written
from daemon.store.write.reports import OpenReport
from daemon.types import MINUTE, SECOND, Millis

_log = logging.getLogger("marginwatch")

LOOK: Millis = MINUTE
"""Re-read the wall clock at least this often; it can be set or jump after a suspend."""

UNSURE: Millis = MINUTE
"""A report due this shortly before an instance ended may not have been issued."""


@dataclass(frozen=True, slots=True)
class ReportPeriod:
    """Period of a report, and when the next one is due."""

    name: str
    span: ReportSpan
    next_at: Millis


@dataclass(frozen=True, slots=True)
class ReportDependencies:
    """Dependencies of reports."""

    async_store: AsyncStore
    clock: Clock
    zone: tzinfo | None
    report_queue: ReportQueue
    read: Callable[[ReportPeriod], ReportData]
    """Reads the record, blocking; a read error is part of the data."""
    draw: Callable[[ReportData], Awaitable[bytes]]
    """Renders its chart; empty if there is none."""
    pictured: Collection[str] = ()
    """Channels that show charts."""


class Reports:
    """Issues reports. Each names its channels.

    `absent` is the time without the daemon before this instance; None at the first start of all.
    """

    def __init__(
        self,
        reports: Sequence[Report],
        dependencies: ReportDependencies,
        absent: tuple[Millis, Millis] | None,
    ) -> None:
        self._reports = {report.name: report for report in reports}
        self._dependencies = dependencies
        self._began = dependencies.clock.now()
        self._seen = self._began if absent is None else min(absent[0] - UNSURE, self._began)
        """Everything due until then has been issued."""
        self._issued: set[tuple[str, Millis]] = set()

    async def run(self) -> None:
        """Issue reports until cancelled."""
        await self.look()
        while self._reports:
            await self._dependencies.clock.sleep(self._pause())
            if self._due():
                await self.look()

    async def look(self) -> None:
        """Issue due reports, and prepare waiting ones."""
        open_, due = await self._open() or [], self._due()
        new = self._keys(due)
        newest = _newest([*(each.key for each in open_), *new])
        gone = [
            each.key
            for each in open_
            if each.key not in newest or not self._is_configured(each.key)
        ]
        recorded = not (new or gone) or await self._write(
            ScheduleReports(self._dependencies.clock.now(), tuple(new), tuple(gone))
        )
        self._issued.update(due)
        self._seen = max([self._seen, *(at for _, at in due)])
        kept = await self._open() if recorded else None
        if kept is None:
            kept = _combined(open_, new)
        await self._prepare([each for each in kept if each.key not in gone], recorded)

    def _pause(self) -> Millis:
        """Time until the next report is due, or the clock may have been set."""
        now = self._dependencies.clock.now()
        coming = [
            cron.due(report.cron, self._dependencies.zone, now) - now
            for report in self._reports.values()
        ]
        return min([LOOK, *coming])

    def _due(self) -> list[tuple[str, Millis]]:
        """For each report, the newest due instant that was not issued."""
        now = self._dependencies.clock.now()
        self._seen = min(self._seen, now)
        found = [
            (name, cron.previous(each.cron, self._dependencies.zone, now + 1))
            for name, each in self._reports.items()
        ]
        return [each for each in found if each[1] > self._seen and each not in self._issued]

    def _keys(self, due: Iterable[tuple[str, Millis]]) -> list[ReportKey]:
        return [
            ReportKey(name, at, channel)
            for name, at in due
            for channel in self._reports[name].channels
        ]

    def _is_configured(self, key: ReportKey) -> bool:
        report = self._reports.get(key.name)
        return report is not None and key.channel in report.channels

    async def _open(self) -> Sequence[OpenReport] | None:
        """Waiting reports; None if they cannot be read now."""
        try:
            return await self._dependencies.async_store.open_reports()
        except StoreError:
            return None

    async def _write(self, operation: ScheduleReports) -> bool:
        """Record the schedule, as often as necessary to know the outcome; whether it is recorded.

        A report that could not be recorded is sent all the same, and says so. Writing twice is
        harmless.
        """
        while True:
            try:
                return await self._dependencies.async_store.write(operation) is Written.COMMITTED
            except Rejected as error:
                names = ", ".join(sorted({key.name for key in operation.reports}))
                _log.error("reports are sent without being recorded: %s: %s", names, error)
                return False
            except CommitFailed:
                await self._dependencies.clock.sleep(SECOND)

    async def _prepare(self, waiting: Iterable[OpenReport], recorded: bool) -> None:
        """Read and render each report once for all its channels, and queue it."""
        fresh = [each for each in waiting if not self._dependencies.report_queue.holds(each.key)]
        for period, alike in self._grouped(fresh):
            facts = await asyncio.to_thread(self._dependencies.read, period)
            pictured = any(each.key.channel in self._dependencies.pictured for each in alike)
            picture = await self._dependencies.draw(facts) if pictured else b""
            for each in alike:
                self._dependencies.report_queue.put(
                    self._queued_report(each, facts, picture, recorded)
                )

    def _grouped(
        self, waiting: Iterable[OpenReport]
    ) -> Iterator[tuple[ReportPeriod, list[OpenReport]]]:
        groups: dict[tuple[str, Millis], list[OpenReport]] = {}
        for each in waiting:
            groups.setdefault((each.key.name, each.key.due_at), []).append(each)
        for (name, due_at), alike in groups.items():
            yield self._period(name, due_at), alike

    def _period(self, name: str, due_at: Millis) -> ReportPeriod:
        written, zone = self._reports[name].cron, self._dependencies.zone
        span = ReportSpan(cron.previous(written, zone, due_at), due_at)
        return ReportPeriod(
            name, span, cron.due(written, zone, max(due_at, self._dependencies.clock.now()))
        )

    def _queued_report(
        self, waiting: OpenReport, facts: ReportData, picture: bytes, recorded: bool
    ) -> QueuedReport:
        kept = waiting.key.due_at < self._began
        return QueuedReport(
            waiting.key,
            facts,
            self._dependencies.clock.elapsed(),
            picture,
            waiting.maybe_repeat,
            recorded,
            kept,
        )


def _combined(open_: Sequence[OpenReport], new: Iterable[ReportKey]) -> list[OpenReport]:
    """Open reports and new ones, if they cannot be read together from the store."""
    known = {each.key for each in open_}
    return [*open_, *(OpenReport(key, maybe_repeat=False) for key in new if key not in known)]


def _newest(keys: Iterable[ReportKey]) -> set[ReportKey]:
    """The newest key of each report and channel."""
    found: dict[tuple[str, str], ReportKey] = {}
    for key in keys:
        known = found.setdefault((key.name, key.channel), key)
        if key.due_at > known.due_at:
            found[key.name, key.channel] = key
    return set(found.values())
