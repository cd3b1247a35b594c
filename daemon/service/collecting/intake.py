"""Both sources of one account on their way into its mailbox: answers and pushes, held against each other (B7).

It judges nothing: what either is worth is decided in `readings.pushes`, whose state is kept here.
"""

from collections.abc import Callable
from dataclasses import replace

from daemon.clock import Clock
from daemon.log import Episodes
from daemon.readings import pushes
from daemon.readings.pushes import LIMIT, Pushes
from daemon.types import Answer, NoAnswer


class Intake:
    """Of one account. `post` puts into the mailbox; `limit` is how often in a row a field may disagree."""

    def __init__(
        self,
        account: str,
        post: Callable[[Answer | NoAnswer], None],
        clock: Clock,
        episodes: Episodes,
        limit: int = LIMIT,
    ) -> None:
        self._account = account
        self._post = post
        self._clock = clock
        self._episodes = episodes
        self.pushes = Pushes(limit)

    def answered(self, answer: Answer | NoAnswer) -> bool:
        """A call has ended; True where a push overtook its answer, so that it is to be made again."""
        stale = False
        if isinstance(answer, Answer):
            self._tell_missing(answer, "answers")
        if isinstance(answer, Answer) and answer.asked_at is not None:
            self.pushes, stale = pushes.answered(self.pushes, answer.balances, answer.asked_at)
        self._post(replace(answer, overtaken=True) if isinstance(answer, Answer) and stale else answer)
        return stale

    def pushed(self, answer: Answer) -> None:
        """The account's balances were pushed."""
        self._tell_missing(answer, "pushes")
        self.pushes, believed = pushes.pushed(self.pushes, answer.balances, self._clock.elapsed())
        if believed is not None:
            self._post(replace(answer, balances=believed))

    def _tell_missing(self, answer: Answer, source: str) -> None:
        """Log once what the exchange does not send, and once that it does again (SEMANTICS B3a)."""
        key, names = ("missing", self._account, source), ", ".join(answer.missing)
        if names:
            sentence = (
                f"{source} of the exchange are without {names}: rules that need it cannot be judged, all others are"
            )
            self._episodes.failed(key, sentence, reason=names, account=self._account)
        else:
            self._episodes.ended(key, f"{source} of the exchange are complete again", account=self._account)
