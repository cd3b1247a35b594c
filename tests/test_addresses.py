"""Which addresses secrets may be sent to."""

import pytest

from daemon.addresses import is_loopback, problem
from daemon.config.parse import values
from daemon.config.problems import MistakeError


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
    """Promise 9: no disguise sends a secret in plain text, or anywhere by a user name."""
    found = problem(url, "https")
    assert found is not None
    assert said in found


DISGUISES = [
    "http://evil.example\\@localhost/token",
    "http://localhost\\@evil.example/token",
    "http://localhost\\.evil.example/token",
    "http://user@127.0.0.1/token",
    "http://me:pw@localhost/token",
    "http://evil;@127.0.0.1/token",
    "http://evil.example#@127.0.0.1/token",
    "http://evil.example?@127.0.0.1/token",
    "http://evil.example/@127.0.0.1/token",
    "http://127.0.0.1:80@evil.example/token",
    "http://a@b@127.0.0.1/token",
    "http://foo.localhost/token",
    "http://localhost./token",
    "http://127.0.0.1.evil.example/token",
    "http://127.1/token",
    "http://2130706433/token",
    "http://0x7f000001/token",
    "http://0177.0.0.1/token",
    "http://0/token",
    "http://[::1%25eth0]/token",
    "http://[::1%eth0]/token",
    "http://[::ffff:10.0.0.1]/token",
    "http://[::1]evil.example/token",
    "http://[::1].evil.example/token",
    (
        "http://127\N{IDEOGRAPHIC FULL STOP}0\N{IDEOGRAPHIC FULL STOP}0"
        "\N{IDEOGRAPHIC FULL STOP}1/token"
    ),
    "http://\N{CIRCLED LATIN SMALL LETTER L}ocalhost/token",
    "http://%6cocalhost/token",
    "http://localhost%2eevil.example/token",
    "http://localhost%00.evil.example/token",
    "http://local\thost/token",
    "http:/localhost/token",
    "http:\\\\localhost/token",
    "http:///localhost/token",
    "https://evil.example\\@hc.example.com/token",
    "https://hc.example.com:443@evil.example:80:90/token",
    "https://hc.example.com:99999/token",
    "https://hc.example.com:/token",
    "https://-hc.example.com/token",
    "https://hc..example.com/token",
    "https://2130706433/token",
    "https://0x7f.1/token",
    "https://[2001:db8::1/token",
    "https://[fe80::1%25eth0]/token",
    "https://hc.example.com|evil.example/token",
    "https://hc.example.com/token#rest",
]
"""Addresses that parsers read differently, or that only look like loopback."""


@pytest.mark.parametrize("address", DISGUISES)
def test_s11_what_parsers_read_in_two_ways_is_refused_everywhere(address: str) -> None:
    """S11: by the exchange, its push stream and the heartbeat; no sentence shows any of it."""
    with pytest.raises(MistakeError) as refused:
        values.heartbeat(address)
    told = [
        str(refused.value),
        problem(address, "https"),
        problem(address.replace("http", "ws", 1), "wss"),
    ]
    assert None not in told
    assert not [said for said in told if said and ("evil" in said or "token" in said)]


@pytest.mark.parametrize(
    "address",
    [
        "https://hc-ping.com/8e5e-uuid",
        "https://hc.example.com:8443/ping?status=up&msg=a%20b",
        "https://watch:p%40ss@hc.example.com/ping",
        "https://kuma_1.example.com./api/push/Hb9Kuma77x",
        "https://10.0.0.7/x",
        "https://[2001:db8::1]:8443/x",
        "http://127.0.0.1:3001/api/push/x?status=up",
        "http://LOCALHOST/x",
        "http://[::1]:80/x",
    ],
)
def test_s11_what_is_plain_to_every_parser_is_a_heartbeat(address: str) -> None:
    """S11: a strict grammar refuses no address that a monitor gives."""
    assert values.heartbeat(address) == address


def test_websockets_follow_the_same_rule() -> None:
    """`ws` is to `wss` as `http` is to `https`."""
    urls = (
        "wss://ws.futurescw.com/perpum",
        "ws://127.0.0.1:1/perpum",
        "ws://ws.futurescw.com/perpum",
    )
    assert [problem(url, "wss") is None for url in urls] == [True, True, False]


def test_loopback_is_told_by_name() -> None:
    """Nothing is resolved: a host is this machine by its name or not at all."""
    hosts = ("localhost", "127.0.0.1", "::1", "example.org", "192.168.0.1", "")
    assert [is_loopback(host) for host in hosts] == [True, True, True, False, False, False]
