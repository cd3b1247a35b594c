"""SIGHUP, SIGINT and SIGTERM while a command starts: none is lost, none kills a daemon by mistake.

    first line ──► hold ──► the command is known ──► release                   most commands
                                             └─────► Early ──► its event loop  run, demo

Before the first line of the program runs, signals have their default effect. A running daemon hands
SIGHUP to `service.supervisor`, which reloads: see `cli.run`.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import NoReturn, Self

HELD = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGTERM})
INTERRUPTED = 130
"""The exit status of a program that Ctrl-C ended."""


def hold() -> None:
    """Let signals wait in the kernel, while nobody knows what the command does with them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, HELD)


def release() -> None:
    """Let signals act, those that waited as well."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)


@contextmanager
def repeated_interrupt() -> Iterator[None]:
    """Make sure that one Ctrl-C ends the block: it is repeated every second until that ends.

    Python checks for signals between its instructions. It misses one just before a blocking system
    call, and loses a KeyboardInterrupt raised in a finalizer or a callback. As it comes again, such
    a loss needs no report.
    """
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    arguments = (heard, threading.main_thread().ident)
    threading.Thread(target=_repeat, args=arguments, name="repeat-interrupt", daemon=True).start()
    sys.unraisablehook = _tell_lost
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what is left of the program ends by itself


def _tell_lost(lost: "sys.UnraisableHookArgs") -> None:
    """Report an exception that was lost, as Python does, unless it is an interrupt."""
    if not issubclass(lost.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(lost)


def _repeat(heard: int, thread: int) -> None:
    while signal.SIGINT not in os.read(heard, 1):
        pass
    while True:
        threading.Event().wait(1)
        signal.pthread_kill(thread, signal.SIGINT)


def terminals() -> list[int]:
    """The standard streams that are terminals."""
    return [stream for stream in range(3) if os.isatty(stream)]


def are_open(terminals: Sequence[int]) -> bool:
    """Whether these terminals still exist: a closed one sends SIGHUP, which then means the end."""
    return all(map(os.isatty, terminals))


class Early:
    """Signals while a long-running command loads: SIGTERM and SIGINT end the process at once.

    Nothing has begun yet. SIGHUP ends it too, unless `terminals` are given, the command reloads on
    SIGHUP, and they are open: then it is remembered in `reload_asked`.
    """

    def __init__(self, terminals: Sequence[int] | None = None) -> None:
        self.terminals = terminals
        self.reload_asked = False

    def __enter__(self) -> Self:
        handlers = {
            signal.SIGHUP: self._hang_up,
            signal.SIGINT: lambda _number, _frame: os._exit(INTERRUPTED),
            signal.SIGTERM: _end,
        }
        self._before = {
            number: signal.signal(number, handler) for number, handler in handlers.items()
        }
        release()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        if self.terminals is None or not are_open(self.terminals):
            _end(number, frame)
        self.reload_asked = True


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    """Exit without an exception, which an import in progress could swallow."""
    os._exit(0)
