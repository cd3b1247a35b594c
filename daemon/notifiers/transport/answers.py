"""Limits the answers of receivers: in bytes, headers included, and without decompression.

The status decides whether a message was taken. An answer that breaks off or never ends after it
changes nothing.
"""

import http.client
import io
import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from daemon.notifiers.transport import connections

LIMIT = 64 * 1024
"""Most bytes of one HTTP answer, or of all replies on one connection to a mail server."""

PART = 8 * 1024
"""Bytes that are read at once."""


class AnswerTooLongError(OSError):
    """A receiver sent more than LIMIT."""

    def __init__(self) -> None:
        super().__init__(f"the answer is longer than {LIMIT} bytes")


class UnansweredMailError(Exception):
    """A mail was sent whole, but the server did not say whether it takes it. Apprise ignores it."""


class _Limited(io.RawIOBase):
    """Reads a connection, up to LIMIT bytes."""

    def __init__(self, connection: socket.socket) -> None:
        self._raw = connection.makefile("rb", buffering=0)
        self._left = LIMIT

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if not self._left:
            raise AnswerTooLongError
        count = self._raw.readinto(memoryview(buffer)[: self._left])
        self._left -= count or 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def limited(connection: socket.socket) -> io.BufferedReader:
    """A file to read an answer from; beyond LIMIT it raises AnswerTooLongError."""
    return io.BufferedReader(_Limited(connection), PART)


class _Answer(http.client.HTTPResponse):
    """An answer of which at least the status was read."""

    def __init__(self, sock: socket.socket, *rest: Any, **named: Any) -> None:
        super().__init__(sock, *rest, **named)
        self.fp.close()
        self.fp = limited(sock)

    def begin(self) -> None:
        try:
            super().begin()
        except (OSError, http.client.HTTPException):
            if not isinstance(self.version, int):  # it is set once the status line was understood
                raise
            self._end()

    def _end(self) -> None:
        """Treat the part after the status line as empty."""
        self.headers = self.msg = http.client.HTTPMessage()
        self.chunked, self.length, self.will_close = False, 0, True


class _BoundedHttpConnection(HTTPConnection):
    """A connection that tells its call when the message begins to leave, and when it has left."""

    response_class = _Answer

    def connect(self) -> None:
        if (call := connections.current()) is not None:
            call.connecting()
        super().connect()

    def request(self, *request: Any, **named: Any) -> None:
        if self.sock is None:
            self.connect()
        call = connections.current()
        if call is not None:
            call.sending()
        super().request(*request, **named)
        if call is not None:
            call.away()


class _BoundedHttpsConnection(_BoundedHttpConnection, HTTPSConnection):
    """The same with TLS, and through a proxy's tunnel."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _BoundedHttpConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _BoundedHttpsConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


class BoundedAdapter(HTTPAdapter):
    """Adapter of requests for calls to a receiver: its responses hold the whole body, limited."""

    def init_poolmanager(self, *sizes: Any, **named: Any) -> None:
        super().init_poolmanager(*sizes, **named)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **named)
        if not proxy.lower().startswith("socks"):  # those connect by pools of their own
            manager.pool_classes_by_scheme = _POOLS
        return manager

    def add_headers(self, request: requests.PreparedRequest, **_: Any) -> None:
        request.headers["Accept-Encoding"] = "identity"

    def build_response(
        self, req: requests.PreparedRequest, resp: BaseHTTPResponse
    ) -> requests.Response:
        response = super().build_response(req, resp)
        response.raw = io.BytesIO(_body(resp))
        return response


def _body(answer: BaseHTTPResponse) -> bytes:
    """The body as sent, not decompressed, as far as it arrived."""
    parts = bytearray()
    try:
        for part in answer.stream(PART, decode_content=False):
            parts += part
    except (HTTPError, OSError, ValueError):
        if (call := connections.current()) is not None:
            call.broke_off = True
    finally:
        answer.close()
    return bytes(parts)


def install() -> None:
    """Make requests use `BoundedAdapter` in this process: plugins make their own sessions."""
    vars(requests.sessions)["HTTPAdapter"] = BoundedAdapter
