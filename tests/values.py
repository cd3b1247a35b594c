"""Values that many tests build: readings, rules and what the evaluator made of a reading."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from daemon.rules.evaluation.evaluator import Verdict
from daemon.rules.language.parse import parse_condition
from daemon.rules.rule import Rule
from daemon.types import (
    AccountState,
    Answer,
    Balances,
    ConfigChange,
    DecidingComparison,
    Gap,
    Millis,
    Miss,
    MissReason,
    Quality,
    Reading,
    Record,
    Source,
)

T0: Millis = 1_767_265_200_000


def balances(available_margin: str = "500", al_freeze: str = "0") -> Balances:
    margin = Decimal(available_margin)
    return Balances(margin, margin, Decimal(0), Decimal(0), Decimal(al_freeze))


def reading(seq: int, at: Millis = T0, quality: Quality = Quality.OK, **fields: str) -> Reading:
    return Reading(seq, at, Source.REST, quality, at, balances(**fields))


def answer(user_id: str = "1162061", **fields: str) -> Answer:
    return Answer(user_id, T0, balances(**fields))


def confirming(read: Answer) -> Answer:
    """The same, as a confirming read brings it."""
    return replace(read, source=Source.CONFIRM)


def miss(seq: int, at: Millis = T0, reason: MissReason = MissReason.TIMEOUT) -> Miss:
    return Miss(seq, at, reason, "no answer within 10 s")


def rule(name: str = "low", when: str = "available_margin < 100", **policy: Any) -> Rule:
    if isinstance(policy.get("clear_when"), str):
        policy["clear_when"] = parse_condition(policy["clear_when"])
    return Rule(name, parse_condition(when), **policy)


def judged(
    value: str | None,
    threshold: str = "100",
    *,
    falling: bool = True,
    field: str = "available_margin",
) -> DecidingComparison:
    text = f"{field} {'<' if falling else '>'} {threshold}"
    return DecidingComparison(
        text, field, None if value is None else Decimal(value), Decimal(threshold), falling
    )


TRUE = Verdict(when=True, clear=False, judged=judged("90"))
FALSE = Verdict(when=False, clear=True, judged=judged("500"))
UNKNOWN = Verdict(when=None, clear=None, judged=judged(None))
BETWEEN = Verdict(when=False, clear=False, judged=judged("110"))
"""Neither `when` nor `clear_when` holds."""


def state(account: str = "main", **changes: Any) -> AccountState:
    return AccountState(account, **changes)


def ending(gap: Gap) -> Record:
    """A gap with the input that ends it, one that has no row of its own."""
    return Record(gap.account, ConfigChange(gap.seq, gap.ended_at), gap=gap)
