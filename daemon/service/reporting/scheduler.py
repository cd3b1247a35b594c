"""The reports: issued when they are due, and put where the couriers find them.

    cron ──► due ──► ONE transaction: issued, older ones superseded ──► facts, chart ──► tray ──► courier

What waited when the last life ended waits again; what fell due while nobody ran is issued late, the
newest of each alone. A report is told by when it is due: issued once, it is not issued again,
wherever the clock is set.
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
"""It looks at the clock on the wall at least so often: that may be set, and stands still for nobody
who sleeps.
"""

UNSURE: Millis = MINUTE
"""What was due so shortly before a life ended may not have been issued."""


@dataclass(frozen=True, slots=True)
class ReportPeriod:
    """What a report is about, and when the next one comes."""

    name: str
    span: ReportSpan
    next_at: Millis


@dataclass(frozen=True, slots=True)
class ReportDependencies:
    """What reports are made with."""

    async_store: AsyncStore
    clock: Clock
    zone: tzinfo | None
    report_queue: ReportQueue
    read: Callable[[ReportPeriod], ReportData]
    """Reads the record, blocking; what cannot be read is in the facts."""
    draw: Callable[[ReportData], Awaitable[bytes]]
    """Its chart; empty where there is none."""
    pictured: Collection[str] = ()
    """The channels that show charts."""


class Reports:
    """`reports` name their channels; `absent` is when nobody watched before this life, if there was
    one before.
    """

    def __init__(
        self,
        reports: Sequence[Report],
        means: ReportDependencies,
        absent: tuple[Millis, Millis] | None,
    ) -> None:
        self._reports = {report.name: report for report in reports}
        self._means = means
        self._began = means.clock.now()
        self._seen = self._began if absent is None else min(absent[0] - UNSURE, self._began)
        """What was due until then has been issued."""
        self._issued: set[tuple[str, Millis]] = set()

    async def run(self) -> None:
        """Look until cancelled."""
        await self.look()
        while self._reports:
            await self._means.clock.sleep(self._pause())
            if self._due():
                await self.look()

    async def look(self) -> None:
        """Issue what is due, and make ready what waits."""
        open_, due = await self._open() or [], self._due()
        new = [
            ReportKey(name, at, channel)
            for name, at in due
            for channel in self._reports[name].channels
        ]
        newest = _newest([*(each.key for each in open_), *new])
        gone = [each.key for each in open_ if each.key not in newest or not self._asked(each.key)]
        recorded = not (new or gone) or await self._write(
            ScheduleReports(self._means.clock.now(), tuple(new), tuple(gone))
        )
        self._issued.update(due)
        self._seen = max([self._seen, *(at for _, at in due)])
        kept = await self._open() if recorded else None
        if kept is None:
            known = {each.key for each in open_}
            kept = [
                *open_,
                *(OpenReport(key, maybe_repeat=False) for key in new if key not in known),
            ]
        await self._prepare([each for each in kept if each.key not in gone], recorded)

    def _pause(self) -> Millis:
        """Until the next one is due, or somebody may have set the clock."""
        now = self._means.clock.now()
        coming = [
            cron.due(report.cron, self._means.zone, now) - now for report in self._reports.values()
        ]
        return min([LOOK, *coming])

    def _due(self) -> list[tuple[str, Millis]]:
        """Of each the newest that is due and was not issued."""
        now = self._means.clock.now()
        self._seen = min(self._seen, now)
        found = [
            (name, cron.previous(each.cron, self._means.zone, now + 1))
            for name, each in self._reports.items()
        ]
        return [each for each in found if each[1] > self._seen and each not in self._issued]

    def _asked(self, key: ReportKey) -> bool:
        """Whether it is still configured."""
        report = self._reports.get(key.name)
        return report is not None and key.channel in report.channels

    async def _open(self) -> Sequence[OpenReport] | None:
        """What waits; None where nobody can read that now."""
        try:
            return await self._means.async_store.open_reports()
        except StoreError:
            return None

    async def _write(self, operation: ScheduleReports) -> bool:
        """Whether it is recorded. What is not, for now or for good, is sent all the same, and says
        so.

        Written as often as it takes to know: writing twice is writing once.
        """
        while True:
            try:
                return await self._means.async_store.write(operation) is Written.COMMITTED
            except Rejected as error:
                names = ", ".join(sorted({key.name for key in operation.reports}))
                _log.error("reports are sent without being recorded: %s: %s", names, error)
                return False
            except CommitFailed:
                await self._means.clock.sleep(SECOND)

    async def _prepare(self, waiting: Iterable[OpenReport], recorded: bool) -> None:
        """Read and draw each once for all its channels, and put it where they find it."""
        fresh = [each for each in waiting if not self._means.report_queue.holds(each.key)]
        for cover, alike in self._grouped(fresh):
            facts = await asyncio.to_thread(self._means.read, cover)
            pictured = any(each.key.channel in self._means.pictured for each in alike)
            picture = await self._means.draw(facts) if pictured else b""
            for each in alike:
                self._means.report_queue.put(self._queued_report(each, facts, picture, recorded))

    def _grouped(
        self, waiting: Iterable[OpenReport]
    ) -> Iterator[tuple[ReportPeriod, list[OpenReport]]]:
        groups: dict[tuple[str, Millis], list[OpenReport]] = {}
        for each in waiting:
            groups.setdefault((each.key.name, each.key.due_at), []).append(each)
        for (name, due_at), alike in groups.items():
            yield self._cover(name, due_at), alike

    def _cover(self, name: str, due_at: Millis) -> ReportPeriod:
        written, zone = self._reports[name].cron, self._means.zone
        span = ReportSpan(cron.previous(written, zone, due_at), due_at)
        return ReportPeriod(
            name, span, cron.due(written, zone, max(due_at, self._means.clock.now()))
        )

    def _queued_report(
        self, waiting: OpenReport, facts: ReportData, picture: bytes, recorded: bool
    ) -> QueuedReport:
        kept = waiting.key.due_at < self._began
        return QueuedReport(
            waiting.key,
            facts,
            self._means.clock.elapsed(),
            picture,
            waiting.maybe_repeat,
            recorded,
            kept,
        )


def _newest(keys: Iterable[ReportKey]) -> set[ReportKey]:
    """Of each report and channel."""
    found: dict[tuple[str, str], ReportKey] = {}
    for key in keys:
        known = found.setdefault((key.name, key.channel), key)
        if key.due_at > known.due_at:
            found[key.name, key.channel] = key
    return set(found.values())
