"""A channel through e-mail, over real SMTP: behaviour of mail servers, and the mails received."""

import asyncio
import socket
import ssl
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from threading import Event
from urllib.parse import quote

import pytest
import trustme
from aiosmtpd.smtp import SMTP

from daemon.notifiers import Pictures, problem
from daemon.notifiers.apprise import AppriseNotifier
from daemon.types import SECOND, AttemptResult, Message, Outcome, Severity
from tests.fakes import ManualClock
from tests.notifiers.mailserver import CramMd5, Dropping, address, serving

SECRET = "tok3n-9fK2xQ"
TITLE = "WARNING low-margin · main: available_margin 92"
TEXT = "available_margin 92, threshold 100\nsince 03:12:21\n\nalert ct83 · warning"
HTML = (
    '<div style="font-size:18px"><b>WARNING low-margin · main</b></div><div>available_margin <span'
    ' style="color:#c00">92</span>, threshold &lt; 100</div><div>since'
    ' 03:12:21</div><br><div>al_margin <span style="float:right"><b>80.5</b> (+18 in 10'
    ' min)</span><div style="clear:both"></div></div><div>al_freeze 0</div><br><div>no more'
    ' reminders: <code style="user-select:all">marginwatch ack ct83</code></div><br><div>alert'
    " ct83 · warning</div>"
)
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
PLAIN = Message(TITLE, TEXT, Severity.WARNING)
RICH = replace(PLAIN, html=HTML)


async def tried(url: str, message: Message = PLAIN) -> AttemptResult:
    return await AppriseNotifier(url, ManualClock()).send(message)


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n").removesuffix("\n")


async def test_a_text_arrives_as_it_was_written() -> None:
    """F1: accepted is delivered; subject and text are those of the message, without HTML."""
    with serving() as box:
        assert await tried(address(box.port)) == AttemptResult(Outcome.DELIVERED)
    (mail,) = box.got
    assert (mail["Subject"], text_of(mail), mail["To"]) == (TITLE, TEXT, "me@example.com")
    assert mail.get_body(("html",)) is None


@pytest.mark.parametrize("recipient", ["nobody@example.com", "busy@example.com"])
async def test_a_refused_recipient_is_later(recipient: str) -> None:
    """F1: Apprise shows 550 and 450 alike, so both are tried again."""
    with serving() as box:
        attempted = await tried(address(box.port, recipient))
    assert attempted == AttemptResult(
        Outcome.LATER, f'E-Mail: Sending email to "{recipient}" failed.'
    )
    assert box.got == []


async def test_a_refused_copy_is_unknown() -> None:
    """F1: some recipients may have read the mail, so its retry says that it may be a repeat."""
    with serving() as box:
        attempted = await tried(address(box.port, query="&cc=nobody@example.com"))
    assert attempted.outcome is Outcome.UNKNOWN
    assert attempted.detail.startswith(
        "the mail server took the mail, but not for everybody: 550 b'5.1.1 no such user'"
    )
    assert len(box.got) == 1


async def test_a_refused_mail_is_later() -> None:
    """F1: a mail that was read and not taken is tried again."""
    with serving() as box:
        box.answer = "554 5.7.1 it looks like spam"
        assert (await tried(address(box.port))).outcome is Outcome.LATER


async def test_a_refused_login_is_later_and_shows_no_password() -> None:
    """F1, promise 9: a wrong password is reported in the server's words, the password blanked."""
    with serving() as box:
        attempted = await tried(address(box.port, login=f"me:{SECRET}@"))
    assert attempted == AttemptResult(
        Outcome.LATER, "the mail server answered 535 5.7.8 Bad credentials: ***"
    )


async def test_a_login_that_is_right() -> None:
    """F1: behind a login the same mail is delivered."""
    with serving() as box:
        assert await tried(address(box.port, login="me:right@")) == AttemptResult(Outcome.DELIVERED)
    assert len(box.got) == 1


@pytest.mark.parametrize(
    ("kind", "without"),
    [(SMTP, []), (SMTP, ["LOGIN"]), (SMTP, ["PLAIN"]), (CramMd5, ["PLAIN", "LOGIN"])],
    ids=["what it likes", "plain", "login", "cram-md5"],
)
@pytest.mark.parametrize(
    "login", ["me:hünter22 €@", "wächter@example.com:hünter22 €@", "日本:right@"]
)
async def test_a_login_beyond_ascii(kind: type[SMTP], without: list[str], login: str) -> None:
    """A9: user and password leave as UTF-8 (RFC 4616), by whatever mechanism the server takes."""
    user, _, password = login.removesuffix("@").rpartition(":")
    written = f"{quote(user, safe='')}:{quote(password, safe='')}@"
    with serving(kind, without=without) as box:
        assert await tried(address(box.port, login=written)) == AttemptResult(Outcome.DELIVERED)
    assert len(box.got) == 1


async def test_a_wrong_login_beyond_ascii_is_later_and_the_connection_ends() -> None:
    """A9, promise 9: it fails like any other wrong password, and is not shown."""
    with serving() as box:
        attempted = await tried(address(box.port, login=f"me:{quote('hünter23')}@"))
    assert attempted == AttemptResult(
        Outcome.LATER, "the mail server answered 535 5.7.8 Bad credentials: ***"
    )


@pytest.mark.parametrize(
    ("query", "to", "words"),
    [
        ("", "müller@example.com", "Dropped invalid To email"),
        ("", "me@exämple.de", "Dropped invalid To email"),
        ("&cc=me@exämple.de", "me@example.com", "Dropped invalid Carbon Copy email"),
        (
            "&name=A%0D%0ABcc: b@example.com",
            "me@example.com",
            "holds a line break or another control character",
        ),
        (
            "&+X-A=1%0D%0ABcc: b@example.com",
            "me@example.com",
            "holds a line break or another control character",
        ),
        ("&+X A=1", "me@example.com", "has a name that no header can have"),
    ],
)
def test_what_no_mail_can_hold_is_refused_by_check(query: str, to: str, words: str) -> None:
    """A9: non-ASCII addresses and lines that would become headers are reported before sending."""
    assert words in str(
        problem(address(25, quote(to, safe="@"), query=quote(query, safe="&=+%@:")))
    )


async def test_a_server_that_says_nothing_gets_no_mail() -> None:
    """F1: a mail server that takes the connection and hangs."""
    clock = ManualClock()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        notifier = AppriseNotifier(address(silent.getsockname()[1]), clock, timeout=20 * SECOND)
        sending = asyncio.ensure_future(notifier.send(PLAIN))
        connection, _ = await asyncio.to_thread(silent.accept)
        await clock.advance(20 * SECOND)
        expected = "E-Mail did not answer within 20 s; nothing of the message was sent"
        assert await sending == AttemptResult(Outcome.LATER, expected)
        connection.close()


async def test_a_server_that_hangs_after_the_mail_is_unknown() -> None:
    """F1: a mail that was read and not answered may arrive later; here it does."""
    clock = ManualClock()
    with serving() as box:
        box.holds = Event()
        sending = asyncio.ensure_future(
            AppriseNotifier(address(box.port), clock, timeout=20 * SECOND).send(PLAIN)
        )
        await asyncio.to_thread(box.reading.wait)
        await clock.advance(20 * SECOND)
        assert (await sending).outcome is Outcome.UNKNOWN
        box.holds.set()
        await asyncio.to_thread(box.taken.wait)
    assert [mail["Subject"] for mail in box.got] == [TITLE]


async def test_a_server_that_goes_away_with_the_mail_is_unknown() -> None:
    """F1: a mail that was sent whole and not answered may have been taken."""
    with serving(Dropping) as box:
        expected = "the mail server did not say whether it takes the mail; it may have arrived"
        assert await tried(address(box.port)) == AttemptResult(Outcome.UNKNOWN, expected)


def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, trusted: bool) -> ssl.SSLContext:
    """A server's side of TLS; its authority stands where programs look for those they trust."""
    known, other = trustme.CA(), trustme.CA()
    known.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (known if trusted else other).issue_cert("127.0.0.1").configure_cert(context)
    return context


async def test_starttls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F1: a connection that becomes TLS, and the login within it."""
    with serving(context=authority(tmp_path, monkeypatch, trusted=True)) as box:
        url = address(box.port, login="me:right@", mode="starttls")
        assert await tried(url) == AttemptResult(Outcome.DELIVERED)
    assert len(box.got) == 1


async def test_starttls_with_a_certificate_of_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F1: nothing is said to a server that may be another."""
    with serving(context=authority(tmp_path, monkeypatch, trusted=False)) as box:
        attempted = await tried(address(box.port, login="me:right@", mode="starttls"))
    expected = "E-Mail was not reached: its certificate or its TLS is not accepted"
    assert (attempted, box.got) == (AttemptResult(Outcome.LATER, expected), [])


async def test_a_server_without_starttls() -> None:
    """F1: a server that lacks what the URL needs is distinguished from an unreachable one."""
    with serving() as box:
        attempted = await tried(address(box.port, mode="starttls"))
    expected = (
        "the mail server cannot do what the URL asks for: STARTTLS extension not supported by"
        " server."
    )
    assert (attempted, box.got) == (AttemptResult(Outcome.LATER, expected), [])


async def test_html_goes_beside_a_text_that_reads_well() -> None:
    """Both parts agree; the text has a line for each `div`, a blank line for each `br`."""
    with serving() as box:
        assert await tried(address(box.port), RICH) == AttemptResult(Outcome.DELIVERED)
    (mail,) = box.got
    assert mail.get_content_type() == "multipart/alternative"
    assert text_of(mail, "html") == HTML
    assert (
        text_of(mail)
        == "WARNING low-margin · main\navailable_margin 92, threshold < 100\nsince 03:12:21\n\n"
        "al_margin 80.5 (+18 in 10 min)\nal_freeze 0\n\n"
        "no more reminders:\nmarginwatch ack ct83\n\nalert ct83 · warning"
    )


async def test_html_may_be_laid_out_in_lines() -> None:
    """White space between the blocks of a fragment makes no blank lines in the text."""
    loose = HTML.replace("><div", ">\n  <div ").replace("</div><br>", "</div>\n\n<br />\n")
    with serving() as box:
        for fragment in (HTML, loose):
            await tried(address(box.port), replace(PLAIN, html=fragment))
    first, second = map(text_of, box.got)
    assert first == second


async def test_a_url_may_ask_for_text_alone() -> None:
    """`format=text` of the URL is obeyed: the text is the message's, and there is no HTML."""
    with serving() as box:
        notifier = AppriseNotifier(address(box.port, query="&format=text"), ManualClock())
        assert (await notifier.send(RICH), notifier.traits.html) == (
            AttemptResult(Outcome.DELIVERED),
            False,
        )
    (mail,) = box.got
    assert (mail.get_content_type(), text_of(mail)) == ("text/plain", TEXT)


async def test_a_picture_stands_in_the_html() -> None:
    """F8: on e-mail the picture is in the message, below the text, as wide as the screen."""
    with serving() as box:
        assert await tried(address(box.port), replace(RICH, picture=PICTURE)) == AttemptResult(
            Outcome.DELIVERED
        )
    (mail,) = box.got
    (picture,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert picture.get_content() == PICTURE
    assert (picture["Content-ID"], picture.get_content_disposition()) == ("<chart.png>", "inline")
    shown = text_of(mail, "html")
    assert shown.startswith(HTML)
    assert shown.count("cid:chart.png") == 1
    assert text_of(mail).endswith("\nalert ct83 · warning")


@pytest.mark.parametrize("query", ["", "&inline=yes"])
async def test_a_picture_goes_with_a_text(query: str) -> None:
    """F8: without HTML the picture is attached, and the text is not touched."""
    with serving() as box:
        assert await tried(
            address(box.port, query=query), replace(PLAIN, picture=PICTURE)
        ) == AttemptResult(Outcome.DELIVERED)
    (mail,) = box.got
    (picture,) = list(mail.iter_attachments())
    assert (text_of(mail), picture.get_content()) == (TEXT, PICTURE)
    assert picture.get_filename() == "chart.png"


async def test_messages_of_a_thread_refer_to_the_same() -> None:
    """A stable reference keeps an alert's mails together; the next message does not inherit it."""
    with serving() as box:
        notifier = AppriseNotifier(address(box.port, query="&%2BX-Mine=yes"), ManualClock())
        for thread in ("k3f9.main", "k3f9.main", "", "ab2c.my account"):
            assert await notifier.send(replace(RICH, thread=thread)) == AttemptResult(
                Outcome.DELIVERED
            )
    first = "<k3f9.main@marginwatch>"
    assert [mail["References"] for mail in box.got] == [
        first,
        first,
        None,
        "<ab2c.my%20account@marginwatch>",
    ]
    assert [mail["In-Reply-To"] for mail in box.got] == [mail["References"] for mail in box.got]
    assert [mail["X-Mine"] for mail in box.got] == ["yes"] * 4


@pytest.mark.parametrize(
    ("thread", "reference"),
    [
        ("..a..b.", "<%2E.a%2E.b%2E@marginwatch>"),
        ("Größe> <x@y", "<Gr%C3%B6%C3%9Fe%3E%20%3Cx%40y@marginwatch>"),
    ],
)
async def test_a_reference_is_one_whatever_the_names(thread: str, reference: str) -> None:
    """RFC 5322: names with any signs make a reference that mail programs can read."""
    with serving() as box:
        await tried(address(box.port), replace(PLAIN, thread=thread))
    assert box.got[0]["References"] == reference


async def test_each_mail_has_one_of_each_header() -> None:
    """A URL that sets headers of ours does not make a mail have two of them, nor another thread."""
    query = "&%2BMessage-ID=%3Cx@y%3E&%2Bsubject=no&%2BReferences=%3Cz@y%3E"
    with serving() as box:
        for _ in range(2):
            await tried(address(box.port, query=query), replace(PLAIN, thread="k3f9"))
    for mail in box.got:
        assert all(
            len(mail.get_all(name) or []) == 1
            for name in ("Message-ID", "Subject", "References", "Date", "From")
        )
    assert len({mail["Message-ID"] for mail in box.got}) == 2
    assert (box.got[0]["Subject"], box.got[0]["References"]) == (TITLE, "<k3f9@marginwatch>")


async def test_an_attempt_that_was_given_up_keeps_its_own_headers() -> None:
    """A message still being sent is not changed by the next one."""
    clock = ManualClock()
    with serving() as box:
        box.holds = Event()
        notifier = AppriseNotifier(address(box.port), clock, timeout=20 * SECOND)
        given_up = asyncio.ensure_future(notifier.send(replace(PLAIN, thread="first")))
        await asyncio.to_thread(box.reading.wait)
        await clock.advance(20 * SECOND)
        assert (await given_up).outcome is Outcome.UNKNOWN
        second = asyncio.ensure_future(notifier.send(replace(PLAIN, thread="second")))
        box.holds.set()
        assert await second == AttemptResult(Outcome.DELIVERED)
    assert {mail["References"] for mail in box.got} == {
        "<first@marginwatch>",
        "<second@marginwatch>",
    }


async def test_a_long_text_arrives_whole() -> None:
    """F5: a text that fills the room is one mail."""
    with serving() as box:
        notifier = AppriseNotifier(address(box.port, query="&overflow=split"), ManualClock())
        text = "\n".join(f"line {n} < & é 😀" for n in range(2_000))[
            : notifier.traits.room - len(TITLE)
        ]
        assert await notifier.send(replace(PLAIN, body=text)) == AttemptResult(Outcome.DELIVERED)
    assert [text_of(mail) for mail in box.got] == [text]


def test_what_mail_takes() -> None:
    """F5, F8: HTML, with the picture in it, as often as needed."""
    traits = AppriseNotifier(address(25), ManualClock()).traits
    assert (traits.html, traits.pictures, traits.pace) == (True, Pictures.WITH, ())
