"""A channel through Apprise: one try per call, one call at a time, and nothing of it in the log."""

import asyncio
import io
from threading import Event

import pytest

from daemon import log
from daemon.notifiers.apprise import AppriseNotifier
from daemon.redaction import Redactor
from daemon.types import SECOND, AttemptResult, Message, Outcome, Severity
from tests.fakes import ManualClock
from tests.notifiers.receiver import Receiver, answering, hanging

MESSAGE = Message("critical: low-margin on main", "available_margin is 42 < 100", Severity.CRITICAL)


def url(receiver: Receiver) -> str:
    return f"json://127.0.0.1:{receiver.port}/"


async def test_retries_in_the_url_are_not_followed() -> None:
    """F2: only we retry; Apprise does not, nor calls a failure a success, whatever the URL says."""
    with Receiver(answering(500)).serving() as receiver:
        notifier = AppriseNotifier(f"{url(receiver)}?retry=3&wait=0&optional=yes", ManualClock())
        assert (await notifier.send(MESSAGE)).outcome is Outcome.LATER
    assert len(receiver.got) == 1


async def test_a_hanging_receiver_is_unknown_after_our_timeout() -> None:
    """F1: no answer in time is unknown."""
    clock = ManualClock()
    released = Event()
    receiver = Receiver(hanging(released))
    with receiver.serving():
        sending = asyncio.ensure_future(
            AppriseNotifier(url(receiver), clock, timeout=20 * SECOND).send(MESSAGE)
        )
        await asyncio.to_thread(receiver.arrived.acquire)
        await clock.advance(20 * SECOND)
        expected = "JSON did not answer within 20 s; the message may have arrived"
        assert await sending == AttemptResult(Outcome.UNKNOWN, expected)
        released.set()


async def test_one_call_at_a_time() -> None:
    """F2: a channel has one attempt in flight; a second one waits for it."""
    with Receiver(answering(200)).serving() as receiver:
        notifier = AppriseNotifier(url(receiver), ManualClock())
        both = await asyncio.gather(notifier.send(MESSAGE), notifier.send(MESSAGE))
    assert [ended.outcome for ended in both] == [Outcome.DELIVERED, Outcome.DELIVERED]


@pytest.mark.usefixtures("restored_logging")
async def test_s2_what_is_not_logged_is_heard_all_the_same() -> None:
    """S2: the log is deaf to Apprise, and yet the outcome says what the receiver answered."""
    stream = io.StringIO()
    log.setup(stream, level="error", redactor=Redactor())
    with Receiver(answering(503)).serving() as receiver:
        attempted = await AppriseNotifier(url(receiver), ManualClock()).send(MESSAGE)
    assert (attempted.detail, stream.getvalue()) == ("JSON answered HTTP 503", "")


@pytest.mark.usefixtures("restored_logging")
async def test_apprise_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """Promise 9: only the outcome reports a failure; Apprise writes no line, not even at debug."""
    lines = io.StringIO()
    log.setup(lines, level="debug", redactor=Redactor())
    with Receiver(answering(500)).serving() as receiver:
        await AppriseNotifier(url(receiver), ManualClock()).send(MESSAGE)
    assert (lines.getvalue(), *capfd.readouterr()) == ("", "", "")
