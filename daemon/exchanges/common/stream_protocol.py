"""How an exchange that offers a push stream talks over it: what is said, and what may be heard.
Pure.

An exchange offers a stream by a function `dialect(account)` in its file. Connections, timers and
reconnecting are the same for all of them: see `lifeline`, `reconnect` and `stream`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from daemon.types import Answer, NoAnswer


@dataclass(frozen=True, slots=True)
class Accepted:
    """The login was answered, and not refused. That it took effect is proven by the first push
    alone.
    """


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The subscription was confirmed."""


@dataclass(frozen=True, slots=True)
class Pong:
    """Our ping was answered."""


@dataclass(frozen=True, slots=True)
class Pinged:
    """The exchange wants a sign of life."""

    answer: str


@dataclass(frozen=True, slots=True)
class Pushed:
    """Balances changed. `answers` are those told, equal ones once; they may be another user's."""

    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Malformed:
    """Something that cannot be read, in one sentence without secrets; the connection may go on."""

    detail: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something that is of no concern."""


StreamEvent: TypeAlias = (
    Accepted | Subscribed | Pong | Pinged | Pushed | Malformed | Ignored | NoAnswer
)
"""What one frame says. A NoAnswer is a refusal: this connection brings nothing any more."""


class StreamProtocol(Protocol):
    """What is said, as the text of whole frames, and how frames are understood."""

    @property
    def login(self) -> str:
        """May hold the secret itself: it goes to the exchange and nowhere else."""
        ...

    @property
    def secrets(self) -> Sequence[str]:
        """Every spelling of the account's keys, for what the exchange says back."""
        ...

    @property
    def subscribe(self) -> str: ...

    @property
    def ping(self) -> str: ...

    def understand(self, text: str) -> StreamEvent:
        """What a frame says; never raises, whatever it holds."""
        ...
