"""Whether an answer is believed at once (SEMANTICS B5): a gate that fails open. Pure.

    weigh(trust, answer) ──► verdict             before it gets its counter; a suspect one judges nothing
    after(trust, input) ──► trust                once that input is recorded, and again for every one at a start

What was read and not believed is a suspicion. Every later reading settles it: one with the same
doubts confirms it, one without any contradicts it, one with others takes its place. Where none
comes in time it is judged after all, `Unconfirmed`; a run of suspects has one clock, so that no
sequence of answers keeps everything from being judged. It counts no time and asks nobody:
`service.confirming` does.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter

from daemon.readings.exact import known, multiplied, subtracted
from daemon.readings.fields import SENT
from daemon.types import (
    JUDGED,
    Answer,
    Balances,
    Input,
    Millis,
    Quality,
    Reading,
    Source,
    Unconfirmed,
)

_sent = attrgetter(*SENT)


class Doubt(StrEnum):
    """Why an answer is not believed at once: these reasons and no others."""

    ZEROS = "all fields are zero"
    BACK = "the exchange's time went back"
    FELL = "available_margin fell by more than max_jump"
    ROSE = "available_margin rose by more than max_jump"


@dataclass(frozen=True, slots=True)
class PendingSuspect:
    """What was read and is neither believed nor contradicted yet."""

    first: int
    """The counter of the first of the suspects that follow each other."""
    reading: Reading
    """The last of them."""
    doubts: frozenset[Doubt]

    @property
    def begins(self) -> bool:
        """Whether nothing was suspect before it."""
        return self.first == self.reading.seq


@dataclass(frozen=True, slots=True)
class PlausibilityState:
    """What was believed last of an account. A field that the last reading lacked is that of the one
    before.
    """

    exchange_at: Millis | None = None
    available_margin: Decimal | None = None
    nonzero: frozenset[str] = frozenset()
    """The fields that were not zero when they were last known."""
    suspicion: PendingSuspect | None = None


@dataclass(frozen=True, slots=True)
class PlausibilityResult:
    """What an answer is worth."""

    quality: Quality
    doubts: frozenset[Doubt]
    contradicts: int | None = None
    """The counter of the first suspect that it contradicts, and all those after it."""


def weigh(
    trust: PlausibilityState, answer: Answer | Reading, max_jump: Decimal | None
) -> PlausibilityResult:
    """Judge an answer by what was believed before; a jump is a share of that (0.5 is half), None
    looks for none.

    A push never confirms, for the exchange sends some of them twice. A confirming answer need not
    have the same values, which move all the time: that it is doubtful for no other reason than the
    suspect is enough.
    """
    doubts, before = _doubts(trust, answer, max_jump), trust.suspicion
    agrees = before is not None and bool(doubts) and doubts <= before.doubts
    if agrees and answer.source is not Source.WS:
        return PlausibilityResult(Quality.CONFIRMED, doubts)
    quality = Quality.SUSPECT if doubts else Quality.OK
    return PlausibilityResult(quality, doubts, None if agrees or before is None else before.first)


def after(trust: PlausibilityState, event: Input, max_jump: Decimal | None) -> PlausibilityState:
    """What is believed once this input is recorded; the same one twice is the same as once."""
    match event:
        case Unconfirmed(reading=reading):
            return _believed(trust, reading)
        case Reading(quality=quality) if quality in JUDGED:
            return _believed(trust, event)
        case Reading(quality=Quality.SUSPECT | Quality.CONTRADICTED):
            first = event.seq if trust.suspicion is None else trust.suspicion.first
            return replace(
                trust, suspicion=PendingSuspect(first, event, _doubts(trust, event, max_jump))
            )
        case _:
            return trust


def _believed(trust: PlausibilityState, reading: Reading) -> PlausibilityState:
    """It settles whatever was suspect before it."""
    sent, amounts = reading.balances, _amounts(reading.balances)
    return PlausibilityState(
        trust.exchange_at if reading.exchange_at is None else reading.exchange_at,
        trust.available_margin if known(sent.available_margin) is None else sent.available_margin,
        trust.nonzero.difference(amounts) | {name for name, amount in amounts.items() if amount},
    )


def _doubts(
    trust: PlausibilityState, answer: Answer | Reading, max_jump: Decimal | None
) -> frozenset[Doubt]:
    found = set[Doubt]()
    amounts = _amounts(answer.balances)
    if not trust.nonzero.isdisjoint(amounts) and not any(amounts.values()):
        found.add(Doubt.ZEROS)
    if (
        trust.exchange_at is not None
        and answer.exchange_at is not None
        and answer.exchange_at < trust.exchange_at
    ):
        found.add(Doubt.BACK)
    if jump := _jump(trust.available_margin, known(answer.balances.available_margin), max_jump):
        found.add(jump)
    return frozenset(found)


def _amounts(balances: Balances) -> dict[str, Decimal]:
    """By name, the fields that are known."""
    return {
        name: amount
        for name, amount in zip(SENT, _sent(balances), strict=True)
        if known(amount) is not None
    }


def _jump(before: Decimal | None, now: Decimal | None, most: Decimal | None) -> Doubt | None:
    """From nothing, no share tells how far something jumped."""
    if not before or now is None or most is None:
        return None
    moved, allowed = subtracted(now, before), multiplied(abs(before), most)
    if moved is None or allowed is None or abs(moved) <= allowed:
        return None
    return Doubt.FELL if moved < 0 else Doubt.ROSE
