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

    def leave(self) -> None:
        """The message is claimed, and its news is in the ledger: send it."""
        ...

    def release(self) -> None:
        """Nothing came of it."""
        ...


@dataclass(frozen=True, slots=True)
class Departures:
    """The messages of one record. Whoever books ends it, once: by `leave` or by `release`."""

    booked: Sequence[Booked] = ()
    claims: tuple[Claim, ...] = ()

    def leave(self) -> None:
        for each in self.booked:
            each.leave()

    def release(self) -> None:
        for each in self.booked:
            each.release()


NO_DEPARTURES = Departures()


def book(couriers: Mapping[str, Booked], notices: Sequence[Notice]) -> Departures:
    """By channel, one message with all that is new there."""
    by_channel: dict[str, list[Notice]] = defaultdict(list)
    for notice in notices:
        by_channel[notice.key.channel].append(notice)
    asked = [(couriers[channel], news) for channel, news in by_channel.items() if channel in couriers]
    made = [(courier, claim) for courier, news in asked if (claim := courier.book(news)) is not None]
    return Departures(tuple(courier for courier, _ in made), tuple(claim for _, claim in made))
