"""A channel through Telegram, over TLS to its real name: answers of the Bot API, texts received."""

from collections.abc import Iterator
from dataclasses import replace
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.notifiers import Pictures
from daemon.notifiers.apprise import AppriseNotifier
from daemon.text.printable import printable
from daemon.types import MINUTE, SECOND, AttemptResult, Limit, Message, Outcome, Severity
from tests.fakes import ManualClock
from tests.notifiers.botapi import CHAT, TOKEN, URL, BotApi, Shown, lines, refusing
from tests.notifiers.receiver import PAGE, Answer, answering, dropping, hanging
from tests.notifiers.sending import Sender, sender

SIGNS = "< & > _ * [ ] ( ) ~ ` # + - = | { } . ! \" ' \\ / @ : ; % ^ $ ?"
TRAITS = AppriseNotifier(URL, ManualClock()).traits


def said(text: str, title: str = "WARNING low-margin · main", **more: bool | bytes) -> Message:
    return Message(title, text, Severity.WARNING, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def telegram() -> Iterator[BotApi]:
    with BotApi().serving() as api:
        yield api


@pytest.fixture(scope="module")
def phone(telegram: BotApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sender]:
    with sender(telegram.environment(tmp_path_factory.mktemp("telegram"))) as process:
        yield process


@pytest.fixture(autouse=True)
def empty_chat(telegram: BotApi) -> None:
    telegram.chat.clear()
    telegram.answers.clear()
    telegram.receiver.got.clear()


def test_a_message_arrives_as_it_was_written(telegram: BotApi, phone: Sender) -> None:
    """F1: accepted is delivered; the title is above the text, blank lines separate alerts."""
    text = (
        "available_margin 92, threshold 100\nsince 03:12:21\n\nWARNING other · main: x\nalert ct83"
        " · warning"
    )
    assert phone.send(URL, said(text)) == AttemptResult(Outcome.DELIVERED)
    title = "WARNING low-margin · main"
    assert telegram.chat == [Shown(f"{title}\n{text}", bold=(title,), silent=False)]
    assert len(telegram.receiver.got) == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            refusing(401, "Unauthorized"),
            AttemptResult(Outcome.REFUSED, "Telegram answered HTTP 401 (Unauthorized)"),
        ),
        (
            refusing(403, "Forbidden: bot was blocked by the user"),
            AttemptResult(
                Outcome.REFUSED,
                "Telegram answered HTTP 403 (Forbidden: bot was blocked by the user)",
            ),
        ),
        (
            refusing(400, "Bad Request: chat not found"),
            AttemptResult(
                Outcome.REFUSED, "Telegram answered HTTP 400 (Bad Request: chat not found)"
            ),
        ),
        (
            refusing(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=-1001,
            ),
            AttemptResult(
                Outcome.REFUSED,
                "Telegram answered HTTP 400 (Bad Request: group chat was upgraded to a supergroup"
                " chat)",
            ),
        ),
        (
            refusing(
                400,
                'Bad Request: can\'t parse entities: Unsupported start tag "x" at byte offset 4',
            ),
            AttemptResult(
                Outcome.LATER,
                "Telegram answered HTTP 400 (Bad Request: can't parse entities: "
                'Unsupported start tag "x" at byte offset 4)',
            ),
        ),
        (
            refusing(429, "Too Many Requests: retry after 35", retry_after=35),
            AttemptResult(
                Outcome.LATER,
                "Telegram answered HTTP 429 (Too Many Requests: retry after 35)",
                35 * SECOND,
            ),
        ),
        (
            refusing(500, "Internal Server Error"),
            AttemptResult(Outcome.LATER, "Telegram answered HTTP 500 (Internal Server Error)"),
        ),
        (answering(502, PAGE), AttemptResult(Outcome.LATER, "Telegram answered HTTP 502")),
        (answering(403, PAGE), AttemptResult(Outcome.LATER, "Telegram answered HTTP 403")),
        (
            refusing(400, f"Bad Request: {TOKEN}, error=410."),
            AttemptResult(
                Outcome.LATER, "Telegram answered HTTP 400 (Bad Request: ***, error=410.)"
            ),
        ),
        (
            dropping,
            AttemptResult(
                Outcome.UNKNOWN,
                "the connection to Telegram ended without an answer; the message may have arrived",
            ),
        ),
    ],
)
def test_what_telegram_answers(
    telegram: BotApi, phone: Sender, answer: Answer, expected: AttemptResult
) -> None:
    """F1, F2: refused only in Telegram's own words, `retry_after` obeyed; the next one arrives."""
    telegram.answers.append(answer)
    assert phone.send(URL, said("once")) == expected
    assert telegram.chat == []
    assert phone.send(URL, said("again")).outcome is Outcome.DELIVERED
    assert [shown.text for shown in telegram.chat] == ["WARNING low-margin · main\nagain"]


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        (f"tgram://{TOKEN[:-1]}x/{CHAT}", "Telegram answered HTTP 401 (Unauthorized)"),
        (f"tgram://{TOKEN}/4242", "Telegram answered HTTP 400 (Bad Request: chat not found)"),
    ],
)
def test_a_wrong_url_is_refused(phone: Sender, url: str, detail: str) -> None:
    """F1: a token or a chat that Telegram does not know is for good."""
    assert phone.send(url, said("text")) == AttemptResult(Outcome.REFUSED, detail)


def test_one_chat_of_two_that_refuses(telegram: BotApi, phone: Sender) -> None:
    """F1: if one of several chats was reached, the channel is not parked for the other."""
    attempted = phone.send(f"tgram://{TOKEN}/{CHAT}/4242", said("text"))
    assert (attempted.outcome, len(telegram.chat)) == (Outcome.UNKNOWN, 1)


def test_a_name_that_cannot_be_found_is_later(phone: Sender) -> None:
    """F1: a host that has no address was not reached."""
    expected = AttemptResult(Outcome.LATER, "JSON was not reached: its name cannot be resolved")
    assert phone.send("json://nowhere.invalid/x", said("text")) == expected


def test_no_answer_is_unknown(telegram: BotApi, phone: Sender) -> None:
    """F1: Telegram that takes the message and says nothing may have delivered it."""
    released = Event()
    telegram.answers.append(hanging(released))
    expected = "Telegram did not answer within 0.1 s; the message may have arrived"
    try:
        assert phone.send(URL, said("text"), timeout=100) == AttemptResult(
            Outcome.UNKNOWN, expected
        )
        assert telegram.receiver.arrived.acquire(timeout=60)
    finally:
        released.set()


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?format=markdown",
        "?format=text",
        "?overflow=split",
        "?overflow=truncate",
        "?emojis=yes",
    ],
)
def test_special_signs_arrive(telegram: BotApi, phone: Sender, query: str) -> None:
    """F5: each character special to Telegram arrives as itself, whatever the URL asks for."""
    text = (
        f"{SIGNS}\n<b>no tag</b> &lt; &amp;amp; &nbsp; &#65; <unknown> </b>\n😀 :smile: 👩‍👩‍👧 é"
        " ü 日本 \\u200d x"
    )
    title = f"WARNING {SIGNS}"
    assert phone.send(URL + query, said(text, title=title)).outcome is Outcome.DELIVERED
    assert [(shown.text, shown.bold) for shown in telegram.chat] == [(f"{title}\n{text}", (title,))]


def test_a_tap_copies_a_command(telegram: BotApi, phone: Sender) -> None:
    """Commands are code, whichever other signs stand around them, and nothing else is."""
    commands = ("marginwatch ack ct83", "marginwatch ack ct83 --comment '<&>'", "marginwatch ack x")
    text = f"a < b\n1: {commands[0]}\n2: {commands[1]}\n<code>no</code>"
    message = replace(said(text, title="t"), commands=commands)
    assert phone.send(URL, message).outcome is Outcome.DELIVERED
    assert [(shown.text, shown.code) for shown in telegram.chat] == [(f"t\n{text}", commands[:2])]


@pytest.mark.parametrize("sign", ["x", "<", "&", "'", "😀", "é", "\n.", "_"])
@pytest.mark.parametrize("query", ["", "?overflow=split"])
def test_what_fits_arrives_whole_in_one_message(
    telegram: BotApi, phone: Sender, sign: str, query: str
) -> None:
    """F5: a text that fills the room, however counted or escaped, is one message, uncut."""
    title = "CRITICAL " + "x" * 51
    count = (TRAITS.room - TRAITS.weigh(title)) // TRAITS.weigh(sign)
    text = sign * count
    assert phone.send(URL + query, said(text, title=title)).outcome is Outcome.DELIVERED
    assert [lines(shown.text) for shown in telegram.chat] == [lines(f"{title}\n{text}")]


@given(text=st.text(), title=st.text(max_size=60))
def test_any_text_arrives(telegram: BotApi, phone: Sender, text: str, title: str) -> None:
    """F5: Telegram can parse any text, and its lines are readable, hidden characters escaped."""
    telegram.chat.clear()
    head = " ".join(lines(title.replace("\n", " ").replace("\r", " ")))
    attempted = phone.send(URL, said("start " + text, title=head))
    assert attempted == AttemptResult(Outcome.DELIVERED)
    expected = printable(f"{head}\nstart {text}", keep="\n")
    assert [lines(shown.text) for shown in telegram.chat] == [lines(expected)]


def test_a_silent_message_does_not_ring(telegram: BotApi, phone: Sender) -> None:
    """F8: quiet is silent on Telegram, for that message alone."""
    for quiet in (True, False):
        assert phone.send(URL, said("text", quiet=quiet)).outcome is Outcome.DELIVERED
    assert [shown.silent for shown in telegram.chat] == [True, False]


def test_a_picture_follows_silently(telegram: BotApi, phone: Sender) -> None:
    """F8: a text leaves without its picture; the picture alone is a silent message of its own."""
    picture = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
    assert phone.send(URL, said("text", picture=picture)).outcome is Outcome.DELIVERED
    assert phone.send(URL, said("", title="", picture=picture)) == AttemptResult(Outcome.DELIVERED)
    assert [
        (shown.text.partition("\n")[2], shown.silent, shown.photo) for shown in telegram.chat
    ] == [
        ("text", False, b""),
        ("", True, picture),
    ]


def test_a_picture_that_fails_says_so(telegram: BotApi, phone: Sender) -> None:
    """F8: a picture that Telegram does not take is a failure of that call alone."""
    telegram.answers.append(refusing(400, "Bad Request: IMAGE_PROCESS_FAILED"))
    expected = AttemptResult(Outcome.LATER, "Telegram answered HTTP 400")
    assert phone.send(URL, said("", title="", picture=b"no picture")) == expected


def test_no_picture_of_apprise_goes_before_a_text(telegram: BotApi, phone: Sender) -> None:
    """F8: `image=yes` does not make the phone ring twice, nor the text wait."""
    assert phone.send(f"{URL}?image=yes", said("text")).outcome is Outcome.DELIVERED
    assert [shown.photo for shown in telegram.chat] == [b""]


def test_what_telegram_takes() -> None:
    """F5, F8: one message a second and twenty a minute; pictures come after the text."""
    assert TRAITS.pace == (Limit(1, SECOND), Limit(20, MINUTE))
    assert (TRAITS.pictures, TRAITS.html) == (Pictures.AFTER, False)
