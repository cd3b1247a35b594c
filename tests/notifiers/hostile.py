"""Receivers with dishonest answers on raw sockets: endless, slow, compressed, torn."""

import gzip
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import repeat
from threading import Semaphore, Thread

Speak = Callable[["Visit"], None]
"""The behaviour of a receiver on one connection, from beginning to end."""

PATIENCE = 60
"""Seconds after which what a test waits for will not come any more."""


@dataclass(slots=True)
class Hostile:
    """One server. It speaks so to each visitor; `speak` may be exchanged at any time."""

    speak: Speak
    stuck: Semaphore = field(default_factory=lambda: Semaphore(0))
    """Released whenever it has begun to say nothing more, or nothing until it may."""
    visits: list["Visit"] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    @contextmanager
    def serving(self) -> Iterator["Hostile"]:
        accepting = Thread(target=self._accept)
        accepting.start()
        try:
            yield self
        finally:
            self.listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            self.listener.close()
            for visit in self.visits:
                visit.end()
            for thread in self.threads:
                thread.join()

    def _accept(self) -> None:
        while True:
            try:
                visit = Visit(self.listener.accept()[0], self.stuck)
            except OSError:
                return
            self.visits.append(visit)
            thread = Thread(target=self._spoken, args=(visit, self.speak))
            self.threads.append(thread)
            thread.start()

    @staticmethod
    def _spoken(visit: "Visit", speak: Speak) -> None:
        with suppress(OSError), visit.connection:
            speak(visit)


@dataclass(slots=True)
class Visit:
    """One connection, as the server has it."""

    connection: socket.socket
    stuck: Semaphore
    more: Semaphore = field(default_factory=lambda: Semaphore(0))
    """Released for each next byte of an answer that drips."""

    def end(self) -> None:
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        self.more.release()

    def say(self, *parts: bytes) -> None:
        self.connection.sendall(b"".join(parts))

    def hear(self, ending: bytes) -> bytes:
        """The visitor's bytes, up to this."""
        said = bytearray()
        while not said.endswith(ending):
            part = self.connection.recv(1)
            if not part:
                raise ConnectionResetError
            said += part
        return bytes(said)

    def go_on(self, parts: Iterator[bytes]) -> None:
        for part in parts:
            self.say(part)

    def drip(self, byte: bytes) -> None:
        """Say this byte for ever, each time when it may."""
        while True:
            self.say(byte)
            self.stuck.release()
            self.more.acquire()

    def hang(self) -> None:
        """Say nothing more until the visitor goes away."""
        self.stuck.release()
        while self.connection.recv(4096):
            pass


def no_call_is_left() -> None:
    """Check that the thread of every call in this process ends."""
    for thread in threading.enumerate():
        if thread.name == "notifier":
            thread.join(PATIENCE)
            assert not thread.is_alive()


# HTTP.


def request(visit: Visit) -> None:
    """Read one with its body."""
    head = visit.hear(b"\r\n\r\n")
    length = next(
        (
            int(line[15:])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        ),
        0,
    )
    while length:
        length -= len(visit.connection.recv(length))


def answering(answer: bytes, then: Sequence[bytes] = (), *, hang: bool = False) -> Speak:
    """An HTTP answer that begins so and repeats `then` for ever; without it, it falls silent."""

    def speak(visit: Visit) -> None:
        request(visit)
        visit.say(answer)
        for part in then:
            visit.go_on(repeat(part * max(1, BLOCK // len(part))))
        if hang:
            visit.hang()

    return speak


def dripping(answer: bytes, byte: bytes) -> Speak:
    """An HTTP answer that begins so and goes on byte by byte."""

    def speak(visit: Visit) -> None:
        request(visit)
        visit.say(answer)
        visit.drip(byte)

    return speak


def well(visit: Visit) -> None:
    """The answer of an honest receiver."""
    request(visit)
    visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


BLOCK = 65_536
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BOMB = gzip.compress(bytes(1 << 22)) * 256
"""1 GiB in 1 MB."""
PACKED = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB)
REFUSED = b"HTTP/1.1 500 No\r\n"

ENDLESS_AFTER_THE_STATUS = {
    "chunks": answering(CHUNKED, [b"10000\r\n" + b"a" * BLOCK + b"\r\n"]),
    "a body of no length": answering(OK + b"\r\n", [b"a"]),
    "a body of a length beyond all memory": answering(
        OK + b"Content-Length: 999999999999999\r\n\r\n", [b"a"]
    ),
    "a chunk beyond all memory": answering(CHUNKED + b"fffffffffffffff\r\n", [b"a"]),
    "the extension of a chunk": answering(CHUNKED + b"5;", [b"a"]),
    "empty chunks": answering(CHUNKED, [b"1\r\na\r\n"]),
    "trailers": answering(CHUNKED + b"0\r\n", [b"X: a\r\n"]),
    "headers": answering(OK, [b"X: a\r\n"]),
    "a header": answering(OK + b"X: ", [b"a"]),
    "a header of many lines": answering(OK + b"X: a\r\n", [b" a\r\n"]),
    "a gzip bomb": answering(PACKED + BOMB),
    "a gzip bomb in chunks": answering(
        OK
        + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(BOMB)
        + BOMB
        + b"\r\n0\r\n\r\n"
    ),
    "gzip without an end": answering(OK + b"Content-Encoding: gzip\r\n\r\n", [BOMB]),
}
"""The message was taken: nothing that follows takes that back."""

ENDLESS_BEFORE_THE_STATUS = {
    "100 Continue": answering(b"", [b"HTTP/1.1 100 Continue\r\n\r\n"]),
    "the headers of 100 Continue": answering(b"HTTP/1.1 100 Continue\r\n", [b"X: a\r\n"]),
    "the reason of a status": answering(b"HTTP/1.1 200 ", [b"a"]),
    "no HTTP": answering(b"", [b"a"]),
}
"""The fate of the message is unknown."""

SILENT_AFTER_THE_STATUS = {
    "within a body": answering(OK + b"Content-Length: 9\r\n\r\na", hang=True),
    "within a chunk": answering(CHUNKED + b"9\r\na", hang=True),
    "before the first chunk": answering(CHUNKED, hang=True),
    "within trailers": answering(CHUNKED + b"0\r\nX: a", hang=True),
    "within headers": answering(OK + b"X: a", hang=True),
    "after the status": answering(OK, hang=True),
    "within a body of no length": answering(OK + b"\r\na", hang=True),
}

SILENT_BEFORE_THE_STATUS = {
    "at once": answering(b"", hang=True),
    "within the status": answering(b"HTTP/1.1 2", hang=True),
    "after 100 Continue": answering(b"HTTP/1.1 100 Continue\r\n\r\n", hang=True),
}

DRIPPING_AFTER_THE_STATUS = {
    "the reason of a status": dripping(b"HTTP/1.1 200 ", b"a"),
    "headers": dripping(OK + b"X: ", b"a"),
    "a body": dripping(OK + b"Content-Length: 999\r\n\r\n", b"a"),
    "a body of no length": dripping(OK + b"\r\n", b"a"),
    "the size of a chunk": dripping(CHUNKED, b"0"),
}

DRIPPING_BEFORE_THE_STATUS = {
    "the version": dripping(b"HTTP/1.", b"1"),
    "the headers of 100 Continue": dripping(b"HTTP/1.1 100 Continue\r\nX: ", b"a"),
}

TORN_AFTER_THE_STATUS = {
    "after the status": answering(OK),
    "within headers": answering(OK + b"X: a"),
    "no header": answering(OK + b"Content-Length: 0\r\nthis is no header\r\n\r\n"),
    "within a body": answering(OK + b"Content-Length: 9\r\n\r\na"),
    "within a chunk": answering(CHUNKED + b"9\r\na"),
    "no chunk": answering(CHUNKED + b"zz\r\n"),
    "no gzip": answering(OK + b"Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\na"),
    "no length": answering(OK + b"Content-Length: -1\r\n\r\n"),
}


# SMTP.

STEPS = ("banner", "ehlo", "mail", "rcpt", "data", "mail text", "quit")
"""Answers of a server, in this order."""

GOOD = {
    "banner": b"220 mx.example.com ESMTP\r\n",
    "ehlo": b"250-mx.example.com\r\n250 8BITMIME\r\n",
    "mail": b"250 ok\r\n",
    "rcpt": b"250 ok\r\n",
    "data": b"354 go on\r\n",
    "mail text": b"250 taken\r\n",
    "quit": b"221 bye\r\n",
}


def mailing(step: str, answer: Speak) -> Speak:
    """A mail server that is honest up to this step, and there speaks so."""

    def speak(visit: Visit) -> None:
        for each in STEPS:
            if each != "banner":
                visit.hear(b"\r\n.\r\n" if each == "mail text" else b"\r\n")
            if each == step:
                answer(visit)
                return
            visit.say(GOOD[each])

    return speak


def saying(begin: bytes, then: bytes = b"", *, hang: bool = False) -> Speak:
    """Bytes at the dishonest point: this, then that for ever, or silence on an open connection."""

    def speak(visit: Visit) -> None:
        visit.say(begin)
        if then:
            visit.go_on(repeat(then * max(1, BLOCK // len(then))))
        if hang:
            visit.hang()

    return speak


def dripping_reply(begin: bytes) -> Speak:
    """A reply that begins so and goes on byte by byte."""

    def speak(visit: Visit) -> None:
        visit.say(begin)
        visit.drip(b"a")

    return speak


ENDLESS_REPLIES = {"lines": saying(b"250-a\r\n", b"250-a\r\n"), "a line": saying(b"250-", b"a")}
SILENT_REPLIES = {"at once": saying(b"", hang=True), "within a code": saying(b"25", hang=True)}
SILENT_AFTER_THE_CODE = {"after a line": saying(b"250-taken\r\n", hang=True)}
