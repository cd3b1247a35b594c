"""One HTTP call to an exchange: bounded, never resent, never redirected, failures explained.

Knows no exchange, retries nothing (SEMANTICS B1) and never turns TLS verification off.
"""

import ast
import asyncio
import re
import ssl
from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver

from daemon import __version__
from daemon.exchanges.common import proxies
from daemon.exchanges.common.compression import ASKED, unpack
from daemon.exchanges.common.responses import MAX_BODY, MalformedError, Page, tidy
from daemon.types import DIRECT, Millis, MissReason, NoAnswer, Route


class HandshakeRefusedError(Exception):
    """A handshake was answered with a page. aiohttp would follow a redirect; the login must not."""

    def __init__(self, page: Page) -> None:
        super().__init__(f"HTTP {page.status}")
        self.page = page


class BrokenConnectionError(Exception):
    """The connection broke during a call.

    Not an aiohttp error, because aiohttp resends a GET after some of those.
    """


async def no_resend(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Hide broken connections from aiohttp.

    It would resend the signed call, which the budget would not count.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise BrokenConnectionError from error


async def no_page(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep a handshake at its address, and keep the page sent instead of it.

    aiohttp has no setting for either.
    """
    response = await handler(request)
    if "Upgrade" in request.headers and response.status != HTTPStatus.SWITCHING_PROTOCOLS:
        try:
            raise HandshakeRefusedError(
                await _page(response, whole=not 300 <= response.status < 400)
            )
        finally:
            response.close()
    return response


IDLE = 0.5
"""Seconds for which an unused connection is kept.

A server that closes idle connections may do so at the moment of a call, which is then lost. So no
connection is kept for as long as a polling interval of a second or more. Connections of shorter
intervals, and of many accounts, are reused. aiohttp's own 15 s lost up to half of the calls to a
server that closes after exactly the interval.
"""

WARY = 1_000
"""Calls to a host that use a new connection each, after a kept connection broke.

So at most one call in a thousand is lost.
"""

RESOLVED = 60
"""Seconds for which an address lookup is cached, so new connections need no new one."""


class HttpSession:
    """The HTTP connections of one instance. Some are kept open; cookies are not.

    From the environment it takes authorities (SSL_CERT_FILE), but no proxies and no logins.
    """

    def __init__(self, resolver: AbstractResolver | None = None) -> None:
        # No limit here: the budget bounds the calls, the number of accounts bounds the streams.
        # The context is created anew: aiohttp's own keeps the authorities of its import.
        tls = ssl.create_default_context()
        tls.set_alpn_protocols(["http/1.1"])
        connector = partial(
            aiohttp.TCPConnector, limit=0, ttl_dns_cache=RESOLVED, resolver=resolver, ssl=tls
        )
        self._keeping = _client(connector(keepalive_timeout=IDLE))
        self.fresh = _client(connector(force_close=True))
        """Session that uses each connection once: for streams, and for hosts that break others."""
        self._wary: dict[str, int] = {}
        """Further calls, by host, that need a new connection."""

    def caller(self, url: str) -> aiohttp.ClientSession:
        """The session for the next call to this address."""
        left = self._wary.get(host(url), 0)
        if not left:
            return self._keeping
        self._wary[host(url)] = left - 1
        return self.fresh

    def broke(self, url: str) -> None:
        """Record that a connection to this address broke; use new ones for a while."""
        self._wary[host(url)] = WARY

    async def close(self) -> None:
        await self._keeping.close()
        await self.fresh.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


open_session = HttpSession


def _client(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        timeout=aiohttp.ClientTimeout(),
        headers={"User-Agent": f"marginwatch/{__version__}", "Accept-Encoding": ASKED},
        middlewares=(no_page, no_resend, proxies.blame_proxy),
    )


async def get(
    session: HttpSession,
    url: str,
    headers: Mapping[str, str],
    within: Millis,
    secrets: Sequence[str],
    route: Route = DIRECT,
) -> Page | NoAnswer:
    """Fetch once. A NoAnswer is a timeout or a network failure.

    `within` is the limit of the whole call in ms. `secrets`, the headers and the proxy's password
    are masked in quoted text.
    """
    hidden = (*headers.values(), *secrets, *proxies.secrets(route))
    found = await _get(session, url, headers, within, hidden, route)
    return proxies.name_proxy(found, route) if isinstance(found, NoAnswer) else found


async def _get(
    session: HttpSession,
    url: str,
    headers: Mapping[str, str],
    within: Millis,
    secrets: Sequence[str],
    route: Route,
) -> Page | NoAnswer:
    try:
        async with asyncio.timeout(within / 1_000):
            return await _fetch(session, url, headers, route)
    except TimeoutError:
        said = f"{host(url)} did not answer within {within / 1_000:g}s: check the network"
        return NoAnswer(MissReason.TIMEOUT, said)
    except proxies.ProxyError as error:
        return NoAnswer(MissReason.NETWORK, str(error))
    except aiohttp.ClientResponseError as error:
        came = describe_non_http(error, secrets)
        return NoAnswer(MissReason.BAD_ANSWER, f"{host(url)} {came}: check rest_url")
    except BrokenConnectionError as error:
        session.broke(url)
        return NoAnswer(MissReason.NETWORK, f"{host(url)} {describe_failure(error)}")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return NoAnswer(MissReason.NETWORK, f"{host(url)} {describe_failure(error)}")


async def _fetch(session: HttpSession, url: str, headers: Mapping[str, str], route: Route) -> Page:
    caller, way = session.caller(url), proxies.options(url, route)
    sent, middlewares = {**headers, **way.pop("headers", {})}, (no_resend, proxies.blame_proxy)
    async with caller.get(
        url, headers=sent, allow_redirects=False, middlewares=middlewares, **way
    ) as response:
        return await _page(response)


async def _page(response: aiohttp.ClientResponse, *, whole: bool = True) -> Page:
    """The answer as a page; without `whole`, its body (which may be endless) is not read."""
    body, whole = await _bounded(response.content) if whole else (b"", True)
    heard, flaw = response.headers, ""
    try:
        body = unpack(body, heard.get("Content-Encoding", ""))
    except MalformedError as why:
        body, flaw = b"", str(why)
    whole = whole and len(body) <= MAX_BODY
    kind, location, date = (heard.get(name, "") for name in ("Content-Type", "Location", "Date"))
    return Page(response.status, kind, body[:MAX_BODY], location, whole, date, flaw)


async def _bounded(content: aiohttp.StreamReader) -> tuple[bytes, bool]:
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > MAX_BODY:
            return bytes(body[:MAX_BODY]), False
    return bytes(body), True


def host(url: str) -> str:
    """Host and port of a URL; other parts are never shown."""
    return url.split("://", 1)[-1].split("/", 1)[0].rsplit("@", 1)[-1]


_NO_TLS = (
    "cannot agree on TLS with this machine: check the address, and that nothing"
    " intercepts the connection"
)
_TLS = {
    "WRONG_VERSION_NUMBER": (
        "does not speak TLS here: check the port, and that nothing intercepts the connection"
    ),
    "TLSV1_ALERT_NO_APPLICATION_PROTOCOL": (
        "speaks HTTP/2 only, which is not supported: check the address"
    ),
}
"""Sentences by the reason of the TLS library."""

_FAILURES: tuple[tuple[type[Exception], str], ...] = (
    (
        aiohttp.ClientConnectorDNSError,
        "was not found (DNS): check the address and this machine's name servers",
    ),
    (aiohttp.ClientSSLError, _NO_TLS),
    (aiohttp.ClientPayloadError, "broke off in the middle of its answer: asking again"),
    (aiohttp.InvalidURL, "is no address: check rest_url"),
    (Exception, "closed the connection without answering: asking again"),
)


def describe_failure(error: Exception) -> str:
    """The failure as a sentence that continues after the host's name."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"has no valid certificate ({_verified(error)}): {_remedy(error)}"
    if type(error) is aiohttp.ClientConnectorError:
        reason = error.os_error
        if isinstance(reason, ConnectionRefusedError):
            return "refused the connection: check the address and that it is up"
        return f"cannot be reached ({reason.strerror or type(reason).__name__}): check the network"
    if isinstance(error, aiohttp.ClientConnectorSSLError) and isinstance(
        error.os_error, ssl.SSLError
    ):
        return _TLS.get(error.os_error.reason, _NO_TLS)
    return next(said for kind, said in _FAILURES if isinstance(error, kind))


_CAME = re.compile(r"""b(['"])(?:\\.|(?!\1)[^\\])*\1""")
"""The bytes that aiohttp's error quotes when it cannot parse an answer."""

_SPOKEN = (
    (b"\x15\x03", "speaks TLS where plain HTTP was expected"),
    (b"\x00\x00", "speaks HTTP/2 only, which is not supported"),
    (b"HTTP/2", "speaks HTTP/2 only, which is not supported"),
)
"""First bytes of answers that are not HTTP/1, and their meaning.

A TLS alert, and the first frame of HTTP/2.
"""


def describe_non_http(error: aiohttp.ClientResponseError, secrets: Sequence[str] = ()) -> str:
    """The answer that was not HTTP, as a sentence that continues after the host's name.

    `secrets` are masked.
    """
    quoted = _CAME.search(error.message)
    try:
        came = bytes(ast.literal_eval(quoted[0])) if quoted else b""
    except (ValueError, SyntaxError):
        came = b""
    for begins, what in _SPOKEN:
        if came.startswith(begins):
            return what
    said = tidy(came.decode(errors="replace"), secrets)
    return f'does not speak HTTP (it says "{said}")' if said else "does not speak HTTP"


def _verified(error: aiohttp.ClientConnectorCertificateError) -> str:
    reason = error.certificate_error
    said = (
        reason.verify_message
        if isinstance(reason, ssl.SSLCertVerificationError)
        else "name mismatch"
    )
    return said.rstrip(".")


_UNKNOWN_ISSUERS = frozenset({18, 19, 20, 21})
"""OpenSSL's numbers (X509_V_ERR_…) for a chain that ends at an unknown issuer."""


def _remedy(error: aiohttp.ClientConnectorCertificateError) -> str:
    if getattr(error.certificate_error, "verify_code", None) in _UNKNOWN_ISSUERS:
        return (
            "check the address; if your network opens TLS, name its certificates in [daemon]"
            " ca_file"
        )
    return "check the address and this machine's clock"
