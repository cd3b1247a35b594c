"""Failures of a command as people and scripts see them: one sentence and an exit status.

0 done, 1 failed, 2 bad usage, 78 bad configuration, 130 interrupted. An unexpected failure shows
only its kind and place, since its text could hold a secret. MARGINWATCH_DEBUG=1 adds the traceback,
redacted.
"""

import errno
import os
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import NoReturn, TextIO

import click

from daemon.cli.output.terminal import say
from daemon.cli.session import CommandSession
from daemon.errors import ConfigError, MarginwatchError
from daemon.startup_signals import INTERRUPTED

FAILED = 1
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""Error numbers with which the operating system says that there is no room for output."""

_LAYOUT = re.compile(r"\n(?=    )")
"""Matches the line breaks of our own problems with a caret line below a text.

Any other line break comes from outside, and must not forge a line of output.
"""


@contextmanager
def exit_on_failure(session: CommandSession) -> Iterator[None]:
    """Turn every failure inside the block into its sentence and its exit status."""
    try:
        yield
    except ConfigError as error:
        _end(
            error.exit_status,
            *chain.from_iterable(map(_LAYOUT.split, redacted(session, *error.problems))),
        )
    except MarginwatchError as error:
        _end(error.exit_status, *redacted(session, str(error)))
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _end(error.exit_code, _usage(error))
    except (KeyboardInterrupt, click.Abort):
        _let_go(sys.stdout)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        _let_go(sys.stdout)
        sys.exit(FAILED)
    except OSError as error:
        if error.errno not in FULL or error.filename is not None:  # a stream has no file name
            _end(FAILED, *_broken(error, session))
        _let_go(sys.stdout)
        _end(
            FAILED, f"the output cannot be written ({error.strerror}): send it where there is room"
        )
    except Exception as error:  # noqa: BLE001 -- the last line of defence: no traceback, no secret
        _end(FAILED, *_broken(error, session))


def exit_status(result: object) -> int:
    """The exit status that a command returned, after its output is flushed."""
    if sys.stdout is not None:
        sys.stdout.flush()
    return result if isinstance(result, int) else 0


def _end(status: int, *sentences: str) -> NoReturn:
    try:
        for sentence in sentences:
            say(sentence, err=True)
    except OSError:  # the status still tells
        _let_go(sys.stderr)
    sys.exit(status)


def _usage(error: click.ClickException) -> str:
    """One sentence instead of click's three lines."""
    said = _missing_choice(error) or error.format_message().rstrip(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    where = context.command_path if context is not None else "marginwatch"
    return f"{said[:1].lower()}{said[1:]} (see {where} --help)"


def _missing_choice(error: click.ClickException) -> str:
    """A sentence for a missing word of a fixed set, which click lists in a line each, or ""."""
    param = error.param if isinstance(error, click.MissingParameter) else None
    if param is None or not isinstance(param.type, click.Choice):
        return ""
    *others, last = param.type.choices
    return f"say which {param.name}: {', '.join(others)} or {last}"


def _let_go(stream: TextIO) -> None:
    """Drop the stream's buffer: nobody reads it, and Python would complain or wait at its exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        return


def _broken(error: Exception, session: CommandSession) -> list[str]:
    if _is_nowhere():
        return [
            (
                "the folder in which this was called is gone: change to one that is there, such as"
                " by cd"
            )
        ]
    sentence = f"marginwatch broke ({type(error).__name__}{_place(error)}); please report this"
    if not session.debugging:
        return [f"{sentence}, with what MARGINWATCH_DEBUG=1 shows"]
    (trace,) = redacted(session, "".join(traceback.format_exception(error)).rstrip())
    return [*trace.split("\n"), sentence]


def redacted(session: CommandSession, *texts: str) -> list[str]:
    """The texts without the secrets that this process has read, as in the log."""
    if not session.secrets:
        return list(texts)
    from daemon.redaction import Redactor  # noqa: PLC0415 -- on use

    redactor = Redactor(session.revealed())
    return [redactor.redact(text) for text in texts]


def _is_nowhere() -> bool:
    """Whether the working directory was deleted: some libraries cannot be imported then."""
    try:
        Path.cwd()
    except OSError:
        return True
    return False


def _place(error: Exception) -> str:
    """The place in our own code at which it happened; empty if there is none."""
    home = Path(__file__).parent.parent
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(home)
    ]
    if not own:
        return ""
    return f" at {Path(own[-1].filename).relative_to(home.parent)}:{own[-1].lineno}"
