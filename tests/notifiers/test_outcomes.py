"""F1: what Apprise's results and complaints are taken to mean."""

import smtplib
import socket

import pytest

from daemon.notifiers.outcomes import LONGEST_DETAIL, Complaint, outcome, short
from daemon.types import Attempted, Outcome


def telegram(said: str, status: int) -> Attempted:
    text = f"Failed to send Telegram notification to 12315544: {said}, error={status}."
    return outcome("FAILURE", "Telegram", [Complaint(text)])


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("SUCCESS", Outcome.DELIVERED),
        ("TIMEOUT", Outcome.UNKNOWN),
        ("PARTIAL", Outcome.UNKNOWN),
        ("NOMATCH", Outcome.REFUSED),
        ("FAILURE", Outcome.LATER),
    ],
)
def test_results_are_classed(status: str, expected: Outcome) -> None:
    """F1: delivered, possibly delivered, nobody to deliver to, and a failure without a reason."""
    assert outcome(status, "ntfy", []).outcome is expected


@pytest.mark.parametrize(
    ("said", "status", "expected"),
    [
        ("Unauthorized", 401, Outcome.REFUSED),
        ("Forbidden: bot was blocked by the user", 403, Outcome.REFUSED),
        ("Not Found", 404, Outcome.REFUSED),
        ("Bad Request: chat not found", 400, Outcome.REFUSED),
        ("Bad Request: can't parse entities: unclosed tag", 400, Outcome.LATER),
        ("Page not found.", 404, Outcome.LATER),
        ("", 403, Outcome.LATER),
        ("Bad Gateway", 502, Outcome.LATER),
    ],
)
def test_telegram_refuses_only_in_its_own_words(said: str, status: int, expected: Outcome) -> None:
    """F1: a revoked token or a blocked bot is for good; the same status from a proxy's page is not."""
    assert telegram(said, status).outcome is expected


def test_telegram_says_when_to_come_back() -> None:
    """F2: Telegram's retry_after, which stands only in its text, is passed on in milliseconds."""
    assert telegram("Too Many Requests: retry after 35", 429) == Attempted(
        Outcome.LATER, "Telegram answered HTTP 429 (Too Many Requests: retry after 35)", retry_after=35_000
    )
    assert telegram("Too Many Requests", 429).retry_after is None


def test_several_recipients_are_refused_only_together() -> None:
    """F1: one recipient that may still be reached keeps the channel; one possibly reached makes it unknown."""

    class RequestException(OSError):  # noqa: N818 - it is known by the name that requests gives it
        pass

    gone, busy = Complaint("error=410."), Complaint("error=503.")
    broken = Complaint("A connection error occurred", RequestException())
    assert outcome("FAILURE", "x", [gone, gone]).outcome is Outcome.REFUSED
    assert outcome("FAILURE", "x", [gone, busy]).outcome is Outcome.LATER
    assert outcome("FAILURE", "x", [gone, busy, broken]).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (
            smtplib.SMTPAuthenticationError(535, b"5.7.8 bad\ncredentials"),
            "the mail server answered 535 5.7.8 bad credentials",
        ),
        (smtplib.SMTPConnectError(421, "busy"), "the mail server answered 421 busy"),
        (socket.gaierror(-2, "unknown"), "E-Mail was not reached: its name cannot be resolved"),
        (ConnectionRefusedError(), "E-Mail was not reached: it refuses connections"),
        (RuntimeError("no TLS"), "E-Mail was not reached (RuntimeError)"),
    ],
)
def test_mail_is_always_tried_again(error: Exception, detail: str) -> None:
    """F1: whatever a mail server says is later; its sentence says what it said."""
    assert outcome("FAILURE", "E-Mail", [Complaint("Connection error", error)]) == Attempted(Outcome.LATER, detail)


def test_a_circle_of_causes_ends() -> None:
    """Exceptions that name each other as cause are looked at once."""
    first, second = RuntimeError(), RuntimeError()
    first.__cause__, second.__cause__ = second, first
    assert outcome("FAILURE", "x", [Complaint("", first)]).outcome is Outcome.LATER


def test_a_detail_is_one_short_line() -> None:
    """What a receiver says is cut, and loses its control characters."""
    detail = short(outcome("FAILURE", "x", [Complaint("a\n\x1b[31m" + "b" * 500)]).detail)
    assert (len(detail), detail.isprintable()) == (LONGEST_DETAIL, True)
