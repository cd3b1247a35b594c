"""Fetches the address of a monitor such as healthchecks.io, which alarms when the fetches stop.

    GET ──► 2xx: the monitor has heard us

It fetches once and returns the result; `service.heartbeat` decides when to fetch and retry. The
address is a token: no redirect is followed, and no failure text shows a part of it. It uses
requests, as Apprise does, so that a proxy or an authority is set up once for both.
"""

import requests

from daemon import __version__
from daemon.clock import Clock
from daemon.notifiers.apprise import outcomes
from daemon.notifiers.transport import answers, redirects
from daemon.notifiers.transport.bounded_calls import BoundedCalls, Unfinished
from daemon.notifiers.transport.redirects import RedirectError
from daemon.types import SECOND, Millis

TIMEOUT: Millis = 10 * SECOND
"""Limit of one fetch, from beginning to end."""

READ = 1_024
"""Most bytes that are read of an answer."""

UNKNOWN = b"OK (not found)"
"""The answer of healthchecks.io, with status 200, to an address of no check."""

answers.install()
redirects.install()


class HeartbeatMonitor:
    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._calls: BoundedCalls[str | None] = BoundedCalls(
            clock, TIMEOUT, lambda refusal: refusal is None
        )

    async def beat(self) -> str | None:
        """Fetch the address once. Returns why that failed, without the address, or None."""
        answer = await self._calls.run(self._fetch)
        return "it does not answer in time" if isinstance(answer, Unfinished) else answer

    def _fetch(self) -> str | None:
        """Fetch, blocking, in a thread of its own."""
        agent, patience = {"User-Agent": f"marginwatch/{__version__}"}, TIMEOUT / SECOND
        try:
            with requests.get(
                self._url, headers=agent, timeout=patience, allow_redirects=False, stream=True
            ) as response:
                return _refusal(response.status_code, next(response.iter_content(READ), b""))
        except RedirectError as error:
            return (
                f"it answers {error.status}, a redirect, which is not followed: write the address"
                " that it leads to"
            )
        except (
            OSError,
            ValueError,
        ) as error:  # requests' own are OSErrors; an address that is none is a ValueError
            return outcomes.unreached(error) or f"it gives no answer ({type(error).__name__})"


def _refusal(status: int, said: bytes) -> str | None:
    if not 200 <= status < 300:
        return f"it answers {status}"
    return "it knows no check at this address" if said.startswith(UNKNOWN) else None
