"""Secret parts of a channel URL."""

from urllib.parse import quote

import pytest

from daemon import notifiers
from daemon.addresses import is_loopback
from daemon.notifiers.apprise import channel_url
from daemon.redaction import Redactor
from daemon.text import url_secrets

TOKEN = "x7Kq-92mNv_Zp4"


@pytest.mark.parametrize(
    "url",
    [
        f"tgram://123456789:{TOKEN}/12315544",
        f"slack://{TOKEN}/B1/C1/#general",
        f"ntfy://{TOKEN}@ntfy.example.com/topic",
        f"jsons://me:{TOKEN}@hooks.example.com/x",
        f"jsons://hooks.example.com/hooks/{TOKEN}",
        f"jsons://hooks.example.com:8443/?key={TOKEN}",
        f"jsons://hooks.example.com?-key={TOKEN}",
        f"jsons://[2001:db8::1]:8443/?+Authorization=Bearer%20{TOKEN}",
        f"mailtos://me:{TOKEN}@example.com?to=you@example.com",
        f"discord://123456789012345678/{TOKEN}",
        f"{TOKEN}",
    ],
)
def test_a_token_is_found_wherever_it_stands(url: str) -> None:
    """Promise 9: a token in any part of a URL is blanked, alone and with all around it."""
    redactor = Redactor(url_secrets.secrets(url))
    for text in (url, f"got {TOKEN}.", url.partition("://")[2]):
        assert TOKEN not in redactor.redact(text)


@pytest.mark.parametrize(
    "url",
    [
        "json://127.0.0.1:8080/notifications",
        "json://localhost/notifications",
        "json://receiver:8080/notifications?format=text",
        "mailto://watchman:pw@example.com?to=me@example.com&from=marginwatch@example.com",
        "json://10.0.0.7/alerts",
        "json://receiver/alerts?-mode=notifications",
        "ntfy://alerts",
        "jsons://hooks.example.com/notifications/marginwatch?redirect=yes&verify=no",
    ],
)
def test_plain_words_and_hosts_stay_readable(url: str) -> None:
    """A log in which every `notifications` is blanked would help nobody."""
    line = (
        "notifications alerts example.com me@example.com marginwatch watchman 127.0.0.1 localhost"
        " receiver 10.0.0.7"
    )
    assert Redactor(url_secrets.secrets(url)).redact(line) == line
    assert Redactor(notifiers.secrets(url)).redact(line) == line


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("json://127.0.0.1:46467/hooks/tok3nabc123", "tok3nabc123"),
        ("json://127.0.0.1/hooks/correcthorsebatterystaple", "correcthorsebatterystaple"),
        ("json://127.0.0.1/?-token=Qtok", "Qtok"),
        ("json://127.0.0.1/?%3Asecret=ab-9", "ab-9"),
        ("form://127.0.0.1/abcd-efgh", "abcd-efgh"),
        ("xml://127.0.0.1/a1b2c3d4/e5f6g7h8/x", "e5f6g7h8"),
        ("ntfy://127.0.0.1/my-topic-77", "my-topic-77"),
        ("http://127.0.0.1/api/push/Hb9Kuma77x?status=up", "Hb9Kuma77x"),
        ("http://127.0.0.1/api/push/Hb9Kuma77x?status=up", "/api/push/Hb9Kuma77x?status=up"),
        ("https://hc-ping.com?token=abcde", "abcde"),
        ("json://me:hook@127.0.0.1/x", "hook"),
        ("json://me:a%40b%2Fc@127.0.0.1/x", "a@b/c"),
    ],
)
def test_s2_every_part_of_an_address_that_is_a_token_is_known(url: str, secret: str) -> None:
    """S2: in each spelling in which a library may print it."""
    redactor = Redactor(url_secrets.secrets(url))
    for text in (
        secret,
        secret.lower(),
        quote(secret, safe=""),
        quote(secret, safe="").lower(),
        repr(secret),
    ):
        assert secret.lower() not in redactor.redact(f"url={text}!").lower()
        assert "***" in redactor.redact(f"url={text}!")


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("pushdeer://abcdefghij", "abcdefghij"),
        ("synology://me:hush@127.0.0.1/abcdefghij", "abcdefghij"),
        ("simplepush://abcdefghij", "abcdefghij"),
    ],
)
def test_s2_what_a_service_declares_to_be_private_is_known(url: str, part: str) -> None:
    """S2: also where it looks like a word."""
    assert Redactor(notifiers.secrets(url)).redact(f"failed for {part}") == "failed for ***"


@pytest.mark.parametrize(
    ("url", "scheme"),
    [
        ("tgram://x", "tgram"),
        ("  JSON://x", "json"),
        ("no url", ""),
        ("123:abc://x", ""),
        ("x" * 40 + "://y", ""),
    ],
)
def test_a_scheme_is_a_short_word(url: str, scheme: str) -> None:
    """Only what looks like a service's name is taken for one, and may be shown."""
    assert channel_url.scheme(url) == scheme


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.9.9.9", True),
        ("[::1]", True),
        ("10.0.0.1", False),
        ("localhost.example.com", False),
    ],
)
def test_loopback_is_this_machine(host: str, expected: bool) -> None:
    """Plain http is for this machine alone."""
    assert is_loopback(host) is expected


def test_two_urls_are_seen() -> None:
    """Apprise would split them; a comma inside one URL is none of them."""
    assert channel_url.are_several("json://a/, json://b/") is True
    assert channel_url.are_several("mailto://a@b.co?to=c@d.co,e@f.co") is False
