"""Calls through a proxy: the options for aiohttp, and the sentences about proxy failures.

Encrypted calls are tunnelled (CONNECT), so the proxy sees only the exchange's name. The proxy's
password is kept apart from its URL, because aiohttp puts that into the `repr` of errors.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp

from daemon.redaction import Redactor
from daemon.types import NoAnswer, Route

_PLAIN = frozenset({"http", "ws"})


class ProxyError(Exception):
    """A failure of the proxy, not of the exchange; one sentence without the proxy's password."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """One proxy, split into its parts."""

    url: str = field(repr=False)
    """URL without user and password."""
    place: str
    """Host and port, for sentences."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Headers of each request through the proxy."""


def proxy(route: Route) -> Proxy | None:
    """The proxy of a route; None for a direct route."""
    if not route.proxy:
        return None
    parts = urlsplit(route.proxy)
    credentials, _, place = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    coded = (
        aiohttp.encode_basic_auth(unquote(user), unquote(password), "utf-8") if credentials else ""
    )
    return Proxy(
        f"{parts.scheme}://{place}", place, {"Proxy-Authorization": coded} if coded else {}
    )


def secrets(route: Route) -> tuple[str, ...]:
    """Every form of the proxy's user and password that may be echoed."""
    credentials = urlsplit(route.proxy).netloc.rpartition("@")[0]
    if not credentials:
        return ()
    _, _, password = credentials.partition(":")
    return Redactor((credentials, password)).forms


def options(url: str, route: Route) -> dict[str, Any]:
    """Keyword arguments for aiohttp to call an address through the proxy; none for a direct call.

    The headers go with a plain call, or with the CONNECT before an encrypted one.
    """
    through = proxy(route)
    if through is None:
        return {}
    if urlsplit(url).scheme in _PLAIN:
        return {"proxy": through.url, "headers": through.headers}
    return {"proxy": through.url, "proxy_headers": through.headers}


async def blame_proxy(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Raise ProxyError for a failure of the proxy, so the exchange is not blamed."""
    if request.proxy is None:
        return await handler(request)
    place = f"the proxy {request.proxy.authority}"
    try:
        response = await handler(request)
    except aiohttp.ClientHttpProxyError as error:
        raise ProxyError(f"{place} {_refusal(error.status, request)}") from error
    except aiohttp.ClientConnectorError as error:
        if not _is_of_proxy(error, request):
            raise
        raise ProxyError(f"{place} {_failure(error)}") from error
    except aiohttp.ClientResponseError as error:
        if error.request_info.method != "CONNECT":
            raise
        raise ProxyError(f"{place} does not speak HTTP: check proxy") from error
    if response.status == 407:  # instead of the answer to a plain call
        response.close()
        raise ProxyError(f"{place} {_refusal(407, request)}")
    return response


def _is_of_proxy(error: aiohttp.ClientConnectorError, request: aiohttp.ClientRequest) -> bool:
    """Whether the connection to the proxy failed, rather than one through it."""
    return request.proxy is not None and (error.host, error.port) == (
        request.proxy.raw_host,
        request.proxy.port,
    )


def _refusal(status: int, request: aiohttp.ClientRequest) -> str:
    if status == 407 and not {*(request.proxy_headers or ()), *request.headers} & {
        "Proxy-Authorization"
    }:
        return (
            "wants a user and a password (HTTP 407): write proxy as http://USER:PASSWORD@HOST:PORT"
        )
    if status == 407:
        return "does not accept the user or the password (HTTP 407): check proxy"
    host = request.url.host
    if 400 <= status < 500:
        return (
            f"does not let calls to {host} through (HTTP {status}): ask whoever runs it to allow"
            f" {host}"
        )
    return f"did not reach {host} (HTTP {status}): check that it has a way out; asking again"


def _failure(error: aiohttp.ClientConnectorError) -> str:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "was not found (DNS): check proxy and this machine's name servers"
        case aiohttp.ClientConnectorCertificateError():
            return "has no valid certificate: check proxy, or name its authority in ca_file"
        case aiohttp.ClientSSLError():
            return (
                "cannot agree on TLS with this machine: see whether proxy should begin with http://"
            )
    if isinstance(error.os_error, ConnectionRefusedError):
        return "refused the connection: check proxy and that it is up"
    return (
        f"cannot be reached ({error.os_error.strerror or type(error.os_error).__name__}): check the"
        " network"
    )


def name_proxy(found: NoAnswer, route: Route) -> NoAnswer:
    """Add to a failure the proxy that was used, or the proxy setting that was not."""
    through = proxy(route)
    if through is not None and through.place not in found.detail:
        return replace(found, detail=f"{found.detail} (called through the proxy {through.place})")
    if route.unused:
        said = (
            f"{route.unused} is set, but the exchange is called directly: set [daemon] proxy ="
            ' "env"'
        )
        return replace(found, detail=f"{found.detail}; {said}")
    return found


def describe_route(route: Route) -> str:
    """The route of an address, for `check --online`; empty for a plain direct one."""
    through = proxy(route)
    if through is not None:
        return f"through the proxy {through.place}"
    return f"directly, although {route.unused} is set" if route.unused else ""
