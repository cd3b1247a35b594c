"""SEMANTICS B7: a push that changes nothing is no input within a polling interval, and no verdict
is the worse for it.

Whatever is judged is stored, and so a replay sees what was judged (promise 6, which tests/replay
holds it to).
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.readings.fields import SENT
from daemon.readings.push_check import repeats
from daemon.rules.evaluation.evaluator import Evaluator
from daemon.types import (
    HOUR,
    SECOND,
    Answer,
    Balances,
    Millis,
    MissReason,
    NoAnswer,
    OnMissing,
    Quality,
    Source,
)
from tests.replay.days import push
from tests.service.lives import RELOAD, STOP, TRANSITIONS, Life, RestlessClock, Told, rows
from tests.values import T0, answer, miss, reading, rule

EVERY: Millis = 5 * SECOND
ON_FIELDS = (
    rule("low", "available_margin < 100", clear_when="available_margin > 120", flapping=None),
    rule("either", "al_freeze > 50 or cross_un_pnl < -5", flapping=None),
    rule("both", "available_margin < 120 and not cross_un_pnl > 0", flapping=None),
    rule("share", "freeze_ratio >= 1", flapping=None),
)
"""Rules that look at fields alone, neither back nor at the clock."""

pushed = replace(reading(2), source=Source.WS)
amounts = st.sampled_from([None, Decimal(-9), Decimal(0), Decimal(90), Decimal(500)])
held = st.builds(Balances, *[amounts] * len(SENT))


@given(held, held)
def test_b7_a_repeat_can_change_no_verdict_on_fields(before: Balances, after: Balances) -> None:
    """S3: its verdict is that of the input before it, or unknown, which changes nothing (C2)."""
    first, then = replace(reading(2), balances=before), replace(pushed, seq=3, balances=after)
    evaluator = Evaluator(ON_FIELDS)
    was = evaluator.read(first)
    if repeats(then, first):
        found = evaluator.read(then)
        assert all(verdict.when in {None, was[name].when} for name, verdict in found.items())
        assert all(verdict.clear in {None, was[name].clear} for name, verdict in found.items())


def test_b7_only_a_push_that_repeats_the_input_before_it_is_one() -> None:
    """S3: no answer is a repeat, nor a push with new or changed fields, or one in doubt."""
    suspect = replace(reading(2), quality=Quality.SUSPECT)
    confirmed = replace(reading(2), quality=Quality.CONFIRMED)
    less = replace(pushed, balances=replace(pushed.balances, al_freeze=None))
    more = replace(pushed, balances=replace(pushed.balances, cross_un_pnl=Decimal(1)))
    other = replace(pushed, balances=replace(pushed.balances, al_freeze=Decimal(1)))
    assert [repeats(each, reading(2)) for each in (pushed, less, more, other)] == [
        True,
        True,
        False,
        False,
    ]
    assert [repeats(pushed, each) for each in (confirmed, suspect, pushed, miss(2), None)] == [
        True,
        False,
        True,
        False,
        False,
    ]
    assert repeats(replace(pushed, quality=Quality.SUSPECT), suspect)
    assert not repeats(replace(pushed, quality=Quality.SUSPECT), reading(2))
    assert not repeats(pushed, replace(reading(2), quality=Quality.STALE))
    assert not repeats(reading(3), reading(2))


def day(draw: random.Random, rounds: int) -> Iterator[Told]:
    """Answers and pushes that mostly repeat themselves, with misses between them."""
    found = answer()
    for _ in range(rounds):
        if draw.random() < 0.2:
            margin = draw.choice(("90", "110", "500"))
            pnl = draw.choice((None, Decimal(-9), Decimal(3)))
            found = answer(available_margin=margin, al_freeze=draw.choice(("0", "100", "500")))
            found = replace(found, balances=replace(found.balances, cross_un_pnl=pnl))
        lost = NoAnswer(draw.choice((MissReason.TIMEOUT, MissReason.AUTH)), "it failed")
        back = replace(found, exchange_at=T0 - HOUR)
        yield draw.choices((push(found), found, lost, back), (20, 3, 1, 1))[0]


async def live(folder: Path, seed: int, every: Millis) -> Path:
    """Lives on one database that are told the same, whatever they leave out."""
    draw, clock, path = random.Random(seed), RestlessClock(), folder / f"{every}.db"
    arrivals, reason = day(draw, 150), "start"
    for _ in range(2):
        async with Life(
            f"sqlite:///{path}", ["main"], ON_FIELDS, clock=clock, reason=reason, every=every
        ) as life:
            for _, arrival in zip(range(75), arrivals, strict=False):
                await life.tell({"main": arrival})
                await clock.advance(SECOND)
            life.ending = reason = draw.choice((STOP, RELOAD))
            reason = RELOAD if reason == RELOAD else "start"
    return path


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(2))
async def test_b7_without_the_repeats_a_day_is_the_same(tmp_path: Path, seed: int) -> None:
    """S3: transitions, their instants and values are those of a daemon that judges all."""
    all_of_it, thinned = [await live(tmp_path, seed, every) for every in (0, EVERY)]
    assert rows(thinned, TRANSITIONS) == rows(all_of_it, TRANSITIONS) != []
    pushes = "SELECT count(*) FROM snapshots WHERE source = 'ws'"
    ((judged,),), ((kept,),) = rows(all_of_it, pushes), rows(thinned, pushes)
    assert (judged > 100, kept < judged / 2) == (True, True)  # type: ignore[operator]


async def test_b7_a_flood_of_the_same_push_is_one_row_an_interval(tmp_path: Path) -> None:
    """S3: however often it comes; it counts as a reading, so that `age` stays below an interval."""
    clock = RestlessClock()
    path = tmp_path / "m.db"
    flood: list[Answer] = [push(answer())] * 100
    rules = [rule("stale", "age > 5s"), rule("low", "available_margin < 100")]
    async with Life(f"sqlite:///{path}", ["main"], rules, clock=clock, every=EVERY) as life:
        for each in flood:
            await life.tell({"main": replace(each, extra={"number": clock.now()})})
            await clock.advance(SECOND // 10)
        await life.tell({"main": push(answer(available_margin="90"))})
    assert rows(path, "SELECT count(*) FROM snapshots") == [(3,)]
    assert [row[1:2] + row[5:6] for row in rows(path, TRANSITIONS)] == [("low", "firing")]


async def test_b7_readings_are_not_missing_while_pushes_repeat_themselves(tmp_path: Path) -> None:
    """S3: the last repeat before a miss is judged, so `age` and `on_missing` count from it."""
    clock, path = RestlessClock(), tmp_path / "m.db"
    lost = NoAnswer(MissReason.TIMEOUT, "it failed")
    missing = replace(
        rule("gone", "available_margin < 1"), on_missing=OnMissing.FIRING, missing_after=2 * SECOND
    )
    rules = [rule("stale", "age > 2s"), missing]
    async with Life(f"sqlite:///{path}", ["main"], rules, clock=clock, every=EVERY) as life:
        for _ in range(4):
            await life.tell({"main": push(answer())})
            await clock.advance(SECOND)
        await life.tell({"main": lost})
        await clock.advance(2 * SECOND)
        await life.tell({"main": lost})
    assert rows(path, "SELECT seq, at - min(at) OVER () FROM snapshots") == [
        (2, 0),
        (3, 3 * SECOND),
    ]
    assert {row[1:2] + row[5:6] for row in rows(path, TRANSITIONS)} == {
        ("stale", "firing"),
        ("gone", "firing"),
    }
    assert set(rows(path, "SELECT at - (SELECT min(at) FROM snapshots) FROM transitions")) == {
        (6 * SECOND,)
    }
