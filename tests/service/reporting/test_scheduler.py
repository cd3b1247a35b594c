"""Reports: issued when due, delivered through the outbox, over kills, outages and clocks that are
set.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from daemon.config import Report
from daemon.hidden import Secret
from daemon.messages.report_data import ReportSpan
from daemon.service.reporting.data import ReportReader
from daemon.service.reporting.scheduler import ReportPeriod
from daemon.types import DAY, HOUR, MINUTE, SECOND, Message, Millis
from tests.fakes import NOON, ManualClock, settle
from tests.service.delivery.deliveries import Fate, House, Mood, Plan, begin
from tests.service.lives import rows
from tests.values import answer, rule

DAILY = Report("daily", "0 12 * * *", ("phone",))
"""Manual clocks start at 11:00."""
PLAN = Plan((), ("phone",), ("main",), reports=(DAILY,))
ROWS = "SELECT channel, state, attempts, due_at FROM reports ORDER BY id"
AT_12 = NOON + HOUR


class Bench:
    """One database, and lives after one another."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "m.db"
        self.clock = ManualClock()
        self.fate = Fate(self.clock)
        self.house: House | None = None

    async def live(self, plan: Plan = PLAN) -> House:
        self.house = begin(f"sqlite:///{self.path}", plan, self.fate)
        await self.read()
        return self.house

    async def kill(self) -> None:
        assert self.house is not None
        await self.house.kill()
        self.house = None

    async def read(self) -> None:
        """Let what is being read come to its end, without any time passing."""
        for _ in range(3):
            await settle()
            await asyncio.to_thread(bool)  # the one thread there is has read what it was asked for
        await settle()
        if self.house is not None:
            self.house.check()

    async def advance(self, duration: Millis) -> None:
        await self.clock.advance(duration)
        await self.read()
        await self.clock.advance(SECOND)  # `group_wait`
        await self.read()

    def arrived(self) -> list[Message]:
        return [call.text for call in self.fate.calls if call.arrived]

    def rows(self) -> list[tuple[Any, ...]]:
        return rows(self.path, ROWS)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    made = Bench(tmp_path)
    yield made
    if made.house is not None:
        await made.house.kill()


async def test_a_report_is_sent_when_it_is_due(bench: Bench) -> None:
    """Once to each channel, silently, with severity info; a day later the next one."""
    both = replace(DAILY, channels=("phone", "mail"))
    await bench.live(replace(PLAN, channels=("phone", "mail", "other"), reports=(both,)))
    await bench.advance(HOUR - 2 * SECOND)
    assert bench.arrived() == []
    await bench.advance(2 * SECOND)
    assert [call.message.channel for call in bench.fate.calls] == ["phone", "mail"]
    assert {(each.title, each.severity, each.quiet) for each in bench.arrived()} == {
        ("REPORT daily: 1 account without readings", "info", True)
    }
    assert "daily: Wed 31 Dec 12:00 to Thu 1 Jan 12:00\n" in bench.arrived()[0].body
    assert "late" not in bench.arrived()[0].body
    await bench.advance(DAY)
    assert bench.rows() == [
        (name, "delivered", 1, AT_12 + day) for day in (0, DAY) for name in ("phone", "mail")
    ]


@pytest.mark.parametrize("step", range(9))
async def test_promise_2_a_kill_at_any_step_loses_none_and_repeats_one_at_most(
    bench: Bench, step: int
) -> None:
    """Promise 2: whatever was being committed or called. A repeat says that it may be one."""
    await bench.live()
    bench.fate.doom = step
    await bench.advance(HOUR)
    bench.fate.doom = None
    await bench.kill()
    await bench.live()
    await bench.advance(MINUTE)
    assert [state for _, state, _, _ in bench.rows()] == ["delivered"]
    assert len(bench.arrived()) in (1, 2)
    repeated = [each for each in bench.arrived() if "may be a repeat" in each.body]
    assert len(repeated) >= len(bench.arrived()) - 1


async def test_strict_6_a_report_that_cannot_be_recorded_is_sent_and_says_so(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Strict 6: a rejected report is sent to all all the same, and logged once."""
    await bench.live()
    with sqlite3.connect(bench.path) as connection:
        connection.execute(
            "CREATE TRIGGER no BEFORE INSERT ON reports BEGIN SELECT RAISE(ABORT, 'unfit'); END"
        )
    connection.close()
    await bench.advance(HOUR)
    await bench.advance(10 * MINUTE)
    assert ["not recorded" in each.body for each in bench.arrived()] == [True]
    assert [
        record.levelname
        for record in caplog.records
        if "without being recorded: daily" in record.message
    ] == ["ERROR"]
    assert bench.rows() == []


async def test_what_was_missed_is_sent_once_and_late(bench: Bench) -> None:
    """The newest of several alone, which says why it is late, and how late."""
    house = await bench.live()
    await house.tell({"main": answer()})
    await bench.kill()
    await bench.advance(3 * DAY + 2 * HOUR)
    assert bench.arrived() == []
    await bench.live()
    await bench.advance(0)
    (message,) = bench.arrived()
    assert "daily: Sat 3 Jan 12:00 to Sun 4 Jan 12:00" in message.body
    assert "due Sun 4 Jan 12:00, sent only now: 1 h late" in message.body
    assert "late: marginwatch did not run from 2026-01-01 11:00:00 to 13:00:01" in message.body
    await bench.kill()
    await bench.live()
    await bench.advance(MINUTE)
    assert bench.rows() == [("phone", "delivered", 1, AT_12 + 3 * DAY)]


async def test_a_first_life_has_missed_nothing(bench: Bench) -> None:
    """Nor has a report that is new: what was due before it was asked for is not sent."""
    house = await bench.live(replace(PLAN, reports=()))
    await bench.advance(2 * HOUR)
    await house.tell({"main": answer()})
    await house.stop()
    await bench.live()
    await bench.advance(MINUTE)
    assert bench.arrived() == []


async def test_a_dead_channel_gets_the_newest_when_it_is_back(bench: Bench) -> None:
    """A later report replaces a waiting one, and says why it is late."""
    await bench.live(replace(PLAN, reports=(Report("hourly", "0 * * * *", ("phone",)),)))
    bench.fate.moods["phone"] = [Mood.LATER] * 500
    await bench.advance(HOUR)
    await bench.advance(HOUR)
    assert [state for _, state, _, _ in bench.rows()] == ["superseded", "queued"]
    bench.fate.moods["phone"] = []
    await bench.advance(10 * MINUTE)
    (message,) = bench.arrived()
    assert "hourly: Thu 1 Jan 12:00 to Thu 1 Jan 13:00" in message.body
    assert "late: phone could not be reached since" in message.body
    assert [state for _, state, _, _ in bench.rows()] == ["superseded", "delivered"]


async def test_f1_what_may_have_arrived_says_so_when_it_is_repeated(bench: Bench) -> None:
    """F1: `unknown` is tried again."""
    await bench.live()
    bench.fate.moods["phone"] = [Mood.UNKNOWN]
    await bench.advance(HOUR)
    await bench.advance(MINUTE)
    assert ["may be a repeat" in each.body for each in bench.arrived()] == [False, True]


async def test_alerts_go_first(bench: Bench) -> None:
    """An alert that fires while a report waits leaves first."""
    house = await bench.live(replace(PLAN, rules=(rule("low"),)))
    bench.fate.moods["phone"] = [Mood.LATER] * 3
    await bench.advance(HOUR)
    await house.tell({"main": answer(available_margin="90")})
    await bench.advance(MINUTE)
    assert [each.title.partition(":")[0] for each in bench.arrived()] == [
        "WARNING main",
        "REPORT daily",
    ]


async def test_f3_a_parked_channel_keeps_it_until_it_is_tried_again(bench: Bench) -> None:
    """F3: a report is for its channels alone; a start or reload tries a parked one anew."""
    plan = replace(PLAN, channels=("phone", "mail"))
    await bench.live(plan)
    bench.fate.moods["phone"] = [Mood.REFUSES]
    await bench.advance(HOUR + 20 * MINUTE)
    assert (bench.arrived(), len(bench.fate.calls)) == ([], 1)
    await bench.kill()
    await bench.live(plan)
    await bench.advance(MINUTE)
    assert [each.title.partition(":")[0] for each in bench.arrived()] == ["REPORT daily"]


async def test_what_nobody_asks_for_any_more_is_not_sent(bench: Bench) -> None:
    """A report, or a channel of it, that is gone from the configuration waits for nothing."""
    both = replace(
        PLAN, channels=("phone", "mail"), reports=(replace(DAILY, channels=("phone", "mail")),)
    )
    await bench.live(both)
    bench.fate.moods["phone"] = bench.fate.moods["mail"] = [Mood.LATER] * 50
    await bench.advance(HOUR)
    await bench.kill()
    bench.fate.moods.clear()
    await bench.live(replace(both, reports=(replace(DAILY, channels=("mail",)),)))
    await bench.advance(MINUTE)
    assert [(channel, state) for channel, state, _, _ in bench.rows()] == [
        ("phone", "superseded"),
        ("mail", "delivered"),
    ]


async def test_a_clock_that_is_set_back_repeats_none(bench: Bench) -> None:
    """A report that is due twice by the clock is sent once, also after a restart."""
    await bench.live()
    await bench.advance(HOUR)
    bench.clock.step(-HOUR)
    await bench.advance(2 * HOUR)
    await bench.kill()
    bench.clock.step(-2 * HOUR)
    await bench.live()
    await bench.advance(3 * HOUR)
    assert len(bench.arrived()) == 1


async def test_a_clock_that_was_far_ahead_silences_none(bench: Bench) -> None:
    """After an hour with a clock years ahead, later reports are sent as usual."""
    bench.clock.step(3_000 * DAY)
    await bench.live()
    await bench.advance(2 * HOUR)
    bench.clock.step(-3_000 * DAY)
    await bench.advance(DAY)
    assert [due_at for _, _, _, due_at in bench.rows()][1:] == [AT_12 + DAY]


async def test_what_falls_into_a_leap_of_the_clock_is_sent_late(bench: Bench) -> None:
    """A machine that slept, or whose clock was set forward, over the time at which it was due."""
    await bench.live()
    bench.clock.step(5 * HOUR)
    await bench.advance(MINUTE)
    (message,) = bench.arrived()
    assert "due Thu 1 Jan 12:00, sent only now: 4 h 1 min late" in message.body


def test_a_record_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Silence would say that all is well."""
    archive = ReportReader(
        Secret(f"sqlite:///{tmp_path}/none.db"),
        ManualClock(),
        None,
        ("main",),
        ("phone",),
        lambda _: None,
    )
    cover = ReportPeriod("daily", ReportSpan(NOON, NOON + DAY), NOON + 2 * DAY)
    assert "none.db" in archive.facts(cover).unreadable
