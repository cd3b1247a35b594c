"""Plausibility of answers (SEMANTICS B5): a check that fails open. Pure.

    check_answer(state, answer) ──► result     before the answer gets its counter
    state_after(state, input) ──► state        once that input is recorded, and at a start

An answer that is not plausible is suspect and not judged. Every later reading settles it: the same
doubts confirm it, no doubt contradicts it, other doubts replace it. If none comes in time, it is
judged as `Unconfirmed`. A run of suspects has one clock, so no sequence of answers can keep
everything from being judged. The clock and the confirming reads are in `service.judging.confirmer`.
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
    """Reason for a doubt. There are no others."""

    ZEROS = "all fields are zero"
    BACK = "the exchange's time went back"
    FELL = "available_margin fell by more than max_jump"
    ROSE = "available_margin rose by more than max_jump"


@dataclass(frozen=True, slots=True)
class PendingSuspect:
    """Suspect reading that is neither confirmed nor contradicted yet."""

    first: int
    """Counter of the first suspect in a row."""
    reading: Reading
    """Last suspect in a row."""
    doubts: frozenset[Doubt]

    @property
    def begins(self) -> bool:
        """True if no suspect came before it."""
        return self.first == self.reading.seq


@dataclass(frozen=True, slots=True)
class PlausibilityState:
    """Last believed values of an account. A field that a reading lacks keeps its value."""

    exchange_at: Millis | None = None
    available_margin: Decimal | None = None
    nonzero: frozenset[str] = frozenset()
    """Fields that were not zero when last known."""
    suspicion: PendingSuspect | None = None


@dataclass(frozen=True, slots=True)
class PlausibilityResult:
    """Result of the check of one answer."""

    quality: Quality
    doubts: frozenset[Doubt]
    contradicts: int | None = None
    """Counter of the first suspect that it contradicts; all after it are contradicted too."""


def check_answer(
    state: PlausibilityState, answer: Answer | Reading, max_jump: Decimal | None
) -> PlausibilityResult:
    """Check an answer against the last believed values.

    `max_jump` is a share of the last value (0.5 is half); None turns that check off. A push never
    confirms, as the exchange sends some of them twice. A confirming answer may have other values,
    which move all the time: it is enough that its doubts are among those of the suspect.
    """
    doubts, before = _doubts(state, answer, max_jump), state.suspicion
    agrees = before is not None and bool(doubts) and doubts <= before.doubts
    if agrees and answer.source is not Source.WS:
        return PlausibilityResult(Quality.CONFIRMED, doubts)
    quality = Quality.SUSPECT if doubts else Quality.OK
    return PlausibilityResult(quality, doubts, None if agrees or before is None else before.first)


def state_after(
    state: PlausibilityState, event: Input, max_jump: Decimal | None
) -> PlausibilityState:
    """State after this input is recorded. Applying the same input twice changes nothing more."""
    match event:
        case Unconfirmed(reading=reading):
            return _believed(state, reading)
        case Reading(quality=quality) if quality in JUDGED:
            return _believed(state, event)
        case Reading(quality=Quality.SUSPECT | Quality.CONTRADICTED):
            first = event.seq if state.suspicion is None else state.suspicion.first
            return replace(
                state, suspicion=PendingSuspect(first, event, _doubts(state, event, max_jump))
            )
        case _:
            return state


def _believed(state: PlausibilityState, reading: Reading) -> PlausibilityState:
    """State after a believed reading, which settles every suspect before it."""
    sent, amounts = reading.balances, _amounts(reading.balances)
    return PlausibilityState(
        state.exchange_at if reading.exchange_at is None else reading.exchange_at,
        state.available_margin if known(sent.available_margin) is None else sent.available_margin,
        state.nonzero.difference(amounts) | {name for name, amount in amounts.items() if amount},
    )


def _doubts(
    state: PlausibilityState, answer: Answer | Reading, max_jump: Decimal | None
) -> frozenset[Doubt]:
    found = set[Doubt]()
    amounts = _amounts(answer.balances)
    if not state.nonzero.isdisjoint(amounts) and not any(amounts.values()):
        found.add(Doubt.ZEROS)
    if (
        state.exchange_at is not None
        and answer.exchange_at is not None
        and answer.exchange_at < state.exchange_at
    ):
        found.add(Doubt.BACK)
    if jump := _jump(state.available_margin, known(answer.balances.available_margin), max_jump):
        found.add(jump)
    return frozenset(found)


def _amounts(balances: Balances) -> dict[str, Decimal]:
    """Known fields, by name."""
    return {
        name: amount
        for name, amount in zip(SENT, _sent(balances), strict=True)
        if known(amount) is not None
    }


def _jump(before: Decimal | None, now: Decimal | None, most: Decimal | None) -> Doubt | None:
    """Doubt about a jump larger than the share `most`. No share is defined from zero."""
    if not before or now is None or most is None:
        return None
    moved, allowed = subtracted(now, before), multiplied(abs(before), most)
    if moved is None or allowed is None or abs(moved) <= allowed:
        return None
    return Doubt.FELL if moved < 0 else Doubt.ROSE
