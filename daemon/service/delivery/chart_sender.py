"""Charts for messages: rendered in parallel, never delaying an urgent text (SEMANTICS F8).

    e-mail     a message waits ──► render its chart ──► ready in time: part of the message
    Telegram   a text arrived ──► render its chart ──► nothing waits: a silent message of its own

A chart that cannot be rendered or sent is logged once, and nobody is notified: the text counts.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol
from zoneinfo import ZoneInfo

from daemon.charts.chart import Chart
from daemon.charts.from_history import Subject, alert_chart, field_to_show, span_before
from daemon.charts.renderer import NotDrawn
from daemon.errors import StoreError
from daemon.hidden import Secret
from daemon.log import FailureLog
from daemon.notifiers import Notifier, Pictures
from daemon.rules.rule import Rule
from daemon.service.delivery.rate import SendRate
from daemon.store.history import History
from daemon.types import NEWS, AttemptResult, Kind, Message, Millis, Notice, Outcome, Severity, base

KEPT = 8
"""Charts kept in memory: all channels show the same chart of an alert."""

SENT_WITHOUT_CHART = frozenset({Kind.FIRING, Kind.WORSE})
"""Kinds that, when critical, are sent without waiting for the chart."""


class Renderer(Protocol):
    async def draw(self, chart: Chart) -> bytes | NotDrawn: ...


@dataclass(frozen=True, slots=True)
class ChartSettings:
    """Settings and dependencies of the chart renderer."""

    database: Secret
    rules: Mapping[str, Rule]
    zone: ZoneInfo | None
    every: Callable[[str], Millis | None]
    """By account: how often it is read."""
    drawer: Renderer
    failure_log: FailureLog


class ChartRenderer:
    """Renders the charts of alerts, each once for all channels; without settings none."""

    def __init__(self, settings: ChartSettings | None = None) -> None:
        self._settings = settings
        self._begun: dict[tuple[str, str, int], asyncio.Task[bytes]] = {}
        self._turn = asyncio.Lock()

    def draw(self, notice: Notice) -> asyncio.Task[bytes] | None:
        """The task that renders the alert's chart as PNG; its result is empty if that fails.

        None if there is nothing to draw: the daemon's own alerts, and rules that are not
        configured. One chart at a time is rendered. The oldest requests beyond KEPT are dropped, so
        that many alerts do not cause many charts.
        """
        rule = None if self._settings is None else self._settings.rules.get(base(notice.key.rule))
        if self._settings is None or rule is None or rule.system or not notice.key.account:
            return None
        subject = notice.key.account, rule.name, notice.key.seq
        if subject not in self._begun:
            make = partial(_chart, self._settings, notice, rule)
            self._begun[subject] = asyncio.create_task(self._in_turn(self._settings, make))
            for old in list(self._begun)[:-KEPT]:
                self._begun.pop(old).cancel()
        return self._begun[subject]

    async def render(self, make: Callable[[], Chart]) -> bytes:
        """Render a chart that `make` reads (blocking) as PNG; empty on failure."""
        return b"" if self._settings is None else await self._in_turn(self._settings, make)

    async def _in_turn(self, settings: ChartSettings, make: Callable[[], Chart]) -> bytes:
        """Render one chart at a time.

        Reading uses a thread of the shared pool, and a text message must never lack one.
        """
        async with self._turn:
            return await _drawn(settings, make)

    async def close(self) -> None:
        """Cancel the charts that are being rendered."""
        for chart in self._begun.values():
            chart.cancel()
        await asyncio.gather(*self._begun.values(), return_exceptions=True)

    def sent(self, channel: str, attempted: AttemptResult) -> None:
        """Log the result of sending a chart as a message of its own."""
        if self._settings is None:
            return
        if attempted.outcome is Outcome.DELIVERED:
            self._settings.failure_log.ended(("chart", channel), f"charts reach {channel} again")
        else:
            sentence = (
                f"a chart did not reach {channel}, its text did:"
                f" {attempted.detail or attempted.outcome}"
            )
            self._settings.failure_log.failed(("chart", channel), sentence)


async def _drawn(settings: ChartSettings, make: Callable[[], Chart]) -> bytes:
    try:
        picture = await settings.drawer.draw(await asyncio.to_thread(make))
    except StoreError as error:
        picture = NotDrawn(str(error))
    except Exception as error:  # noqa: BLE001 -- a bug must not delay a text
        picture = NotDrawn(type(error).__name__)
    if isinstance(picture, NotDrawn):
        settings.failure_log.failed(
            "charts", f"a chart could not be drawn, its message goes without: {picture.why}"
        )
        return b""
    settings.failure_log.ended("charts", "charts are drawn again")
    return picture


def _chart(settings: ChartSettings, notice: Notice, rule: Rule) -> Chart:
    account, field, span = (
        notice.key.account,
        field_to_show(notice.facts.judged),
        span_before(notice.at),
    )
    with History.open(settings.database.reveal()) as history:
        return alert_chart(
            history, Subject(account, field, span, settings.zone, settings.every(account)), rule
        )


class ChannelCharts:
    """The charts of one channel. `wake` is called when an awaited chart is ready."""

    def __init__(
        self,
        chart_renderer: ChartRenderer,
        channel: str,
        notifier: Notifier,
        pace: SendRate,
        wake: Callable[[], None],
    ) -> None:
        self._chart_renderer = chart_renderer
        self._channel = channel
        self._notifier = notifier
        self._pace = pace
        self._wake = wake
        self._expected: tuple[Notice, asyncio.Task[bytes]] | None = None
        self._following: asyncio.Task[None] | None = None

    @property
    def is_inside(self) -> bool:
        """Whether charts are part of the messages themselves."""
        return self._notifier.traits.pictures is Pictures.WITH

    def expect(self, notice: Notice) -> None:
        """Begin the chart for the next message, to be included if it is ready by then."""
        if self._expected is not None and self._expected[0].key == notice.key:
            return
        chart = self._chart_renderer.draw(notice)
        self._expected = None if chart is None else (notice, chart)
        if chart is not None:
            chart.add_done_callback(lambda _: self._wake())

    def is_awaited(self, notice: Notice) -> bool:
        """Whether the message may wait for its chart: a reminder or an end is not urgent."""
        expected = self._expected
        return (
            expected is not None
            and not expected[1].done()
            and notice.key.kind not in SENT_WITHOUT_CHART
        )

    def with_chart(self, message: Message, notice: Notice) -> Message:
        """The message with its chart, if that is ready."""
        expected, self._expected = self._expected, None
        there = expected is not None and expected[0].key == notice.key and expected[1].done()
        if expected is not None and there:
            return replace(message, picture=_picture(expected[1]))
        return message

    def send_after_text(self, notice: Notice, is_idle: Callable[[], bool]) -> None:
        """Send the chart after its delivered text, unless another chart or message is waiting."""
        if notice.key.kind in NEWS:
            self._begin_sending(lambda: self._drawn(notice), notice.facts.severity, is_idle)

    def send_ready(self, picture: bytes, severity: Severity, is_idle: Callable[[], bool]) -> None:
        """Send a chart that is ready after its delivered text."""

        async def there() -> bytes:
            return picture

        self._begin_sending(there, severity, is_idle)

    def close(self) -> None:
        """Cancel the chart that is still to be sent."""
        if self._following is not None:
            self._following.cancel()

    def _begin_sending(
        self, draw: Callable[[], Awaitable[bytes]], severity: Severity, is_idle: Callable[[], bool]
    ) -> None:
        apart = self._notifier.traits.pictures is Pictures.AFTER
        if apart and (self._following is None or self._following.done()):
            self._following = asyncio.create_task(self._send(draw, severity, is_idle))

    async def _drawn(self, notice: Notice) -> bytes:
        chart = self._chart_renderer.draw(notice)
        if chart is None:
            return b""
        await asyncio.wait([chart])
        return _picture(chart)

    async def _send(
        self, draw: Callable[[], Awaitable[bytes]], severity: Severity, is_idle: Callable[[], bool]
    ) -> None:
        picture = await draw()
        if picture and self._pace.is_easy:
            await self._pace.turn()  # a chart that is ready early must not be lost
        if picture and is_idle() and self._pace.is_easy:
            self._pace.note()
            message = Message("", "", severity, picture=picture, quiet=True)
            self._chart_renderer.sent(self._channel, await self._attempt(message))

    async def _attempt(self, message: Message) -> AttemptResult:
        try:
            return await self._notifier.send(message)
        except Exception as error:  # noqa: BLE001 -- it may have left before it broke
            return AttemptResult(
                Outcome.UNKNOWN,
                f"sending to {self._channel} failed inside marginwatch ({type(error).__name__})",
            )


def _picture(chart: asyncio.Task[bytes]) -> bytes:
    """The PNG of a finished task; empty if it was cancelled."""
    return b"" if chart.cancelled() else chart.result()
