"""The log of requests and answers of the simulated exchange: the reference for tests.

An entry is written before its answer is sent, so it covers all that a killed client may have seen.
It holds no secret.
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
    """One request with its answer, or one push."""

    at: Millis
    """Wall time of the injected clock."""
    elapsed: Millis
    """`elapsed` of the same clock, which never steps."""
    account: str
    """The account's name; empty if the caller is unknown."""
    user_id: str
    path: str
    said: str
    """Name of the answer: `balances`, `push`, `login`, `ping`, …, `code N`, or a fault's name."""
    balances: Balances | None = None
    """The balances sent, if they can be read as balances; else None."""
    exchange_at: Millis | None = None
    timestamp: str = ""
    """Timestamp of the signed request, as text.

    A second request with the same timestamp was signed once and sent twice.
    """
    ip: str = ""
    host: str = ""
    """The host name that the caller used."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller, as far as it is known."""

    account: str = ""
    user_id: str = ""
    ip: str = ""
    host: str = ""
    timestamp: str = ""


class Log:
    """The last `keep` entries; all of them are also appended to `path` (JSON lines), if given."""

    def __init__(self, clock: Clock, keep: int, path: Path | None = None) -> None:
        self._clock = clock
        self._path = path
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
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(asdict(entry), default=str) + "\n")


def busiest(instants: Iterable[Millis], window: Millis) -> int:
    """Most of these ascending instants in any sliding window (start excluded, end included)."""
    inside: deque[Millis] = deque()
    most = 0
    for at in instants:
        inside.append(at)
        while inside[0] <= at - window:
            inside.popleft()
        most = max(most, len(inside))
    return most
