"""Random days as real owners live them: readings, suspects, misses, clock steps, stops, kills,
reloads, other rules.

What comes of them is a database; the tests hold the replay against it.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from daemon.alerts import system_rules
from daemon.rules.rule import AtLeast, Rule
from daemon.types import (
    HOUR,
    SECOND,
    Answer,
    Balances,
    Limit,
    Millis,
    MissReason,
    NoAnswer,
    OnMissing,
    Source,
)
from tests.service.lives import KILL, RELOAD, STOP, Late, Life, RestlessClock, Step, Told
from tests.values import answer, confirming, rule

EVERY: Millis = 500
ACCOUNTS = ("main", "grid")

WRITTEN = (
    rule(
        "critical",
        "available_margin < 50",
        clear_when="available_margin > 60",
        flapping=Limit(2, 20 * SECOND),
    ),
    rule(
        "low",
        "available_margin < 100",
        clear_when="available_margin > 120",
        inhibited_by=("critical",),
    ),
    rule("held", "available_margin < 100", hold=2 * SECOND, keep_firing_for=SECOND),
    rule("kept", "al_freeze > 50", keep_firing_for=3 * SECOND, flapping=None),
    rule("most", "available_margin < 90", at_least=AtLeast(3, 5), missing_after=4 * SECOND),
    rule(
        "most clear",
        "al_freeze > 50",
        clear_when="al_freeze == 0",
        at_least=AtLeast(2, 4),
        missing_after=2 * SECOND,
    ),
    rule(
        "spike",
        "delta(al_freeze, 10s) > 200",
        clear_when="al_freeze < 150",
        worse_by=Decimal("0.25"),
    ),
    rule("deep", "min(delta(available_margin, 5s), 20s) < -80 or max(al_freeze, 8s) > 450"),
    rule("stale", "age > 2s"),
    rule(
        "silent",
        "available_margin < 60",
        on_missing=OnMissing.FIRING,
        missing_after=2 * SECOND,
        hold=SECOND,
    ),
    rule("quiet", "available_margin < 80", on_missing=OnMissing.OK, missing_after=SECOND),
    rule("pnl", "cross_un_pnl < -5"),
    rule("step", "available_margin < prev(available_margin) - 50 or age > 3s"),
    rule("day", "today(equity) < -30", clear_when="today(equity) > -10"),
    rule("drawdown", "equity < peak(equity) - 300", clear_when="equity > peak(equity) - 150"),
    rule("record", "available_margin >= peak(available_margin)"),
    rule("hour", 'since(max(al_freeze, 5s), "11:01") > 100'),
)
SYSTEM = tuple(
    system_rules.system_rule(name, limit)
    for name, limit in {
        "no-readings": 3 * SECOND,
        "key-refused": 0,
        "rate-limited": SECOND,
        "clock-skew": 30 * SECOND,
        "exchange-frozen": 5 * SECOND,
        "rule-unknown": 4 * SECOND,
    }.items()
)
CHANGED = {
    "drawdown": rule("drawdown", "equity < peak(equity) - 100"),
    "record": rule("record", "available_margin >= peak(available_margin + al_freeze)"),
    "low": rule("low", "available_margin < 110", clear_when="available_margin > 120"),
    "held": rule("held", "available_margin < 100", hold=4 * SECOND),
    "kept": rule(
        "kept", "al_freeze > 50", keep_firing_for=3 * SECOND, flapping=Limit(1, 30 * SECOND)
    ),
}
"""The same rules as somebody might change them: the last one means the
same. Of the peaks, the first goes on and the second begins anew.
"""


def arrivals(draw: random.Random, rounds: int) -> Iterator[list[Told]]:
    """Inputs of one account, round by round; a jump over a quarter is suspect too."""
    margin, exchange_at = 150.0, 1_767_265_200_000
    outage, found = 0, answer()
    for _ in range(rounds):
        margin = min(220.0, max(5.0, margin + draw.uniform(-40, 40)))
        exchange_at += draw.choice((0, EVERY, EVERY, 40_000))
        outage = outage - 1 if outage else (draw.random() < 0.03) * draw.randint(1, 12)
        pnl = draw.choice((None, Decimal(-9), Decimal(3)))
        before, found = (
            found,
            answer(
                available_margin=f"{margin:.8f}", al_freeze=str(draw.choice((0, 0, 0, 100, 500)))
            ),
        )
        found = replace(
            found, exchange_at=exchange_at, balances=replace(found.balances, cross_un_pnl=pnl)
        )
        if outage:
            yield [
                NoAnswer(
                    draw.choice((MissReason.TIMEOUT, MissReason.AUTH, MissReason.RATE_LIMITED)),
                    "it failed",
                )
            ]
        elif draw.random() < 0.05:
            back = replace(found, exchange_at=exchange_at - HOUR)
            odd = draw.choice((replace(found, balances=NOTHING), back))
            yield [
                odd,
                *draw.choice(([Late()], [confirming(odd)], [confirming(found)], [odd], [MISS], [])),
            ]
        elif draw.random() < 0.1:
            yield [found, Late()]
        elif draw.random() < 0.2:
            yield [found, *[push(draw.choice((found, before)))] * draw.randint(1, 3)]
        else:
            yield [found]


def push(found: Answer) -> Answer:
    """The same, as it is pushed: without a time, and without a field that pushes never have."""
    return replace(
        found,
        source=Source.WS,
        exchange_at=None,
        balances=replace(found.balances, cross_un_pnl=None),
    )


NOTHING = Balances(*[Decimal(0)] * 5)
MISS = NoAnswer(MissReason.TIMEOUT, "it failed")


def policy(draw: random.Random) -> list[Rule]:
    """The rules of one life."""
    chosen = [
        CHANGED[one.name] if one.name in CHANGED and draw.random() < 0.3 else one for one in WRITTEN
    ]
    return [*(one for one in chosen if draw.random() < 0.95), *SYSTEM]


async def live(
    path: Path, seed: int, rounds: int = 400, accounts: Sequence[str] = ACCOUNTS
) -> None:
    """A day of several lives on one database."""
    draw, clock = random.Random(seed), RestlessClock()
    days = {name: arrivals(random.Random(f"{seed} {name}"), rounds) for name in accounts}
    rules, reason, left = policy(draw), "start", rounds
    while left > 0:
        present = [name for name in accounts if draw.random() < 0.9] or [accounts[0]]
        lasts = min(left, 1 + int(draw.expovariate(1 / 50)))
        left -= lasts
        url, jump = f"sqlite:///{path}", Decimal("0.25")
        async with Life(
            url, present, rules, clock=clock, reason=reason, max_jump=jump, every=EVERY
        ) as life:
            for _ in range(lasts):
                await _round(life, days, draw, clock)
            life.ending = draw.choice((STOP, KILL, RELOAD))
        reason = RELOAD if life.ending == RELOAD else "start"
        rules = policy(draw) if draw.random() < 0.7 else rules
        clock.step(draw.choice((0, 0, 60_000, -90_000)))
        await clock.advance(draw.choice((0, 2_000, 30_000)))


async def _round(
    life: Life, days: dict[str, Iterator[list[Told]]], draw: random.Random, clock: RestlessClock
) -> None:
    if draw.random() < 0.02:
        await life.tell(
            dict.fromkeys(life.owners, Step(draw.choice((-70_000, -1_000, 400, 3_600_000))))
        )
    for name in life.owners:
        for arrival in next(days[name]):
            await life.tell({name: arrival})
            await clock.advance(draw.choice((0, 0, 100)))
    await clock.advance(EVERY)
