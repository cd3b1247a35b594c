"""A channel through a generic webhook, over real HTTP: its answers, and what it receives."""

import socket
from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from daemon.notifiers import Pictures, problem
from daemon.notifiers.apprise import AppriseNotifier
from daemon.types import AttemptResult, Message, Outcome, Severity
from tests.fakes import ManualClock
from tests.hostile import HOSTILE, raw
from tests.notifiers.receiver import PAGE, Answer, Receiver, answering, dropping, resetting

SECRET = "tok3n-9fK2xQ"
MESSAGE = Message(
    "CRITICAL low-margin · main",
    "available_margin is 42 < 100\n\n*since* <03:12> [x] :100:",
    Severity.CRITICAL,
)


def url(receiver: Receiver, scheme: str = "json", query: str = "") -> str:
    return f"{scheme}://user:{SECRET}@127.0.0.1:{receiver.port}/hooks/{SECRET}{query}"


async def tried(answer: Answer) -> AttemptResult:
    with Receiver(answer).serving() as receiver:
        attempted = await AppriseNotifier(url(receiver), ManualClock()).send(MESSAGE)
    assert len(receiver.got) == 1
    return attempted


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_a_good_status_is_delivered(status: int) -> None:
    """F1: an accepted message is delivered, whatever the receiver makes of it."""
    assert await tried(answering(status)) == AttemptResult(Outcome.DELIVERED)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?overflow=split",
        "?overflow=truncate",
        "?emojis=yes",
        "?format=html",
        "?format=markdown",
    ],
)
async def test_the_message_arrives_as_it_was_written(query: str) -> None:
    """F5: title and text as written, whatever the URL would have Apprise do to them."""
    with Receiver(answering(200)).serving() as receiver:
        await AppriseNotifier(url(receiver, query=query), ManualClock()).send(MESSAGE)
    (got,) = (post.json for post in receiver.got)
    assert (got["title"], got["message"], got["type"]) == (MESSAGE.title, MESSAGE.body, "failure")


async def test_s9_nothing_hidden_leaves() -> None:
    """S9: the receiver gets printable text whatever its source; its lines stay lines."""
    message = replace(MESSAGE, title=HOSTILE, body=f"one\n{HOSTILE.replace(chr(10), ' ')}\nthree")
    with Receiver(answering(200)).serving() as receiver:
        await AppriseNotifier(url(receiver), ManualClock()).send(message)
    (got,) = (post.json for post in receiver.got)
    assert raw(got["title"] + got["message"].replace("\n", "")) == []
    assert (len(got["title"].split("\n")), len(got["message"].split("\n"))) == (1, 3)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (304, Outcome.LATER),
        (400, Outcome.LATER),
        (401, Outcome.LATER),
        (404, Outcome.LATER),
        (410, Outcome.REFUSED),
        (429, Outcome.LATER),
        (500, Outcome.LATER),
        (503, Outcome.LATER),
    ],
)
async def test_http_statuses_are_classed(status: int, outcome: Outcome) -> None:
    """F1: only 410 refuses for good; the sentence has the answer. Redirects: `test_redirects`."""
    answer = answering(status, Retry_After="7")
    assert await tried(answer) == AttemptResult(outcome, f"JSON answered HTTP {status}")


async def test_a_page_in_its_stead_is_later() -> None:
    """F1: of a proxy's answer only the status counts."""
    assert await tried(answering(502, PAGE)) == AttemptResult(
        Outcome.LATER, "JSON answered HTTP 502"
    )


@pytest.mark.parametrize("answer", [dropping, resetting])
async def test_a_connection_that_breaks_is_unknown(answer: Answer) -> None:
    """F1: a connection that breaks after the message left may have delivered it."""
    expected = "the connection to JSON ended without an answer; the message may have arrived"
    assert await tried(answer) == AttemptResult(Outcome.UNKNOWN, expected)


async def test_a_refused_connection_is_later() -> None:
    """F1: without a listener nothing arrived."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        there = f"json://127.0.0.1:{nobody.getsockname()[1]}/{SECRET}"
        expected = AttemptResult(Outcome.LATER, "JSON was not reached: it refuses connections")
        assert await AppriseNotifier(there, ManualClock()).send(MESSAGE) == expected


@pytest.mark.parametrize("scheme", ["json", "xml", "form"])
async def test_a_webhook_gets_no_picture(scheme: str) -> None:
    """F8: generic webhooks get the text and no chart, and a chart alone is nothing to send."""
    picture = b"\x89PNG\r\n\x1a\n"
    with Receiver(answering(200)).serving() as receiver:
        notifier = AppriseNotifier(url(receiver, scheme), ManualClock())
        text = Message("title", "text", Severity.INFO, html="<div>text</div>", picture=picture)
        alone = Message("", "", Severity.INFO, picture=picture)
        assert await notifier.send(text) == AttemptResult(Outcome.DELIVERED)
        assert (await notifier.send(alone)).outcome is Outcome.DELIVERED
    (got,) = receiver.got
    assert b"PNG" not in got.body
    assert b"<div>" not in got.body
    assert notifier.traits.pictures is Pictures.NONE


async def test_a_form_arrives_as_it_was_written() -> None:
    """F5: the same through a form."""
    with Receiver(answering(200)).serving() as receiver:
        await AppriseNotifier(url(receiver, "form"), ManualClock()).send(MESSAGE)
    form = parse_qs(receiver.got[0].body.decode())
    assert (form["title"], form["message"]) == ([MESSAGE.title], [MESSAGE.body])


async def test_text_that_is_no_unicode_is_sent_all_the_same() -> None:
    """Half of a surrogate pair, which cannot be sent, arrives escaped, with the rest."""
    with Receiver(answering(200)).serving() as receiver:
        message = Message("a \ud83d", "b \udc00 c", Severity.INFO)
        assert await AppriseNotifier(url(receiver), ManualClock()).send(message) == AttemptResult(
            Outcome.DELIVERED
        )
    assert [(post.json["title"], post.json["message"]) for post in receiver.got] == [
        ("a \\ud83d", "b \\udc00 c")
    ]


async def test_a_title_alone_is_a_text() -> None:
    """A message without a body says its title."""
    with Receiver(answering(200)).serving() as receiver:
        message = Message("all is said", "", Severity.INFO)
        assert await AppriseNotifier(url(receiver), ManualClock()).send(message) == AttemptResult(
            Outcome.DELIVERED
        )
    assert receiver.got[0].json["message"] == "all is said"


@pytest.mark.parametrize(
    ("login", "query", "words"),
    [
        ("user:h%E2%82%AC@", "", "a character that HTTP headers cannot carry"),
        ("h%E2%82%AC:secret@", "", "a character that HTTP headers cannot carry"),
        ("", "?+X-Token=%E2%82%AC", "a character that HTTP headers cannot carry"),
        ("", "?+X-Token=a%0D%0AHost:%20elsewhere", "a line break or another control character"),
        ("", "?+X%20Token=a", "a name that no header can have"),
        ("", "?+X-T%C3%B6ken=a", "a name that no header can have"),
    ],
)
@pytest.mark.parametrize("scheme", ["json", "xml", "form"])
def test_what_no_header_can_carry_is_refused_by_check(
    scheme: str, login: str, query: str, words: str
) -> None:
    """A9: it could never be sent, so it is reported before, without a part of it."""
    said = problem(f"{scheme}://{login}127.0.0.1:9/hook{query}")
    assert words in str(said)
    assert "€" not in str(said)


@pytest.mark.parametrize(
    "url", ["ntfy://tk_%E2%82%AC@127.0.0.1:9/topic", "gotify://127.0.0.1:9/to%E2%82%ACken"]
)
def test_tokens_that_no_header_can_carry_are_refused_by_check(url: str) -> None:
    """A9: services that send their token in a header."""
    assert "a character that HTTP headers cannot carry" in str(problem(url))


async def test_what_latin_1_can_carry_is_sent() -> None:
    """A9: browsers and requests write it so."""
    with Receiver(answering(200)).serving() as receiver:
        login, header = "user:h%C3%BCnter@", "?+X-Token=%C3%A4"
        odd = f"json://{login}127.0.0.1:{receiver.port}/%E2%82%AC{header}"
        assert problem(odd) is None
        assert (
            await AppriseNotifier(odd, ManualClock()).send(MESSAGE)
        ).outcome is Outcome.DELIVERED
    assert receiver.got[0].headers["X-Token"] == "ä"
