"""Kills the running daemon at each step between commit, claim, call, answer and mark.

It has three real channels (a webhook, a mail server, Telegram behind TLS), each at another step of
its call. Nothing may be lost, a repeat must say that it may be one, and no known delivery may be
repeated. A process costs most of a second, so each run checks several cases.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from itertools import cycle
from pathlib import Path

from tests.end_to_end.gates import Step
from tests.end_to_end.running import ENDED, FIRED, HIGH
from tests.end_to_end.street import CHANNELS, DESK, MAIL, PHONE, Street, locked, street
from tests.notifiers.botapi import refusing
from tests.service.lives import rows

LEVELS = {FIRED: "90", ENDED: HIGH}
OTHER = {FIRED: ENDED, ENDED: FIRED}
POLLS = 3
"""After so many answers of the exchange to one life, what they say was judged."""

STANDS = "SELECT channel, state FROM notifications WHERE alert_id = {} AND kind = '{}'"
OUTCOMES = """
    SELECT outcome FROM attempts JOIN messages ON messages.id = message_id
    WHERE channel = '{}' ORDER BY attempts.id
"""
TITLES = "SELECT title FROM messages WHERE channel = '{}'"
TRANSITIONS = "SELECT to_state, value FROM transitions ORDER BY id"


class Point(StrEnum):
    """The step of a call at which its caller is killed."""

    CONNECTED = Step.CONNECTED.value
    SPOKEN = Step.SPOKEN.value
    TAKEN = Step.TAKEN.value
    ANSWERED = "the answer is sent, and nobody reads it any more"
    MARKED = "the delivery is recorded"


HOLDS: Mapping[Point, Step] = {
    Point.CONNECTED: Step.CONNECTED,
    Point.SPOKEN: Step.SPOKEN,
    Point.TAKEN: Step.TAKEN,
    Point.ANSWERED: Step.TAKEN,
}
ARRIVES = frozenset({Point.TAKEN, Point.ANSWERED, Point.MARKED})


def square() -> list[dict[str, Point]]:
    """Each channel at each point once, and never two at the same one."""
    points = list(Point)
    return [
        {name: points[(n + 2 * k) % len(points)] for k, name in enumerate(CHANNELS)}
        for n in range(len(points))
    ]


def again(kind: str, point: Point) -> list[tuple[str, bool]]:
    """Expected deliveries of a message whose call was at that step, and whether one is a repeat."""
    first = [(kind, False)] if point in ARRIVES else []
    return first if point is Point.MARKED else [*first, (kind, True)]


class Notes:
    """Messages that arrived, and recorded attempts, since these notes began."""

    def __init__(self, it: Street) -> None:
        self._it = it
        self._heard = {name: len(it.news(name)) for name in CHANNELS}
        self._tried = {name: len(outcomes(it, name)) for name in CHANNELS}

    def heard(self, channel: str) -> list[tuple[str, bool]]:
        """Kinds in their order, each with whether it says that it may be a repeat."""
        fresh = self._it.news(channel)[self._heard[channel] :]
        return [(kind, news.maybe_repeat) for news in fresh for kind in sorted(news.kinds)]

    def outcomes(self, channel: str) -> list[object]:
        return outcomes(self._it, channel)[self._tried[channel] :]


def outcomes(it: Street, channel: str) -> list[object]:
    return [outcome for (outcome,) in rows(it.stage.database, OUTCOMES.format(channel))]


class Sweep:
    """One story: the margin of an account falls and rises, and what that comes to."""

    def __init__(self, it: Street) -> None:
        self.street, self.stage = it, it.stage
        self.crossings: list[tuple[str, float]] = []
        self._turns = 0

    def cross(self, kind: str) -> None:
        """The margin falls, or rises again; somebody must remember it."""
        self.crossings.append((kind, self.show(LEVELS[kind])))

    def show(self, margin: str) -> float:
        """No level is shown twice."""
        self._turns += 1
        self.level = f"{margin}.{self._turns:02}"
        self.stage.show("main", self.level)
        return float(self.level)

    def stands(self, kind: str) -> dict[object, object]:
        """By channel, how far that news of the last alert is."""
        alert = [crossed for crossed, _ in self.crossings].count(FIRED)
        return dict(rows(self.stage.database, STANDS.format(alert, kind)))  # type: ignore[arg-type]

    async def reaches(self, kind: str, state: str, channels: Sequence[str] = CHANNELS) -> None:
        """That news of the last alert stands there on all these channels."""
        await self.stage.until(
            lambda: [self.stands(kind).get(name) for name in channels] == [state] * len(channels)
        )

    async def judged(self) -> None:
        """The present level is known to the present life."""
        born = self.stage.life.born
        await self.stage.until(lambda: self.stage.told("main", self.level, born) >= POLLS)

    async def hold(self, steps: Mapping[str, Step], kind: str = "") -> None:
        """Calls are held there, of what happens now, or of what waits for a life to begin."""
        gates = self.street.gates
        for name, step in steps.items():
            gates[name].hold = step
        if kind:
            self.cross(kind)
        else:
            await self.stage.start()
        await self.stage.until(lambda: all(gates[name].held for name in steps))

    async def strike(self, points: Mapping[str, Point], kind: str) -> None:
        """That happens, and the daemon is killed while the call of each channel is at its point."""
        await self.hold(
            {name: HOLDS[point] for name, point in points.items() if point in HOLDS}, kind
        )
        await self.reaches(
            kind, "delivered", [name for name, point in points.items() if point is Point.MARKED]
        )
        self.street.freeze()
        await self.street.let_on(name for name, point in points.items() if point is Point.ANSWERED)
        await self.street.kill()

    def judge(self) -> None:
        """The record has each crossing once, and an attempt for each message that arrived."""
        assert rows(self.stage.database, TRANSITIONS) == self.crossings
        for name in CHANNELS:
            recorded = Counter(title for (title,) in rows(self.stage.database, TITLES.format(name)))
            assert Counter(heard.title for heard in self.street.heard(name)) <= recorded
        assert rows(self.stage.database, "PRAGMA integrity_check") == [("ok",)]
        assert "refuses to write" not in self.stage.said()


@asynccontextmanager
async def sweep(folder: Path, **settings: str) -> AsyncIterator[Sweep]:
    """The daemon lives, and is judged at the end."""
    async with street(folder, **settings) as it:
        sweeping = Sweep(it)
        await it.stage.start()
        yield sweeping
        assert await it.stage.stop() == 0
        sweeping.judge()


async def test_promise_2_killed_at_each_step_of_a_call(tmp_path: Path) -> None:
    """Promise 2: a doubtful message is repeated and says so; a known delivery is not."""
    async with sweep(tmp_path) as it:
        for points, kind in zip(square(), cycle((FIRED, ENDED)), strict=False):
            notes = Notes(it.street)
            await it.strike(points, kind)
            await it.stage.start()
            await it.reaches(kind, "delivered")
            for name, point in points.items():
                assert notes.heard(name) == again(kind, point)
                assert notes.outcomes(name) == [*([None] if point in HOLDS else []), "delivered"]


async def test_promise_3_what_ends_while_the_daemon_is_dead_is_told_to_whom_it_was_told(
    tmp_path: Path,
) -> None:
    """Promise 3: the end comes once to each channel, after a possible repeat or joined with it."""
    async with sweep(tmp_path, group_wait="300ms") as it:
        for points in square()[:2]:  # which hold every point
            notes = Notes(it.street)
            await it.strike(points, FIRED)
            it.cross(ENDED)
            await it.stage.start()
            await it.reaches(ENDED, "delivered")
            await it.reaches(FIRED, "delivered")
            for name, point in points.items():
                heard = notes.heard(name)
                assert [news for news in heard if news[0] == FIRED] == again(FIRED, point)
                assert [kind for kind, _ in heard].count(ENDED) == 1


async def test_promise_1_killed_while_a_commit_waits(tmp_path: Path) -> None:
    """Promise 1: uncommitted inputs never happened; a condition that lasts is told first then."""
    async with sweep(tmp_path) as it:
        notes = Notes(it.street)
        for kind, comes_back in ((FIRED, True), (FIRED, False), (ENDED, False)):
            with locked(it.stage.database):
                it.show(LEVELS[kind])
                await it.stage.until(lambda: it.stage.told("main", it.level))
                assert await it.stage.life.survives(0.1)
                await it.street.kill()
            assert rows(it.stage.database, TRANSITIONS) == it.crossings
            if comes_back:
                it.show(LEVELS[OTHER[kind]])
            else:
                it.cross(kind)
            await it.stage.start()
            await it.judged()
            if not comes_back:
                await it.reaches(kind, "delivered")
        assert [notes.heard(name) for name in CHANNELS] == [[(FIRED, False), (ENDED, False)]] * len(
            CHANNELS
        )


async def test_f7_killed_while_a_claim_waits(tmp_path: Path) -> None:
    """F7: an unclaimed message is not sent; the next process sends it for the first time."""
    async with sweep(tmp_path, group_wait="1s") as it:
        for kinds in ([FIRED, ENDED], [FIRED]):
            notes = Notes(it.street)
            it.cross(kinds[0])
            await it.reaches(kinds[0], "queued")
            with locked(it.stage.database):
                assert await it.stage.life.survives(0.9)
                await it.street.kill()
            assert [notes.heard(name) for name in CHANNELS] == [[]] * len(CHANNELS)
            for kind in kinds[1:]:
                it.cross(kind)
            await it.stage.start()
            await it.reaches(kinds[-1], "delivered")
            for name in CHANNELS:
                assert notes.heard(name) == [(each, False) for each in kinds]
                # In one message, or in two where the end is read only after the group has left.
                assert set(notes.outcomes(name)) == {"delivered"}


async def test_f7_stopped_or_killed_while_a_mark_waits(tmp_path: Path) -> None:
    """F7: after SIGSTOP nothing is told twice; after a kill a delivered message repeats, marked."""
    async with sweep(tmp_path) as it:
        notes = Notes(it.street)
        await it.hold(dict.fromkeys(CHANNELS, Step.TAKEN), FIRED)
        it.street.freeze()
        await it.street.let_on()
        it.street.thaw()
        await it.reaches(FIRED, "delivered")
        assert [notes.heard(name) for name in CHANNELS] == [[(FIRED, False)]] * len(CHANNELS)
        for kind in (ENDED, FIRED):
            notes = Notes(it.street)
            await it.hold(dict.fromkeys(CHANNELS, Step.TAKEN), kind)
            with locked(it.stage.database):
                await it.street.let_on()
                assert await it.stage.life.survives(0.2)
                await it.street.kill()
            assert it.stands(kind) == dict.fromkeys(CHANNELS, "sending")
            await it.stage.start()
            await it.reaches(kind, "delivered")
            for name in CHANNELS:
                assert notes.heard(name) == [(kind, False), (kind, True)]
                assert notes.outcomes(name) == [None, "delivered"]


async def test_f3_killed_while_a_refusal_is_passed_on(tmp_path: Path) -> None:
    """F3: a refused message reaches the fallback, whichever step the daemon is killed at."""
    settings = {"phone_more": 'fallback = "desk"', "rule_more": 'channels = ["mail", "phone"]'}
    async with sweep(tmp_path, **settings) as it:
        blocked = refusing(403, "Forbidden: bot was blocked by the user")
        it.street.telegram.answers = [blocked] * 3
        notes = Notes(it.street)
        await it.hold({PHONE: Step.TAKEN, MAIL: Step.SPOKEN}, FIRED)
        await it.street.kill()
        assert notes.outcomes(PHONE) == [None]
        await it.hold({PHONE: Step.TAKEN})
        await it.reaches(FIRED, "delivered", [MAIL])
        with locked(it.stage.database):
            await it.street.let_on()
            assert await it.stage.life.survives(0.2)
            await it.street.kill()
        assert notes.outcomes(PHONE) == [None, None]
        assert it.stands(FIRED).get(DESK) is None
        await it.hold({DESK: Step.TAKEN})
        await it.street.kill()
        await it.stage.start()
        await it.reaches(FIRED, "delivered", [DESK, MAIL])
        assert it.stands(FIRED)[PHONE] == "refused"
        it.cross(ENDED)
        await it.reaches(ENDED, "delivered")
        assert notes.heard(DESK) == [(FIRED, False), (FIRED, True), (ENDED, False)]
        assert notes.heard(MAIL) == [(FIRED, True), (ENDED, False)]
        assert notes.heard(PHONE) == [
            (ENDED, False)
        ]  # as far as anybody knows, it may have been told
        assert notes.outcomes(PHONE) == [None, None, "refused", "delivered"]
        assert (
            "sent here because the channel phone cannot be reached" in it.street.heard(DESK)[0].body
        )


async def test_f4_killed_while_a_fallback_is_told(tmp_path: Path) -> None:
    """F4: the fallback gets a marked repeat; the channel is retried; both get the end."""
    settings = {
        "mail_more": 'fallback = "desk"\nfallback_after = "1s"',
        "rule_more": 'channels = ["mail"]',
    }
    async with sweep(tmp_path, **settings) as it:
        it.street.box.answer = "451 4.3.0 try again later"
        notes = Notes(it.street)
        await it.hold({DESK: Step.TAKEN}, FIRED)
        await it.street.kill()
        assert notes.heard(MAIL) == []
        it.street.box.answer = "250 taken"
        await it.stage.start()
        await it.reaches(FIRED, "delivered", [DESK, MAIL])
        it.cross(ENDED)
        await it.reaches(ENDED, "delivered", [DESK, MAIL])
        assert notes.heard(DESK) == [(FIRED, False), (FIRED, True), (ENDED, False)]
        assert [kind for kind, _ in notes.heard(MAIL)] == [FIRED, ENDED]
        assert notes.heard(PHONE) == []
