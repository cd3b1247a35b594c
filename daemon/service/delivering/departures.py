"""What leaves at once: messages that are claimed in the transaction which causes their news (SEMANTICS F7).

a decision's notices ──► book: the couriers that are free write their messages ──► committed with the record
                             └──► leave: they send them          release: they go on as if they had not been asked
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from daemon.store.operations import Claim
from daemon.types import Notice


class Booked(Protocol):
    """One that takes news to a channel."""

    def book(self, notices: Sequence[Notice]) -> Claim | None:
        """Write the message that tells these, and keep free for it; None where it cannot leave at once."""
        ...

    def leave(self, claim: Claim) -> None:
        """It is committed, and its news is in the ledger: send it."""
        ...

    def release(self, claim: Claim) -> None:
        """Nothing came of it."""
        ...


@dataclass(frozen=True, slots=True)
class Departures:
    """The messages of one record. Whoever books ends it, once: by `leave` or by `release`."""

    booked: tuple[tuple[Booked, Claim], ...] = ()

    @property
    def claims(self) -> tuple[Claim, ...]:
        return tuple(claim for _, claim in self.booked)

    def leave(self) -> None:
        for courier, claim in self.booked:
            courier.leave(claim)

    def release(self) -> None:
        for courier, claim in self.booked:
            courier.release(claim)


NO_DEPARTURES = Departures()


def book(couriers: Mapping[str, Booked], notices: Sequence[Notice]) -> Departures:
    """By channel, one message with all that is new there."""
    by_channel: dict[str, list[Notice]] = defaultdict(list)
    for notice in notices:
        by_channel[notice.key.channel].append(notice)
    asked = [(couriers[channel], news) for channel, news in by_channel.items() if channel in couriers]
    return Departures(tuple((courier, claim) for courier, news in asked if (claim := courier.book(news)) is not None))
