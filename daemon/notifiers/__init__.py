"""Ways out: each takes a message and says how the attempt ended. None retries, joins, cuts or decides.

Apprise is imported on use only: it costs 93 ms, and most commands never send anything.
"""

from typing import Protocol

from daemon.types import Attempted, Message


class Notifier(Protocol):
    """One way to one channel."""

    async def send(self, message: Message) -> Attempted:
        """Try once. Every failure is an outcome (SEMANTICS F1); only cancellation is raised.

        A cancelled attempt may still arrive: take its outcome as unknown.
        """
        ...


def problem(url: str) -> str | None:
    """Why Apprise cannot use this channel URL: one sentence with the remedy, nothing of the URL but its service."""
    from daemon.notifiers import apprise  # noqa: PLC0415 - imported on use

    return apprise.problem(url)


def caution(url: str) -> str | None:
    """What is unwise about a usable channel URL: messages that leave this machine unencrypted."""
    from daemon.notifiers import apprise  # noqa: PLC0415 - imported on use

    return apprise.caution(url)
