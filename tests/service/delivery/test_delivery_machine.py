"""Promises 2 and 3 as properties, under failing receivers, kills, stops and changed rules.

Received messages are compared with recorded attempts. A channel that may have been told of an alert
gets its end, and no other does. No known delivery is repeated, and in the end nothing waits.
"""

import asyncio
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, time
from decimal import Decimal
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daemon.alerts.channel_decisions import ChannelStatus
from daemon.alerts.mutes import DAYS, Mutes, MuteWindow
from daemon.cli.status.waiting import parked_channels, refusing_channels
from daemon.rules.rule import EscalationStep
from daemon.service.clock_monitor import offset
from daemon.service.delivery.channel_state import LISTEN
from daemon.service.delivery.queue import NotificationQueue
from daemon.service.judging.arrivals import Arrival, Look
from daemon.service.judging.startup import _remember
from daemon.store import write_once
from daemon.store.operations import TEST, Claim, MessageKey, RecordAttempt
from daemon.store.store import beside
from daemon.store.write.silences import add, end, every
from daemon.types import (
    FLAPPING,
    MINUTE,
    NEWS,
    SECOND,
    AttemptResult,
    Limit,
    Millis,
    MissReason,
    NoAnswer,
    OnMissing,
    Outcome,
    Severity,
    Silence,
    base,
)
from tests.fakes import ManualClock
from tests.lengths import SOAKING, length
from tests.service.delivery.deliveries import Fate, Glitch, House, Mood, Plan, begin
from tests.service.delivery.oracle import Oracle, _episode, _int
from tests.service.lives import Life, rows
from tests.values import answer, rule

REPEAT = 6 * MINUTE
CRITICAL = rule("critical", "available_margin < 50", severity=Severity.CRITICAL, repeat=REPEAT)
LOW = rule(
    "low",
    "available_margin < 100",
    clear_when="available_margin > 120",
    inhibited_by=("critical",),
    repeat=REPEAT,
)
ONLY = replace(LOW, name="only", channels=("alpha",))
HELD = rule("held", "available_margin < 100", hold=3 * SECOND, repeat=None)
SINKING = rule("sinking", "available_margin < 100", worse_by=Decimal("0.2"), repeat=REPEAT)
FLAPPY = rule(
    "flappy",
    "available_margin < 100",
    flapping=Limit(1, 10 * MINUTE),
    repeat=REPEAT,
    channels=("alpha",),
)
BLIND = rule(
    "blind",
    "available_margin < 20",
    on_missing=OnMissing.FIRING,
    missing_after=SECOND,
    repeat=REPEAT,
)
QUIET = rule("quiet", "available_margin < 100", mute=("noon",), repeat=REPEAT)
CLIMBING = rule(
    "climbing",
    "available_margin < 100",
    channels=("alpha",),
    escalate=(EscalationStep(3 * MINUTE, ("beta",)), EscalationStep(8 * MINUTE, ("gamma",))),
    repeat=REPEAT,
)
RULES = (CRITICAL, LOW, ONLY, HELD)
POLICIES = (CRITICAL, SINKING, FLAPPY, BLIND, QUIET, CLIMBING)
NOON = MuteWindow("noon", frozenset(DAYS), time(11, 1), time(11, 20))
"""Manual clocks start at 11:00."""
MUTES = Mutes({NOON.name: NOON}, UTC)
FALLBACKS = {"alpha": "beta", "beta": "alpha"}
PLANS = (
    Plan(RULES, ("alpha", "beta"), ("one", "two")),
    Plan(RULES, ("alpha", "beta", "gamma"), ("one", "two")),
    Plan(RULES, ("alpha", "beta", "gamma"), ("one", "two"), fallbacks=FALLBACKS, room=500),
    Plan(RULES, ("alpha",), ("one", "two"), room=300),
    Plan((CRITICAL, replace(LOW, clear_when=None), ONLY), ("alpha", "beta"), ("one", "two")),
    Plan(
        (CRITICAL, replace(LOW, severity=Severity.CRITICAL), replace(ONLY, channels=("beta",))),
        ("beta",),
        ("one",),
    ),
)
POLICY_PLANS = (
    Plan(POLICIES, ("alpha", "beta"), ("one", "two"), MUTES),
    Plan(POLICIES, ("alpha",), ("one", "two"), MUTES),
    Plan(POLICIES, ("alpha", "beta", "gamma"), ("one",), MUTES, {"alpha": "gamma"}, 600),
    Plan((SINKING, replace(FLAPPY, channels=("beta",)), QUIET), ("beta", "gamma"), ("one", "two")),
    Plan(
        (replace(QUIET, severity=Severity.CRITICAL), FLAPPY, BLIND),
        ("alpha", "beta"),
        ("one", "two"),
        MUTES,
    ),
)


@dataclass(frozen=True)
class Read:
    """One reading, or miss (None), per account."""

    one: str | None
    two: str | None


@dataclass(frozen=True)
class Pass:
    millis: int


@dataclass(frozen=True)
class Turn:
    """The next calls of a channel go like this."""

    channel: str
    moods: tuple[Mood, ...]


@dataclass(frozen=True)
class Release:
    """Calls that hang end, without an outcome."""


@dataclass(frozen=True)
class Doom:
    """The process is killed after so many steps."""

    after: int


@dataclass(frozen=True)
class Restart:
    """An orderly stop, and a start with another configuration."""

    plan: int


@dataclass(frozen=True)
class Shake:
    """Failures of the next commits."""

    glitches: tuple[Glitch | None, ...]


@dataclass(frozen=True)
class Set:
    """The wall clock is set."""

    by: int


@dataclass(frozen=True)
class Hush:
    """Somebody silences rules for a while."""

    rule: str
    millis: int


@dataclass(frozen=True)
class Ack:
    """Somebody says that the alerts are known that fire now."""


@dataclass(frozen=True)
class Try:
    """Somebody sends a test through a channel, which arrives or does not."""

    channel: str
    outcome: Outcome


Act: TypeAlias = Read | Pass | Turn | Release | Doom | Restart | Shake | Set | Hush | Ack | Try

MARGINS = st.sampled_from(["500", "90", "40", "110", None])
CHANNELS = st.sampled_from(["alpha", "alpha", "beta", "gamma"])
TROUBLE = st.sampled_from([*Mood, Mood.LATER, Mood.REFUSES])
READS = st.builds(Read, MARGINS, MARGINS)
SOON = st.builds(Pass, st.sampled_from([1, 200, 1_000, 2_500, 6_000]))
LONG = st.builds(Pass, st.sampled_from([40_000, 7 * MINUTE, 11 * MINUTE]))
TURNS = st.builds(Turn, CHANNELS, st.lists(TROUBLE, min_size=1, max_size=4).map(tuple))
SPELLS = st.builds(Turn, CHANNELS, TROUBLE.map(lambda mood: (mood,) * 12))
DOOMS = st.builds(Doom, st.integers(0, 10))
CHANGES = st.one_of(
    st.just(Release()),
    st.builds(Restart, st.integers(0, len(PLANS) - 1)),
    st.builds(Shake, st.lists(st.sampled_from([None, *Glitch]), min_size=1, max_size=3).map(tuple)),
    st.builds(Set, st.sampled_from([-20 * MINUTE, 40_000])),
    st.builds(Hush, st.sampled_from(["*", "low", "*l*"]), st.sampled_from([3_000, 8 * MINUTE])),
    st.just(Ack()),
    st.builds(
        Try, CHANNELS, st.sampled_from([Outcome.DELIVERED, Outcome.DELIVERED, Outcome.LATER])
    ),
)
ACTS: st.SearchStrategy[Act] = st.one_of(
    READS, SOON, TURNS, READS, SOON, SPELLS, LONG, DOOMS, CHANGES
)
STORIES = st.tuples(
    st.lists(ACTS, min_size=12, max_size=40), st.lists(st.integers(0, 3), min_size=1, max_size=5)
)


MENDED: list[Act] = [
    *(Turn("alpha", (Mood.REFUSES,)), Read("90", "500"), Pass(2_500)),
    *(Try("alpha", Outcome.LATER), Pass(MINUTE), Try("alpha", Outcome.DELIVERED), Pass(MINUTE)),
    *(Read("500", "90"), Pass(2_500)),
]


SLOWLY = Shake((Glitch.SLOW,))
OVERTAKEN: list[Act] = [
    *(
        Turn("alpha", (Mood.DELIVERS,) * 3),
        SLOWLY,
        Read("40", None),
        Read(None, "40"),
        Pass(1_000),
        Pass(6_000),
    ),
]
STOPPED_MEANWHILE: list[Act] = [SLOWLY, Read("40", "500"), Restart(1), Pass(6_000)]
KILLED_AFTERWARDS: list[Act] = [
    SLOWLY,
    Read("40", None),
    Read(None, "40"),
    Pass(2_500),
    Doom(3),
    Pass(1),
    Pass(6_000),
]
LOST_AND_OVERTAKEN: list[Act] = [
    *(Shake((Glitch.SLOWLY_LOST,)), Read("40", None), Read(None, "40"), Pass(1_000), Pass(6_000)),
]
STEPPED_WHILE_TOLD: list[Act] = [
    *(
        Turn("alpha", (Mood.DELIVERS_LATE,)),
        Read("40", "500"),
        SLOWLY,
        Set(-20 * MINUTE),
        Release(),
        Pass(6_000),
        Pass(1_000),
    ),
]


HANDED_TO_NOBODY: list[Act] = [
    *(Hush("*l*", 8 * MINUTE), Read("90", "110"), Pass(11 * MINUTE), Read("110", "90"), Doom(0)),
    *(Restart(5), Read("40", "40"), Restart(3)),
]


@pytest.mark.soak
@given(STORIES)
@example((MENDED, [0]))
@example((HANDED_TO_NOBODY, [0]))
@example((OVERTAKEN, [0]))
@example((STOPPED_MEANWHILE, [0]))
@example((KILLED_AFTERWARDS, [1]))
@example((LOST_AND_OVERTAKEN, [0]))
@example((STEPPED_WHILE_TOLD, [0]))
@settings(max_examples=length(8, 500), deadline=None, derandomize=not SOAKING)
def test_promises_2_and_3_whatever_happens_on_the_way(story: tuple[list[Act], list[int]]) -> None:
    """Only channels that may know of an alert get its end; nothing repeats or waits forever."""
    tell(story, PLANS)


FLAPS: list[Act] = [
    act for margin in ("90", "500", "90", "500", "40") for act in (Read(margin, "500"), Pass(2_500))
]
ENDS_IN_ABSENCE: list[Act] = [
    *(
        Read("500", "90"),
        Restart(2),
        Turn("beta", (Mood.UNKNOWN,) * 12),
        Set(-20 * MINUTE),
        Restart(5),
    ),
]
ENDS_IN_DOUBT: list[Act] = [
    *(
        Read("500", "90"),
        Read("500", "500"),
        Pass(1),
        Turn("alpha", (Mood.UNKNOWN,) * 12),
        Pass(1_000),
    ),
    *(Read("500", "40"), Read("500", "500")),
]
ENDS_MUTED: list[Act] = [
    Read("90", "90"),
    Pass(70_000),
    Read("500", "90"),
    Pass(MINUTE),
    Restart(0),
    Pass(MINUTE),
]


ACKNOWLEDGED_THEN_REFUSED: list[Act] = [
    *(Turn("alpha", (Mood.LATER,) * 3), Read("90", "500"), Pass(2_500), Ack()),
    *(Turn("alpha", (Mood.REFUSES,)), Pass(MINUTE), Read("90", "500"), Pass(11 * MINUTE)),
]
ESCALATED_THEN_ACKNOWLEDGED: list[Act] = [
    *(Read("90", "500"), Pass(4 * MINUTE), Turn("beta", (Mood.LATER,)), Read("90", "500")),
    *(Pass(1_000), Ack(), Pass(MINUTE), Read("90", "500"), Pass(11 * MINUTE)),
]


@pytest.mark.soak
@given(STORIES)
@example((ACKNOWLEDGED_THEN_REFUSED, [0]))
@example((ESCALATED_THEN_ACKNOWLEDGED, [0]))
@example((FLAPS, [0]))
@example((ENDS_MUTED, [0]))
@example((ENDS_IN_DOUBT, [0]))
@example((ENDS_IN_ABSENCE, [2]))
@settings(max_examples=length(6, 500), deadline=None, derandomize=not SOAKING)
def test_promises_2_and_3_under_every_policy_of_a_rule(story: tuple[list[Act], list[int]]) -> None:
    """D4, E1, E2, E4: the same with worse values, flapping, missing readings and mutes."""
    tell(story, POLICY_PLANS)


def tell(story: tuple[list[Act], list[int]], plans: Sequence[Plan]) -> None:
    acts, breaths = story
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.db"
        shutil.copy(empty(), path)
        asyncio.run(Story(path, breaths, plans).play(acts))


@cache
def empty() -> Path:
    """A database with its tables: making them is most of the time of a first start."""
    path = Path(tempfile.mkdtemp()) / "empty.db"
    asyncio.run(_make(path))
    return path


async def _make(path: Path) -> None:
    async with Life(f"sqlite:///{path}", [], []):
        pass


class Story:
    def __init__(self, path: Path, breaths: Sequence[int], plans: Sequence[Plan]) -> None:
        self.path, self.plans = path, plans
        self.clock = ManualClock()
        self.fate = Fate(self.clock, yields=cycle(breaths))
        self.stepped = False
        self.begun, self.tried = self.clock.now(), 0
        self.acked: dict[str, Millis] = {}
        """By code of an alert: when somebody acknowledged it first. Elapsed."""
        self.gone: set[str] = set()
        self.plan = plans[0]
        self.house: House | None = None

    async def play(self, acts: Sequence[Act]) -> None:
        self.start()
        for act in acts:
            await self.perform(act)
            await self.burial()
            self.compare()
        await self.finale()
        repeat, killed = None if self.stepped else REPEAT, self.fate.killed
        story = Oracle(self.path, self.fate.calls, gone=self.gone, repeat=repeat, killed=killed)
        story.check()
        if not self.stepped:
            later = {one.name: one.escalates_to for plan in self.plans for one in plan.rules}
            story.escalations(self.acked, later)

    def start(self) -> None:
        self.fate.moods = {} if self.fate.dead else self.fate.moods
        self.begun = self.clock.now()
        self.house = begin(f"sqlite:///{self.path}", self.plan, self.fate)

    @property
    def living(self) -> House:
        assert self.house is not None
        return self.house

    async def perform(self, act: Act) -> None:  # noqa: C901 -- one case for each act
        match act:
            case Read(one, two):
                await self.living.tell({"one": _arrival(one), "two": _arrival(two)})
            case Pass(millis):
                await self.clock.advance(millis)
                self.living.check()
            case Turn(channel, moods):
                self.fate.moods[channel] = list(moods)
            case Release():
                await self.release()
            case Doom(after):
                self.fate.doom = after
            case Restart(plan):
                await self.restart(self.plans[plan % len(self.plans)])
            case Shake(glitches):
                self.fate.glitches = list(glitches)
            case Hush(rule, millis):
                now = self.clock.now()
                self.ask(Silence(0, False, rule, "*", "", now, now + millis))
            case Ack():
                for code in rows(self.path, "SELECT code FROM alerts WHERE state = 'firing'"):
                    self.ask(Silence(0, True, "", "", str(code[0]), self.clock.now(), None))
                    self.acked.setdefault(str(code[0]), self.clock.elapsed())
            case Try(channel, outcome):
                self.attempt(MessageKey(channel, self.clock.now(), TEST), outcome)
            case Set(by):
                self.stepped = True
                self.clock.step(by)
                await self.living.tell(dict.fromkeys(self.plan.accounts, Look()))

    def ask(self, silence: Silence) -> None:
        """As a command does, beside the daemon."""
        with beside(f"sqlite:///{self.path}") as connection:
            add(connection, silence, self.clock.now())

    def attempt(self, test: MessageKey, outcome: Outcome) -> None:
        """As `check --notify` does, beside the daemon."""
        self.tried = self.clock.now()
        for operation in (
            Claim(test, ()),
            RecordAttempt(test, test.at, AttemptResult(outcome), {}),
        ):
            write_once(f"sqlite:///{self.path}", operation)

    async def burial(self) -> None:
        """If the process was killed meanwhile, another one begins."""
        if self.fate.dead:
            await self.living.kill()
            self.fate.doom = None
            await self.clock.advance(1)
            self.start()

    async def restart(self, plan: Plan) -> None:
        await self.living.stop()
        self.gone |= set(self.plan.channels) - set(plan.channels)
        self.plan = plan
        self.fate.dead, self.fate.glitches = False, []
        await self.clock.advance(1)
        self.start()

    async def release(self) -> None:
        for gate in self.fate.gates.values():
            gate.set()
        await self.clock.advance(0)

    def compare(self) -> None:
        """Promise 4: what a start would read from the store is what is known in memory."""
        if self.clock.elapsed() - self.fate.shaken < 3 * SECOND or self.fate.dead:
            return
        ours, theirs = self.living.life.notifications, NotificationQueue(offset(self.clock))
        _remember(self.living.life.store, theirs, self.clock)
        quiet = [
            name
            for name in self.plan.channels
            if not any(entry.sending for entry in ours.open(name))
        ]
        assert known(ours, self.plan, quiet) == known(theirs, self.plan, quiet)
        self.compare_instants(ours)
        if (
            not self.stepped
            and not self.fate.shaken
            and self.clock.now() - self.tried >= 2 * LISTEN
        ):
            self.compare_parked(quiet)

    def compare_instants(self, notifications: NotificationQueue) -> None:
        """A5: a firing's delivery time is the end of its attempt, moved by later clock steps."""
        firing = (
            "SELECT name, rule, alerts.seq FROM alerts JOIN accounts ON accounts.id = account_id"
        )
        for account, name, seq in rows(self.path, f"{firing} WHERE alerts.state = 'firing'"):
            for channel, told in (
                notifications.channel_status(str(account)).get((str(name), _int(seq)), {}).items()
            ):
                ended = [
                    call.ended
                    for call in self.fate.calls
                    if call.outcome in {Outcome.DELIVERED, Outcome.UNKNOWN}
                    and call.life == self.fate.life
                    if any(
                        _episode(key) == (account, name, seq, channel) and key.kind in NEWS
                        for key in call.keys
                    )
                ]
                if ended:
                    assert told.told_at == notifications.instant(str(account), ended[-1])

    def compare_parked(self, quiet: Sequence[str]) -> None:
        """F3: parked channels are the same in `status`; a test is noticed within LISTEN."""
        refused = refusing_channels(self.living.life.store.deliveries(), self.begun)
        left_alone = {
            name for name in self.plan.channels if self.living.workers[name].state.is_parked
        }
        if len(quiet) == len(self.plan.channels):
            assert parked_channels(self.plan.channels, refused) == left_alone

    async def finale(self) -> None:
        """All ways out work, and time passes: first with alerts firing, then with none."""
        self.fate.doom, self.fate.glitches, self.fate.moods = None, [], {}
        with beside(f"sqlite:///{self.path}") as connection:
            silences = [each.id for each in every(connection) if not each.ack]
            end(connection, silences, self.clock.now())
        await self.release()
        await self.pass_time(8, "90")
        self.check_told()
        await self.pass_time(8, "500")
        while self.plan.mutes.until([NOON.name], self.clock.now()) is not None:
            await self.pass_time(1, "500")
        await self.pass_time(1, "500")
        self.compare()
        await self.living.stop()

    async def pass_time(self, count: int, margin: str) -> None:
        for _ in range(count):
            await self.living.tell(dict.fromkeys(("one", "two"), answer(available_margin=margin)))
            await self.clock.advance(2 * MINUTE)
            self.living.check()

    def check_told(self) -> None:
        """E1, E2: a channel that should know of a firing knows, or has rerouted it.

        E6: if it was acknowledged, those that it was rerouted to need not be told.
        """
        firing = rows(self.path, "SELECT id, rule, code FROM alerts WHERE state = 'firing'")
        names = {str(name) for _, name, _ in firing}
        expected = {one.name for one in self.plan.rules} - {"critical", "blind"}
        assert {name for name in names if name == base(name)} == expected
        named = {one.name: one.channels or self.plan.channels for one in self.plan.rules}
        for alert, name, code in firing:
            if f"{name}{FLAPPING}" in names or self.muted(str(name)):
                continue
            told = states(self.path, alert)
            anyone = code in self.acked or any("delivered" in found for found in told.values())
            for channel in named[base(str(name))]:
                if channel in self.plan.channels:
                    assert "delivered" in told[channel] or (
                        "refused" in told[channel] and anyone
                    ), (name, told)

    def muted(self, name: str) -> bool:
        """Whether nobody need know of it: it was muted, at the latest input at least."""
        latest = self.clock.now() - 2 * MINUTE
        return base(name) == QUIET.name and self.plan.mutes.until([NOON.name], latest) is not None


def states(path: Path, alert: object) -> dict[str, set[str]]:
    """By channel, the states of the notifications of one alert's firing."""
    found: dict[str, set[str]] = defaultdict(set)
    query = (
        f"SELECT channel, state FROM notifications WHERE alert_id = {alert} AND kind IN ('firing',"
        " 'repeat', 'worse')"
    )
    for channel, state in rows(path, query):
        found[str(channel)].add(str(state))
    return found


def _arrival(margin: str | None) -> Arrival:
    return (
        NoAnswer(MissReason.TIMEOUT, "no answer")
        if margin is None
        else answer(available_margin=margin)
    )


def _comparable(told: ChannelStatus) -> tuple[bool, bool, ChannelStatus]:
    """Owner and worker may name either of two notifications decided at the same moment."""
    return told.waiting is not None, told.told_at is not None, replace(told, waiting=None)


def known(
    notifications: NotificationQueue, plan: Plan, names: Sequence[str]
) -> tuple[object, object]:
    """The queue's status of these channels, without those with an attempt under way."""
    told = {
        (account, episode, channel): _comparable(told)
        for account in plan.accounts
        for episode, channels in notifications.channel_status(account).items()
        for channel, told in channels.items()
        if channel in names
    }
    waiting = {
        (entry.notice.key, entry.maybe_repeat)
        for name in names
        for entry in notifications.waiting(name)
    }
    return told, waiting
