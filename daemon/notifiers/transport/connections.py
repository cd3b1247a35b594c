"""The connections of one blocking call, known from the start, so that another thread can end them.

    the call's thread:  connect ──► audit hook ──► CallConnections.add
    the event loop:     the call is given up ──► CallConnections.end
                        ──► every read and write of the call returns at once

This works for every library that connects in the call's thread, whatever protocol it speaks.
"""

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

_thread = threading.local()
"""Holds, as `connections`, those of the call in this thread."""


class CallConnections:
    """The connections of one call. Safe to use from several threads.

    `on_away` is told, with these connections, when the call has nothing to do but to wait.
    """

    def __init__(self, on_away: Callable[["CallConnections"], None]) -> None:
        self._on_away = on_away
        self.broke_off = False
        """Whether an answer broke off, so that not all of it was read."""
        self.sent: bool | None = None
        """Whether a part of the message may have left; None if the library does not tell."""
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._ended = False

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the connections that this thread makes meanwhile."""
        _thread.connections = self
        try:
            yield
        finally:
            del _thread.connections
            with self._lock:
                for connection in self._open:
                    connection.close()
                self._open.clear()

    def add(self, connection: socket.socket) -> None:
        """Keep a connection about to be made. Raises ConnectionAbortedError after `end`."""
        with self._lock:
            if self._ended:
                raise ConnectionAbortedError("the call was given up")
            # A second descriptor of the same connection: it stays good when TLS takes over the
            # first one.
            self._open.append(socket.socket(fileno=os.dup(connection.fileno())))

    def connecting(self) -> None:
        """Note a connection that reports by `sending` when the message begins to leave."""
        self.sent = bool(self.sent)

    def sending(self) -> None:
        """Note that the message begins to leave. Raises ConnectionAbortedError after `end`."""
        with self._lock:  # after `end` nothing changes `sent` any more
            if self._ended:
                raise ConnectionAbortedError("the call was given up")
            self.sent = True

    def away(self) -> None:
        """Note that the request has left, or that the call has ended."""
        self._on_away(self)

    def end(self) -> None:
        """End all connections, and allow no further one."""
        with self._lock:
            self._ended = True
            for connection in self._open:
                with suppress(OSError):  # it is not connected yet, or not any more
                    connection.shutdown(socket.SHUT_RDWR)


def current() -> CallConnections | None:
    """The connections of the call in this thread; None outside a call."""
    found: CallConnections | None = getattr(_thread, "connections", None)
    return found


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and (connections := current()) is not None:
        connections.add(arguments[0])


# Apprise's plugins connect by half a dozen libraries, of which few let a caller pass a socket. An
# audit hook sees every connection of the process. It cannot be removed again, and does nothing
# outside the threads of calls.
sys.addaudithook(_watch)
