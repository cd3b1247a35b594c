"""The running daemon is killed (SIGKILL), again and again; nothing is lost, and nothing known to be
told is told again.

The judge is the simulated exchange's own log: it knows what the daemon can have seen.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random, SystemRandom

import pytest

from daemon.simulator import LoggedRequest
from daemon.types import Millis
from tests.end_to_end.running import ENDED, FIRED, HIGH, Stage, counted, level, stage
from tests.lengths import length
from tests.service.lives import rows

KILLS = length(20, 200)
DAEMONS = 2
"""That die side by side, to save time."""
POLLS = 3
"""For so many answers to one life a level is held, at least."""
EPISODES = 6
"""Of one alert: more would be flapping."""
THRESHOLD = 100

TRANSITIONS = """
    SELECT name, to_state, value FROM transitions JOIN alerts ON alerts.id = alert_id
    JOIN accounts ON accounts.id = account_id ORDER BY name, transitions.at, transitions.id
"""
NOTIFICATIONS = (
    "SELECT code, kind, notifications.state FROM notifications JOIN alerts ON alerts.id = alert_id"
)
READINGS = (
    "SELECT name, exchange_at, available_margin FROM snapshots JOIN accounts ON accounts.id ="
    " account_id"
)


@dataclass(slots=True)
class Tide:
    """Lets every account's margin fall and rise; each level is new, and held long enough."""

    stage: Stage
    random: Random
    shown: dict[str, str] = field(default_factory=dict)
    needed: dict[str, int] = field(default_factory=dict)
    turns: Counter[str] = field(default_factory=Counter)
    ebbing: bool = False
    """The end is near: what is low rises once more, and what is high stays."""

    def turn(self) -> None:
        """Move those accounts whose level was told often enough to the present life."""
        for name in self.stage.accounts:
            shown = self.shown.setdefault(name, HIGH)
            needed = self.needed.setdefault(name, self.random.randint(POLLS, 2 * POLLS))
            if (
                self._may_turn(name)
                and self.stage.told(name, shown, self.stage.life.born) >= needed
            ):
                self._move(name)

    def _may_turn(self, name: str) -> bool:
        return self.low(name) or (not self.ebbing and self.turns[name] < 2 * EPISODES)

    def low(self, name: str) -> bool:
        return self.turns[name] % 2 == 1

    def _move(self, name: str) -> None:
        self.turns[name] += 1
        self.shown[name] = f"{HIGH if not self.low(name) else 50}.{self.turns[name]:02}"
        self.needed[name] = self.random.randint(POLLS, 2 * POLLS)
        self.stage.show(name, self.shown[name])

    def settled(self) -> bool:
        """Every account is high, and was so for long enough."""
        since = self.stage.life.born
        told = (self.stage.told(name, self.shown[name], since) >= POLLS for name in self.shown)
        return not any(map(self.low, self.shown)) and all(told)

    def fresh(self) -> int:
        """How many levels the exchange has told so far."""
        return len(
            {(name, level(entry)) for name in self.shown for entry in self.stage.asked(name)}
        )

    async def rise_and_fall(self) -> None:
        while True:
            await self.stage.bell.wait()
            self.turn()


@asynccontextmanager
async def moving(tide: Tide) -> AsyncIterator[None]:
    task = asyncio.create_task(tide.rise_and_fall())
    try:
        yield
        if task.done():
            await task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def random_instant(tide: Tide) -> None:
    """Returns at some instant of a life that has just begun: any, or one at which much happens."""
    it, random, heard, fresh = tide.stage, tide.random, len(tide.stage.receiver.heard), tide.fresh()
    match random.choice(
        ("start", "any", "any", "any", "any", "any", "crossing", "crossing", "delivery", "delivery")
    ):
        case "start":
            wait = random.uniform(0, 1.5)
        case "any":
            await it.until(
                lambda: any(int(entry.timestamp) >= it.life.born for entry in it.simulator.log)
            )
            wait = random.uniform(0, 2)
        case "crossing":
            await it.until(lambda: tide.fresh() > fresh)
            wait = random.uniform(0, 0.03)
        case _:
            await it.until(lambda: len(it.receiver.heard) > heard)
            wait = random.uniform(0, 0.03)
    assert await it.life.survives(wait), it.said()


@dataclass(frozen=True, slots=True)
class Death:
    """The recorded deliveries when a process was killed, and the messages received by then."""

    delivered: frozenset[tuple[str, str]]
    heard: int


async def storm(folder: Path, seed: int, kills: int) -> int:
    """Kill one daemon repeatedly and check its record and messages; return the crossings."""
    async with stage(folder, [f"bot-{number}" for number in range(8)], group_wait="200ms") as it:
        tide, deaths = Tide(it, Random(seed)), []
        await it.begin()
        async with moving(tide):
            for _ in range(kills):
                await random_instant(tide)
                await it.kill()
                deaths.append(death(it))
                await it.begin()
            tide.ebbing = True
            await it.until(tide.settled)
            await it.until(
                lambda: {state for *_, state in rows(it.database, NOTIFICATIONS)} == {"delivered"}
            )
        assert await it.stop() == 0
        judge_levels(it)
        judge_record(it)
        judge_messages(it, deaths)
        return sum(tide.turns.values())


def death(it: Stage) -> Death:
    remains = it.remains()
    assert rows(remains, "PRAGMA integrity_check") == [("ok",)]
    has_tables = rows(remains, "SELECT 1 FROM sqlite_master WHERE name = 'notifications'")
    told = rows(remains, NOTIFICATIONS) if has_tables else []
    delivered = frozenset(
        (str(code), str(kind)) for code, kind, state in told if state == "delivered"
    )
    return Death(delivered, len(it.receiver.heard))


def held(it: Stage, name: str) -> dict[str, Counter[Millis]]:
    """By level, in their order: how often the exchange told it to each life."""
    told: dict[str, Counter[Millis]] = {}
    for entry in it.asked(name):
        told.setdefault(level(entry), Counter())[born(it, entry)] += 1
    return told


def born(it: Stage, entry: LoggedRequest) -> Millis:
    return max(life.born for life in it.lives if life.born <= int(entry.timestamp))


def judge_levels(it: Stage) -> None:
    """Check the test itself: its demands can be met."""
    for name in it.accounts:
        assert [level for level, told in held(it, name).items() if max(told.values()) < POLLS] == []


def judge_record(it: Stage) -> None:
    """Check for one firing and one end per crossing, with its own value; no invented reading."""
    crossings = [crossing for name in it.accounts for crossing in crossed(name, held(it, name))]
    assert rows(it.database, TRANSITIONS) == crossings
    answered = {
        (name, entry.exchange_at, float(level(entry)))
        for name in it.accounts
        for entry in it.asked(name)
    }
    recorded = rows(it.database, READINGS)
    assert [reading for reading in recorded if reading not in answered] == []
    assert len(set(recorded)) == len(recorded)
    assert len(answered) - len(recorded) <= len(it.lives) * len(it.accounts)
    assert rows(it.database, "PRAGMA integrity_check") == [("ok",)]


def crossed(name: str, levels: Iterable[str]) -> Iterator[tuple[str, str, float]]:
    for before, after in pairwise(map(float, levels)):
        if (before < THRESHOLD) != (after < THRESHOLD):
            yield name, FIRED if after < THRESHOLD else ENDED, after


def judge_messages(it: Stage, deaths: list[Death]) -> None:
    """All is delivered; again only what was not known to be, and then it says so."""
    assert counted(it.receiver.heard).keys() == {
        (code, kind) for code, kind, _ in rows(it.database, NOTIFICATIONS)
    }
    for dead in deaths:
        assert dead.delivered & counted(it.receiver.heard[dead.heard :]).keys() == set()
    known: set[tuple[str, str]] = set()
    for news in (news for message in it.receiver.heard for news in message.news):
        again = known & {(news.code, kind) for kind in news.kinds}
        assert not again or news.maybe_repeat, f"{again} came again and did not say so"
        known |= {(news.code, kind) for kind in news.kinds}


@pytest.mark.soak
async def test_nothing_is_lost_and_nothing_told_twice_by_a_daemon_that_is_killed_all_the_time(
    tmp_path: Path,
) -> None:
    """Promises 1, 2, 4: killed at any instant, record and messages match the exchange's log."""
    seed = SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")  # noqa: T201 -- shown if it fails
    async with asyncio.TaskGroup() as group:
        storms = [
            group.create_task(storm(tmp_path / str(number), seed + number, KILLS // DAEMONS))
            for number in range(DAEMONS)
        ]
    assert min(storm.result() for storm in storms) > 0


@pytest.mark.parametrize("kills", [1, 4])
async def test_news_that_killed_its_bearer_comes_once_more_and_says_so(
    tmp_path: Path, kills: int
) -> None:
    """Promise 2: after a kill in a call, only that message is repeated, and it says so."""
    async with stage(tmp_path) as it:

        async def murder() -> None:
            if len(it.receiver.heard) <= kills:
                await it.kill()

        it.receiver.meanwhile = murder
        it.show("main", "90")
        for life in range(1, kills + 1):
            await it.begin()
            await it.life.over()
            assert len(it.receiver.heard) == life
        await it.start()
        await it.until(
            lambda: rows(it.database, "SELECT state FROM notifications") == [("delivered",)]
        )
        it.show("main", HIGH)
        await it.until(
            lambda: (
                len(rows(it.database, "SELECT 1 FROM notifications WHERE state = 'delivered'")) == 2
            )
        )
        assert await it.stop() == 0
        news = [one for message in it.receiver.heard for one in message.news]
        expected = [(FIRED, False), *[(FIRED, True)] * kills, (ENDED, False)]
        assert [(*one.kinds, one.maybe_repeat) for one in news] == expected
        outcomes = [None] * kills + ["delivered"] * 2
        assert [
            outcome for (outcome,) in rows(it.database, "SELECT outcome FROM attempts ORDER BY id")
        ] == outcomes
