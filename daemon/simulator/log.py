"""What the simulated exchange was asked and what it answered: the oracle of the tests.

Written before the answer leaves, so that whatever a killed client may have seen is here. No secret
enters it.
"""

import json
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from daemon.clock import Clock
from daemon.types import Balances, Millis


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One thing that was asked, or told unasked (a push)."""

    at: Millis
    """Wall time of the clock that was passed in."""
    elapsed: Millis
    """The same clock's `elapsed`, which never steps."""
    account: str
    """Its name; empty when the caller could not be told."""
    user_id: str
    path: str
    said: str
    """`balances`, `push`, `login`, `sub`, `unsub`, `ping`, `code N` for a refusal, or the name of a
    fault.
    """
    balances: Balances | None = None
    """What was told, where it can be read as balances; None for everything else."""
    exchange_at: Millis | None = None
    timestamp: str = ""
    """Of the signed request, as text: a second request with the same one was signed once and sent
    twice.
    """
    ip: str = ""
    host: str = ""
    """As the caller addressed us."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asked, as far as it is known."""

    account: str = ""
    user_id: str = ""
    ip: str = ""
    host: str = ""
    timestamp: str = ""


class Log:
    """The last `keep` entries, and all of them in `journal` (a file of JSON lines) if there is
    one.
    """

    def __init__(self, clock: Clock, keep: int, async_store: Path | None = None) -> None:
        self._clock = clock
        self._async_store = async_store
        self.entries: deque[LoggedRequest] = deque(maxlen=keep)

    def note(
        self,
        caller: Caller,
        path: str,
        said: str,
        balances: Balances | None = None,
        exchange_at: Millis | None = None,
    ) -> None:
        now, elapsed = self._clock.now(), self._clock.elapsed()
        entry = LoggedRequest(
            now,
            elapsed,
            path=path,
            said=said,
            balances=balances,
            exchange_at=exchange_at,
            **asdict(caller),
        )
        self.entries.append(entry)
        if self._async_store is not None:
            with self._async_store.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(asdict(entry), default=str) + "\n")


def busiest(instants: Iterable[Millis], window: Millis) -> int:
    """The most of these ascending instants that any sliding window (start excluded, end included)
    holds.
    """
    inside: deque[Millis] = deque()
    most = 0
    for at in instants:
        inside.append(at)
        while inside[0] <= at - window:
            inside.popleft()
        most = max(most, len(inside))
    return most
