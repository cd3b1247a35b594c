"""Charts for messages: drawn beside everything else, never waited for by what must leave (SEMANTICS
F8).

    something waits ──► the chart of what is told first is begun ──► ready in time: in the message       (e-mail)
    a text arrived ──► its chart ──► nothing waits, and the pace has room: a silent message of its own   (Telegram)

A chart that cannot be drawn or sent is told to the log, once, and to nobody else: the text is all
that counts.
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
"""Charts that are remembered: every channel shows the same one of an alert."""

LAID_DOWN = frozenset({Kind.FIRING, Kind.WORSE})
"""What must be known at once, when it is critical."""


class Renderer(Protocol):
    async def draw(self, chart: Chart) -> bytes | NotDrawn: ...


@dataclass(frozen=True, slots=True)
class ChartSettings:
    """What charts are made of."""

    database: Secret
    rules: Mapping[str, Rule]
    zone: ZoneInfo | None
    every: Callable[[str], Millis | None]
    """By account, how often it is read."""
    drawer: Renderer
    episodes: FailureLog


class ChartRenderer:
    """Draws the charts of alerts, each once for all channels; without a studio none."""

    def __init__(self, settings: ChartSettings | None = None) -> None:
        self._settings = settings
        self._begun: dict[tuple[str, str, int], asyncio.Task[bytes]] = {}
        self._turn = asyncio.Lock()

    def draw(self, notice: Notice) -> asyncio.Task[bytes] | None:
        """Its chart as PNG, begun now or earlier; empty where it cannot be drawn. None where there
        is nothing to draw: of a rule that nobody wrote, and of the daemon itself. One at a time is
        read and drawn; what waits for its turn too long is forgotten, that no crowd of alerts
        becomes a crowd of charts.
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

    async def paint(self, make: Callable[[], Chart]) -> bytes:
        """A chart that `make` reads, blocking, as PNG; empty where it cannot be drawn, or there is
        no studio.
        """
        return b"" if self._settings is None else await self._in_turn(self._settings, make)

    async def _in_turn(self, settings: ChartSettings, make: Callable[[], Chart]) -> bytes:
        """Reading takes a thread of those in which everything else is read, and a text must never
        want for one.
        """
        async with self._turn:
            return await _drawn(settings, make)

    async def close(self) -> None:
        """End what is being drawn."""
        for chart in self._begun.values():
            chart.cancel()
        await asyncio.gather(*self._begun.values(), return_exceptions=True)

    def sent(self, channel: str, attempted: AttemptResult) -> None:
        """A chart was sent as a message of its own."""
        if self._settings is None:
            return
        if attempted.outcome is Outcome.DELIVERED:
            self._settings.episodes.ended(("chart", channel), f"charts reach {channel} again")
        else:
            sentence = (
                f"a chart did not reach {channel}, its text did:"
                f" {attempted.detail or attempted.outcome}"
            )
            self._settings.episodes.failed(("chart", channel), sentence)


async def _drawn(settings: ChartSettings, make: Callable[[], Chart]) -> bytes:
    try:
        picture = await settings.drawer.draw(await asyncio.to_thread(make))
    except StoreError as error:
        picture = NotDrawn(str(error))
    except Exception as error:  # noqa: BLE001 -- a fault of ours must not keep a text back
        picture = NotDrawn(type(error).__name__)
    if isinstance(picture, NotDrawn):
        settings.episodes.failed(
            "charts", f"a chart could not be drawn, its message goes without: {picture.why}"
        )
        return b""
    settings.episodes.ended("charts", "charts are drawn again")
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
    """The charts of one channel. `wake` is called when one that was awaited is there."""

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
        """Whether charts stand in the messages themselves."""
        return self._notifier.traits.pictures is Pictures.WITH

    def expect(self, notice: Notice) -> None:
        """What waits is told with the chart of this, if that is drawn by then."""
        if self._expected is not None and self._expected[0].key == notice.key:
            return
        chart = self._chart_renderer.draw(notice)
        self._expected = None if chart is None else (notice, chart)
        if chart is not None:
            chart.add_done_callback(lambda _: self._wake())

    def is_awaited(self, notice: Notice) -> bool:
        """Whether it may wait for the chart: nobody needs a reminder, or an end, within the
        second.
        """
        expected = self._expected
        return expected is not None and not expected[1].done() and notice.key.kind not in LAID_DOWN

    def illustrated(self, message: Message, notice: Notice) -> Message:
        """With the chart of what it tells first, if that is there."""
        expected, self._expected = self._expected, None
        there = expected is not None and expected[0].key == notice.key and expected[1].done()
        return (
            replace(message, picture=_picture(expected[1]))
            if expected is not None and there
            else message
        )

    def follow(self, notice: Notice, is_idle: Callable[[], bool]) -> None:
        """The text has arrived: its chart comes after it, unless one still does, or something else
        waits by then.
        """
        if notice.key.kind in NEWS:
            self._hang(lambda: self._drawn(notice), notice.facts.severity, is_idle)

    def present(self, picture: bytes, severity: Severity, is_idle: Callable[[], bool]) -> None:
        """The same of a chart that is there already."""

        async def there() -> bytes:
            return picture

        self._hang(there, severity, is_idle)

    def close(self) -> None:
        """Nobody waits for what is still to come."""
        if self._following is not None:
            self._following.cancel()

    def _hang(
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
            await self._pace.turn()  # a chart that is there sooner must not be lost for it
        if picture and is_idle() and self._pace.is_easy:
            self._pace.note()
            message = Message("", "", severity, picture=picture, quiet=True)
            self._chart_renderer.sent(self._channel, await self._attempt(message))

    async def _attempt(self, message: Message) -> AttemptResult:
        try:
            return await self._notifier.send(message)
        except Exception as error:  # noqa: BLE001 -- it may have left before it broke
            return AttemptResult(
                Outcome.UNKNOWN, f"the way to {self._channel} broke ({type(error).__name__})"
            )


def _picture(chart: asyncio.Task[bytes]) -> bytes:
    """Of one that is there, or was forgotten."""
    return b"" if chart.cancelled() else chart.result()
