"""A proxy for every call of requests that fails in each way and repeats all it was sent.

requests ──► proxy (HTTP_PROXY, HTTPS_PROXY) ──► no further: it answers for any host, with TLS
"""

import contextlib
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import trustme

PATIENCE = 2.0
"""Seconds that a connection waits for its caller."""


def _lines(*lines: str, body: bytes = b"") -> bytes:
    head = "\r\n".join((*lines, f"Content-Length: {len(body)}", "Connection: close", "", ""))
    return head.encode("latin-1", "replace") + body


def _status(status: int) -> Callable[[str], bytes]:
    return lambda said: _lines(f"HTTP/1.1 {status} {said}", f"X-Said: {said}", body=said.encode())


def _json(status: int) -> Callable[[str], bytes]:
    keys = ("error", "message", "description", "detail", "errors", "reason", "status", "title")

    def answer(said: str) -> bytes:
        body = json.dumps(
            {"ok": False, "success": False, "code": 40101, **dict.fromkeys(keys, said)}
        )
        return _lines(f"HTTP/1.1 {status} No", "Content-Type: application/json", body=body.encode())

    return answer


def _redirect(status: int) -> Callable[[str], bytes]:
    def answer(said: str) -> bytes:
        words = re.findall(r"[A-Za-z0-9-]{8,60}", said.partition("{")[0]) or ["x"]
        word = max(
            words, key=lambda each: (bool(re.search("[0-9]", each)), len(each))
        )  # what looks like a token
        return _lines(
            f"HTTP/1.1 {status} Go", f"Location: https://{word}.evil.invalid/{word}?{word}#{word}"
        )

    return answer


FAILURES: Mapping[str, Callable[[str], bytes]] = {
    **{
        f"status {status}": _status(status)
        for status in (200, 204, 400, 401, 403, 404, 410, 429, 500, 503)
    },
    **{f"json {status}": _json(status) for status in (200, 400, 401, 403, 404, 429, 500)},
    **{f"redirect {status}": _redirect(status) for status in (301, 302, 303, 307, 308)},
    "malformed header": lambda said: (
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nthis is no header\r\n\r\n"
    ),
    "malformed header, echoed": lambda said: f"HTTP/1.1 200 OK\r\n{said}\r\n{said}\r\n\r\n".encode(
        "latin-1", "replace"
    ),
    "no HTTP": lambda said: f"220 {said}\r\n".encode(),
    "half a status": lambda said: f"HTTP/1.1 abc {said}\r\n\r\n".encode(),
    "nothing": lambda said: b"",
    "half a body": lambda said: (
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + said.encode()
    ),
    "no gzip": lambda said: _lines("HTTP/1.1 200 OK", "Content-Encoding: gzip", body=said.encode()),
    "bad chunks": lambda said: (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + said.encode()
    ),
    "many lengths": lambda said: b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n" + said.encode(),
    "a long line": lambda said: (
        b"HTTP/1.1 200 " + said.encode() * 100 + b"x" * 70_000 + b"\r\n\r\n"
    ),
}
"""The answer by name, given all that was sent; for a tunnel, see `TUNNELS`."""

TUNNELS = ("made", "made", "made", "made", "refused 407", "refused 502", "closed", "no TLS")
"""How a tunnel (CONNECT) goes; where it is made, the failure comes behind it."""


@dataclass
class Echoing:
    """One that listens on loopback; `failure` and `tunnel` say what happens to the next call."""

    failure: str = "nothing"
    tunnel: str = "made"
    authority: trustme.CA = field(default_factory=trustme.CA)
    heard: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._contexts: dict[str, ssl.SSLContext] = {}
        self.place = f"127.0.0.1:{self._listening.getsockname()[1]}"

    @contextlib.contextmanager
    def serving(self) -> Iterator["Echoing"]:
        thread = threading.Thread(target=self._serve)
        thread.start()
        try:
            yield self
        finally:
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            thread.join()

    def environment(self, folder: Path) -> dict[str, str]:
        """Variables that make requests call through it, and trust it."""
        self.authority.cert_pem.write_to_path(folder / "authority.pem")
        names = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        here = {"REQUESTS_CA_BUNDLE": str(folder / "authority.pem"), "NO_PROXY": "", "no_proxy": ""}
        return here | dict.fromkeys(names, f"http://{self.place}")

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(caller,), daemon=True).start()

    def _answer(self, caller: socket.socket) -> None:
        caller.settimeout(PATIENCE)
        with contextlib.suppress(OSError, ValueError), caller:
            said = _read(caller)
            if not said.startswith(b"CONNECT "):
                self._fail(caller, said)
                return
            if self.tunnel == "closed":
                return
            if self.tunnel.startswith("refused"):
                caller.sendall(_status(int(self.tunnel[-3:]))(_line(said)))
                return
            caller.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            if self.tunnel == "no TLS":
                caller.sendall(b"HTTP/1.1 400 " + said + b"\r\n\r\n")
                return
            host = said.split()[1].rpartition(b":")[0].decode()
            with self._context(host).wrap_socket(caller, server_side=True) as inside:
                self._fail(inside, _read(inside))

    def _fail(self, caller: socket.socket, said: bytes) -> None:
        self.heard.append(said)
        caller.sendall(FAILURES[self.failure](_line(said)))

    def _context(self, host: str) -> ssl.SSLContext:
        if host not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.authority.issue_cert(host).configure_cert(context)
            self._contexts[host] = context
        return self._contexts[host]


def _read(caller: socket.socket) -> bytes:
    """A request, its body included; a mail client, which waits to be greeted, says nothing."""
    said = b""
    while b"\r\n\r\n" not in said:
        if not (more := caller.recv(65_536)):
            return said
        said += more
    head, _, body = said.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    while length and len(body) < int(length[1]) and (more := caller.recv(65_536)):
        body += more
    return head + b"\r\n\r\n" + body


def _line(said: bytes) -> str:
    """All that was said, on one line that a header may hold."""
    text = re.sub(r"[^\x20-\x7e\xa0-\xff]+", " ", said[:6_000].decode("latin-1"))
    return re.sub(r"(?i)authorization: basic", "Basic", text)
