"""Plausibility of one account's answers, before judging and after a commit (SEMANTICS B5, B6).

It holds the state of `readings.plausibility` and `readings.sum_check`, a function of the recorded
readings, and logs which readings are not believed. It judges nothing and calls no exchange: that is
the task of the `doubted` callback.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal

from daemon.log import FailureLog
from daemon.readings.plausibility import (
    PendingSuspect,
    PlausibilityState,
    check_answer,
    state_after,
)
from daemon.readings.sum_check import SENTENCE, Expectation, check_sum, check_sums
from daemon.service.judging.confirmer import Overdue
from daemon.types import Answer, Input, NoAnswer, Quality, Reading, Unconfirmed

Doubted = Callable[[PendingSuspect], None]
"""Callback for every reading that is not believed at once."""

_NEWS = {
    Quality.CONFIRMED: "a second reading agrees: it is judged",
    Quality.OK: "another reading contradicts it: it is ignored",
    Quality.UNCONFIRMED: (
        "nothing confirmed or contradicted it in time: it is judged, as unconfirmed"
    ),
}


class Gate:
    def __init__(
        self, account: str, max_jump: Decimal | None, failure_log: FailureLog, doubted: Doubted
    ) -> None:
        self._account = account
        self._max_jump = max_jump
        self._failure_log = failure_log
        self._doubted = doubted
        self._state = PlausibilityState()
        self._expected = Expectation()

    @property
    def suspicion(self) -> PendingSuspect | None:
        """The reading that is neither believed nor contradicted yet."""
        return self._state.suspicion

    def recall(self, recorded: Iterable[Reading]) -> None:
        """Rebuild the state from the last readings, of any quality, in their order."""
        state, readings = PlausibilityState(), list(recorded)
        for reading in readings:
            state = state_after(state, reading, self._max_jump)
        self._state, self._expected = state, check_sums(readings)

    def quality(self, answer: Answer) -> Quality:
        return check_answer(self._state, answer, self._max_jump).quality

    def contradicted(self, event: Input) -> int | None:
        """The first of the suspects that a stamped, not yet adopted input contradicts."""
        if (
            self.suspicion is None
            or not isinstance(event, Reading)
            or event.quality is Quality.STALE
        ):
            return None
        return check_answer(self._state, event, self._max_jump).contradicts

    def unsettled(self, arrival: object) -> Reading | None:
        """The suspect to be judged now, because nothing will settle it in time."""
        open_one = self.suspicion
        if open_one is None:
            return None
        gone = isinstance(arrival, NoAnswer) or arrival == Overdue(open_one.first)
        return open_one.reading if gone else None

    def adopt(self, event: Input) -> None:
        """Update the state after an input is recorded."""
        was, expected = self._state.suspicion, self._expected
        self._state = state_after(self._state, event, self._max_jump)
        self._expected = check_sum(expected, event)
        if self._expected.off and not expected.off:
            self._failure_log.failed(
                ("sum", self._account), f"{self._account}: {SENTENCE}", account=self._account
            )
        if isinstance(event, Reading) and event.quality is Quality.SUSPECT:
            self._suspect()
        elif was is not None and self._state.suspicion is None:
            self._settled(event)

    def _suspect(self) -> None:
        found = self._state.suspicion
        assert found is not None  # a suspect was adopted  # noqa: S101
        why = ", ".join(sorted(found.doubts))
        sentence = (
            f"a reading of {self._account} looks wrong ({why}): it waits for another to confirm it"
        )
        self._failure_log.failed(("suspect", self._account), sentence, account=self._account)
        self._doubted(found)

    def _settled(self, event: Input) -> None:
        quality = (
            Quality.UNCONFIRMED
            if isinstance(event, Unconfirmed)
            else getattr(event, "quality", Quality.OK)
        )
        self._failure_log.ended(("suspect", self._account), _NEWS[quality], account=self._account)
