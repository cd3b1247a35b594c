"""An HTTP server on loopback that answers as it is told, and keeps what it got."""

import email
import email.policy
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import MIMEPart
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Semaphore, Thread
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Post:
    """One request, whatever its method."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        decoded: dict[str, Any] = msgspec.json.decode(self.body)
        return decoded

    @property
    def form(self) -> dict[str, bytes]:
        """The parts of a multipart body, by name."""
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        whole = email.message_from_bytes(head + self.body, policy=email.policy.HTTP)
        return {_name(part): bytes(part.get_payload(decode=True)) for part in whole.iter_parts()}


def _name(part: MIMEPart) -> str:
    return str(part.get_param("name", header="Content-Disposition"))


Answer = Callable[[BaseHTTPRequestHandler, Post], None]


class Receiver:
    """`arrived` is released for each request that was read, before it is answered."""

    def __init__(self, answer: Answer, context: ssl.SSLContext | None = None) -> None:
        receiver = self
        self.got: list[Post] = []
        self.arrived = Semaphore(0)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                post = Post(self.path, dict(self.headers), body)
                receiver.got.append(post)
                receiver.arrived.release()
                answer(self, post)

            def do_GET(self) -> None:
                self.do_POST()

            def do_PUT(self) -> None:
                self.do_POST()

            def log_message(self, *_args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_args: object) -> None:
                """Clients that go away are part of the game."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)

    @contextmanager
    def serving(self) -> Iterator["Receiver"]:
        thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()
            thread.join()


def answering(status: int, body: bytes | str | dict[str, Any] = b"", **headers: str) -> Answer:
    """The same to everything; a dictionary as JSON."""
    content = (
        body.encode()
        if isinstance(body, str)
        else body
        if isinstance(body, bytes)
        else msgspec.json.encode(body)
    )

    def answer(handler: BaseHTTPRequestHandler, _post: Post) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


PAGE = (
    "<html><head><title>Bad gateway</title></head><body><h1>Sorry, we have been blocked."
    " error=410.</h1></body></html>"
)
"""Answer as a proxy in front of the service."""


def dropping(handler: BaseHTTPRequestHandler, _post: Post) -> None:
    """The connection ends without an answer."""
    handler.connection.shutdown(socket.SHUT_RDWR)


def resetting(handler: BaseHTTPRequestHandler, _post: Post) -> None:
    """The connection is reset, as by a machine that was switched off and on."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    handler.connection.close()


def hanging(until: Event) -> Answer:
    """Answer only after the event."""

    def answer(handler: BaseHTTPRequestHandler, _post: Post) -> None:
        until.wait(60)

    return answer


def in_turn(*answers: Answer) -> Answer:
    """Each once, then the last again and again."""
    left = list(answers)

    def answer(handler: BaseHTTPRequestHandler, post: Post) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(handler, post)

    return answer
