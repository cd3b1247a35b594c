"""Reports on their way: what waits for a channel, and what a database that refuses does to it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC

import pytest

from daemon.config import Report
from daemon.messages.report_data import ReportData, ReportSpan
from daemon.service.clock_monitor import offset
from daemon.service.delivery.channel_worker import ChannelWorker
from daemon.service.delivery.context import ChannelPolicy, DeliveryContext
from daemon.service.delivery.queue import NotificationQueue
from daemon.service.delivery.report_queue import QueuedReport, ReportQueue
from daemon.service.reporting.scheduler import ReportDependencies, ReportPeriod, Reports
from daemon.store.operations import (
    Claim,
    CommitFailed,
    RecordAttempt,
    Rejected,
    ReportKey,
    ScheduleReports,
    Withdraw,
    Written,
)
from daemon.store.write.reports import OpenReport
from daemon.types import DAY, HOUR, MINUTE, SECOND, Outcome
from tests.fakes import NOON, ListJournal, ManualClock, RecordingWatcher, ScriptedNotifier, settle

KEY = ReportKey("daily", NOON, "phone")
FACTS = ReportData("daily", ReportSpan(NOON - DAY, NOON))
DAILY = Report("daily", "0 12 * * *", ("phone",))


def test_a_queue_keeps_what_is_not_delivered() -> None:
    """The newest of each report, the oldest first; what may have arrived is known."""
    woken: list[str] = []
    report_queue = ReportQueue(woken.append)
    daily, weekly = QueuedReport(KEY, FACTS, 1), QueuedReport(replace(KEY, name="weekly"), FACTS, 2)
    report_queue.put(weekly)
    report_queue.put(daily)
    assert (
        report_queue.next("phone"),
        report_queue.next("mail"),
        report_queue.channels(),
        woken,
    ) == (
        daily,
        None,
        ["phone"],
        ["phone"] * 2,
    )
    report_queue.settle(daily, Outcome.UNKNOWN)
    assert (daily.maybe_repeat, report_queue.holds(KEY)) == (True, True)
    newer = QueuedReport(replace(KEY, due_at=NOON + DAY), FACTS, 3)
    report_queue.put(newer)
    report_queue.settle(daily, Outcome.DELIVERED)
    assert (report_queue.holds(KEY), report_queue.next("phone")) == (False, weekly)
    for each in (weekly, newer):
        report_queue.settle(each, Outcome.DELIVERED)
    assert report_queue.channels() == []


class Bench:
    """One report, one channel, and a journal that answers as told."""

    def __init__(self) -> None:
        self.clock, self.async_store, self.way = ManualClock(), ListJournal(), ScriptedNotifier()
        notifications = NotificationQueue(offset(self.clock))
        self.report_queue = ReportQueue(lambda channel: notifications.changed(channel).set())
        context = DeliveryContext(
            self.async_store,
            notifications,
            self.clock,
            UTC,
            lambda: 1.0,
            RecordingWatcher(),
            report_queue=self.report_queue,
        )
        means = ReportDependencies(
            self.async_store, self.clock, UTC, self.report_queue, self.read, self.draw, ("phone",)
        )
        self.reports = Reports((DAILY,), means, None)
        self.drawn: list[ReportData] = []
        self.task = asyncio.create_task(
            ChannelWorker(ChannelPolicy("phone", SECOND), self.way, context).run()
        )

    def read(self, cover: ReportPeriod) -> ReportData:
        return ReportData(cover.name, cover.span, next_at=cover.next_at)

    async def draw(self, facts: ReportData) -> bytes:
        self.drawn.append(facts)
        return b"PNG"

    async def look(self, *answers: Written | Exception) -> None:
        """Look at noon, the database answering so."""
        await self.clock.advance(HOUR)
        self.async_store.answers = list(answers)
        look = asyncio.create_task(self.reports.look())
        for _ in range(5):
            await settle()
            await asyncio.to_thread(bool)
            await self.clock.advance(SECOND)
        await look
        await self.clock.advance(MINUTE)

    def operations(self) -> Sequence[type]:
        return [type(each) for each in self.async_store.operations]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    made.task.cancel()
    await asyncio.gather(made.task, return_exceptions=True)


async def test_promise_1_a_store_that_refuses_writes_stops_no_report(bench: Bench) -> None:
    """Promise 1: it leaves, with its chart, and says that it is not recorded."""
    await bench.look(Written.DEFERRED)
    assert bench.operations() == [ScheduleReports, Claim, RecordAttempt]
    (message,) = bench.way.sent
    assert ("not recorded: the database refuses to write" in message.body, message.picture) == (
        True,
        b"PNG",
    )
    assert len(bench.drawn) == 1


async def test_a_commit_of_unknown_outcome_is_written_again(bench: Bench) -> None:
    """Writing twice is writing once; then it is what the store holds that is sent."""
    bench.async_store.reports = [OpenReport(replace(KEY, due_at=NOON + HOUR), maybe_repeat=True)]
    await bench.look(CommitFailed("unknown"))
    assert ["may be a repeat" in each.body for each in bench.way.sent] == [True]


async def test_what_the_store_rejects_is_sent_all_the_same(bench: Bench) -> None:
    """A rejected report is sent all the same, and kept by no later instance."""
    bench.async_store.unreadable = True
    await bench.look(Rejected("it does not fit"))
    assert len(bench.way.sent) == 1


async def test_promise_2_a_claim_that_failed_is_withdrawn(bench: Bench) -> None:
    """Promise 2: the withdrawn claim says that nothing was sent; a second later it is."""
    bench.report_queue.put(QueuedReport(KEY, FACTS, bench.clock.elapsed()))
    bench.async_store.answers = [CommitFailed("unknown")]
    await bench.clock.advance(SECOND)
    assert (bench.way.sent, bench.operations()) == ([], [Withdraw])
    await bench.clock.advance(SECOND)
    assert (len(bench.way.sent), bench.operations()) == (1, [Withdraw, Claim, RecordAttempt])


async def test_a_report_is_not_prepared_twice(bench: Bench) -> None:
    """The next look leaves a waiting report as it is."""
    bench.async_store.reports = [OpenReport(replace(KEY, due_at=NOON + HOUR), maybe_repeat=False)]
    bench.report_queue.put(
        QueuedReport(bench.async_store.reports[0].key, FACTS, bench.clock.elapsed() + DAY)
    )
    await bench.look()
    assert bench.drawn == []
