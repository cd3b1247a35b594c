"""A provider is down for two hours, forty alerts come and go, the daemon dies twice: what a person reads then (F6).

Every number, time and name of the messages is held against the record: the transitions, and the readings in between.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from daemon.alerts.numbers import lasting
from daemon.types import MINUTE, SECOND, Message, Millis, Severity
from tests.fakes import NOON, ManualClock
from tests.service.deliveries import Fate, House, Mood, Plan, begin
from tests.service.lives import rows
from tests.values import answer, rule

LOW = rule("low", "available_margin < 100", clear_when="available_margin > 120", flapping=None)
CRITICAL = rule("critical", "available_margin < 50", flapping=None, severity=Severity.CRITICAL)
ACCOUNTS = ("one", "two", "three", "four")
PLAN = Plan((LOW, CRITICAL), ("phone",), ACCOUNTS)
EPISODES = {"low": (8, 6, 4, 3), "critical": (7, 6, 4, 2)}
"""How often each rule fires on each account while nobody can be told: forty times."""

DOWN = 120
"""Minutes of the outage."""
KILLS = {40: 3, 77: 2}
"""At these minutes the daemon dies, and so many pass before the next life."""


def margin(account: int, minute: int) -> str:
    """Every five minutes or so an episode of the one rule or the other, each with values of its own."""
    number, phase = divmod(minute, 6)
    low, critical = EPISODES["low"][account], EPISODES["critical"][account]
    falls, sinks = number < low, number < critical
    level = {1: 90, 2: 45 if sinks else 88, 3: 40 if sinks else 70, 4: 75}.get(phase, 500) if falls or sinks else 500
    return f"{level}.{account}{number:02}{phase}"


class Story:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "m.db"
        self.fate = Fate(ManualClock(), moods={"phone": [Mood.LATER] * 999})
        self.house = self.begin()

    def begin(self) -> House:
        return begin(f"sqlite:///{self.path}", PLAN, self.fate)

    async def minute(self, number: int) -> None:
        """All accounts are read, a few seconds after each other."""
        for account, name in enumerate(ACCOUNTS):
            await self.house.tell({name: answer(available_margin=margin(account, number))})
            await self.fate.clock.advance((3 + account) * SECOND)
        await self.fate.clock.advance(MINUTE - 18 * SECOND)
        self.house.check()

    async def play(self) -> list[Message]:
        """What is read when the provider is back."""
        dead_until = 0
        for number in range(DOWN):
            if number in KILLS:
                await self.house.kill()
                dead_until = number + KILLS[number]
            if number < dead_until:
                await self.fate.clock.advance(MINUTE)
                continue
            if number == dead_until and dead_until:
                self.house = self.begin()
            await self.minute(number)
        assert not [call for call in self.fate.calls if call.arrived]
        self.fate.moods.clear()
        for number in range(DOWN, DOWN + 12):
            await self.minute(number)
        await self.house.stop()
        return [call.text for call in self.fate.calls if call.arrived]


async def test_f6(tmp_path: Path) -> None:
    story = Story(tmp_path)
    for message in await story.play():
        print(message.title, "\n", message.body, "\n----")
    print(len(rows(story.path, "select * from alerts where fired_at")) if 0 else rows(story.path, "select rule, account_id, count(*) from alerts group by 1, 2"))
    print(rows(story.path, "select * from messages order by id desc limit 3"))
    assert 0
