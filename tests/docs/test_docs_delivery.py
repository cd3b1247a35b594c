"""docs/delivery.md: what is known per service is what the classing makes of it."""

import smtplib
import socket
from collections.abc import Mapping

from daemon.notifiers.outcomes import Complaint, outcome
from daemon.types import Attempted
from tests.docs.markdown import DELIVERY, code


class RequestException(OSError):  # noqa: N818 -- it is known by the name that requests gives it
    pass


def _telegram(status: int, said: str) -> Attempted:
    return _failed("Telegram", f"Failed to send Telegram notification to 42: {said}, error={status}.")


def _failed(service: str, text: str = "", error: BaseException | None = None) -> Attempted:
    return outcome("FAILURE", service, [Complaint(text, error)])


def _several(*texts: str) -> Attempted:
    return outcome("FAILURE", "any", [Complaint(text) for text in texts])


CLASSED: Mapping[tuple[str, str], Attempted] = {
    ("any", "accepted"): outcome("SUCCESS", "any", []),
    ("any", "no answer within 20 s"): outcome("TIMEOUT", "any", []),
    ("any", "the connection broke after it was made"): _failed("any", "", RequestException()),
    ("any", "nothing listens, the name does not resolve, TLS fails"): _failed("any", "", socket.gaierror()),
    ("any", "several recipients, not all reached"): outcome("PARTIAL", "any", []),
    ("any", "the URL names nobody to notify"): outcome("NOMATCH", "any", []),
    ("any", "a failure without a reason"): outcome("FAILURE", "any", []),
    ("Telegram", "401 Unauthorized: the token is wrong or revoked"): _telegram(401, "Unauthorized"),
    ("Telegram", "404 Not Found: the token is none"): _telegram(404, "Not Found"),
    ("Telegram", "403 Forbidden: the bot was blocked or removed"): _telegram(403, "Forbidden: bot was blocked"),
    ("Telegram", "400 Bad Request: chat not found"): _telegram(400, "Bad Request: chat not found"),
    ("Telegram", "429 Too Many Requests"): _telegram(429, "Too Many Requests: retry after 9"),
    ("Telegram", "any other status, or one of these in words that are not Telegram's"): _telegram(404, "No such page"),
    ("e-mail", "accepted by the mail server"): outcome("SUCCESS", "E-Mail", []),
    ("e-mail", "450 and 550 look the same through Apprise, so every refusal"): _failed("E-Mail", "Sending failed."),
    ("e-mail", "a wrong password (535)"): _failed("E-Mail", "", smtplib.SMTPAuthenticationError(535, b"no")),
    ("e-mail", "the server takes the connection and says nothing"): outcome("TIMEOUT", "E-Mail", []),
    ("webhook (`json://`, `jsons://`, `xml://`, `form://`)", "any status from 200 to 299"): outcome(
        "SUCCESS", "JSON", []
    ),
    ("webhook", "410 Gone"): _failed("JSON", "error=410"),
    ("webhook", "a redirect; it is not followed"): _failed("JSON", "error=302"),
    ("webhook", "any other status, 401 and 404 among them"): _failed("JSON", "error=401"),
    ("all others", "410 Gone"): _failed("Slack", "error=410"),
    ("all others", "any other failure"): _failed("Slack", "error=403"),
}
"""By row of the page: what the classing makes of it."""


def test_what_is_known_per_service_is_what_is_classed() -> None:
    """F1: each row of the table names the outcome that such an attempt gets."""
    table = next(table for table in DELIVERY.tables() if table.columns[0] == "service")
    shown = {(service, what): code(said.partition(",")[0]) for service, what, said in table.rows}
    assert shown == {row: attempted.outcome.value for row, attempted in CLASSED.items()}
    assert CLASSED["Telegram", "429 Too Many Requests"].retry_after == 9_000


def test_several_recipients_are_classed_together() -> None:
    """F1: a channel is refused only when all of its recipients are."""
    assert [_several(*texts).outcome.value for texts in (("error=410", "error=410"), ("error=410", "error=500"))] == [
        "refused",
        "later",
    ]


def test_every_outcome_is_explained() -> None:
    """The table of outcomes has all of them."""
    table = next(table for table in DELIVERY.tables() if table.columns[0] == "outcome")
    assert [code(cell) for cell in table.column("outcome")] == ["delivered", "refused", "later", "unknown"]
