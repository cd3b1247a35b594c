"""Notifiers: each sends a message and reports the outcome. None retries, joins, cuts or decides.

Apprise is imported on use only: it costs 93 ms, and most commands never send anything.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from daemon.types import AttemptResult, Limit, Message


class Pictures(Enum):
    """Ways in which a channel treats a chart (SEMANTICS F8)."""

    NONE = auto()
    WITH = auto()
    """In the message itself; if the picture is refused, so is the text."""
    AFTER = auto()
    """In a silent message of its own, after the text has arrived."""


@dataclass(frozen=True, slots=True)
class Traits:
    """Capabilities of a service, as far as its documentation and Apprise say."""

    room: int = 3_800
    """Most characters of title and body that arrive whole in one message, counted by `weigh`."""
    weigh: Callable[[str], int] = len
    """The size of a text as the service counts: bytes, UTF-16 units or escaped characters."""
    pace: tuple[Limit, ...] = ()
    """The accepted message rates; more would be refused."""
    pictures: Pictures = Pictures.NONE
    html: bool = False
    """Whether it shows `Message.html`."""
    titles: bool = True
    """Whether it shows `Message.title`, beside the text or above it."""


class Notifier(Protocol):
    """A way to send to one channel."""

    @property
    def traits(self) -> Traits: ...

    async def send(self, message: Message) -> AttemptResult:
        """Try once. Every failure is an outcome (SEMANTICS F1); only cancellation is raised.

        Parts that the channel cannot show are left out: only the text matters. A message without
        text is the silent picture that follows a text, for channels that send it so. A cancelled
        attempt may still arrive: its outcome is unknown.
        """
        ...


def problem(url: str) -> str | None:
    """One sentence why Apprise cannot use this URL, with the remedy; it shows only the service."""
    from daemon.notifiers.apprise import plugins  # noqa: PLC0415 - imported on use

    return plugins.problem(url)


def caution(url: str) -> str | None:
    """Risks of a usable channel URL: weaker safety than possible, several recipients."""
    from daemon.notifiers.apprise import plugins  # noqa: PLC0415 - imported on use

    return plugins.caution(url)


def secrets(url: str) -> frozenset[str]:
    """Every text of a channel URL that must never be seen: parts secret by service or by looks."""
    from daemon.notifiers.apprise import plugins  # noqa: PLC0415 - imported on use

    return plugins.secrets(url)
