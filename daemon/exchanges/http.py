"""One HTTP call to an exchange: bounded, never resent, never redirected, its failure named for people.

Knows no exchange, retries nothing (SEMANTICS B1) and never turns TLS verification off.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import TypeAlias

import aiohttp

from daemon import __version__
from daemon.exchanges.answers import MAX_BODY, Page
from daemon.types import Millis, MissReason, NoAnswer


class RedirectedError(Exception):
    """A handshake was answered with another address, which aiohttp would go to: the login must not."""

    def __init__(self, status: int, location: str) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.location = location


class BrokenConnectionError(Exception):
    """The connection broke under a call. Not an aiohttp error, because it resends a GET after some of those."""


async def no_resend(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Hide broken connections from aiohttp, which would resend the call, signed and unseen by the budget."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise BrokenConnectionError from error


async def no_redirect(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep a handshake at its address; aiohttp has no setting for that."""
    response = await handler(request)
    if "Upgrade" in request.headers and 300 <= response.status < 400:
        response.close()
        raise RedirectedError(response.status, response.headers.get("Location", ""))
    return response


Session: TypeAlias = aiohttp.ClientSession
"""What connections are made by; of one life."""


def open_session() -> Session:
    """A session that keeps connections and nothing else: no cookies, no proxies from the environment.

    As many connections as there are streams and calls: the budget bounds the calls, the accounts bound the streams.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        timeout=aiohttp.ClientTimeout(),
        headers={"User-Agent": f"marginwatch/{__version__}"},
        middlewares=(no_redirect, no_resend),
    )


async def get(session: Session, url: str, headers: Mapping[str, str], within: Millis) -> Page | NoAnswer:
    """Fetch once. `within` spans the whole call; a NoAnswer is a timeout or a failure of the network."""
    try:
        async with asyncio.timeout(within / 1_000):
            return await _fetch(session, url, headers)
    except TimeoutError:
        said = f"{host(url)} did not answer within {within / 1_000:g}s: check the network"
        return NoAnswer(MissReason.TIMEOUT, said)
    except aiohttp.ClientResponseError:
        return NoAnswer(MissReason.BAD_ANSWER, f"{host(url)} does not speak HTTP: check rest_url")
    except (BrokenConnectionError, aiohttp.ClientError, OSError, ValueError) as error:
        return NoAnswer(MissReason.NETWORK, f"{host(url)} {failure(error)}")


async def _fetch(session: Session, url: str, headers: Mapping[str, str]) -> Page:
    async with session.get(url, headers=headers, allow_redirects=False, middlewares=(no_resend,)) as response:
        body, whole = await _bounded(response.content)
        heard = response.headers
        kind, location = heard.get("Content-Type", ""), heard.get("Location", "")
        return Page(response.status, kind, body, location, whole, heard.get("Date", ""))


async def _bounded(content: aiohttp.StreamReader) -> tuple[bytes, bool]:
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > MAX_BODY:
            return bytes(body[:MAX_BODY]), False
    return bytes(body), True


def host(url: str) -> str:
    """Host and port only: the rest of an address is nobody's business."""
    return url.split("://", 1)[-1].split("/", 1)[0].rsplit("@", 1)[-1]


_FAILURES: tuple[tuple[type[Exception], str], ...] = (
    (aiohttp.ClientConnectorDNSError, "was not found (DNS): check the address and this machine's name servers"),
    (aiohttp.ClientSSLError, "does not agree on TLS: check the address, and that nothing intercepts the connection"),
    (aiohttp.ClientPayloadError, "broke off in the middle of its answer: asking again"),
    (aiohttp.InvalidURL, "is no address: check rest_url"),
    (Exception, "closed the connection without answering: asking again"),
)


def failure(error: Exception) -> str:
    """How the call failed, reading on after the host's name."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"has no valid certificate ({_verified(error)}): check the address and this machine's clock"
    if type(error) is aiohttp.ClientConnectorError:
        reason = error.os_error
        if isinstance(reason, ConnectionRefusedError):
            return "refused the connection: check the address and that it is up"
        return f"cannot be reached ({reason.strerror or type(reason).__name__}): check the network"
    return next(said for kind, said in _FAILURES if isinstance(error, kind))


def _verified(error: aiohttp.ClientConnectorCertificateError) -> str:
    reason = error.certificate_error
    said = reason.verify_message if isinstance(reason, ssl.SSLCertVerificationError) else "name mismatch"
    return said.rstrip(".")
