"""What SIGHUP, SIGINT and SIGTERM do before a command is ready for them: none of them is lost, or
kills a daemon.

    first line ──► hold ──► the command is known ──► release                       most commands: as usual
                                             └─────► Early ──► its event loop      run, demo

Until the first line of the program runs, signals do what the system does with them by itself.
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
    """See to it that one Ctrl-C ends what is done within: it is repeated every second until that
    has ended.

    Python looks for signals between its instructions. It misses one that comes just before a system
    call that waits, and loses the KeyboardInterrupt of one that is raised within a finalizer or a
    callback; as it comes again, nobody has to read of that.
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
    """Complain of an exception that was lost, as Python does, unless it is an interrupt."""
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
    """Whether these terminals are still there: one that was closed sends SIGHUP, which then means
    the end.
    """
    return all(map(os.isatty, terminals))


class Early:
    """While a long-running command loads, nothing is begun yet: SIGTERM and SIGINT end the process
    at once.

    SIGHUP ends it too, unless `terminals` are given, the command reloads on SIGHUP, and they are
    open: then it is remembered in `reload_asked`.
    """

    def __init__(self, terminals: Sequence[int] | None = None) -> None:
        self.terminals = terminals
        self.reload_asked = False

    def __enter__(self) -> Self:
        handlers = {signal.SIGHUP: self._hang_up, signal.SIGINT: _interrupt, signal.SIGTERM: _end}
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
    """Leave without an exception, which whatever is being imported could swallow."""
    os._exit(0)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    os._exit(INTERRUPTED)
