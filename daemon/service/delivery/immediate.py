"""What leaves at once: messages that are claimed in the transaction which causes their news
(SEMANTICS F7).

a decision's notices ──► book: the couriers that are free write their messages ──► committed with the record
                             └──► leave: they send them          release: they go on as if they had not been asked

The owner of the account commits them. Each claim that may be recorded and does not leave it
withdraws, before anybody else hears of the news: then an attempt without an outcome is one that was
made, or that a crash cut off.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from daemon.store.operations import Claim
from daemon.types import Notice


class EagerSender(Protocol):
    """One that takes news to a channel."""

    def book(self, notices: Sequence[Notice]) -> Claim | None:
        """Write the message that tells these, and keep free for it; None where it cannot leave at
        once.
        """
        ...

    def holds(self, claim: Claim) -> bool:
        """Whether it can still leave: nothing else did meanwhile, and the channel is not about to
        stop.
        """
        ...

    def leave(self, claim: Claim) -> None:
        """It is committed, its news is in the ledger, and it is held: send it."""
        ...

    def release(self, claim: Claim) -> None:
        """It does not leave: keep nothing free for it."""
        ...


@dataclass(slots=True)
class EagerClaims:
    """The messages of one record, until each has left or is released."""

    booked: list[tuple[EagerSender, Claim]] = field(default_factory=list)

    @property
    def claims(self) -> tuple[Claim, ...]:
        return tuple(claim for _, claim in self.booked)

    def leave(self) -> None:
        """All are committed, and none is overtaken."""
        for worker, claim in self.booked:
            worker.leave(claim)
        self.booked = []

    def release(self) -> list[Claim]:
        """None leaves; their claims."""
        for worker, claim in self.booked:
            worker.release(claim)
        released, self.booked = list(self.claims), []
        return released

    def overtaken(self) -> list[Claim]:
        """The claims of those that can leave no more, and are none of these any longer."""
        gone = [claim for worker, claim in self.booked if not worker.holds(claim)]
        self.booked = [(worker, claim) for worker, claim in self.booked if claim not in gone]
        return gone


def book(workers: Mapping[str, EagerSender], notices: Sequence[Notice]) -> EagerClaims:
    """By channel, one message with all that is new there."""
    by_channel: dict[str, list[Notice]] = defaultdict(list)
    for notice in notices:
        by_channel[notice.key.channel].append(notice)
    asked = [(workers[channel], news) for channel, news in by_channel.items() if channel in workers]
    return EagerClaims(
        [(worker, claim) for worker, news in asked if (claim := worker.book(news)) is not None]
    )
