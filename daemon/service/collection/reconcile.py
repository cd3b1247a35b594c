"""Both sources of one account on their way into its mailbox: answers and pushes, held against each
other (B7).

It judges nothing: what either is worth is decided in `readings.pushes`, whose state is kept here.
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
"""Fields that are left out are named up to so many."""

NAME = 40
"""The most characters of such a name."""


class PushRestReconciler:
    """Of one account. `post` puts into the mailbox; `limit` is how often in a row a field may
    disagree.
    """

    def __init__(
        self,
        account: str,
        post: Callable[[Answer | NoAnswer], None],
        clock: Clock,
        episodes: FailureLog,
        limit: int = LIMIT,
    ) -> None:
        self._account = account
        self._post = post
        self._clock = clock
        self._episodes = episodes
        self.pushes = Pushes(limit)

    def answered(self, answer: Answer | NoAnswer) -> bool:
        """A call has ended; True where a push overtook its answer, so that it is to be made
        again.
        """
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
        """The account's balances were pushed."""
        self._tell_missing(answer, "pushes")
        self.pushes, believed = push_check.take_push(
            self.pushes, answer.balances, self._clock.elapsed()
        )
        if believed is not None:
            self._post(replace(self._bounded(answer, "pushes"), balances=believed))

    def _bounded(self, answer: Answer, source: str) -> Answer:
        """With as many unknown fields as a reading keeps; log once in a life that others are left
        out.
        """
        kept, left_out = bound_fields(answer.extra)
        if not left_out:
            return answer
        names = ", ".join(name[:NAME] for name in left_out[:NAMED])
        more = f" and {len(left_out) - NAMED} more" if len(left_out) > NAMED else ""
        sentence = (
            f"{source} of the exchange have more unknown fields than a reading keeps (50 fields, 4"
            f" KiB): {names}{more} are left out; all known fields are recorded"
        )
        self._episodes.failed(
            ("unknown fields", self._account, source), sentence, account=self._account
        )
        return replace(answer, extra=kept)

    def _tell_missing(self, answer: Answer, source: str) -> None:
        """Log once what the exchange does not send, and once that it does again (SEMANTICS B3a)."""
        key, names = ("missing", self._account, source), ", ".join(answer.missing)
        if names:
            sentence = (
                f"{source} of the exchange are without {names}: rules that need it cannot be"
                " judged, all others are"
            )
            self._episodes.failed(key, sentence, reason=names, account=self._account)
        else:
            self._episodes.ended(
                key, f"{source} of the exchange are complete again", account=self._account
            )
