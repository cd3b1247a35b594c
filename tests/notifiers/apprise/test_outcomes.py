"""F1: the meaning of Apprise's results and complaints."""

import email.errors
import json
import smtplib
import socket
import ssl

import pytest
import requests

from daemon.notifiers.apprise.outcomes import LONGEST_DETAIL, Complaint, outcome, short
from daemon.types import AttemptResult, Outcome


def test_a3_a_proxy_of_the_environment_that_fails_is_named() -> None:
    """A3: nothing left, so the message is retried without doubt; the service did not refuse."""
    error = requests.exceptions.ProxyError(
        "Unable to connect to proxy", ConnectionRefusedError(111, "refused")
    )
    why = "the proxy that the environment names (HTTPS_PROXY) is down, or does not let us through"
    found = outcome("FAILURE", "ntfy", [Complaint("A Connection error occurred", error)])
    assert found == AttemptResult(Outcome.LATER, f"ntfy was not reached: {why}")


def telegram(said: str, status: int) -> AttemptResult:
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
        ("Bad Request: group chat was upgraded to a supergroup chat", 400, Outcome.REFUSED),
        ("Bad Request: so it said: chat not found", 400, Outcome.LATER),
        ("Bad Request: error=410.", 400, Outcome.LATER),
        ("Bad Request: can't parse entities: unclosed tag", 400, Outcome.LATER),
        ("Page not found.", 404, Outcome.LATER),
        ("", 403, Outcome.LATER),
        ("Bad Gateway", 502, Outcome.LATER),
    ],
)
def test_telegram_refuses_only_in_its_own_words(said: str, status: int, expected: Outcome) -> None:
    """F1: a revoked token or blocked bot is final; the same status on a proxy's page is not."""
    assert telegram(said, status).outcome is expected


def test_telegram_says_when_to_come_back() -> None:
    """F2: Telegram's retry_after, which stands only in its text, is passed on in milliseconds."""
    assert telegram("Too Many Requests: retry after 35", 429) == AttemptResult(
        Outcome.LATER,
        "Telegram answered HTTP 429 (Too Many Requests: retry after 35)",
        retry_after=35_000,
    )
    assert telegram("Too Many Requests", 429).retry_after is None


@pytest.mark.parametrize(
    ("said", "code", "expected"),
    [
        (
            "unauthorized",
            "40101",
            AttemptResult(Outcome.REFUSED, "ntfy answered HTTP 401 (unauthorized)"),
        ),
        (
            "forbidden",
            "40301",
            AttemptResult(Outcome.REFUSED, "ntfy answered HTTP 403 (forbidden)"),
        ),
        ("forbidden", "403", AttemptResult(Outcome.LATER, "ntfy answered HTTP 403")),
        (
            "limit reached",
            "42908",
            AttemptResult(Outcome.LATER, "ntfy answered HTTP 429 (limit reached)"),
        ),
    ],
)
def test_ntfy_refuses_only_by_its_own_codes(said: str, code: str, expected: AttemptResult) -> None:
    """F1: ntfy's codes have two digits more than a status, by which its own words are known."""
    text = f"Failed to send ntfy notification to topic 't0pic': {said}, error={code}."
    assert outcome("FAILURE", "ntfy", [Complaint(text)]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Failed to send to Slack: error=200.", Outcome.UNKNOWN),
        ("Slack said nothing that can be read", Outcome.UNKNOWN),
        ("Failed to send to Slack: error=500.", Outcome.LATER),
    ],
)
def test_s1_an_answer_that_broke_off_refuses_nothing(text: str, expected: Outcome) -> None:
    """S1: a service that reports in its body may have taken the message; else the status counts."""
    assert outcome("FAILURE", "Slack", [Complaint(text, broke_off=True)]).outcome is expected


def test_a_status_of_success_that_failed() -> None:
    """F1: a service that answers 200 without taking the message is `later`."""
    assert outcome(
        "FAILURE", "Slack", [Complaint("Failed to send to Slack: error=200.")]
    ) == AttemptResult(
        Outcome.LATER,
        "Slack answered HTTP 200, but did not take the message; Apprise does not say why",
    )


def test_an_announcement_is_no_reason() -> None:
    """F1: Apprise's wait for a limit is not the reason of the failure."""
    waiting = Complaint("Discord rate limiting in effect; blocking for 0.00 second(s)")
    failed = Complaint("Failed to send Discord notification: Too Many Requests, error=429.")
    assert outcome("FAILURE", "Discord", [waiting, failed]).detail == "Discord answered HTTP 429"
    assert outcome("FAILURE", "Discord", [waiting]).outcome is Outcome.LATER


def test_fewer_complaints_than_recipients_are_some_that_were_reached() -> None:
    """F1: a failure of one among several is no failure of all: the message may have been read."""
    gone = Complaint("error=410.")
    assert outcome("FAILURE", "x", [gone], recipients=2).outcome is Outcome.UNKNOWN
    assert outcome("FAILURE", "x", [gone, gone], recipients=2).outcome is Outcome.REFUSED
    assert outcome("FAILURE", "x", [], recipients=2).outcome is Outcome.LATER


def test_a_mail_that_some_got() -> None:
    """F1: if the server refused a copy, the mail itself may have been read."""
    refused = Complaint("SMTP recipient a@example.com was refused: 550 b'no such user'")
    failed = Complaint('Sending email to "b@example.com" failed.')
    assert outcome("FAILURE", "E-Mail", [refused, failed]) == AttemptResult(
        Outcome.UNKNOWN, "the mail server took the mail, but not for everybody: 550 b'no such user'"
    )


def test_the_longest_wait_is_obeyed() -> None:
    """F2: if two chats name a time, the channel waits for the later one."""
    said = [
        f"Failed to send Telegram notification to {n}: Too Many Requests: retry after {n},"
        " error=429."
        for n in (9, 35)
    ]
    assert (
        outcome("FAILURE", "Telegram", list(map(Complaint, said)), recipients=2).retry_after
        == 35_000
    )


def test_several_recipients_are_refused_only_together() -> None:
    """F1: a reachable recipient keeps the channel; one possibly reached makes it unknown."""

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
        (
            smtplib.SMTPNotSupportedError("STARTTLS extension not supported by server."),
            (
                "the mail server cannot do what the URL asks for: STARTTLS extension not supported"
                " by server."
            ),
        ),
        (RuntimeError("no TLS"), "E-Mail was not reached (RuntimeError)"),
        (
            smtplib.SMTPServerDisconnected("Connection unexpectedly closed"),
            "E-Mail was not reached: it ended the connection too early",
        ),
        (TimeoutError("timed out"), "E-Mail was not reached: it does not answer in time"),
        (ConnectionResetError(104, "reset"), "E-Mail was not reached: the connection broke"),
    ],
)
def test_mail_is_always_tried_again(error: Exception, detail: str) -> None:
    """F1: any refusal of a mail server is `later`; the sentence quotes it."""
    assert outcome("FAILURE", "E-Mail", [Complaint("Connection error", error)]) == AttemptResult(
        Outcome.LATER, detail
    )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            UnicodeEncodeError("latin-1", "tok3n€", 5, 6, "ordinal not in range"),
            "it holds a character that cannot be",
        ),
        (
            UnicodeEncodeError("ascii", "\0me\0hünter22", 5, 6, "ordinal not in range"),
            "it holds a character that cannot",
        ),
        (
            requests.exceptions.InvalidHeader("Invalid leading whitespace: tok3n"),
            "one of its headers cannot be sent",
        ),
        (
            email.errors.HeaderParseError("Header injection tok3n"),
            "one of its headers cannot be sent",
        ),
        (requests.exceptions.InvalidURL("tok3n"), "its address cannot be used"),
        (requests.exceptions.MissingSchema("tok3n"), "its address cannot be used"),
        (
            requests.exceptions.InvalidSchema("tok3n"),
            (
                "its address cannot be used, or the proxy of the environment is SOCKS, which is not"
                " supported"
            ),
        ),
        (
            requests.exceptions.InvalidProxyURL("tok3n"),
            "the proxy of the environment has no usable address",
        ),
    ],
)
def test_what_no_waiting_mends_is_refused(error: Exception, words: str) -> None:
    """A9: a failure before anything left, due to the URL, is refused; no part of it is shown."""
    attempted = outcome("FAILURE", "JSON", [Complaint("", error)])
    assert attempted.outcome is Outcome.REFUSED
    assert attempted.detail.startswith(f"the URL of this channel can never be used: {words}")
    assert "tok3n" not in attempted.detail
    assert "hünter" not in attempted.detail


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(101, "Network is unreachable"), "JSON was not reached (OSError)"),
        (
            ssl.SSLCertVerificationError("expired"),
            "JSON was not reached: its certificate or its TLS is not accepted",
        ),
        (
            requests.exceptions.SSLError("expired"),
            "JSON was not reached: its certificate or its TLS is not accepted",
        ),
    ],
)
def test_what_waiting_may_mend_is_later(error: Exception, expected: str) -> None:
    """A9: a network may come back, and a certificate be renewed."""
    assert outcome("FAILURE", "JSON", [Complaint("", error)]) == AttemptResult(
        Outcome.LATER, expected
    )


@pytest.mark.parametrize("error", [requests.ReadTimeout("slow"), requests.ConnectionError("reset")])
@pytest.mark.parametrize(
    ("unsent", "expected"),
    [
        (
            True,
            "JSON was not reached: the connection ended before anything of the message was sent",
        ),
        (False, "the connection to JSON ended without an answer; the message may have arrived"),
    ],
)
def test_what_never_left_cannot_have_arrived(error: Exception, unsent: bool, expected: str) -> None:
    """F1: a failure is `later` before the message left, for instance within TLS, else unknown."""
    outcome_of = Outcome.LATER if unsent else Outcome.UNKNOWN
    complaint = Complaint("", error, unsent=unsent)
    assert outcome("FAILURE", "JSON", [complaint]) == AttemptResult(outcome_of, expected)


@pytest.mark.parametrize(
    "error",
    [
        KeyError("id"),
        json.JSONDecodeError("no", "<html>", 0),
        TypeError("None"),
        RecursionError("deep"),
    ],
)
def test_what_breaks_over_an_answer_may_have_arrived(error: Exception) -> None:
    """A9: a service that was reached, and answered oddly, is not said to have been out of reach."""
    expected = (
        f"Apprise broke while it sent to Matrix ({type(error).__name__}); the message may have"
        " arrived"
    )
    assert outcome("FAILURE", "Matrix", [Complaint("", error)]) == AttemptResult(
        Outcome.UNKNOWN, expected
    )


def test_a_circle_of_causes_ends() -> None:
    """Exceptions that name each other as cause are looked at once."""
    first, second = RuntimeError(), RuntimeError()
    first.__cause__, second.__cause__ = second, first
    assert outcome("FAILURE", "x", [Complaint("", first)]).outcome is Outcome.LATER


def test_a_detail_is_one_short_line() -> None:
    """A receiver's text is cut and loses its control characters."""
    detail = short(outcome("FAILURE", "x", [Complaint("a\n\x1b[31m" + "b" * 500)]).detail)
    assert (len(detail), detail.isprintable()) == (LONGEST_DETAIL, True)
