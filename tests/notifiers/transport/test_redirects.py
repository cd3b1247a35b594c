"""Redirects of a receiver: nothing follows one, and the outcome says where it would have led."""

import pytest
import requests

from daemon.notifiers.apprise import AppriseNotifier
from daemon.notifiers.transport.redirects import RedirectError, install
from daemon.types import AttemptResult, Message, Outcome, Severity
from tests.fakes import ManualClock
from tests.notifiers.receiver import Receiver, answering

TOKEN = "Tok3n-9fK2xQ"
MESSAGE = Message("CRITICAL low-margin · main", "available_margin is 42 < 100", Severity.CRITICAL)
STATUSES = (301, 302, 303, 307, 308)


@pytest.mark.parametrize("scheme", ["json", "form", "ntfy", "mmost"])
@pytest.mark.parametrize("status", STATUSES)
async def test_s10_no_message_and_no_header_follows_a_redirect(scheme: str, status: int) -> None:
    """S10: for any URL and status; the sentence names the host without the token in it."""
    with Receiver(answering(200)).serving() as elsewhere:
        location = f"http://127.0.0.1:{elsewhere.port}/{TOKEN}"
        with Receiver(answering(status, Location=location)).serving() as receiver:
            url = f"{scheme}://me:{TOKEN}@127.0.0.1:{receiver.port}/{TOKEN}?redirect=yes&+X-Tok={TOKEN}"
            attempted = await AppriseNotifier(url, ManualClock()).send(MESSAGE)
    assert receiver.got
    assert elsewhere.got == []
    assert attempted.outcome is not Outcome.DELIVERED
    assert f"127.0.0.1 (HTTP {status})" in attempted.detail
    assert TOKEN.lower() not in attempted.detail.lower()


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("https://hooks.example.com/x?y", "hooks.example.com"),
        (f"https://{TOKEN}.evil.example/", "***.evil.example"),
        (f"https://{TOKEN.upper()}.evil.example/", "***.evil.example"),
        (f"//me:{TOKEN}@evil.example", "evil.example"),
        ("/elsewhere", "127.0.0.1"),
        ("http://[", "127.0.0.1"),
    ],
)
async def test_s10_the_outcome_says_where_it_leads(location: str, place: str) -> None:
    """S10, S13: the host alone, without a token that the receiver put into it."""
    with Receiver(answering(302, Location=location)).serving() as receiver:
        attempted = await AppriseNotifier(
            f"json://127.0.0.1:{receiver.port}/{TOKEN}", ManualClock()
        ).send(MESSAGE)
    said = (
        f"JSON sends the message on to {place} (HTTP 302), where it does not go: correct the URL of"
        " this channel"
    )
    assert attempted == AttemptResult(Outcome.LATER, said)


@pytest.mark.parametrize("status", STATUSES)
def test_s10_requests_itself_follows_none(status: int) -> None:
    """S10: also if a plugin calls requests without an option for redirects."""
    install()
    with Receiver(answering(200)).serving() as elsewhere:
        location = f"http://127.0.0.1:{elsewhere.port}/"
        with (
            Receiver(answering(status, Location=location)).serving() as receiver,
            pytest.raises(RedirectError),
        ):
            requests.post(f"http://127.0.0.1:{receiver.port}/", data="x", timeout=10)
    assert elsewhere.got == []
