"""A channel through Apprise, over real HTTP and SMTP on loopback."""

import asyncio
import io
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Semaphore, Thread
from typing import Any

import msgspec
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from daemon import log, notifiers
from daemon.notifiers.apprise import AppriseNotifier
from daemon.types import SECOND, Attempted, Message, Outcome, Severity
from tests.fakes import ManualClock

MESSAGE = Message(
    "critical: low-margin on main", "available_margin is 42 < 100\n*since* <03:12> [x]", Severity.CRITICAL
)
SECRET = "tok3n-9fK2xQ"


class Receiver:
    """A webhook on loopback that answers as it is told and keeps what it got."""

    def __init__(self, answer: Callable[[BaseHTTPRequestHandler], object]) -> None:
        receiver = self
        self.got: list[dict[str, Any]] = []
        self.arrived = Semaphore(0)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(msgspec.json.decode(body))
                receiver.arrived.release()
                answer(self)

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"json://user:{SECRET}@127.0.0.1:{self.server.server_port}/hooks/{SECRET}"

    @contextmanager
    def serving(self) -> Iterator["Receiver"]:
        thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()
            thread.join()


def answering(status: int, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def dropping(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


async def tried(url: str) -> tuple[Outcome, str]:
    attempted = await AppriseNotifier(url, ManualClock()).send(MESSAGE)
    return attempted.outcome, attempted.detail


async def test_an_accepting_receiver_is_delivered() -> None:
    """F1: an accepted message is delivered, its title and text as written."""
    with Receiver(answering(200)).serving() as receiver:
        assert await tried(receiver.url) == (Outcome.DELIVERED, "")
    (got,) = receiver.got
    assert (got["title"], got["message"], got["type"]) == (MESSAGE.title, MESSAGE.body, "failure")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (302, Outcome.LATER),
        (401, Outcome.LATER),
        (404, Outcome.LATER),
        (410, Outcome.REFUSED),
        (429, Outcome.LATER),
        (500, Outcome.LATER),
        (503, Outcome.LATER),
    ],
)
async def test_http_statuses_are_classed(status: int, outcome: Outcome) -> None:
    """F1: a webhook refuses for good only by 410; a redirect is no delivery; the sentence says what was answered."""
    with Receiver(answering(status, Location="/elsewhere")).serving() as receiver:
        assert await tried(receiver.url) == (outcome, f"JSON answered HTTP {status}")


async def test_a_dropped_connection_is_unknown() -> None:
    """F1: a connection that breaks after the message left may have delivered it."""
    with Receiver(dropping).serving() as receiver:
        outcome, detail = await tried(receiver.url)
    assert (outcome, len(receiver.got)) == (Outcome.UNKNOWN, 1)
    assert detail == "the connection to JSON ended without an answer; the message may have arrived"


async def test_a_refused_connection_is_later() -> None:
    """F1: where nothing listens, nothing arrived."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"json://127.0.0.1:{nobody.getsockname()[1]}/{SECRET}"
        expected = (Outcome.LATER, "JSON was not reached: it refuses connections")
        assert await tried(url) == expected


async def test_retries_in_the_url_are_not_followed() -> None:
    """F2: we retry; Apprise does not, nor does it call a failure a success, whatever the URL asks for."""
    with Receiver(answering(500)).serving() as receiver:
        assert (await tried(f"{receiver.url}?retry=3&wait=0&optional=yes"))[0] is Outcome.LATER
    assert len(receiver.got) == 1


async def test_a_hanging_receiver_is_unknown_after_our_timeout() -> None:
    """F1: no answer in time is unknown; F2: beyond a few hanging attempts no further one is begun."""
    clock = ManualClock()
    released = Event()
    receiver = Receiver(lambda _handler: released.wait(60))
    outcomes = []
    with receiver.serving():
        notifier = AppriseNotifier(receiver.url, clock, timeout=20 * SECOND)
        for _ in range(3):
            sending = asyncio.ensure_future(notifier.send(MESSAGE))
            await asyncio.to_thread(receiver.arrived.acquire)
            await clock.advance(20 * SECOND)
            outcomes.append(await sending)
        outcomes.append(await notifier.send(MESSAGE))
        released.set()
    assert [ended.outcome for ended in outcomes] == [Outcome.UNKNOWN] * 3 + [Outcome.LATER]
    assert outcomes[0].detail == "JSON did not answer within 20 s; the message may have arrived"
    assert len(receiver.got) == 3


@pytest.mark.parametrize(
    ("query", "seconds"), [("", (21, 21)), ("?rto=2", (21, 2)), ("?cto=3", (3, 21)), ("?cto=3&rto=2", (3, 2))]
)
def test_sockets_give_up_just_after_us(query: str, seconds: tuple[float, float]) -> None:
    """F2: an attempt that was given up ends by itself a second later, unless the URL asks for less patience."""
    notifier = AppriseNotifier(f"json://127.0.0.1/{query}", ManualClock(), timeout=20 * SECOND)
    assert notifier._apprise[0].request_timeout == seconds


async def test_one_call_at_a_time() -> None:
    """F2: a channel has one attempt in flight; a second one waits for it."""
    with Receiver(answering(200)).serving() as receiver:
        notifier = AppriseNotifier(receiver.url, ManualClock())
        both = await asyncio.gather(notifier.send(MESSAGE), notifier.send(MESSAGE))
    assert [ended.outcome for ended in both] == [Outcome.DELIVERED, Outcome.DELIVERED]


@pytest.mark.usefixtures("restored_logging")
async def test_apprise_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """Promise 9: a failure is told by its outcome alone; Apprise writes no line, not even at debug level."""
    lines = io.StringIO()
    log.setup(lines, level="debug", redactor=log.Redactor())
    with Receiver(answering(500)).serving() as receiver:
        await tried(receiver.url)
    assert (lines.getvalue(), *capfd.readouterr()) == ("", "", "")


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (
            403,
            {"description": "Forbidden: bot was blocked by the user"},
            Attempted(Outcome.REFUSED, "Telegram answered HTTP 403 (Forbidden: bot was blocked by the user)"),
        ),
        (
            429,
            {"description": "Too Many Requests: retry after 9", "parameters": {"retry_after": 9}},
            Attempted(Outcome.LATER, "Telegram answered HTTP 429 (Too Many Requests: retry after 9)", 9_000),
        ),
        (200, {"ok": True}, Attempted(Outcome.DELIVERED)),
    ],
)
async def test_telegram_in_its_own_words(status: int, answer: dict[str, object], expected: Attempted) -> None:
    """F1, F2: what the Bot API says is read from Apprise's text; a plain text arrives with its signs escaped."""

    def say(handler: BaseHTTPRequestHandler) -> None:
        body = msgspec.json.encode(answer)
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    notifier = AppriseNotifier("tgram://123456789:abcdefghijklmnopqrstuvwxyz_0123456/12315544", ManualClock())
    with Receiver(say).serving() as receiver:
        service: Any = notifier._apprise[0]
        service.notify_url = f"http://127.0.0.1:{receiver.server.server_port}/bot"
        assert await notifier.send(MESSAGE) == expected
    assert "since* &lt;03:12&gt; [x]" in receiver.got[0]["text"]


class Mailbox:
    """An SMTP server's answers: by recipient's name accepted, refused, deferred, or never answered."""

    def __init__(self) -> None:
        self.got: list[Envelope] = []

    async def handle_RCPT(  # noqa: N802 - the name of aiosmtpd
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such user"
        if address.startswith("busy"):
            return "450 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.got.append(envelope)
        return "250 accepted"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


def mail_to(recipient: str, port: int, login: str = "") -> str:
    return f"mailto://{login}127.0.0.1:{port}?smtp=127.0.0.1&mode=insecure&from=watch@example.com&to={recipient}"


async def test_mail_is_delivered(mailbox: tuple[Mailbox, int]) -> None:
    """F1: an accepted mail is delivered: its subject the title, its text as written."""
    box, port = mailbox
    assert await tried(mail_to("me@example.com", port)) == (Outcome.DELIVERED, "")
    (envelope,) = box.got
    content = (envelope.content or b"").decode() if isinstance(envelope.content, bytes) else ""
    assert envelope.rcpt_tos == ["me@example.com"]
    assert f"Subject: {MESSAGE.title}" in content


@pytest.mark.parametrize("recipient", ["nobody@example.com", "busy@example.com"])
async def test_refused_mail_is_later(mailbox: tuple[Mailbox, int], recipient: str) -> None:
    """F1: Apprise shows 450 and 550 alike, so both are tried again."""
    box, port = mailbox
    assert await tried(mail_to(recipient, port)) == (Outcome.LATER, f'E-Mail: Sending email to "{recipient}" failed.')
    assert box.got == []


async def test_a_login_that_is_not_possible_says_so(mailbox: tuple[Mailbox, int]) -> None:
    """F1: a mail server that takes no login is told apart from one that cannot be reached; no password is shown."""
    _, port = mailbox
    outcome, detail = await tried(mail_to("me@example.com", port, login=f"me:{SECRET}@"))
    assert (outcome, detail) == (
        Outcome.LATER,
        "the mail server cannot do what the URL asks for: SMTP AUTH extension not supported by server.",
    )


async def test_a_mail_server_that_hangs_is_unknown() -> None:
    """F1: a mail server that takes the connection and says nothing is unknown after our timeout."""
    clock = ManualClock()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        notifier = AppriseNotifier(mail_to("me@example.com", silent.getsockname()[1]), clock, timeout=20 * SECOND)
        sending = asyncio.ensure_future(notifier.send(MESSAGE))
        connection, _ = await asyncio.to_thread(silent.accept)
        await clock.advance(20 * SECOND)
        assert (await sending).outcome is Outcome.UNKNOWN
        connection.close()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("just text", "this is no Apprise URL; it begins with a service, as in tgram:// or mailto://"),
        (f"tgrm://{SECRET}/1", "Apprise knows no service tgrm://; did you mean tgram://?"),
        (f"tgram://{SECRET}/1", "Apprise refuses this Telegram URL; it has the form tgram://{bot_token}/{targets}"),
        (f"windows://{SECRET}", "windows:// needs something that is not installed here; see "),
        (
            f"mailto://{SECRET}",
            "Apprise refuses this E-Mail URL; it has the form mailto://{user}:{password}@{host}:{port}/{targets}",
        ),
        (f"json://a/{SECRET} json://b/", "this is more than one URL; give each a channel of its own"),
        (
            f"tgram://123456789:{SECRET}-abcdefghijklmnopqrst/!{SECRET}/1234567",
            "Apprise would leave out a part of this Telegram URL: Dropped invalid Telegram chat/group (***) specified.",
        ),
    ],
)
def test_bad_urls_are_refused_without_showing_them(url: str, sentence: str) -> None:
    """A URL that Apprise cannot use gets one sentence with the remedy, and nothing of it is shown."""
    assert (notifiers.problem(url) or "").startswith(sentence)
    with pytest.raises(ValueError, match=r"URL|service") as refusal:
        AppriseNotifier(url, ManualClock())
    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "unwise"),
    [
        ("json://127.0.0.1:8000/x", False),
        ("json://localhost/x", False),
        ("json://hooks.example.com/x", True),
        ("jsons://hooks.example.com/x", False),
        ("tgram://123456789:abcdefg_hijklmnop/12315544", False),
        ("mailto://me:pw@example.com", True),
        ("mailtos://me:pw@example.com", False),
        ("mailto://me:pw@gmail.com", False),
        ("ntfy://topic", False),
        ("just text", False),
    ],
)
def test_plain_schemes_beyond_this_machine_are_named(url: str, unwise: bool) -> None:
    """Promise 9: a channel whose messages would leave this machine unencrypted is a warning of `check`."""
    assert (notifiers.caution(url) is not None) is unwise
