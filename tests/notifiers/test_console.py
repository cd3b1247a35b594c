"""The message on a stream, as `demo` shows it."""

import io

from daemon.notifiers.console import ConsoleNotifier
from daemon.types import AttemptResult, Message, Outcome, Severity

MESSAGE = Message("warning: low-margin on main", "margin is low\nsince 03:12", Severity.WARNING)


async def test_a_message_is_framed() -> None:
    """Title and every line of the text stand on lines of their own, marked."""
    stream = io.StringIO()
    assert await ConsoleNotifier(stream).send(MESSAGE) == AttemptResult(Outcome.DELIVERED)
    assert (
        stream.getvalue() == "  | warning: low-margin on main\n  | margin is low\n  | since 03:12\n"
    )


async def test_a_closed_stream_is_tried_later() -> None:
    """F1: a stream that cannot be written is an outcome, not an exception."""
    stream = io.StringIO()
    stream.close()
    assert await ConsoleNotifier(stream).send(MESSAGE) == AttemptResult(
        Outcome.LATER, "the stream cannot be written (ValueError)"
    )
