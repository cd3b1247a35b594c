"""The send rate of one service (SEMANTICS F5): recent messages, and what may leave now."""

from collections.abc import Sequence

from daemon.clock import Clock
from daemon.notifiers import Notifier
from daemon.types import Limit, Millis


def free_at(sent: Sequence[Millis], limits: Sequence[Limit]) -> Millis | None:
    """The earliest instant for one more message after those sent; None if there is no limit yet."""
    return max(
        (sent[-limit.count] + limit.per for limit in limits if len(sent) >= limit.count),
        default=None,
    )


class SendRate:
    """Send rate of one channel. Instants are those of `Clock.elapsed`."""

    def __init__(self, notifier: Notifier, clock: Clock) -> None:
        self._notifier = notifier
        self._clock = clock
        self._sent: list[Millis] = []

    @property
    def _limits(self) -> tuple[Limit, ...]:
        return self._notifier.traits.pace

    def note(self) -> None:
        """Count a message that leaves now."""
        longest = max((limit.count for limit in self._limits), default=0)
        self._sent = [*self._sent, self._clock.elapsed()][-longest:] if longest else []

    @property
    def due_at(self) -> Millis:
        """The earliest instant at which the service takes another message."""
        at = free_at(self._sent, self._limits)
        return self._clock.elapsed() if at is None else at

    async def turn(self) -> None:
        """Wait until the service takes another message."""
        while (left := self.due_at - self._clock.elapsed()) > 0:
            await self._clock.sleep(left)

    @property
    def is_easy(self) -> bool:
        """Whether less than half of the allowed rate is used: room for optional messages."""
        now = self._clock.elapsed()
        used = [
            (sum(at > now - limit.per for at in self._sent), limit.count) for limit in self._limits
        ]
        return all(2 * count < most for count, most in used if most > 1)
