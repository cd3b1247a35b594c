"""Refuses redirects of receivers, for every service, whatever its URL asks for.

A redirect carries a message, or headers with a token, to a host that nobody configured. A POST that
becomes a GET may be answered 200, which would count as a delivery. A URL can override Apprise's own
switch (`redirect=yes`). So the function of requests that reads a redirect's target is replaced: it
raises.
"""

from urllib.parse import urlsplit

import requests


class RedirectError(requests.RequestException):
    """An answer that redirects a call; `host` is the target, as the receiver wrote it."""

    def __init__(self, status: int, host: str) -> None:
        super().__init__(f"HTTP {status}, a redirect to {host or 'another place'}")
        self.status = status
        self.host = host


def _refuse(_session: requests.Session, response: requests.Response) -> None:
    if not response.is_redirect:
        return
    location = response.headers["Location"]
    response.close()
    raise RedirectError(response.status_code, _host(location) or _host(response.url))


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def install() -> None:
    """Make requests refuse every redirect in this process."""
    requests.Session.get_redirect_target = _refuse  # type: ignore[assignment, method-assign]
