"""Which addresses secrets may be sent to."""

import pytest

from daemon.exchanges.addresses import is_loopback, problem


@pytest.mark.parametrize(
    "url",
    [
        "https://api.coinw.com",
        "https://api.coinw.com:8443/",
        "https://[2001:db8::1]",
        "http://127.0.0.1:8000",
        "http://127.8.9.1",
        "http://[::1]:8000",
        "http://localhost:8000/",
        "HTTPS://api.coinw.com",
    ],
)
def test_encrypted_or_loopback_is_fine(url: str) -> None:
    """Promise 9: https to anywhere, plain http to this machine only."""
    assert problem(url, "https") is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://api.coinw.com", "must use https://"),
        ("http://10.0.0.1", "must use https://"),
        ("http://127.0.0.1.evil.example", "must use https://"),
        ("http://localhost.evil.example", "must use https://"),
        ("http://0.0.0.0", "must use https://"),
        ("http://2130706433", "must use https://"),
        ("http://127.1", "must use https://"),
        ("", "must begin with https://"),
        ("api.coinw.com", "must begin with https://"),
        ("https://", "must begin with https://"),
        ("wss://api.coinw.com", "must begin with https://"),
        ("file:///etc/passwd", "must begin with https://"),
        ("https://127.0.0.1@evil.example", "user or password"),
        ("https://me:hush@api.coinw.com", "user or password"),
        ("https://api.coinw.com?x=1", "before any ? or #"),
        ("https://api.coinw.com/#x", "before any ? or #"),
        ("https://api.coinw.com:port", "is no address"),
        ("https://[::1", "is no address"),
        ("https://api.coinw.com\n", "holds a space"),
        ("https://api.coinw .com", "holds a space"),
        ("https://\N{CYRILLIC SMALL LETTER A}pi.coinw.com", "holds a space or a character"),
    ],
)
def test_anything_else_is_explained(url: str, said: str) -> None:
    """Promise 9: no disguise gets a secret sent in plain text, or anywhere by way of a user name."""
    found = problem(url, "https")
    assert found is not None
    assert said in found


def test_websockets_follow_the_same_rule() -> None:
    """`ws` is to `wss` as `http` is to `https`."""
    urls = ("wss://ws.futurescw.com/perpum", "ws://127.0.0.1:1/perpum", "ws://ws.futurescw.com/perpum")
    assert [problem(url, "wss") is None for url in urls] == [True, True, False]


def test_loopback_is_told_by_name() -> None:
    """Nothing is resolved: a host is this machine by its name or not at all."""
    hosts = ("localhost", "127.0.0.1", "::1", "example.org", "192.168.0.1", "")
    assert [is_loopback(host) for host in hosts] == [True, True, True, False, False, False]
