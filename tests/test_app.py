"""The whole daemon in one process: real HTTP, a real database, a recording notifier."""

import asyncio
import json
import re
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, time
from decimal import Decimal
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection

from daemon.alerts import system_rules as system
from daemon.alerts.mutes import DAYS, Mutes, MuteWindow
from daemon.app import App
from daemon.charts.chart import Chart
from daemon.charts.renderer import NotDrawn
from daemon.clock import SystemClock
from daemon.config import Account, Channel, Config, Daemon, Report, Secret, System, system_rules
from daemon.dependencies import Dependencies
from daemon.errors import StoreError
from daemon.notifiers import Pictures, Traits
from daemon.service.heartbeat import Cause, HeartbeatReceiver, Withheld, withheld
from daemon.service.supervisor import RELOAD
from daemon.simulator import Simulator
from daemon.store import FaultInjection, Store
from daemon.types import (
    MINUTE,
    SECOND,
    AttemptResult,
    Millis,
    Miss,
    MissReason,
    Outcome,
    Reading,
    Severity,
    Source,
)
from tests.fakes import RecordingWatcher, ScriptedNotifier
from tests.service.lives import rows
from tests.values import rule

PATIENCE = 15
"""Seconds after which something that should have happened is taken for never."""


class Bell(RecordingWatcher):
    """A watcher that wakes whoever waits for something to have happened."""

    def __init__(self) -> None:
        super().__init__()
        self._rung = asyncio.Event()

    def judged(self, record: object) -> None:
        super().judged(record)  # type: ignore[arg-type]
        self._rung.set()

    def attempted(self, *told: object) -> None:
        super().attempted(*told)  # type: ignore[arg-type]
        self._rung.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._rung.clear()
                await self._rung.wait()


class Rig:
    """An exchange with one account, `main`, and what is needed to run the daemon on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.exchange = Simulator(SystemClock())
        self.main = self.exchange.account("main")
        self.bell = Bell()
        self.way = ScriptedNotifier()

    def config(self) -> Config:
        keys = Secret("main-key"), Secret("main-secret")
        return Config(
            path=self.folder / "rules.toml",
            daemon=Daemon(Secret(f"sqlite:///{self.folder}/m.db"), every=400, web=None),
            accounts=(
                Account("main", *keys, every=400, rest_url=self.exchange.rest_url, ws_url=""),
            ),
            channels=(Channel("telegram", Secret("recorded"), group_wait=0),),
            rules=(rule("low", severity=Severity.CRITICAL), rule("stale", "age > 1s")),
        )

    def dependencies(self) -> Dependencies:
        return Dependencies(notifier=lambda _channel, _clock: self.way, observers=[self.bell])

    def app(self, former: App | None = None) -> App:
        return App(self.config(), self.dependencies(), former)

    def app_with(self, commit: Callable[[Connection], None]) -> App:
        """The daemon on a database that commits in this way."""
        faulty = partial(Store.open, fault_injection=FaultInjection(commit))
        return App(self.config(), replace(self.dependencies(), open_store=faulty))

    def misses(self) -> list[Miss]:
        return [record.event for record in self.bell.records if isinstance(record.event, Miss)]

    def readings(self) -> list[Reading]:
        return [record.event for record in self.bell.records if isinstance(record.event, Reading)]


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(tmp_path)
    made.main.set(available_margin="500")
    await made.exchange.start()
    yield made
    await made.exchange.stop()


async def test_the_zone_of_the_system_is_recorded_where_none_is_configured(rig: Rig) -> None:
    """Promise 6: a replay on another machine then takes the same days."""
    kolkata = replace(rig.dependencies(), system_zone=lambda: "Asia/Kolkata")
    app = App(rig.config(), kolkata)
    await app.start()
    assert await app.stop() == 0
    [(recorded,)] = rows(rig.folder / "m.db", "SELECT rules FROM epochs")
    assert json.loads(str(recorded))["mutes"]["timezone"] == "Asia/Kolkata"


async def test_it_polls_stores_judges_and_tells(rig: Rig) -> None:
    """One alert from the exchange to the phone, and its end; all is recorded after a stop."""
    app = rig.app()
    await app.start()
    await rig.bell.until(lambda: len(rig.readings()) >= 1)
    rig.main.set(available_margin="90")
    await rig.bell.until(lambda: len(rig.way.sent) >= 1)
    rig.main.set(available_margin="300")
    await rig.bell.until(lambda: len(rig.bell.attempts) >= 2)
    assert await app.stop() == 0
    fired, ended = (message.title for message in rig.way.sent)
    assert fired == "CRITICAL main: available_margin 90 (below 100)"
    assert ended.startswith("OVER main: available_margin 300 (low, ")
    path = rig.folder / "m.db"
    assert rows(path, "SELECT kind, state, attempts FROM notifications ORDER BY id") == [
        ("firing", "delivered", 1),
        ("resolved", "delivered", 1),
    ]
    assert rows(path, "SELECT outcome FROM attempts") == [("delivered",), ("delivered",)]
    assert rows(path, "SELECT user_id FROM accounts") == [(rig.main.keys.user_id,)]
    assert rows(path, "SELECT reason, end_reason FROM epochs") == [("start", "stop")]
    assert rows(path, "SELECT account FROM balances LIMIT 1") == [("main",)]


class Late(SystemClock):
    """The machine's clock, moved back so that the next full minute is just as far away."""

    def __init__(self, before: Millis) -> None:
        self._slow = (super().now() + before) % MINUTE

    def now(self) -> Millis:
        return super().now() - self._slow


class Easel:
    """Draws anything."""

    def __init__(self) -> None:
        self.charts: list[Chart] = []

    async def draw(self, chart: Chart) -> bytes | NotDrawn:
        self.charts.append(chart)
        return b"PNG"


async def test_a_report_is_sent_with_what_was_recorded(rig: Rig) -> None:
    """From the exchange's numbers to the person's phone, with a chart."""
    easel, clock = Easel(), Late(before=4_000)
    rig.way.traits = Traits(pictures=Pictures.WITH)
    due = datetime.fromtimestamp((clock.now() + 4_000) / 1_000, UTC)
    reports = (Report("daily", f"{due.minute} {due.hour} * * *"),)
    config = replace(
        rig.config(), reports=reports, daemon=replace(rig.config().daemon, timezone=ZoneInfo("UTC"))
    )
    app = App(config, replace(rig.dependencies(), clock=clock, drawer=lambda _: easel))
    await app.start()
    await rig.bell.until(lambda: len(rig.readings()) >= 1)
    rig.main.set(available_margin="480.12")
    await rig.bell.until(lambda: len(rig.way.sent) >= 1)
    assert await app.stop() == 0
    (message,) = rig.way.sent
    assert message.title == "REPORT daily: all quiet"
    assert re.search(
        r"available_margin 480.12 \(low 480.12 at \d\d:\d\d, high 500 at \d\d:\d\d\)", message.body
    )
    assert f"to {due:%a} {due.day} {due:%b %H:%M}\nall quiet" in message.body
    assert message.picture == b"PNG"
    (chart,) = easel.charts
    assert (chart.account, chart.field, [level.value for level in chart.levels]) == (
        "main",
        "available_margin",
        [Decimal(100)],
    )
    assert rows(rig.folder / "m.db", "SELECT name, channel, state, attempts FROM reports") == [
        ("daily", "telegram", "delivered", 1)
    ]


async def test_a_miss_is_recorded_and_staleness_is_told(rig: Rig) -> None:
    """Promise 5, A4: misses fire only the rule that asks for `age`; readings end it."""
    app = rig.app()
    await app.start()
    await rig.bell.until(lambda: len(rig.readings()) >= 1)
    rig.main.fault("http_500")
    await rig.bell.until(lambda: len(rig.way.sent) >= 1)
    rig.main.heal()
    await rig.bell.until(lambda: len(rig.bell.attempts) >= 2)
    await app.stop()
    fired, ended = rig.way.sent
    assert fired.title.startswith("BLIND main: no readings for ")
    assert "\nstale · alert" in fired.body
    assert ended.title.startswith("OVER main: stale (over after ")
    assert {miss.reason for miss in rig.misses()} == {"http_5xx"}


QUALITIES = (
    "SELECT source, quality, available_margin FROM snapshots WHERE quality <> 'ok' OR source <>"
    " 'rest'"
)


async def test_b5_zeros_that_a_confirming_read_contradicts_wake_nobody(rig: Rig) -> None:
    """B5: one wrong answer of the exchange; it is asked again at once, not at the next slot."""
    app = App(
        replace(rig.config(), accounts=(replace(rig.config().accounts[0], every=10_000),)),
        rig.dependencies(),
    )
    await app.start()
    await rig.bell.until(lambda: len(rig.readings()) >= 1)
    rig.main.fault("zeros", 1)
    await app._accounts._pollers["main"].tick()
    await rig.bell.until(lambda: any(each.source is Source.CONFIRM for each in rig.readings()))
    await app.stop()
    assert rig.way.sent == []
    assert rows(rig.folder / "m.db", QUALITIES) == [
        ("rest", "contradicted", 0.0),
        ("confirm", "ok", 500.0),
    ]
    assert len(rig.exchange.log) == 3


async def test_b5_zeros_that_nothing_confirms_are_told_as_unconfirmed(rig: Rig) -> None:
    """B5: if the confirming read fails, a person is told at once, marked as unconfirmed."""
    app = rig.app()
    await app.start()
    await rig.bell.until(lambda: len(rig.readings()) >= 1)
    rig.main.fault("zeros", 1)
    rig.main.fault("http_500", 1)
    await rig.bell.until(lambda: len(rig.bell.attempts) >= 2)
    await app.stop()
    fired, ended = (message.title for message in rig.way.sent)
    assert fired == "CRITICAL main: available_margin 0 (below 100, unconfirmed)"
    assert ended.startswith("OVER main: available_margin 500 (low, ")
    assert rows(rig.folder / "m.db", QUALITIES) == [
        ("rest", "suspect", 0.0),
        ("rest", "unconfirmed", 0.0),
    ]


async def test_b5_zeros_that_are_true_are_told_at_once(rig: Rig) -> None:
    """B5: a second answer says the same; nobody waits for a slot, or for patience to end."""
    app = rig.app()
    await app.start()
    await rig.bell.until(lambda: len(rig.readings()) >= 1)
    rig.main.fault("zeros")
    await rig.bell.until(lambda: len(rig.bell.attempts) >= 1)
    await app.stop()
    assert [message.title for message in rig.way.sent] == [
        "CRITICAL main: available_margin 0 (below 100)"
    ]
    assert rows(rig.folder / "m.db", QUALITIES) == [
        ("rest", "suspect", 0.0),
        ("confirm", "confirmed", 0.0),
    ]


async def test_d7_a_refused_key_is_told_without_a_rule_for_it(rig: Rig) -> None:
    """D7: system rules are judged and told like written ones."""
    rig.main.fault("code_6000", 1)
    app = App(
        replace(rig.config(), system_rules=system_rules(System(), ["key-refused"])),
        rig.dependencies(),
    )
    await app.start()
    await rig.bell.until(lambda: len(rig.way.sent) >= 1)
    await app.stop()
    (refused,) = rig.way.sent
    assert refused.title == "CRITICAL main: the exchange refuses the key"
    assert refused.body.startswith("CoinW refused the key")


async def test_e2_a_rule_in_its_mute_window_is_judged_but_not_told(rig: Rig) -> None:
    """E2: of two rules that fire together, only the one without a mute window is sent."""
    every_day = frozenset(DAYS)
    windows = (
        MuteWindow("day", every_day, time(0), time(12)),
        MuteWindow("night", every_day, time(12), time(0)),
    )
    rules = rule("muted", mute=("day", "night")), rule("loud")
    mutes = Mutes({window.name: window for window in windows})
    rig.main.set(available_margin="90")
    app = App(replace(rig.config(), rules=rules, mutes=mutes), rig.dependencies())
    await app.start()
    await rig.bell.until(lambda: len(rig.way.sent) >= 1)
    await app.stop()
    assert [message.title.split(":")[0] for message in rig.way.sent] == ["WARNING main"]
    assert "\nloud · alert" in rig.way.sent[0].body
    assert rows(rig.folder / "m.db", "SELECT DISTINCT rule FROM alerts ORDER BY rule") == [
        ("loud",),
        ("muted",),
    ]


async def test_a4_a_start_after_a_stop_judges_nothing_before_its_first_attempt(rig: Rig) -> None:
    """A4: downtime counts into `age`, but a successful first attempt raises no alert."""
    app = rig.app()
    await app.start()
    await rig.bell.until(lambda: len(rig.readings()) >= 1)
    await app.stop()
    await asyncio.to_thread(_older_by, rig.folder / "m.db", 60_000)
    again = rig.app()
    await again.start()
    await rig.bell.until(lambda: len(rig.readings()) >= 4)
    await again.stop()
    assert rig.way.sent == []


def _older_by(path: Path, by: Millis) -> None:
    """Make what is recorded older, as if the daemon had been down for that long."""
    with sqlite3.connect(path) as connection:
        for table in ("snapshots", "misses"):
            connection.execute(f"UPDATE {table} SET at = at - ?", (by,))
    connection.close()


async def test_a_stop_does_not_wait_for_a_receiver_that_hangs(rig: Rig) -> None:
    """The notification stays open, and the next instance says that it may be a repeat."""
    rig.way.gate = asyncio.Event()
    rig.main.set(available_margin="90")
    app = rig.app()
    await app.start()
    await rig.bell.until(lambda: len(rig.bell.records) >= 2)
    async with asyncio.timeout(5):
        await app.stop()
    assert rows(rig.folder / "m.db", "SELECT state FROM notifications") == [("sending",)]
    rig.way.gate = None
    again = rig.app()
    await again.start()
    await rig.bell.until(lambda: len(rig.bell.attempts) >= 1)
    await again.stop()
    assert "may be a repeat" in rig.way.sent[-1].body


async def test_a_second_daemon_is_refused(rig: Rig) -> None:
    """Only one collects into a database; the first goes on."""
    app = rig.app()
    await app.start()
    with pytest.raises(StoreError, match="pid"):
        await rig.app().start()
    await rig.bell.until(lambda: len(rig.readings()) >= 1)
    await app.stop()


async def test_a_start_that_fails_lets_the_database_go(rig: Rig) -> None:
    """After a start that broke halfway the next one finds the database free."""

    def broken(*_: object) -> ScriptedNotifier:
        raise ZeroDivisionError

    app = App(rig.config(), replace(Dependencies(observers=[rig.bell]), notifier=broken))
    with pytest.raises(ZeroDivisionError):
        await app.start()
    again = rig.app()
    await again.start()
    await again.stop()


async def test_b2_a_reload_ends_no_pause_of_a_busy_exchange(rig: Rig) -> None:
    """B2: after 29001 the pause and the halved budget stay; a refused key is tried at once."""
    rig.main.fault("code_29001", 1)
    app = rig.app()
    await app.start()
    await rig.bell.until(lambda: len(rig.misses()) >= 1)
    await app.stop(RELOAD)
    again = rig.app(app)
    await again.start()
    left = again.carry_over()
    await again.stop()
    assert left.pauses["main"] == app.carry_over().pauses["main"]
    assert left.pauses["main"].reason is MissReason.RATE_LIMITED
    assert [0 < halved <= 5 * MINUTE for halved in left.halved_for.values()] == [True]
    assert rig.readings() == []
    assert rows(rig.folder / "m.db", "SELECT reason, end_reason FROM epochs") == [
        ("start", RELOAD),
        (RELOAD, "stop"),
    ]


async def test_a_reload_looks_like_no_stop_in_the_log(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """It is one line; a start after a gap says what it missed, a reload does not."""
    caplog.set_level("INFO")
    app = rig.app()
    await app.start()
    await rig.bell.until(lambda: len(rig.readings()) >= 1)
    await app.stop(RELOAD)
    again = rig.app(app)
    await again.start()
    await again.stop()
    await asyncio.to_thread(_gone_for, rig.folder / "m.db", 60_000)
    third = rig.app()
    await third.start()
    await third.stop()
    said = [each.getMessage() for each in caplog.records]
    words = ("started", "reloaded", "stopped", "did not run")
    assert [word for each in said for word in words if each.startswith(word)] == [
        *("started", "reloaded", "stopped", "started", "did not run", "stopped")
    ]


def _gone_for(path: Path, by: Millis) -> None:
    """Make all that is recorded older, the ends of instances too."""
    _older_by(path, by)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE epochs SET ended_at = ended_at - ?", (by,))
        at = "json_set(state, '$.main.at', json_extract(state, '$.main.at') - ?)"
        connection.execute(f"UPDATE epochs SET state = {at}", (by,))
    connection.close()


def _beating(rig: Rig, monitor: HeartbeatReceiver | None = None) -> App:
    config, dependencies = rig.config(), rig.dependencies()
    if monitor is not None:
        dependencies = replace(dependencies, monitor=lambda _url, _clock: monitor)
    return App(
        replace(config, daemon=replace(config.daemon, heartbeat=Secret("https://planted"))),
        dependencies,
    )


async def test_f9_all_that_runs_is_what_the_heartbeat_looks_at(rig: Rig) -> None:
    """F9: a running instance is well; an unread account or a dead database is not."""
    app = _beating(rig)
    await app.start()
    assert app._heartbeat is not None
    await rig.bell.until(lambda: len(rig.readings()) >= 1)
    vitals, now = app._vitals(), SystemClock().elapsed()
    assert withheld(vitals, now) is None
    stuck, mute = withheld(vitals, now + MINUTE), withheld(replace(vitals, down="disk full"), now)
    await app.stop()
    assert stuck is not None
    assert stuck.sentence.startswith("no attempt to read main has been recorded for 1 min")
    assert mute == Withheld(Cause.STORE, "the database refuses to write (disk full)")


class Monitor:
    """Counts heartbeats."""

    def __init__(self) -> None:
        self.beats = 0

    async def beat(self) -> str | None:
        self.beats += 1
        return None


async def test_f9_a_database_that_was_moved_away_withholds_the_heartbeat(rig: Rig) -> None:
    """F9, A2: nothing is recorded meanwhile, so nobody may believe that all is well."""
    monitor, database = Monitor(), rig.folder / "m.db"
    app = _beating(rig, monitor)
    await app.start()
    assert app._heartbeat is not None
    await rig.bell.until(lambda: len(rig.readings()) >= 1)
    away = database.rename(rig.folder / "away.db")
    await rig.bell.until(lambda: app.down is not None)
    await app._heartbeat.look()
    withheld_meanwhile = monitor.beats == 0
    away.rename(database)
    await rig.bell.until(lambda: app.down is None)
    await app._heartbeat.look()
    await app.stop()
    assert (withheld_meanwhile, monitor.beats) == (True, 1)


async def test_f9_a_reload_neither_hastens_nor_delays_the_heartbeat(rig: Rig) -> None:
    """F9: at most once a minute, whatever is reloaded; attempts of the life before still count."""
    app = _beating(rig)
    await app.start()
    await rig.bell.until(lambda: len(rig.readings()) >= 1)
    await app.stop(RELOAD)
    rig.main.fault("hang")
    again = App(app._config, rig.dependencies(), app)
    await again.start()
    left, known = again.carry_over(), again._vitals().pulses["main"].attempted_at
    await again.stop()
    assert left.beat_at == app.carry_over().beat_at
    assert known is not None


async def test_b2_a_restart_forgets_no_pause(rig: Rig) -> None:
    """B2, B3: a start finds the pause and the halved budget in the record."""
    rig.main.fault("code_29001", 1)
    app = rig.app()
    await app.start()
    await rig.bell.until(lambda: len(rig.misses()) >= 1)
    await app.stop()
    again = rig.app()
    await again.start()
    before, now = app.carry_over().pauses["main"], again.carry_over().pauses["main"]
    assert (now.reason, now.streak, now.length) == (before.reason, before.streak, before.length)
    assert abs(now.not_before - before.not_before) <= SECOND
    assert [0 < halved <= 5 * MINUTE for halved in again.carry_over().halved_for.values()] == [True]
    await again.stop()
    assert rig.readings() == []


async def test_b2_a_reload_tries_a_refused_key_at_once(rig: Rig) -> None:
    """B2: the key may have changed."""
    rig.main.fault("code_6000", 1)
    app = rig.app()
    await app.start()
    await rig.bell.until(lambda: len(rig.misses()) >= 1)
    assert app.down is None
    await app.stop(RELOAD)
    again = rig.app(app)
    await again.start()
    await rig.bell.until(lambda: len(rig.readings()) >= 1)
    await again.stop()


async def test_f3_a_reload_tries_a_parked_channel_again(rig: Rig) -> None:
    """F3: a parked channel is left alone while others work, and tried after a reload."""
    ways = {
        "telegram": ScriptedNotifier(AttemptResult(Outcome.REFUSED, "the token is revoked")),
        "email": ScriptedNotifier(),
    }
    channels = tuple(Channel(name, Secret("recorded"), group_wait=0) for name in ways)
    dependencies = Dependencies(
        notifier=lambda channel, _clock: ways[channel.name], observers=[rig.bell]
    )
    rig.main.set(available_margin="90")
    app = App(replace(rig.config(), channels=channels), dependencies)
    await app.start()
    await rig.bell.until(lambda: {name for name, _ in rig.bell.attempts} == set(ways))
    rig.main.set(available_margin="300")
    await rig.bell.until(lambda: "OVER" in ways["email"].sent[-1].title)
    assert len(ways["telegram"].sent) == 1
    await app.stop(RELOAD)
    again = App(replace(rig.config(), channels=channels), dependencies, app)
    await again.start()
    rig.main.set(available_margin="90")
    await rig.bell.until(lambda: len(ways["telegram"].sent) >= 2)
    await again.stop()


async def test_d7_the_daemon_tells_of_itself(rig: Rig) -> None:
    """D7: a `disk-full` alert at a limit of 100 %; it is recorded without an account."""
    config = replace(rig.config(), daemon_rules=(system.system_rule("disk-full", Decimal(1)),))
    app = App(config, rig.dependencies())
    await app.start()
    await rig.bell.until(lambda: len(rig.way.sent) >= 1)
    assert await app.stop() == 0
    assert (
        "less than 100 % of the disk that holds the database is free"
        in rig.way.sent[0].title + rig.way.sent[0].body
    )
    path = rig.folder / "m.db"
    assert rows(path, "SELECT account_id, rule, state FROM alerts") == [
        (None, "disk-full", "firing")
    ]


async def test_strict_2_a_commit_that_hangs_holds_up_no_stop(rig: Rig) -> None:
    """Strict 2: the stop counts it as unknown; no other daemon starts until it has ended."""
    hangs, commits, goes_on = threading.Event(), threading.Event(), threading.Event()
    commits.set()

    def commit(connection: Connection) -> None:
        if not commits.is_set():
            hangs.set()
            assert goes_on.wait(60)
        connection.commit()

    app = rig.app_with(commit)
    await app.start()
    await rig.bell.until(lambda: len(rig.readings()) >= 1)
    commits.clear()
    assert await asyncio.to_thread(hangs.wait, 60)
    assert await app.refusal() == "it does not answer"
    try:
        assert await app.stop() >= 1
        with pytest.raises(StoreError, match="another marginwatch"):
            await asyncio.to_thread(Store.open, f"sqlite:///{rig.folder}/m.db")
    finally:
        goes_on.set()
    assert await asyncio.to_thread(app._store.ended, 60)


async def test_a_stop_judges_what_was_read_although_commits_are_slow(rig: Rig) -> None:
    """Promise 8: on a busy disk, each of three commits takes 0.9 s; no reading is lost."""
    slow, committing, never = threading.Event(), threading.Event(), threading.Event()

    def commit(connection: Connection) -> None:
        if slow.is_set():
            committing.set()
            never.wait(0.9)
        connection.commit()

    app = rig.app_with(commit)
    await app.start()
    await rig.bell.until(lambda: len(rig.readings()) >= 1)
    slow.set()
    assert await asyncio.to_thread(committing.wait, 60)
    for _ in range(2):
        await app._accounts._pollers["main"].tick()
    assert await app.stop() == 0
    assert rows(rig.folder / "m.db", "SELECT count(*) FROM snapshots") == [(len(rig.exchange.log),)]
