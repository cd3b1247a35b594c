"""The protocol of a push stream: the frames to send, and the events they bring. Pure.

An exchange offers a stream by a function `stream_protocol(account)` in its file. Connections,
timers and reconnecting are the same for all: see `stream_connection`, `stream_session` and
`reconnect`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from daemon.types import Answer, NoAnswer


@dataclass(frozen=True, slots=True)
class Accepted:
    """The login was answered without a refusal. Only the first push proves that it took effect."""


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The subscription was confirmed."""


@dataclass(frozen=True, slots=True)
class Pong:
    """Our ping was answered."""


@dataclass(frozen=True, slots=True)
class Pinged:
    """The exchange sent a ping, to be answered with `answer`."""

    answer: str


@dataclass(frozen=True, slots=True)
class Pushed:
    """Balances changed. `answers` are without duplicates; they may be another user's."""

    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Malformed:
    """A frame that cannot be read, as one sentence without secrets; the connection may go on."""

    detail: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A frame without meaning for us."""


StreamEvent: TypeAlias = (
    Accepted | Subscribed | Pong | Pinged | Pushed | Malformed | Ignored | NoAnswer
)
"""The meaning of one frame. A NoAnswer is a refusal: the connection is of no more use."""


class StreamProtocol(Protocol):
    """The frames to send, as text, and the parser of received frames."""

    @property
    def login(self) -> str:
        """The login frame. It may hold the secret; it is sent to the exchange and nowhere else."""
        ...

    @property
    def secrets(self) -> Sequence[str]:
        """Every spelling of the account's keys, to mask what the exchange sends back."""
        ...

    @property
    def subscribe(self) -> str: ...

    @property
    def ping(self) -> str: ...

    def understand(self, text: str) -> StreamEvent:
        """Parse a frame; never raises."""
        ...
