"""Charts with messages (SEMANTICS F8): scripted notifier and renderer, manual clock."""

import asyncio
import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from pathlib import Path

import pytest

from daemon.charts.chart import Chart, ChartSpan
from daemon.charts.renderer import NotDrawn
from daemon.hidden import Secret
from daemon.log import FailureLog
from daemon.messages.report_data import ReportData as Told
from daemon.messages.report_data import ReportSpan
from daemon.notifiers import Pictures, Traits
from daemon.service.clock_monitor import offset
from daemon.service.delivery.channel_worker import ChannelWorker
from daemon.service.delivery.chart_sender import KEPT, ChartRenderer, ChartSettings
from daemon.service.delivery.context import ChannelPolicy, DeliveryContext
from daemon.service.delivery.queue import NotificationQueue
from daemon.service.delivery.rate import SendRate
from daemon.service.delivery.report_queue import QueuedReport, ReportQueue
from daemon.store import Store
from daemon.store.operations import ReportKey
from daemon.types import (
    DAY,
    MINUTE,
    SECOND,
    AttemptResult,
    Kind,
    Limit,
    Message,
    Notice,
    NoticeKey,
    NotificationFacts,
    Outcome,
    Severity,
)
from tests.fakes import NOON, ListJournal, ManualClock, RecordingWatcher, ScriptedNotifier, settle
from tests.values import judged, rule

PNG = b"\x89PNG of "
LATER = AttemptResult(Outcome.LATER, "no such host")
CRITICAL = Severity.CRITICAL


class Easel:
    """A drawer that draws when told, and remembers what."""

    def __init__(self) -> None:
        self.charts: list[Chart] = []
        self.paint = asyncio.Event()
        self.paint.set()
        self.fault: NotDrawn | Exception | None = None

    async def draw(self, chart: Chart) -> bytes | NotDrawn:
        self.charts.append(chart)
        await self.paint.wait()
        if isinstance(self.fault, Exception):
            raise self.fault
        return self.fault or PNG + chart.account.encode()


class Bench:
    """One channel with its worker."""

    def __init__(self, folder: Path) -> None:
        url = f"sqlite:///{folder}/m.db"
        Store.open(url).close()
        self.clock, self.easel, self.way = ManualClock(), Easel(), ScriptedNotifier()
        self.notifications = NotificationQueue(offset(self.clock))
        self.report_queue = ReportQueue(lambda channel: self.notifications.changed(channel).set())
        rules = {
            "low": rule("low", clear_when="available_margin > 120"),
            "no-readings": rule(system=True),
        }
        episodes = FailureLog(logging.getLogger("pictures"), self.clock)
        self.chart_renderer = ChartRenderer(
            ChartSettings(Secret(url), rules, None, lambda _: SECOND, self.easel, episodes)
        )
        context = DeliveryContext(
            ListJournal(),
            self.notifications,
            self.clock,
            UTC,
            lambda: 1.0,
            RecordingWatcher(),
            chart_renderer=self.chart_renderer,
            report_queue=self.report_queue,
        )
        worker = ChannelWorker(ChannelPolicy("phone", 5 * SECOND), self.way, context)
        self.task = asyncio.create_task(worker.run())

    async def queue(self, *notices: Notice) -> None:
        for one in notices:
            self.notifications.queue(one, self.clock.elapsed())
        await self.drawn()

    async def drawn(self) -> None:
        """Let what is being read and drawn come to its end, without any time passing."""
        await settle()
        await asyncio.to_thread(bool)  # the one thread there is has read what it was asked for
        await settle()

    async def sent(self, after: int = 0) -> list[tuple[str, bytes, bool]]:
        await self.clock.advance(after)
        await self.drawn()
        return [(each.title, each.picture, each.quiet) for each in self.way.sent]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    made = Bench(tmp_path)
    yield made
    made.easel.paint.set()
    made.task.cancel()
    await asyncio.gather(made.task, return_exceptions=True)
    await made.chart_renderer.close()


def notice(
    kind: Kind = Kind.FIRING,
    severity: Severity = Severity.WARNING,
    seq: int = 1,
    name: str = "low",
    account: str = "main",
) -> Notice:
    facts = NotificationFacts(severity, "k3f9", NOON, NOON, NOON, judged("90"))
    return Notice(NoticeKey(account, name, 1, "phone", kind, seq), NOON, facts)


INSIDE, APART = Traits(pictures=Pictures.WITH), Traits(pictures=Pictures.AFTER)


async def test_f8_a_chart_that_is_ready_within_group_wait_is_in_the_message(bench: Bench) -> None:
    """F8: as in an e-mail; it shows the judged field's last hours and the rule's levels."""
    bench.way.traits = INSIDE
    await bench.queue(notice())
    assert await bench.sent() == []
    assert [(picture, quiet) for _, picture, quiet in await bench.sent(5 * SECOND)] == [
        (PNG + b"main", False)
    ]
    (chart,) = bench.easel.charts
    assert (chart.field, chart.account, chart.span.until) == ("available_margin", "main", NOON + 1)
    assert [(level.value, level.clear) for level in chart.levels] == [
        (Decimal(100), False),
        (Decimal(120), True),
    ]


async def test_f8_a_chart_that_is_late_delays_no_text(bench: Bench) -> None:
    """F8: the text leaves when it would, and the next one is drawn anew."""
    bench.way.traits = INSIDE
    bench.easel.paint.clear()
    await bench.queue(notice())
    assert [picture for _, picture, _ in await bench.sent(5 * SECOND)] == [b""]
    bench.easel.paint.set()
    await bench.queue(notice(Kind.REPEAT, seq=2))
    assert [picture for _, picture, _ in await bench.sent(5 * SECOND)] == [b"", PNG + b"main"]


async def test_f8_a_critical_leaves_at_once_and_its_chart_comes_with_the_reminder_and_the_end(
    bench: Bench,
) -> None:
    """F8: reminder and end wait for their charts, but not beyond `group_wait`."""
    bench.way.traits = INSIDE
    bench.easel.paint.clear()
    await bench.queue(notice(severity=CRITICAL))
    assert [picture for _, picture, _ in await bench.sent()] == [b""]
    await bench.queue(notice(Kind.REPEAT, CRITICAL, seq=2))
    assert len(await bench.sent()) == 1
    bench.easel.paint.set()
    assert [picture for _, picture, _ in await bench.sent()] == [b"", PNG + b"main"]
    bench.easel.paint.clear()
    await bench.queue(notice(Kind.RESOLVED, CRITICAL, seq=3))
    assert len(await bench.sent()) == 2
    assert [picture for _, picture, _ in await bench.sent(5 * SECOND)] == [b"", PNG + b"main", b""]


async def test_f8_elsewhere_the_chart_follows_the_text_silently(bench: Bench) -> None:
    """F8: as on Telegram, also of a critical; an end has none."""
    bench.way.traits = APART
    await bench.queue(notice(severity=CRITICAL))
    (text, chart) = await bench.sent()
    assert (text[0], text[1:]) == ("CRITICAL main: available_margin 90 (below 100)", (b"", False))
    assert chart == ("", PNG + b"main", True)
    await bench.queue(notice(Kind.RESOLVED, CRITICAL, seq=2))
    assert len(await bench.sent(5 * SECOND)) == 3


async def test_f8_a_chart_gives_way_to_a_text(bench: Bench) -> None:
    """F8: a waiting text goes before a ready chart, and while a chart hangs."""
    bench.way.traits = APART
    bench.easel.paint.clear()
    await bench.queue(notice(severity=CRITICAL))
    await bench.queue(notice(seq=2, account="other"))
    bench.easel.paint.set()
    assert [picture for _, picture, _ in await bench.sent()] == [b""]
    assert [picture for _, picture, _ in await bench.sent(5 * SECOND)] == [b"", b"", PNG + b"other"]
    gate = bench.way.gate = asyncio.Event()
    await bench.queue(notice(severity=CRITICAL, seq=3, name="low", account="third"))
    assert len(await bench.sent()) == 4
    gate.set()
    await bench.drawn()
    gate.clear()
    await bench.queue(notice(severity=CRITICAL, seq=4, account="fourth"))
    assert [title.partition(" ")[2] for title, _, _ in await bench.sent()][-1].startswith("fourth")


async def test_f5_a_chart_that_is_there_at_once_waits_for_its_turn(bench: Bench) -> None:
    """F5, F8: a ready chart follows a second after its text, unless another text is on its way."""
    bench.way.traits = replace(APART, pace=(Limit(1, SECOND),))
    await bench.queue(notice(severity=CRITICAL))
    assert [bool(picture) for _, picture, _ in await bench.sent()] == [False]
    assert [bool(picture) for _, picture, _ in await bench.sent(SECOND)] == [False, True]
    await bench.sent(SECOND)
    await bench.queue(notice(severity=CRITICAL, seq=2))
    bench.way.gate = asyncio.Event()
    await bench.queue(notice(severity=CRITICAL, seq=3))
    assert [bool(picture) for _, picture, _ in await bench.sent(SECOND)] == [
        False,
        True,
        False,
        False,
    ]
    bench.way.gate.set()
    assert [bool(picture) for _, picture, _ in await bench.sent(SECOND)] == [
        False,
        True,
        False,
        False,
        True,
    ]


async def test_f5_charts_leave_half_of_a_service_s_pace_to_texts(bench: Bench) -> None:
    """F5, F8: of four messages a minute charts are never the third."""
    bench.way.traits = replace(APART, pace=(Limit(4, MINUTE),))
    for number in range(4):
        await bench.queue(notice(severity=CRITICAL, seq=number, account=f"account {number}"))
    assert [bool(picture) for _, picture, _ in await bench.sent()] == [False, True, False, False]
    assert [bool(picture) for _, picture, _ in await bench.sent(MINUTE)] == [
        False,
        True,
        False,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize("traits", [INSIDE, APART])
async def test_f8_a_report_has_its_chart(bench: Bench, traits: Traits) -> None:
    """F8: in the message, or after it, silently; one that is empty is no message."""
    bench.way.traits = traits
    for picture in (PNG, b""):
        key = ReportKey("daily", NOON, "phone")
        bench.report_queue.put(
            QueuedReport(
                key, Told("daily", ReportSpan(NOON - DAY, NOON)), bench.clock.elapsed(), picture
            )
        )
        await bench.sent(5 * SECOND)
    sent = [(bool(title), picture) for title, picture, _ in await bench.sent()]
    assert sent == ([(True, PNG)] if traits is INSIDE else [(True, PNG), (False, PNG)]) + [
        (True, b"")
    ]


async def test_f8_a_chart_is_painted_or_left_out(bench: Bench) -> None:
    """F8: for a report; empty without settings, or if it fails."""
    chart = Chart("available_margin", "main", ChartSpan(NOON - DAY, NOON))
    assert await bench.chart_renderer.render(lambda: chart) == PNG + b"main"
    bench.easel.fault = NotDrawn("it took longer than 5 s")
    assert await bench.chart_renderer.render(lambda: chart) == b""
    assert await ChartRenderer().render(lambda: chart) == b""


@pytest.mark.parametrize("fault", [NotDrawn("it took longer than 5 s"), RuntimeError("a fault")])
async def test_f8_a_chart_that_fails_is_told_once_and_mutes_nothing(
    bench: Bench, fault: NotDrawn | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """F8: the texts leave without, the log says why, and that charts are drawn again."""
    caplog.set_level(logging.INFO)
    bench.way.traits, bench.easel.fault = INSIDE, fault
    for number in range(3):
        await bench.queue(notice(seq=number))
        await bench.sent(5 * SECOND)
    bench.easel.fault = None
    await bench.queue(notice(seq=9))
    assert [bool(picture) for _, picture, _ in await bench.sent(5 * SECOND)] == [
        False,
        False,
        False,
        True,
    ]
    why = "it took longer than 5 s" if isinstance(fault, NotDrawn) else "RuntimeError"
    assert [record.message for record in caplog.records] == [
        f"a chart could not be drawn, its message goes without: {why}",
        "charts are drawn again",
    ]


async def test_f8_a_chart_that_does_not_arrive_is_no_failure_of_the_channel(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """F8: the next text leaves when it would."""
    bench.way.traits, bench.way.script = APART, [AttemptResult(Outcome.DELIVERED), LATER]
    await bench.queue(notice(severity=CRITICAL))
    assert len(await bench.sent()) == 2
    assert [record.message for record in caplog.records] == [
        "a chart did not reach phone, its text did: no such host"
    ]
    await bench.queue(notice(severity=CRITICAL, seq=2))
    assert [bool(picture) for _, picture, _ in await bench.sent()] == [False, True, False, True]


async def test_f8_there_is_a_chart_of_written_rules_on_accounts_only(bench: Bench) -> None:
    """F8: none for silence, the daemon itself, a removed rule, or a channel without pictures."""
    bench.way.traits = INSIDE
    for number, (name, account) in enumerate(
        [("no-readings", "main"), ("low", ""), ("gone", "main")]
    ):
        await bench.queue(notice(seq=number, name=name, account=account))
        assert [picture for _, picture, _ in await bench.sent(5 * SECOND)][-1] == b""
    bench.way.traits = Traits()
    await bench.queue(notice(seq=9))
    assert [picture for _, picture, _ in await bench.sent(5 * SECOND)][-1] == b""
    assert bench.easel.charts == []


async def test_f8_every_channel_shows_the_same_chart(bench: Bench) -> None:
    """F8: a chart is rendered once; the last ones are kept."""
    first = bench.chart_renderer.draw(notice(seq=0))
    assert first is not None
    assert bench.chart_renderer.draw(notice(Kind.REPEAT, seq=0)) is first
    await bench.drawn()
    for number in range(1, KEPT + 1):
        assert bench.chart_renderer.draw(notice(seq=number)) is not first
        await bench.drawn()
    assert len(bench.easel.charts) == KEPT + 1
    assert bench.chart_renderer.draw(notice(seq=0)) is not first


async def test_f8_a_crowd_of_alerts_is_no_crowd_of_charts(bench: Bench) -> None:
    """F8: one is rendered at a time; requests beyond the last ones get none."""
    bench.easel.paint.clear()
    begun = [bench.chart_renderer.draw(notice(seq=number)) for number in range(3 * KEPT)]
    await bench.drawn()
    assert len(bench.easel.charts) == 1
    bench.easel.paint.set()
    for _ in range(KEPT):
        await bench.drawn()
    assert len(bench.easel.charts) == KEPT
    assert [chart is not None and chart.cancelled() for chart in begun] == [True] * 2 * KEPT + [
        False
    ] * KEPT


async def test_f8_a_text_leaves_without_a_chart_that_is_forgotten(bench: Bench) -> None:
    """F8: in the message, and after it."""
    bench.easel.paint.clear()
    for number, (traits, severity) in enumerate(((INSIDE, Severity.WARNING), (APART, CRITICAL))):
        bench.way.traits = traits
        await bench.queue(notice(severity=severity, seq=100 * number))
        for other in range(KEPT):
            bench.chart_renderer.draw(notice(seq=100 * number + other + 1))
        await bench.sent(5 * SECOND)
    bench.easel.paint.set()
    for _ in range(KEPT):
        await bench.drawn()
    assert [picture for _, picture, _ in await bench.sent()] == [b"", b""]


class BrokenWay(ScriptedNotifier):
    """Breaks at pictures, as no notifier should."""

    async def send(self, message: Message) -> AttemptResult:
        if message.picture:
            raise ZeroDivisionError("with a token in its words")
        return await super().send(message)


async def test_f8_a_way_that_breaks_at_a_chart_is_told_to_the_log(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """F8, promise 9: in our words, not in those of the error; texts leave as ever."""
    bench.way.__class__ = BrokenWay
    bench.way.traits = APART
    for number in range(2):
        await bench.queue(notice(severity=CRITICAL, seq=number))
    assert len(await bench.sent()) == 2
    sentence = (
        "a chart did not reach phone, its text did: sending to phone failed inside marginwatch"
        " (ZeroDivisionError)"
    )
    assert caplog.messages == [sentence]


async def test_f8_without_the_record_there_is_no_chart(bench: Bench, tmp_path: Path) -> None:
    """F8: the database cannot be read: the text leaves all the same."""
    bench.way.traits = INSIDE
    (tmp_path / "m.db").unlink()
    await bench.queue(notice())
    assert [picture for _, picture, _ in await bench.sent(5 * SECOND)] == [b""]


async def test_f5_a_service_without_limits_is_always_easy() -> None:
    """F5: with a limit of one message, charts wait for it like everything else."""
    clock, way = ManualClock(), ScriptedNotifier()
    pace = SendRate(way, clock)
    pace.note()
    assert (pace.is_easy, pace.due_at) == (True, clock.elapsed())
    way.traits = Traits(pace=(Limit(1, SECOND),))
    pace.note()
    turn = asyncio.create_task(pace.turn())
    await clock.advance(SECOND - 1)
    assert (pace.is_easy, turn.done()) == (True, False)
    await clock.advance(1)
    assert turn.done()
