"""Compares answers and pushes of one account on their way into its mailbox (SEMANTICS B7).

It judges nothing: `readings.push_check` decides what either is worth; its state is kept here.
"""

from collections.abc import Callable
from dataclasses import replace

from daemon.clock import Clock
from daemon.log import FailureLog
from daemon.readings import push_check
from daemon.readings.push_check import LIMIT, Pushes
from daemon.readings.unknown_fields import bound_fields
from daemon.types import Answer, NoAnswer

NAMED = 3
"""Most fields that one sentence names."""

NAME = 40
"""Most characters of such a name."""


class PushRestReconciler:
    """Reconciler of one account.

    `post` puts into the mailbox; `limit` is how often in a row a field may disagree.
    """

    def __init__(
        self,
        account: str,
        post: Callable[[Answer | NoAnswer], None],
        clock: Clock,
        failure_log: FailureLog,
        limit: int = LIMIT,
    ) -> None:
        self._account = account
        self._post = post
        self._clock = clock
        self._failure_log = failure_log
        self.pushes = Pushes(limit)

    def answered(self, answer: Answer | NoAnswer) -> bool:
        """Take the result of a call; True if a push overtook it, so that it must be made again."""
        stale = False
        if isinstance(answer, Answer):
            self._tell_missing(answer, "answers")
            answer = self._bounded(answer, "answers")
        if isinstance(answer, Answer) and answer.asked_at is not None:
            self.pushes, stale = push_check.take_answer(
                self.pushes, answer.balances, answer.asked_at
            )
        self._post(
            replace(answer, overtaken=True) if isinstance(answer, Answer) and stale else answer
        )
        return stale

    def pushed(self, answer: Answer) -> None:
        """Take pushed balances."""
        self._tell_missing(answer, "pushes")
        self.pushes, believed = push_check.take_push(
            self.pushes, answer.balances, self._clock.elapsed()
        )
        if believed is not None:
            self._post(replace(self._bounded(answer, "pushes"), balances=believed))

    def _bounded(self, answer: Answer, source: str) -> Answer:
        """Drop unknown fields beyond the limits of a reading; log that once per instance."""
        kept, left_out = bound_fields(answer.extra)
        if not left_out:
            return answer
        names = ", ".join(name[:NAME] for name in left_out[:NAMED])
        more = f" and {len(left_out) - NAMED} more" if len(left_out) > NAMED else ""
        sentence = (
            f"{source} of the exchange have more unknown fields than a reading keeps (50 fields, 4"
            f" KiB): {names}{more} are left out; all known fields are recorded"
        )
        self._failure_log.failed(
            ("unknown fields", self._account, source), sentence, account=self._account
        )
        return replace(answer, extra=kept)

    def _tell_missing(self, answer: Answer, source: str) -> None:
        """Log once which fields are missing, and once that they are back (SEMANTICS B3a)."""
        key, names = ("missing", self._account, source), ", ".join(answer.missing)
        if names:
            sentence = (
                f"{source} of the exchange are without {names}: rules that need it cannot be"
                " judged, all others are"
            )
            self._failure_log.failed(key, sentence, reason=names, account=self._account)
        else:
            self._failure_log.ended(
                key, f"{source} of the exchange are complete again", account=self._account
            )
