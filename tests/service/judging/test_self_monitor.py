"""The daemon's own alerts (SEMANTICS D7): what a look says, and how it is recorded, told and
remembered.
"""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC
from decimal import Decimal
from pathlib import Path

import pytest

from daemon.alerts.system_rules import system_rule
from daemon.errors import StoreError
from daemon.log import FailureLog
from daemon.service.async_store import ThreadedStore
from daemon.service.clock_monitor import offset
from daemon.service.delivery.backoff import Health
from daemon.service.delivery.queue import NotificationQueue
from daemon.service.judging.account_owner import Progress
from daemon.service.judging.context import JudgingContext
from daemon.service.judging.self_monitor import CALM, EVERY, Probes, SelfMonitor
from daemon.store import Store
from daemon.store.operations import (
    Claim,
    CommitFailed,
    MessageKey,
    NoticeState,
    Operation,
    RecordAttempt,
    Rejected,
    Written,
)
from daemon.types import (
    DAEMON_ACCOUNT,
    HOUR,
    MINUTE,
    SECOND,
    AccountState,
    AttemptResult,
    Kind,
    Limit,
    NoticeKey,
    Outcome,
    Severity,
)
from tests.fakes import ManualClock, RecordingWatcher
from tests.service.lives import RestlessClock, rows

FAILING = system_rule("channel-failing", 10 * MINUTE)
STEPPED = system_rule("clock-stepped", 250)
FULL = system_rule("disk-full", Decimal("0.05"))
NOT_JUDGED = system_rule("account-not-judged", 30 * SECOND)
RULES = (FAILING, STEPPED, FULL)
STUCK, GOING, NEW = Progress(7, behind=True), Progress(8, behind=False), Progress(0, behind=False)


@dataclass
class Bench:
    """A watch on a real database."""

    store: Store
    clock: ManualClock = field(default_factory=ManualClock)
    notifications: NotificationQueue = field(init=False)
    observer: RecordingWatcher = field(default_factory=RecordingWatcher)
    free: Decimal = Decimal("0.5")
    channels: dict[str, Health] = field(default_factory=dict)
    owed: list[str] = field(default_factory=list)
    refused: str | None = None
    progress: dict[str, Progress] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.notifications = NotificationQueue(offset(self.clock))

    def watch(self, *rules: object, async_store: object = None) -> SelfMonitor:
        context = JudgingContext(
            async_store or ThreadedStore(self.store, self.clock),  # type: ignore[arg-type]
            self.notifications,
            self.clock,
            ("email",),
            set(),
            FailureLog(logging.getLogger("selfwatch"), self.clock),
            self.observer,
            offset(self.clock),
        )
        probes = Probes(
            lambda: self.channels,
            lambda: self.free,
            UTC,
            owed=lambda: self.owed,
            database=lambda: self.refused,
            progress=lambda: self.progress,
        )
        return SelfMonitor(context, self.store.load(DAEMON_ACCOUNT), rules or RULES, probes)  # type: ignore[arg-type]

    def moves(self) -> list[tuple[str, str, str]]:
        return [
            (each.rule, each.to_state.value, each.reason)
            for record in self.observer.records
            for each in record.transitions
        ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "m.db"


@pytest.fixture
def bench(path: Path) -> Iterator[Bench]:
    store = Store.open(f"sqlite:///{path}")
    yield Bench(store)
    store.close()


async def test_d7_a_full_disk_fires_is_told_and_ends(bench: Bench, path: Path) -> None:
    """The alert belongs to no account; a look that changes nothing leaves no trace."""
    watch = bench.watch()
    bench.free = Decimal("0.03")
    for _ in range(3):
        await watch.look()
    [waiting] = bench.notifications.waiting("email")
    assert waiting.notice.key == NoticeKey(DAEMON_ACCOUNT, "disk-full", 2, "email", Kind.FIRING, 2)
    assert waiting.notice.facts.detail.startswith("less than 5 %")
    bench.free = Decimal("0.2")
    await watch.look()
    assert bench.moves() == [
        ("disk-full", "firing", "condition"),
        ("disk-full", "resolved", "cleared"),
    ]
    assert rows(path, "SELECT account_id, rule, state FROM alerts") == [
        (None, "disk-full", "resolved")
    ]
    assert rows(path, "SELECT kind FROM notifications ORDER BY id") == [("firing",), ("resolved",)]


async def test_d7_a_channel_that_only_a_report_waits_for_is_in_need(bench: Bench) -> None:
    """Nothing else is to be sent there, and the report fails: others hear of it."""
    watch = bench.watch()
    failing_since = bench.clock.elapsed() - HOUR
    bench.channels = {"email": Health(3, failing_since, answer="no such host")}
    await watch.look()
    assert bench.moves() == []
    bench.owed = ["email"]
    await watch.look()
    assert bench.moves() == [("channel-failing", "firing", "condition")]


async def test_promise_4_a_restart_goes_on_with_the_daemons_own_alerts(
    bench: Bench, path: Path
) -> None:
    """Its alert goes on and is not told again; no counter is used twice."""
    bench.free = Decimal("0.03")
    first = bench.watch()
    await first.look()
    bench.notifications.sending([key := bench.notifications.waiting("email")[0].notice.key])
    bench.notifications.settle([key], Outcome.DELIVERED, bench.clock.elapsed())
    for _ in range(3):
        await bench.clock.advance(4 * HOUR)
        await first.look()
    repeat = bench.notifications.waiting("email")[0].notice.key
    assert repeat.kind is Kind.REPEAT
    state = bench.store.load(DAEMON_ACCOUNT)
    assert (list(state.alerts), state.seq) == (["disk-full"], repeat.seq)
    again = bench.watch()
    await again.look()
    assert bench.moves() == [("disk-full", "firing", "condition")]
    assert len(rows(path, "SELECT id FROM notifications")) == 2


async def test_d5_a_rule_of_the_daemon_that_is_off_retires_its_alert(bench: Bench) -> None:
    """At the next start; to whom it was told, once."""
    bench.free = Decimal("0.03")
    await bench.watch().look()
    await bench.watch(FAILING, STEPPED).look()
    assert bench.moves()[-1] == ("disk-full", "retired", "rule_removed")
    assert [entry.notice.key.kind for entry in bench.notifications.waiting("email")] == [
        Kind.FIRING,
        Kind.RETIRED,
    ]
    assert bench.store.load(DAEMON_ACCOUNT).alerts == {}


async def test_d7_a_step_is_seen_at_once_and_moves_what_is_held(bench: Bench) -> None:
    """A5: durations stay true; between two looks nobody waits for the next."""
    watch = bench.watch()
    bench.free = Decimal("0.03")
    await watch.look()
    began = bench.clock.now()
    bench.clock.step(-HOUR)
    await watch.look()
    alerts = bench.store.load(DAEMON_ACCOUNT).alerts
    assert sorted(alerts) == ["clock-stepped", "disk-full"]
    assert alerts["disk-full"].fired_at == began - HOUR
    assert alerts["clock-stepped"].detail == "the clock of this machine was set by -1 h"
    await bench.clock.advance(CALM)
    await watch.look()
    assert bench.moves()[-1] == ("clock-stepped", "resolved", "cleared")


async def test_a5_what_was_told_of_its_own_alerts_moves_with_the_clock_on_record_too(
    bench: Bench, path: Path
) -> None:
    """A5, E3, promise 4: reminders keep their distance over a restart; a step moves once."""
    bench.clock, bench.free = RestlessClock(), Decimal("0.03")
    watch = bench.watch()
    await watch.look()
    key = bench.notifications.waiting("email")[0].notice.key
    claim = Claim(MessageKey("email", bench.clock.now()), (key,))
    delivered = RecordAttempt(
        claim.message,
        bench.clock.now(),
        AttemptResult(Outcome.DELIVERED),
        {key: NoticeState.DELIVERED},
    )
    for operation in (claim, delivered):
        bench.store.submit(operation).result()
    told_at = bench.clock.now()
    bench.clock.step(HOUR)
    async_store = Unsure(bench.store, bench.clock)
    async_store.answers = [CommitFailed("unknown")]
    watch._context = replace(watch._context, async_store=async_store)
    await watch.look()
    assert rows(path, "SELECT told_at FROM notifications WHERE told_at IS NOT NULL") == [
        (told_at + HOUR,)
    ]


async def test_a5_a_record_that_ends_in_the_future_is_a_step_for_its_own_alerts_too(
    bench: Bench,
) -> None:
    """A5: the clock was set back while the daemon was down."""
    bench.free = Decimal("0.03")
    await bench.watch().look()
    began = bench.clock.now()
    bench.clock.step(-HOUR)
    bench.notifications = NotificationQueue(offset(bench.clock))
    await bench.watch().look()
    assert bench.store.load(DAEMON_ACCOUNT).alerts["disk-full"].fired_at == began - HOUR


async def test_promise_4_flapping_of_its_own_goes_on_after_a_restart(bench: Bench) -> None:
    """E4: its episodes are remembered by the record."""
    often = replace(FULL, flapping=Limit(2, HOUR))
    watch = bench.watch(often)
    for free in ("0.03", "0.5") * 3:
        bench.free = Decimal(free)
        await watch.look()
    assert bench.moves()[-2:] == [
        ("disk-full:flapping", "firing", "flapping"),
        ("disk-full", "resolved", "cleared"),
    ]
    await bench.watch(often).look()
    assert list(bench.store.load(DAEMON_ACCOUNT).alerts) == ["disk-full:flapping"]


class Unsure(ThreadedStore):
    """Commits, and fails to say so, or rejects, as told."""

    answers: list[Exception]

    async def write(self, operation: Operation) -> Written:
        error = self.answers.pop(0) if self.answers else None
        if isinstance(error, Rejected):
            raise error
        written = await super().write(operation)
        if error is not None:
            raise error
        return written


@pytest.mark.parametrize("error", [CommitFailed("unknown"), Rejected("unfit")])
async def test_promise_1_a_commit_that_fails_is_told_once(
    bench: Bench, path: Path, error: Exception
) -> None:
    """An unknown outcome is written again, a rejected one decided again: one notification."""
    async_store = Unsure(bench.store, RestlessClock())
    async_store.answers = [error]
    bench.clock = RestlessClock()
    watch = bench.watch(async_store=async_store)
    bench.free = Decimal("0.03")
    for _ in range(2):
        await watch.look()
    assert len(bench.notifications.waiting("email")) == 1
    assert rows(path, "SELECT count(*) FROM notifications") == [(1,)]


async def test_strict_6_what_the_database_rejects_is_logged_once_with_its_end(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Strict 6: a rejected alert of the daemon itself is tried at every look, and logged."""
    caplog.set_level(logging.INFO)
    async_store = Unsure(bench.store, RestlessClock())
    async_store.answers = [Rejected("unfit"), Rejected("unfit")]
    bench.clock = RestlessClock()
    watch = bench.watch(async_store=async_store)
    bench.free = Decimal("0.03")
    for _ in range(3):
        await watch.look()
    said = [record.getMessage() for record in caplog.records if "own alerts" in record.getMessage()]
    assert said == [
        "the database does not take the daemon's own alerts, which are judged anew: unfit",
        "the daemon's own alerts are stored again",
    ]


async def test_it_looks_every_ten_seconds_and_when_woken(bench: Bench) -> None:
    """Until it is cancelled."""
    looks: asyncio.Queue[None] = asyncio.Queue()

    def look() -> Decimal:
        loop.call_soon_threadsafe(looks.put_nowait, None)
        return Decimal(1)

    loop = asyncio.get_running_loop()
    watch = bench.watch()
    watch._probes = replace(watch._probes, disk=look)
    task = asyncio.create_task(watch.run())
    async with asyncio.timeout(10):
        await looks.get()
        while looks.empty():
            await bench.clock.advance(EVERY)
        await looks.get()
        watch.wake()
        await looks.get()
    task.cancel()


async def test_a2_a_database_that_refuses_is_told_with_its_reason(bench: Bench) -> None:
    """A2: after its limit, with start and reason; it ends when the database writes again."""
    watch = bench.watch(system_rule("database-failing", 30 * SECOND))
    await watch.look()
    bench.refused = "the disk is full"
    for _ in range(3):
        await watch.look()
        await bench.clock.advance(10 * SECOND)
    assert bench.moves() == []
    await watch.look()
    [waiting] = bench.notifications.waiting("email")
    assert waiting.notice.facts.detail.startswith("nothing has been recorded since ")
    assert waiting.notice.facts.detail.endswith(": the disk is full")
    bench.refused = None
    await watch.look()
    assert bench.moves() == [
        ("database-failing", "firing", "condition"),
        ("database-failing", "resolved", "cleared"),
    ]


class Unreadable(Unsure):
    """Rejects as told, and cannot be read."""

    async def load(self, account: str) -> AccountState:
        raise StoreError("there is no database")


async def test_a2_a_database_that_is_gone_before_the_first_look_is_told(
    bench: Bench, path: Path
) -> None:
    """A2: moved away right after the start; firing alerts of an earlier instance go on."""
    bench.free = Decimal("0.03")
    await bench.watch().look()
    async_store = Unreadable(bench.store, bench.clock)
    async_store.answers = []
    bench.refused = "its file was moved"
    watch = bench.watch(FULL, system_rule("database-failing", SECOND), async_store=async_store)
    for _ in range(2):
        await watch.look()
        await bench.clock.advance(SECOND)
    firing = [("disk-full", "firing", "condition"), ("database-failing", "firing", "condition")]
    assert bench.moves() == firing


async def test_a2_what_is_rejected_and_cannot_be_read_is_looked_at_again(bench: Bench) -> None:
    """A2: the watch does not break: it goes on with what it holds, and tells each alert once."""
    async_store = Unreadable(bench.store, bench.clock)
    async_store.answers = [Rejected("unfit")]
    bench.free = Decimal("0.03")
    watch = bench.watch(async_store=async_store)
    for _ in range(2):
        await watch.look()
    assert bench.moves() == [("disk-full", "firing", "condition")]
    assert len(bench.notifications.waiting("email")) == 1


async def test_d7_an_account_that_is_not_judged_is_told_once_until_it_is(bench: Bench) -> None:
    """D7: in one alert of the daemon's, which is critical; one reading that is judged ends it."""
    watch = bench.watch(NOT_JUDGED)
    bench.progress = {"main": STUCK, "other": GOING}
    for _ in range(6):
        await watch.look()
        await bench.clock.advance(EVERY)
    assert bench.moves() == [("account-not-judged", "firing", "condition")]
    [waiting] = bench.notifications.waiting("email")
    assert waiting.notice.facts.severity is Severity.CRITICAL
    bench.progress["main"] = Progress(8, behind=True)
    await watch.look()
    assert bench.moves()[1:] == [("account-not-judged", "resolved", "cleared")]


async def test_d7_an_account_that_goes_on_slowly_is_judged(bench: Bench) -> None:
    """D7: something is in hand at each look, and never the same."""
    watch = bench.watch(NOT_JUDGED)
    for judged in range(20):
        bench.progress = {"main": Progress(judged, behind=True)}
        await watch.look()
        await bench.clock.advance(20 * SECOND)
    assert bench.moves() == []


async def test_d7_an_outage_of_the_database_is_no_stall(bench: Bench) -> None:
    """D7: `database-failing` reports it; afterwards an earlier stall goes on."""
    watch = bench.watch(NOT_JUDGED)
    bench.progress = {"main": STUCK}
    for refused in (None, *["the disk is full"] * 100, None, None):
        bench.refused = refused
        await watch.look()
        await bench.clock.advance(EVERY)
    assert bench.moves() == []
    for refused in (None, *["the disk is full"] * 10):
        bench.refused = refused
        await watch.look()
        await bench.clock.advance(EVERY)
    assert bench.moves() == [("account-not-judged", "firing", "condition")]


async def test_d7_a_suspend_is_no_stall(bench: Bench) -> None:
    """D7: nor is an event loop that stood still; owners get as much time as a look takes."""
    watch = bench.watch(NOT_JUDGED)
    bench.progress = {"main": STUCK}
    for _ in range(2):
        await watch.look()
        await bench.clock.suspend(8 * HOUR)
    await watch.look()
    assert bench.moves() == []


async def test_d7_a_restart_ends_no_alert_before_the_account_is_judged(bench: Bench) -> None:
    """D7, promise 4: a reload is no remedy by itself, and says nothing before it is known."""
    watch = bench.watch(NOT_JUDGED)
    bench.progress = {"main": STUCK}
    for _ in range(4):
        await watch.look()
        await bench.clock.advance(EVERY)
    again = bench.watch(NOT_JUDGED)
    for progress in (NEW, Progress(0, behind=True), Progress(0, behind=True)):
        bench.progress = {"main": progress}
        await again.look()
        await bench.clock.advance(EVERY)
    assert bench.moves() == [("account-not-judged", "firing", "condition")]
    bench.progress = {"main": GOING}
    await again.look()
    assert bench.moves()[1:] == [("account-not-judged", "resolved", "cleared")]
