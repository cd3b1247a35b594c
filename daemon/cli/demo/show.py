"""The run of `marginwatch demo`: the real daemon, the built-in exchange, a temporary database."""

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from daemon import bundled, config, log, startup_signals
from daemon.alerts.system_rules import ACCOUNT
from daemon.app import App
from daemon.cli.output.terminal import STDOUT
from daemon.clock import Clock, SystemClock
from daemon.config import Account, Channel, Config, Daemon, Secret, System, system_rules
from daemon.config.parse.database import file_url
from daemon.dependencies import Dependencies
from daemon.errors import MarginwatchError
from daemon.notifiers.console import ConsoleNotifier, Output
from daemon.redaction import Redactor
from daemon.simulator import Simulator
from daemon.simulator.stories import DEMO, shown_since
from daemon.simulator.stories import demo as story
from daemon.text.numbers import format_amount
from daemon.types import (
    SECOND,
    AttemptResult,
    Message,
    Millis,
    Miss,
    Notice,
    Outcome,
    Reading,
    Record,
    Source,
    State,
    Transition,
)

EVERY: Millis = 500
TICK: Millis = 50
"""Milliseconds until the built-in exchange pushes a change."""
SHOWN: Millis = 2 * SECOND
"""Shortest time between two printed readings of one account, unless one changes an alert."""


def show(length: Millis | None) -> None:
    """Run the demo for that long, or until Ctrl-C, then stop everything and delete the database."""
    log.setup(sys.stderr, level="warning", redactor=Redactor())
    asyncio.run(_show(length))


def _folder() -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="marginwatch-demo-")
    except OSError as error:
        sentence = (
            f"there is no room for the demo's database ({error.strerror}): let TMPDIR name a"
            " directory with some"
        )
        raise MarginwatchError(sentence) from None


async def _show(length: Millis | None) -> None:
    over = asyncio.Event()
    for number in startup_signals.HELD:
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    with _folder() as folder:
        await _show_in(Path(folder), length, over)


async def _show_in(folder: Path, length: Millis | None, over: asyncio.Event) -> None:
    clock = SystemClock()
    exchange = Simulator(clock, tick=TICK)
    for name in DEMO:
        exchange.account(name, story=story(name))
    await exchange.start()
    display = _Display(STDOUT, clock, exchange, over)
    dependencies = Dependencies(
        clock=clock, notifier=lambda _channel, _clock: ConsoleNotifier(STDOUT), observers=[display]
    )
    app = App(_config(folder, exchange), dependencies)
    await app.start()
    end = "Ctrl-C ends it" if length is None else f"ends by itself after {length / SECOND:g} s"
    display.say(
        f"two accounts at the built-in exchange, read every {EVERY} ms and listened to; {end}"
    )
    await _until(over, length)
    await app.stop()
    await exchange.stop()
    display.sum_up()
    if display.failure:
        raise display.failure


def _config(folder: Path, exchange: Simulator) -> Config:
    """The demo's configuration, with the shipped rules."""
    shipped = bundled.path("rules.toml")
    return Config(
        path=shipped,
        daemon=Daemon(Secret(file_url(folder / "demo.db")), every=EVERY, web=None),
        accounts=tuple(
            Account(
                name,
                Secret(f"{name}-key"),
                Secret(f"{name}-secret"),
                every=EVERY,
                rest_url=exchange.rest_url,
                ws_url=exchange.ws_url,
            )
            for name in DEMO
        ),
        channels=(Channel("console", Secret("console"), group_wait=0),),
        rules=config.load_rules(config.read_text(shipped), path=shipped),
        system_rules=system_rules(System(), ACCOUNT),
    )


async def _until(over: asyncio.Event, length: Millis | None) -> None:
    if length is not None:
        asyncio.get_running_loop().call_later(length / SECOND, over.set)
    await over.wait()


@dataclass(slots=True)
class _Display:
    """Prints what happens, and sums it up at the end."""

    out: Output
    clock: Clock
    exchange: Simulator
    over: asyncio.Event
    """Set when the output can no longer be written, as after `| head`."""
    failure: OSError | None = None
    began: Millis = 0
    readings: int = 0
    pushed: int = 0
    misses: int = 0
    fired: int = 0
    ended: int = 0
    latencies: list[Millis] = field(default_factory=list)
    shown: dict[str, Millis] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.began = self.clock.elapsed()

    def say(self, text: str) -> None:
        at = datetime.fromtimestamp(self.clock.now() / 1_000, UTC).astimezone()
        self._write(f"{at:%H:%M:%S} {text}\n")

    def _write(self, text: str) -> None:
        """Print it; a failure ends the demo instead of disturbing the daemon."""
        if self.failure is None:
            try:
                self.out.write(text)
                self.out.flush()
            except OSError as error:
                self.failure = error
                self.over.set()

    def judged(self, record: Record) -> None:
        match record.event:
            case Reading():
                self.readings += 1
                self.pushed += record.event.source is Source.WS
                self._show(record.account, record.event, always=bool(record.transitions))
            case Miss(reason=reason):
                self.misses += 1
                self.say(f"miss      {record.account}: {reason}")
        codes = {(alert.rule, alert.seq): alert.code for alert in record.alerts}
        for one in record.transitions:
            self._moved(record.account, one, codes.get((one.rule, one.alert_seq), ""))

    def attempted(
        self, channel: str, message: Message, notices: Sequence[Notice], attempted: AttemptResult
    ) -> None:
        del channel, message
        if attempted.outcome is Outcome.DELIVERED:
            self.latencies += [self._latency(notice) for notice in notices]

    def _show(self, account: str, reading: Reading, *, always: bool) -> None:
        now = self.clock.elapsed()
        if always or now - self.shown.get(account, -SHOWN) >= SHOWN:
            self.shown[account] = now
            held = reading.balances
            pairs = (("available_margin", held.available_margin), ("al_freeze", held.al_freeze))
            self.say(
                f"reading   {account}: "
                + ", ".join(
                    f"{name} {format_amount(value)}" for name, value in pairs if value is not None
                )
            )

    def _moved(self, account: str, moved: Transition, code: str) -> None:
        self.fired += moved.to_state is State.FIRING
        self.ended += moved.to_state is State.RESOLVED
        value = "" if moved.value is None else f" at {format_amount(moved.value)}"
        self.say(f"{moved.to_state:<9} {moved.rule} on {account}{value} (alert {code})")

    def _latency(self, notice: Notice) -> Millis:
        """The time since the exchange began to show the value of the notification."""
        ago = self.clock.now() - notice.at
        read_at = self.exchange.elapsed() - ago
        return self.exchange.elapsed() - shown_since(notice.key.account, read_at)

    def sum_up(self) -> None:
        lasted = (self.clock.elapsed() - self.began) / SECOND
        lines = [
            f"the demo lasted {lasted:.0f} s",
            f"readings       {self.readings}, {self.pushed} of them pushed",
            f"misses         {self.misses}",
            f"alerts         {self.fired} fired, {self.ended} ended",
            f"notifications  {len(self.latencies)} delivered",
        ]
        if self.latencies:
            middle, most = statistics.median(self.latencies), max(self.latencies)
            lines.append(
                f"latency        {middle:.0f} ms from a change to its notification (median; at most"
                f" {most} ms)"
            )
        lines.append(
            "next           marginwatch init: it asks a few questions and writes rules.toml"
        )
        self._write("\n" + "\n".join(lines) + "\n")
