"""Messages that leave at once: claimed in the transaction that causes them (SEMANTICS F7).

    a decision's notices ──► book: free workers compose ──► committed with the record
                                └──► leave: send          release: go on without it

The account's owner commits the claims. It withdraws each claim that may be recorded but does not
leave, before anybody else learns of the news. So an attempt without an outcome was really made, or
was cut off by a crash.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from daemon.store.operations import Claim
from daemon.types import Notice


class EagerSender(Protocol):
    """A channel worker, as the account owners see it."""

    def book(self, notices: Sequence[Notice]) -> Claim | None:
        """Compose the message and reserve the channel; None if it cannot leave at once."""
        ...

    def holds(self, claim: Claim) -> bool:
        """Whether the message can still leave: nothing else left, and no stop was requested."""
        ...

    def leave(self, claim: Claim) -> None:
        """Send the message: its claim is committed and still held, its notifications are queued."""
        ...

    def release(self, claim: Claim) -> None:
        """Give up the reservation: the message does not leave."""
        ...


@dataclass(slots=True)
class EagerClaims:
    """The messages of one record, until each has left or is released."""

    booked: list[tuple[EagerSender, Claim]] = field(default_factory=list)

    @property
    def claims(self) -> tuple[Claim, ...]:
        return tuple(claim for _, claim in self.booked)

    def leave(self) -> None:
        """Send all messages: they are committed, and none is overtaken."""
        for worker, claim in self.booked:
            worker.leave(claim)
        self.booked = []

    def release(self) -> list[Claim]:
        """Release all messages; return their claims."""
        for worker, claim in self.booked:
            worker.release(claim)
        released, self.booked = list(self.claims), []
        return released

    def overtaken(self) -> list[Claim]:
        """Drop the messages that can no longer leave; return their claims."""
        gone = [claim for worker, claim in self.booked if not worker.holds(claim)]
        self.booked = [(worker, claim) for worker, claim in self.booked if claim not in gone]
        return gone


def book(workers: Mapping[str, EagerSender], notices: Sequence[Notice]) -> EagerClaims:
    """Compose one message per channel with all its new notifications."""
    by_channel: dict[str, list[Notice]] = defaultdict(list)
    for notice in notices:
        by_channel[notice.key.channel].append(notice)
    asked = [(workers[channel], news) for channel, news in by_channel.items() if channel in workers]
    return EagerClaims(
        [(worker, claim) for worker, news in asked if (claim := worker.book(news)) is not None]
    )
