"""docs/delivery.md: what is known per service is what the classing makes of it."""

import re
import smtplib
import socket
from collections.abc import Callable, Mapping

from daemon.alerts.hold_reasons import HoldReason
from daemon.cli.last_words.command import message as last_words
from daemon.cli.last_words.unit_status import UnitStatus
from daemon.cli.session import CommandSession
from daemon.cli.status.waiting import WaitCause
from daemon.notifiers import Pictures, services
from daemon.notifiers.apprise.outcomes import Complaint, outcome
from daemon.notifiers.services import SERVICES, Limits, encoded, escaped, utf16
from daemon.notifiers.transport.answers import AnswerTooLongError, UnansweredMailError
from daemon.notifiers.transport.redirects import RedirectError
from daemon.types import (
    MINUTE,
    SECOND,
    AttemptResult,
)
from tests.config.written import WHOLE, problems
from tests.docs.markdown import DELIVERY, code
from tests.fakes import ManualClock
from tests.messages.golden_messages import MESSAGES, shown

AT = 1_767_237_141_000
"""2026-01-01 03:12:21 UTC"""


class RequestException(OSError):  # noqa: N818 -- it is known by the name that requests gives it
    pass


def _telegram(status: int, said: str) -> AttemptResult:
    return _failed(
        "Telegram", f"Failed to send Telegram notification to 42: {said}, error={status}."
    )


def _ntfy(code: int, said: str) -> AttemptResult:
    return _failed("ntfy", f"Failed to send ntfy notification to topic 'x': {said}, error={code}.")


def _failed(service: str, text: str = "", error: BaseException | None = None) -> AttemptResult:
    return outcome("FAILURE", service, [Complaint(text, error)])


def _several(*texts: str) -> AttemptResult:
    return outcome("FAILURE", "any", [Complaint(text) for text in texts])


def _endless() -> Exception:
    error = smtplib.SMTPServerDisconnected()
    error.__cause__ = AnswerTooLongError()
    return error


UPGRADED = "Bad Request: group chat was upgraded to a supergroup chat"
CLASSED: Mapping[tuple[str, str], AttemptResult] = {
    ("any", "accepted"): outcome("SUCCESS", "any", []),
    ("any", "no answer within 20 s"): outcome("TIMEOUT", "any", []),
    ("any", "the connection broke after it was made"): _failed("any", "", RequestException()),
    (
        "HTTP, e-mail",
        (
            "the connection broke, or 20 s were over, before anything of the message was sent: no"
            " connection, no TLS"
        ),
    ): outcome("FAILURE", "any", [Complaint("", RequestException(), unsent=True)]),
    ("any", "a status that says yes, and then an answer that breaks off or never ends"): outcome(
        "SUCCESS", "any", []
    ),
    ("any", "more than 64 KiB without a status"): _failed(
        "any", "", RequestException(AnswerTooLongError())
    ),
    ("any", "nothing listens, the name does not resolve, TLS fails"): _failed(
        "any", "", socket.gaierror()
    ),
    ("any", "several recipients, not all reached, where Apprise tells"): outcome(
        "FAILURE", "any", [Complaint("error=410.")], recipients=2
    ),
    ("any", "the URL names nobody to notify"): outcome("NOMATCH", "any", []),
    (
        "any",
        "the URL holds what cannot be sent, as most often `check` says",
    ): _failed("any", "", UnicodeEncodeError("latin-1", "€", 0, 1, "no")),
    ("any", "Apprise breaks over an odd answer"): _failed("any", "", KeyError("id")),
    ("any", "a failure without a reason"): outcome("FAILURE", "any", []),
    ("Telegram", "401 Unauthorized: the token is wrong or revoked"): _telegram(401, "Unauthorized"),
    ("Telegram", "404 Not Found: the token is none"): _telegram(404, "Not Found"),
    ("Telegram", "403 Forbidden: the bot was blocked or removed"): _telegram(
        403, "Forbidden: bot was blocked"
    ),
    ("Telegram", "400 Bad Request: chat not found"): _telegram(400, "Bad Request: chat not found"),
    ("Telegram", f"400 {UPGRADED}, which has another number"): _telegram(400, UPGRADED),
    (
        "Telegram",
        "400 Bad Request: can't parse entities; no text that we tried did that",
    ): _telegram(400, "Bad Request: can't parse entities: Unexpected end tag at byte offset 3"),
    ("Telegram", "429 Too Many Requests"): _telegram(429, "Too Many Requests: retry after 9"),
    ("Telegram", "any other status, or one of these in words that are not Telegram's"): _telegram(
        404, "No such page"
    ),
    ("e-mail", "accepted by the mail server"): outcome("SUCCESS", "E-Mail", []),
    ("e-mail", "450 and 550 look the same through Apprise, so every refusal"): _failed(
        "E-Mail", "Sending failed."
    ),
    ("e-mail", "one of several recipients of a mail (`cc`, `bcc`) is refused"): outcome(
        "FAILURE",
        "E-Mail",
        [Complaint("SMTP recipient a@b was refused: 550 no"), Complaint("Sending failed.")],
    ),
    ("e-mail", "a wrong password (535), no login or no STARTTLS where the URL wants it"): _failed(
        "E-Mail", "", smtplib.SMTPAuthenticationError(535, b"no")
    ),
    ("e-mail", "the server says nothing before it asks for the text of the mail"): _failed(
        "E-Mail", "", TimeoutError()
    ),
    ("e-mail", "the server takes the mail and says nothing"): outcome("TIMEOUT", "E-Mail", []),
    ("e-mail", "the connection breaks within the mail, which looks like a refusal"): _failed(
        "E-Mail", "Sending failed."
    ),
    ("e-mail", "the mail was sent whole, and the server does not say whether it takes it"): _failed(
        "E-Mail", "", UnansweredMailError()
    ),
    ("e-mail", "the server's replies do not end"): _failed("E-Mail", "", _endless()),
    (
        "ntfy",
        "`unauthorized` (40101) and `forbidden` (40301): the login or the topic's rights",
    ): _ntfy(40301, "forbidden"),
    (
        "ntfy",
        (
            "anything else but 410, limits (429) and a full server (507) among them; ntfy names no"
            " time"
        ),
    ): _ntfy(42901, "limit"),
    ("Slack", "410 Gone: the channel is archived"): _failed(
        "Slack", "Failed to send to Slack: Gone, error=410."
    ),
    (
        "Slack",
        (
            "any other status; the words (`invalid_token`, `channel_not_found`) are not told, nor"
            " how long a 429 lasts"
        ),
    ): _failed("Slack", "Failed to send to Slack: error=403."),
    (
        "Discord",
        (
            "any status but 410, 404 Unknown Webhook and 429 among them; neither words nor times"
            " are told"
        ),
    ): _failed("Discord", "Failed to send Discord notification: error=404."),
    ("webhook (`json://`, `jsons://`, `xml://`, `form://`)", "any status from 200 to 299"): outcome(
        "SUCCESS", "JSON", []
    ),
    ("webhook", "410 Gone"): _failed("JSON", "error=410"),
    (
        "webhook",
        "a redirect; it is not followed, and the sentence names the host that it leads to",
    ): outcome(
        "FAILURE",
        "JSON",
        [Complaint("A Connection error occurred", RedirectError(302, "hooks.example.com"))],
    ),
    ("webhook", "any other status, 401 and 404 among them"): _failed("JSON", "error=401"),
    ("all others", "410 Gone"): _failed("Matrix", "error=410"),
    ("all others", "any other failure"): _failed("Matrix", "error=403"),
}
"""By row of the page: what the classing makes of it."""


def test_what_is_known_per_service_is_what_is_classed() -> None:
    """F1: each row of the table names the outcome that such an attempt gets."""
    table = next(table for table in DELIVERY.tables() if table.columns[0] == "service")
    shown = {(service, what): code(said.partition(",")[0]) for service, what, said in table.rows}
    assert shown == {row: attempted.outcome.value for row, attempted in CLASSED.items()}
    assert CLASSED["Telegram", "429 Too Many Requests"].retry_after == 9_000


COUNTED: Mapping[Callable[[str], int], str] = {
    utf16: ", in UTF-16 units",
    encoded: ", in bytes of ASCII JSON",
    escaped: ", with `&`, `<`, `>` as entities",
}
SHOWN = {
    Pictures.NONE: "none",
    Pictures.WITH: "in the mail",
    Pictures.AFTER: "after the text, silently",
}
SPANS = {SECOND: "second", 2 * SECOND: "2 seconds", MINUTE: "minute", 5 * MINUTE: "5 minutes"}


def test_what_the_services_take_is_what_they_are_given() -> None:
    """F5, F8: each row of the table says what the channel of such a URL goes by."""
    table = DELIVERY.table("What the services take")
    for service, *said in table.rows[:-1]:
        for scheme in re.findall(r"`(\w+)://`", service):
            known = services.service(scheme, Limits(32_768))
            traits = known.traits
            room = f"{traits.room:,}{COUNTED.get(traits.weigh, '')}"
            pace = ", ".join(f"{limit.count} per {SPANS[limit.per]}" for limit in traits.pace)
            assert (scheme, *said) == (
                scheme,
                room,
                pace,
                SHOWN[traits.pictures],
                "yes" if known.quiet else "no",
            )
    shown = {scheme for row in table.rows for scheme in re.findall(r"`(\w+)://`", row[0])}
    assert shown >= set(SERVICES)


def test_several_recipients_are_classed_together() -> None:
    """F1: a channel is refused only when all of its recipients are."""
    assert [
        _several(*texts).outcome.value
        for texts in (("error=410", "error=410"), ("error=410", "error=500"))
    ] == [
        "refused",
        "later",
    ]


def test_every_outcome_is_explained() -> None:
    """The table of outcomes has all of them."""
    table = next(table for table in DELIVERY.tables() if table.columns[0] == "outcome")
    assert [code(cell) for cell in table.column("outcome")] == [
        "delivered",
        "refused",
        "later",
        "unknown",
        "never_made",
    ]


def test_every_reason_to_wait_or_to_be_held_is_explained() -> None:
    """The tables of reasons have all of them, as json names them."""
    waits, holds = (table for table in DELIVERY.tables() if table.columns[0] == "why")
    assert {code(cell) for cell in waits.column("why")} == {each.value for each in WaitCause}
    assert {code(cell) for cell in holds.column("why")} == {each.value for each in HoldReason}


def test_the_messages_shown_are_those_that_arrive() -> None:
    """Each golden message stands on the page, to the letter, and no other does."""
    blocks = re.findall(r"\n`([\w-]+)`:\n\n```text\n(.*?)```\n", DELIVERY.text, re.DOTALL)
    assert dict(blocks) == {name: shown(message) for name, message in MESSAGES.items()}
    assert len(blocks) == len(MESSAGES)


def test_the_words_of_titles_are_explained() -> None:
    """Each first word of a golden message is in the table, and the table has no other."""
    words = DELIVERY.table("What a title says")
    golden = {message.title for message in MESSAGES.values()}
    explained = {word for cell in words.column("word") for word in re.findall("`([A-Z]+)`", cell)}
    assert {re.split("[ :]", title)[0] for title in golden} == explained


def test_last_words_are_those_that_arrive() -> None:
    """The message shown is the one that is sent, for that mistake; machine and time differ."""
    (shown,) = (block for block in DELIVERY.blocks("text") if block.startswith("DOWN"))
    (mistake,) = problems(WHOLE.replace("available_margin", "available_margn"))
    ended = UnitStatus("failed", "exit-code", 1, 78, mistake.partition("\n")[0])
    sent = last_words(
        ended, "marginwatch.service", CommandSession(environ={}, own_clock=ManualClock())
    )
    lines = [sent.title, *sent.body.splitlines()]
    assert re.fullmatch(
        r"marginwatch\.service on \S+, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d", lines.pop(4)
    )
    assert [
        line for line in shown.splitlines() if " on vps-1, 2026-01-01 03:12:21" not in line
    ] == lines
