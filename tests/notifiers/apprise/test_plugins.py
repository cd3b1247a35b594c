"""Apprise's plugin for a channel URL: which URLs have one, their risks, and options taken back."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from daemon import notifiers
from daemon.config import secret_references
from daemon.config.secret_references import Surroundings
from daemon.hidden import HiddenMapping
from daemon.messages.title_fitting import TITLE
from daemon.notifiers.apprise import AppriseNotifier, plugins
from daemon.types import SECOND, Message, Severity
from tests.fakes import ManualClock
from tests.notifiers.receiver import Receiver, answering

SECRET = "tok3n-9fK2xQ"
TELEGRAM = "tgram://123456789:abcdefghijklmnopqrstuvwxyz_0123456"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (
            "just text",
            "this is no Apprise URL; it begins with a service, as in tgram:// or mailto://",
        ),
        (f"tgrm://{SECRET}/1", "Apprise knows no service tgrm://; did you mean tgram://?"),
        (
            f"tgram://{SECRET}/1",
            "Apprise refuses this Telegram URL; it has the form tgram://{bot_token}/{targets}",
        ),
        (f"windows://{SECRET}", "windows:// needs something that is not installed here; see "),
        (
            f"mailto://{SECRET}",
            (
                "Apprise refuses this E-Mail URL; it has the form"
                " mailto://{user}:{password}@{host}:{port}/{targets}"
            ),
        ),
        (
            f"json://a/{SECRET} json://b/",
            "this is more than one URL; give each a channel of its own",
        ),
        (
            f"tgram://123456789:{SECRET}-abcdefghijklmnopqrst/!{SECRET}/1234567",
            (
                "Apprise would leave out a part of this Telegram URL: Dropped invalid Telegram"
                " chat/group (***) specified."
            ),
        ),
    ],
)
def test_bad_urls_are_refused_without_showing_them(url: str, sentence: str) -> None:
    """An unusable URL gets one sentence with the remedy, which shows no part of it."""
    assert (notifiers.problem(url) or "").startswith(sentence)
    with pytest.raises(ValueError, match=r"URL|service") as refusal:
        AppriseNotifier(url, ManualClock())
    assert SECRET not in str(refusal.value)


LOGIN_CUT = (
    "the user or the password in this URL holds a character at which it would be cut; put it into a"
    " file and "
)
QUERY_CUT = "what follows ? in this URL is no list of NAME=VALUE; "


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        *((f"jsons://me:ab{sign}{SECRET}@a.example.com/x", LOGIN_CUT) for sign in "@:/?#"),
        *(
            (f"mailtos://me:ab{sign}{SECRET}@a.example.com?to=a@b.de", LOGIN_CUT)
            for sign in "@:/?#"
        ),
        (f"mailtos://me:ab::{SECRET}@example.com", LOGIN_CUT),
        (f"mailtos://me@example.com:{SECRET}@smtp.example.com", LOGIN_CUT),
        (f"mailtos://me:ab%cd{SECRET}@example.com", LOGIN_CUT),
        (f"ntfys://me:a:{SECRET}@example.com/topic", LOGIN_CUT),
        (f"mailtos://me:12?{SECRET}@a.example.com?to=a@b.de", QUERY_CUT),
        (
            f"mailtos://me:12#{SECRET}@a.example.com?to=a@b.de",
            "this URL would be cut at its #; write it as %23",
        ),
        (f"jsons://a.example.com/x#{SECRET}", "this URL would be cut at its #; write it as %23"),
        (
            f"discord://123456789012345678/Ab#{SECRET}",
            "this URL would be cut at its #; write it as %23",
        ),
        (f"jsons://a.example.com/x?+Authorization=ab;{SECRET}", QUERY_CUT),
        (f"jsons://a.example.com/x?+Authorization=ab&{SECRET}", QUERY_CUT),
    ],
)
def test_a_literal_that_would_be_cut_is_refused(url: str, sentence: str) -> None:
    """B6: Apprise drops the rest after such a character, so that no login would ever work."""
    said = notifiers.problem(url) or ""
    assert said.startswith(sentence)
    assert SECRET not in said


@pytest.mark.parametrize(
    "url",
    [
        f"{TELEGRAM}/@channelname",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general",
        "rocket://me:pw@localhost/#room/@me",
        "mailto://localhost:25/me@example.com?from=a@b.de",
        "mailto://[::1]/me@example.com?from=a@b.de",
        "json://[::1]:8080/users/@me",
        "json://localhost:8080/x?format=text&",
        "jsons://me:a%40b%3Ac%2Fd%3Fe%23f%25g%3Bh@example.com/x?+A=1%262",
    ],
)
def test_signs_where_they_belong_are_no_cut(url: str) -> None:
    """B6: rooms and people begin with # and @, and what is percent-encoded is not cut."""
    assert notifiers.problem(url) is None


printable = st.text(
    st.characters(max_codepoint=255, exclude_categories=["C", "Z"]), min_size=1, max_size=12
)


@given(printable, printable)
def test_what_is_filled_in_is_what_is_sent(user: str, password: str) -> None:
    """B6: a user or password from a file or variable reaches Apprise unchanged."""
    around = Surroundings(HiddenMapping({"USER": user, "PW": password}), Path())
    for written in (
        "jsons://{env:USER}:{env:PW}@example.com/x",
        "xml://{env:USER}:{env:PW}@localhost:9/y",
    ):
        plugin, refusal = plugins.load(secret_references.url(written, around).text.reveal())
        assert plugin is not None, refusal
        assert (vars(plugin)["user"], vars(plugin)["password"]) == (user, password)


@given(
    st.text(
        st.characters(max_codepoint=126, exclude_categories=["C", "Z"]), min_size=1, max_size=12
    )
)
def test_a_literal_password_is_whole_or_refused(password: str) -> None:
    """B6: it never reaches Apprise cut, unless it looks like a host or port and a path."""
    assume(re.match(r"[0-9]*/|[^/]*@[^/]+/", password) is None)
    for form in (
        "jsons://me:{}@example.com/x",
        "mailtos://me:{}@smtp.example.com?from=a@b.de&to=c@d.de",
    ):
        plugin, _ = plugins.load(form.format(password))
        assert plugin is None or vars(plugin)["password"] == unquote(password)


@pytest.mark.parametrize(
    ("url", "unwise"),
    [
        ("json://127.0.0.1:8000/x", False),
        ("json://localhost/x", False),
        ("json://hooks.example.com/x", True),
        ("jsons://hooks.example.com/x", False),
        (f"{TELEGRAM}/12315544", False),
        ("mailto://me:pw@example.com", True),
        ("mailtos://me:pw@example.com", False),
        ("mailto://me:pw@gmail.com", False),
        ("ntfy://topic", False),
        ("just text", False),
    ],
)
def test_plain_schemes_beyond_this_machine_are_named(url: str, unwise: bool) -> None:
    """Promise 9: `check` warns of a channel whose messages leave this machine unencrypted."""
    assert (notifiers.caution(url) is not None) is unwise


@pytest.mark.parametrize(
    ("url", "service"),
    [
        (f"{TELEGRAM}/1/2", "Telegram"),
        ("mailtos://me:pw@example.com?to=a@example.com,b@example.com", "E-Mail"),
        ("mailtos://me:pw@example.com?to=a@example.com&cc=b@example.com", "E-Mail"),
        ("mailtos://me:pw@example.com?to=a@example.com&bcc=b@example.com", "E-Mail"),
        ("ntfys://ntfy.example.com/a/b?retry=3", "ntfy"),
    ],
)
def test_several_recipients_are_named(url: str, service: str) -> None:
    """F1: recipients that share a URL share its failures, which is a warning of `check`."""
    assert (notifiers.caution(url) or "").startswith(f"this {service} URL has several recipients: ")


@pytest.mark.parametrize(
    "url",
    [f"{TELEGRAM}/1", f"{TELEGRAM}/1?retry=3", "mailtos://me:pw@example.com?to=a@example.com"],
)
def test_one_recipient_is_fine(url: str) -> None:
    """A URL of one recipient is wise, however often it wants to be tried."""
    assert notifiers.caution(url) is None


def test_recipients_that_apprise_cannot_count_are_no_failure() -> None:
    """Apprise's Twitter raises where a URL names people to no purpose; `check` goes on."""
    assert (
        notifiers.caution("tweet://consumer/secret00/access00/secret01/%40someone1%40example.com")
        is None
    )


UNVERIFIED = "verify=no lets anybody on the way read every message, and the login; "
REDIRECTED = "redirect=yes has no effect, as no message follows a redirect; "
PLAIN = "sends every message unencrypted; "


@pytest.mark.parametrize(
    ("url", "cautions"),
    [
        ("jsons://hooks.example.com/x?verify=no", [UNVERIFIED]),
        ("jsons://hooks.example.com/x?verify=off", [UNVERIFIED]),
        ("jsons://hooks.example.com/x?VERIFY=0", [UNVERIFIED]),
        ("mailtos://me:pw@mail.example.com?verify=no&to=a@example.com", [UNVERIFIED]),
        (f"{TELEGRAM}/1?verify=no", [UNVERIFIED]),
        ("ntfy://topic?verify=no", [UNVERIFIED]),
        ("jsons://localhost/x?verify=no", []),
        ("mailtos://me:pw@127.0.0.1?verify=no&to=a@example.com", []),
        ("jsons://hooks.example.com/x?redirect=yes", [REDIRECTED]),
        (f"{TELEGRAM}/1?redirect=yes", [REDIRECTED]),
        ("json://localhost/x?redirect=yes", [REDIRECTED]),
        ("jsons://hooks.example.com/x?redirect=no&verify=yes", []),
        (
            "json://hooks.example.com/x?verify=no&redirect=yes",
            [f"json:// {PLAIN}", UNVERIFIED, REDIRECTED],
        ),
        ("json://foo.localhost/x", [f"json:// {PLAIN}"]),
        ("mailto://me:pw@mail.example.com?to=a@example.com", [f"mailto:// {PLAIN}"]),
    ],
)
def test_s10_what_asks_for_less_safety_is_named(url: str, cautions: list[str]) -> None:
    """S10: one sentence each, with the remedy; none for a local receiver that nobody can reach."""
    said = notifiers.caution(url) or ""
    found = [
        caution
        for caution in (f"{url.partition(':')[0]}:// {PLAIN}", UNVERIFIED, REDIRECTED)
        if caution in said
    ]
    assert found == cautions
    assert bool(said) == bool(cautions)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (
            "mailtos://me:pw@mail.example.com?mode=insecure",
            f"mode=insecure {PLAIN}write mode=starttls or mode=ssl in its place",
        ),
        (
            "mailto://me:pw@mail.example.com?to=a@example.com&MODE=insecure",
            f"mode=insecure {PLAIN}write mode=starttls or mode=ssl in its place",
        ),
        ("mailto://me:pw@mail.example.com", f"mailto:// {PLAIN}write mailtos:// in its place"),
        ("xbmc://hooks.example.com", f"xbmc:// {PLAIN}write xbmcs:// in its place"),
        (
            "rsyslog://logs.example.com",
            f"rsyslog:// {PLAIN}Remote Syslog has no encrypted scheme: use another service",
        ),
    ],
)
def test_s10_the_remedy_of_a_plain_channel_is_one_it_has(url: str, sentence: str) -> None:
    """S10: the sentence names what makes the channel plain, and only options of the service."""
    assert notifiers.caution(url) == f"{sentence}, or use a receiver on this machine"


def test_two_cautions_are_one_text() -> None:
    """Two risks of one URL are both named."""
    caution = notifiers.caution("ntfy://ntfy.example.com/a/b") or ""
    assert caution.startswith("ntfy:// sends every message unencrypted; ")
    assert "; this ntfy URL has several recipients: " in caution


async def test_lines_are_not_cut() -> None:
    """F5: services of which Apprise thinks that they show two lines get all of them."""
    with Receiver(answering(200, {"result": "OK"})).serving() as receiver:
        notifier = AppriseNotifier(f"kodi://127.0.0.1:{receiver.port}", ManualClock())
        await notifier.send(Message("title", "one\ntwo\nthree", Severity.INFO))
    assert [post.json["params"]["message"] for post in receiver.got] == ["one\ntwo\nthree"]


@pytest.mark.parametrize(
    ("query", "seconds"),
    [("", (21, 21)), ("?rto=2", (21, 2)), ("?cto=3", (3, 21)), ("?cto=3&rto=2", (3, 2))],
)
def test_sockets_give_up_just_after_us(query: str, seconds: tuple[float, float]) -> None:
    """F2: a given-up attempt ends by itself a second later, or sooner if the URL says so."""
    notifier = AppriseNotifier(f"json://127.0.0.1/{query}", ManualClock(), timeout=20 * SECOND)
    assert notifier._apprise[0].request_timeout == seconds


def test_no_service_cuts_a_title() -> None:
    """C10: a title is sent whole; 0 stands for services that have none."""
    limits = {plugin.title_maxlen for plugin in plugins._SERVICES.plugins()}
    assert min(limit for limit in limits if isinstance(limit, int) and limit > 0) >= TITLE
