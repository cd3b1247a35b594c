"""Step, commit, adopt: failed commits and restarts leave the record of an undisturbed run."""

import asyncio
import logging
import random
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from daemon.log import FailureLog
from daemon.rules.rule import AtLeast
from daemon.service.clock_monitor import STEP, offset
from daemon.service.delivery.queue import NotificationQueue
from daemon.service.judging.account_owner import Owner, Progress
from daemon.service.judging.arrivals import Look, Slept
from daemon.service.judging.context import JudgingContext
from daemon.service.judging.windows import COLD
from daemon.service.loops import supervise
from daemon.store import FaultInjection
from daemon.store.operations import Operation, Rejected, Written
from daemon.types import (
    HOUR,
    MINUTE,
    SECOND,
    Limit,
    Millis,
    MissReason,
    NoAnswer,
    OnMissing,
    Quality,
    Reading,
)
from tests.fakes import ListJournal, ManualClock, RecordingWatcher, settle
from tests.lengths import length
from tests.service.lives import (
    KILL,
    MISSES,
    NOTIFICATIONS,
    READINGS,
    RELOAD,
    STOP,
    TRANSITIONS,
    Late,
    Life,
    Step,
    Told,
    play,
    rows,
)
from tests.values import answer, confirming, rule, state

RULES = (
    rule("critical", "available_margin < 50", clear_when="available_margin > 60"),
    rule(
        "low",
        "available_margin < 100",
        clear_when="available_margin > 120",
        inhibited_by=("critical",),
    ),
    rule("held", "available_margin < 100", hold=3 * SECOND),
    rule("spike", "delta(al_freeze, 10s) > 200", clear_when="al_freeze < 150"),
    rule("deep", "min(delta(available_margin, 5s), 20s) < -80 or max(al_freeze, 8s) > 450"),
    rule("stale", "age > 2s"),
    rule("step", "available_margin - prev(available_margin) < -25", flapping=None),
    rule("today", "today(available_margin) < -30", clear_when="today(available_margin) > 0"),
    rule("since", "since(max(al_freeze, 3s), '11:00') > 100 and age < 1s"),
    rule("fallen", "available_margin < 0.4 * peak(available_margin)"),
    rule("highest", "available_margin >= peak(available_margin)", hold=SECOND),
    rule(
        "lasting",
        "available_margin < 100",
        keep_firing_for=2 * SECOND,
        flapping=Limit(2, 10 * SECOND),
    ),
    rule("often", "available_margin < 120", at_least=AtLeast(3, 5)),
    rule("silent", "available_margin < 40", on_missing=OnMissing.FIRING, missing_after=SECOND),
    rule(
        "forgotten",
        "available_margin < 80",
        on_missing=OnMissing.OK,
        missing_after=SECOND,
        worse_by=Decimal("0.2"),
    ),
)
NAMES = tuple(f"account {number}" for number in range(20))


def day(seed: int, rounds: int, names: tuple[str, ...] = NAMES) -> Iterator[dict[str, Told]]:
    """Random balances around the thresholds, with misses and suspect answers."""
    draw = random.Random(seed)
    margin, doubted = dict.fromkeys(names, 150.0), set[str]()
    for _ in range(rounds):
        arrivals: dict[str, Told] = {}
        for name in names:
            margin[name] = min(220.0, max(5.0, margin[name] + draw.uniform(-40, 40)))
            freeze = draw.choice((0, 0, 0, 100, 500))
            lost = draw.random() < 0.1
            found = answer(available_margin=f"{margin[name]:.8f}", al_freeze=str(freeze))
            settling: tuple[Told, ...] = (
                Late(),
                Late(),
                confirming(NOTHING),
                confirming(found),
                NOTHING,
                found,
            )
            read = (
                draw.choice(settling)
                if name in doubted
                else NOTHING
                if draw.random() < 0.1
                else found
            )
            arrivals[name] = NoAnswer(MissReason.TIMEOUT, "no answer within 10 s") if lost else read
            (doubted.add if arrivals[name] is NOTHING else doubted.discard)(name)
        yield arrivals


NOTHING = answer(available_margin="0", al_freeze="0")


def never(_: int) -> str:
    return ""


def record(path: Path) -> list[list[tuple[object, ...]]]:
    return [rows(path, query) for query in (READINGS, MISSES, TRANSITIONS, NOTIFICATIONS)]


def moves(path: Path) -> list[list[tuple[object, ...]]]:
    """The transitions and notifications of all rules but `other`, sorted."""
    told = """
        SELECT code, kind, channel, notifications.at FROM notifications
        JOIN alerts ON alerts.id = alert_id WHERE rule <> 'other'
    """
    return [
        sorted(row for row in rows(path, TRANSITIONS) if row[1] != "other"),
        sorted(rows(path, told)),
    ]


def unreliable(seed: int) -> Callable[[Connection], None]:
    """One commit in twenty is rolled back, one in twenty is done and its answer lost."""
    draw = random.Random(seed)

    def commit(connection: Connection) -> None:
        luck = draw.random()
        if luck < 0.05:
            connection.rollback()
            raise RuntimeError("rolled back")
        connection.commit()
        if luck < 0.10:
            raise RuntimeError("the answer is lost")

    return commit


@pytest.mark.no_cover
async def test_failed_and_lost_commits_change_nothing(tmp_path: Path) -> None:
    """Promise 1: 5 % failed and 5 % unanswered commits give the record of a quiet run."""
    quiet, rough = tmp_path / "quiet.db", tmp_path / "rough.db"
    await play(partial(Life, f"sqlite:///{quiet}", NAMES, RULES), day(1, 25), 500, never)
    failing = False

    def life(**given: Any) -> Life:
        nonlocal failing
        flaky = unreliable(2)
        # The beginning itself is not disturbed: a start that fails is an error with a sentence, not
        # a lost reading.
        made = Life(
            f"sqlite:///{rough}",
            NAMES,
            RULES,
            **given,
            fault_injection=FaultInjection(
                commit=lambda connection: flaky(connection) if failing else connection.commit()
            ),
        )
        failing = True
        return made

    await play(life, day(1, 25), 500, never)
    assert record(rough) == record(quiet)
    taken = sum(
        not isinstance(arrival, Late) for arrivals in day(1, 25) for arrival in arrivals.values()
    )
    unconfirmed = sum(row[3] == "unconfirmed" for row in rows(quiet, READINGS))
    assert len(rows(quiet, READINGS)) + len(rows(quiet, MISSES)) == taken + unconfirmed
    assert {row[3] for row in rows(quiet, READINGS)} == set(Quality) - {Quality.STALE}
    assert len(rows(quiet, TRANSITIONS)) > 90


@pytest.mark.soak
@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(length(1, 20)))
async def test_promise_4_restarts_are_invisible(tmp_path: Path, seed: int) -> None:
    """Promise 4: stops, kills and reloads change no reading, transition or notification."""
    names = NAMES[:3]
    through, stopped = tmp_path / "through.db", tmp_path / "stopped.db"
    draw = random.Random(seed)
    await play(
        partial(Life, f"sqlite:///{through}", names, RULES), day(seed, 90, names), 500, never
    )
    await play(
        partial(Life, f"sqlite:///{stopped}", names, RULES),
        day(seed, 90, names),
        500,
        lambda _: draw.choice((STOP, KILL, RELOAD)) if draw.random() < 0.2 else "",
    )
    assert record(stopped) == record(through)
    assert len(rows(through, "SELECT id FROM epochs")) == 1
    ends = {end for (end,) in rows(stopped, "SELECT end_reason FROM epochs")}
    assert ends >= {"stop", "crash", "reload"}


@pytest.mark.soak
@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(length(1, 20)))
async def test_promise_4_reloads_that_change_other_rules_are_invisible(
    tmp_path: Path, seed: int
) -> None:
    """Promise 4, D5: a rule goes on while others change and its own policy changes."""
    names = NAMES[:2]
    through, reloaded = tmp_path / "through.db", tmp_path / "reloaded.db"
    draw = random.Random(seed)

    def life(**given: Any) -> Life:
        others = [rule("other", f"available_margin < {draw.randrange(150, 250)}")] * draw.choice(
            (0, 1, 1, 1)
        )
        own = [replace(each, repeat=draw.choice((HOUR, None))) for each in RULES]
        return Life(
            f"sqlite:///{reloaded}",
            names,
            draw.sample([*own, *others], len([*own, *others])),
            **given,
        )

    await play(
        partial(Life, f"sqlite:///{through}", names, RULES), day(seed, 80, names), 500, never
    )
    await play(life, day(seed, 80, names), 500, lambda _: RELOAD if draw.random() < 0.2 else "")
    assert moves(reloaded) == moves(through)
    assert {"other"} == {
        rule
        for (rule,) in rows(reloaded, "SELECT DISTINCT rule FROM alerts WHERE state = 'retired'")
    }


async def test_a1_every_input_gets_the_next_seq(tmp_path: Path) -> None:
    """A1: readings, misses, clock steps and configuration changes share one counter."""
    path = tmp_path / "m.db"
    async with Life(f"sqlite:///{path}", ["main"], RULES) as life:
        told: list[Told] = [
            answer(),
            NoAnswer(MissReason.NETWORK, "refused"),
            Step(5_000),
            answer(),
        ]
        for arrival in told:
            await life.tell({"main": arrival})
    seqs = (
        "SELECT seq FROM snapshots UNION ALL SELECT seq FROM misses UNION ALL SELECT seq FROM gaps"
        " ORDER BY seq"
    )
    assert [seq for (seq,) in rows(path, seqs)] == [
        2,
        3,
        4,
        5,
    ]  # 1 is the change of the configuration at the start


async def test_a1_the_instant_never_goes_back_except_by_a_step(tmp_path: Path) -> None:
    """A1: a clock that is set back by less than a step holds the instants still."""
    path = tmp_path / "m.db"
    clock = ManualClock()
    async with Life(f"sqlite:///{path}", ["main"], RULES, clock=clock) as life:
        began = clock.now()
        for by in (0, -STEP, -MINUTE):
            clock.step(by)
            await life.tell({"main": answer()})
    instants = [at - began for (at,) in rows(path, "SELECT at FROM snapshots ORDER BY seq")]  # type: ignore[operator]
    assert instants == [0, 0, -STEP - MINUTE]


@pytest.mark.parametrize("by", [HOUR, -HOUR])
async def test_a5_an_input_is_judged_by_a_clock_whose_step_was_judged_before_it(
    tmp_path: Path, by: Millis
) -> None:
    """A5: even an unnoticed step is judged first; durations exclude it, instants follow it."""
    path = tmp_path / "m.db"
    rules = [
        rule("held", hold=30 * SECOND, repeat=None),
        rule("stale", "age > 2m"),
        rule("slow", hold=30 * MINUTE),
    ]
    clock = ManualClock()
    async with Life(f"sqlite:///{path}", ["main"], rules, clock=clock) as life:
        await life.tell({"main": answer(available_margin="90")})
        await clock.advance(10 * SECOND)
        clock.step(by)
        await life.tell({"main": NoAnswer(MissReason.TIMEOUT, "no answer within 10 s")})
        for _ in range(2):
            await clock.advance(10 * SECOND)
            await life.tell({"main": answer(available_margin="90")})
    moves = (
        "SELECT rule, to_state FROM transitions JOIN alerts ON alerts.id = alert_id ORDER BY"
        " transitions.id"
    )
    assert rows(path, moves) == [("held", "pending"), ("slow", "pending"), ("held", "firing")]
    inputs = "SELECT seq, at FROM snapshots UNION ALL SELECT seq, at FROM misses ORDER BY seq"
    assert [at for _, at in rows(path, inputs)][1:] == [
        clock.now() - more * SECOND for more in (20, 10, 0)
    ]
    assert rows(path, "SELECT reason, step_ms FROM gaps") == [("clock_step", by)]


async def test_news_tells_how_the_fields_moved_within_ten_minutes_and_an_hour(
    tmp_path: Path,
) -> None:
    """The changes in messages; none for an hour without a reading about an hour ago."""
    clock = ManualClock()
    async with Life(
        f"sqlite:///{tmp_path}/m.db", ["main"], [rule()], channels=["telegram"], clock=clock
    ) as life:
        for minutes in (
            0,
            20,
            54,
            5,
            5,
        ):  # the last one is not ten minutes after any, but after two within five each
            await clock.advance(minutes * MINUTE)
            await life.tell({"main": answer(available_margin=f"{500 - minutes}")})
        await clock.advance(SECOND)
        await life.tell({"main": answer(available_margin="90")})
        await clock.advance(SECOND)
        await life.tell({"main": answer(available_margin="500")})
        fired, cleared = [entry.notice.facts for entry in life.notifications.waiting("telegram")]
    assert (fired.changes["available_margin"], fired.span) == (Decimal(-405), 5 * MINUTE + SECOND)
    assert fired.hourly["available_margin"] == Decimal(-390)
    assert cleared.hourly["available_margin"] == Decimal(20)
    async with Life(
        f"sqlite:///{tmp_path}/n.db", ["main"], [rule()], channels=["telegram"], clock=clock
    ) as life:
        await life.tell({"main": answer(available_margin="90")})
        (entry,) = life.notifications.waiting("telegram")
    assert (entry.notice.facts.changes, entry.notice.facts.span, entry.notice.facts.hourly) == (
        {},
        0,
        {},
    )


async def test_promise_1_judging_goes_on_while_the_store_refuses(tmp_path: Path) -> None:
    """Promise 1's exception: told as not recorded during an outage; complete afterwards."""
    path = tmp_path / "m.db"
    other = Life(f"sqlite:///{path}", ["main"], [rule()], channels=["telegram"])

    async with other as life:
        await life.tell({"main": answer(available_margin="500")})
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        await life.tell({"main": answer(available_margin="90")})
        await life.tell({"main": answer(available_margin="80")})
        waiting = life.notifications.waiting("telegram")
        assert [(entry.notice.key.rule, entry.recorded) for entry in waiting] == [("low", False)]
        assert rows(path, "SELECT count(*) FROM snapshots") == [(1,)]
        blocker.execute("ROLLBACK")
        blocker.close()
    assert rows(path, "SELECT available_margin FROM snapshots ORDER BY seq") == [
        (500.0,),
        (90.0,),
        (80.0,),
    ]
    assert [row[5] for row in rows(path, TRANSITIONS)] == ["firing"]


async def test_promise_1_windows_that_cannot_be_rebuilt_silence_only_the_rules_that_look_back() -> (
    None
):
    """Without a database at the start thresholds fire; rules with windows wait for these."""
    clock, async_store, observer = ManualClock(), ListJournal(), RecordingWatcher()
    async_store.unreadable = True
    rules = (rule("low"), rule("fell", "min(available_margin, 1h) < 100"))
    episodes = FailureLog(logging.getLogger("owner"), clock)
    moved = offset(clock)
    owner = Owner(
        JudgingContext(
            async_store, NotificationQueue(moved), clock, (), set(), episodes, observer, moved
        ),
        state(),
        rules,
    )
    task = asyncio.create_task(owner.run())
    for _ in range(2):
        owner.post(answer(available_margin="90"))
        await clock.advance(SECOND)
    assert [record.transitions[0].rule for record in observer.records if record.transitions] == [
        "low"
    ]
    async_store.unreadable = False
    await clock.advance(COLD)
    owner.post(answer(available_margin="90"))
    await clock.advance(SECOND)
    assert [record.transitions[0].rule for record in observer.records if record.transitions] == [
        "low",
        "fell",
    ]
    task.cancel()


class Breaking(ListJournal):
    """A store whose records break their readers or writers, on request."""

    reads = writes = True
    slow: asyncio.Event | None = None
    """While it is there and not set, records are read for ever."""

    async def latest(self, account: str) -> Sequence[Reading]:
        if self.slow is not None:
            await self.slow.wait()
        if not self.reads:
            raise ZeroDivisionError
        return await super().latest(account)

    async def write(self, operation: Operation) -> Written:
        if not self.writes:
            raise ZeroDivisionError
        return await super().write(operation)


@asynccontextmanager
async def supervised(async_store: Breaking, clock: ManualClock) -> AsyncIterator[Owner]:
    """An owner that is started again a second after it broke."""
    episodes = FailureLog(logging.getLogger("owner"), clock)
    moved = offset(clock)
    context = JudgingContext(
        async_store, NotificationQueue(moved), clock, (), set(), episodes, RecordingWatcher(), moved
    )
    owner = Owner(context, state("main"), [rule()])
    task = asyncio.create_task(supervise("the judging of main", owner.run, clock, episodes))
    await settle()
    yield owner
    task.cancel()


async def test_d7_what_is_judged_is_progress_and_what_says_nothing_new_too() -> None:
    """D7: readings and misses count; a look at the clock and a suspend are none."""
    async with supervised(Breaking(), clock := ManualClock()) as owner:
        for arrival in (
            answer(),
            answer(),
            NoAnswer(MissReason.TIMEOUT, ""),
            Look(),
            Slept(HOUR, 3),
        ):
            owner.post(arrival)
        await owner.drained()
        await clock.advance(SECOND)
        assert owner.progress == Progress(3, behind=False)


async def test_d7_what_broke_the_loop_is_behind_until_a_later_one_is_judged() -> None:
    """D7: a lost input, and each that breaks the loop again, counts until one is judged."""
    async_store, clock = Breaking(), ManualClock()
    async with supervised(async_store, clock) as owner:
        async_store.writes = False
        for _ in range(3):
            owner.post(answer())
            await clock.advance(2 * SECOND)
            owner.post(Look())
            await clock.advance(SECOND)
            assert owner.progress == Progress(0, behind=True)
        async_store.writes = True
        owner.post(answer())
        await clock.advance(2 * SECOND)
        assert owner.progress == Progress(4, behind=False)


async def test_d7_what_the_database_never_takes_is_behind() -> None:
    """D7: a record that is rejected each time is offered again, and nothing after it is judged."""
    async_store, clock = Breaking(), ManualClock()
    async_store.answers = [Rejected("unfit")] * 1_000
    async with supervised(async_store, clock) as owner:
        owner.post(answer())
        owner.post(answer())
        await clock.advance(10 * SECOND)
        assert owner.progress == Progress(0, behind=True)


async def test_d7_what_waits_for_a_loop_that_breaks_at_every_start_is_behind() -> None:
    """D7: by a record that cannot be judged, say."""
    async_store, clock = Breaking(), ManualClock()
    async_store.reads = False
    async with supervised(async_store, clock) as owner:
        owner.post(answer())
        await clock.advance(3 * SECOND)
        assert owner.progress == Progress(0, behind=True)
        async_store.reads = True
        await clock.advance(SECOND)
        assert owner.progress == Progress(1, behind=False)


async def test_d7_what_waits_for_the_windows_of_a_start_is_not_behind() -> None:
    """D7: a week of readings may take minutes to be read."""
    async_store, clock = Breaking(), ManualClock()
    async_store.slow = asyncio.Event()
    async with supervised(async_store, clock) as owner:
        owner.post(answer())
        await clock.advance(HOUR)
        assert owner.progress == Progress(0, behind=False)
