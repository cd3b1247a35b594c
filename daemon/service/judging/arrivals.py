"""Turns the mailbox items of one account into inputs, which have a counter and an instant.

answer ──► plausible? (gate) ──► says nothing new? left out ──► Reading
no answer ──► the suspect and the push that were left out ──► Miss
suspend ──► kept until the next reading or miss ends it on record
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from daemon.readings import push_check
from daemon.service.judging.confirmer import Overdue
from daemon.service.judging.plausibility_gate import Gate
from daemon.types import (
    AccountState,
    Answer,
    ClockStep,
    Gap,
    GapReason,
    Input,
    Millis,
    Miss,
    NoAnswer,
    Quality,
    Reading,
    Unconfirmed,
)


@dataclass(frozen=True, slots=True)
class Look:
    """A request to check the wall clock now, rather than at the next input."""


@dataclass(frozen=True, slots=True)
class Slept:
    """The machine was suspended until now, and `missed` readings are missing."""

    lasted: Millis
    missed: int


Arrival: TypeAlias = Answer | NoAnswer | Look | Overdue | Slept
"""A mailbox item: an input before it has its counter and its instant."""


def merge_suspends(before: Gap | None, now: Gap) -> Gap:
    """Merge two suspends without an input between them."""
    if before is None:
        return now
    return replace(now, started_at=before.started_at, missed=before.missed + now.missed)


def suspend_after(suspend: Gap | None, event: Input) -> Gap | None:
    """The suspend still to be recorded after `event`: a clock step moves it, all else ends it."""
    if suspend is None or not isinstance(event, ClockStep):
        return None
    return replace(
        suspend, started_at=suspend.started_at + event.by, ended_at=suspend.ended_at + event.by
    )


class InputStamper:
    """Gives each input of one account its counter and its instant, which never goes back (A1).

    `state` gives the account's state, which changes between two inputs, `every` its polling
    interval.
    """

    def __init__(
        self, gate: Gate, state: Callable[[], AccountState], every: Callable[[], Millis]
    ) -> None:
        self._gate = gate
        self._state = state
        self._every = every
        self._last: Input | None = None
        """The last input of this instance."""
        self._left_out: Reading | None = None
        """The last push since then that said nothing new, and so was no input."""
        self._suspend: Gap | None = None
        """A suspend that the next reading or miss will end on record."""

    @property
    def _next(self) -> int:
        return self._state().seq + 1

    def clock_step(self, now: Millis, by: Millis) -> ClockStep:
        return ClockStep(self._next, max(now, self._state().at + by), by)

    def suspended(self, slept: Slept, now: Millis) -> None:
        """Keep a suspend until it can be recorded; one without a missed reading is none."""
        if slept.missed:
            account = self._state().account
            gap = Gap(account, 0, now - slept.lasted, now, GapReason.SUSPENDED, slept.missed)
            self._suspend = merge_suspends(self._suspend, gap)

    def suspend_ended_by(self, event: Input) -> Gap | None:
        """The suspend that an input ends; a clock step only moves it."""
        if self._suspend is None or isinstance(event, ClockStep):
            return None
        return replace(self._suspend, seq=event.seq)

    def inputs(self, arrival: Arrival, now: Millis) -> Iterator[Input]:
        """Inputs that a mailbox item yields; each is stamped after the one before it is adopted.

        A suspect that a miss leaves unsettled is judged before the miss, because readings were not
        missing yet.
        """
        suspect = self._gate.unsettled(arrival)
        if suspect is not None:
            yield Unconfirmed(self._next, max(now, self._state().at), suspect)
        match arrival:
            case Answer():
                reading = self._reading(arrival, now)
                if self._is_repeat(reading):
                    self._left_out = reading
                else:
                    yield reading
            case NoAnswer(reason, detail):
                # Otherwise readings would seem to be missing although pushes came. A push from
                # before a suspend must not end it.
                if self._left_out is not None and self._suspend is None:
                    yield self._left_out
                yield Miss(self._next, max(now, self._state().at), reason, detail)

    def adopt(self, event: Input) -> None:
        """Note that an input is recorded."""
        self._last, self._left_out = event, None
        self._suspend = suspend_after(self._suspend, event)

    def _reading(self, answer: Answer, now: Millis) -> Reading:
        seq, at = self._next, max(now, self._state().at)
        quality = Quality.STALE if answer.overtaken else self._gate.quality(answer)
        return Reading(
            seq, at, answer.source, quality, answer.exchange_at, answer.balances, answer.extra
        )

    def _is_repeat(self, reading: Reading) -> bool:
        """Whether it is a push without a change in a polling interval: no input (SEMANTICS B7).

        It is left out before judging, so that a replay sees exactly the inputs that were judged
        (promise 6).
        """
        before = self._last
        if before is None or not push_check.repeats(reading, before):
            return False
        return reading.at - before.at < self._every()
