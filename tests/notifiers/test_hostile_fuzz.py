"""Answers of receivers and mail servers with random bytes changed, before the real notifier.

The notifier runs in its own process. `make test` tries a few, `make fuzz` ten thousand of each.
"""

import gzip
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random, SystemRandom

import pytest
from hypothesis import settings

from daemon.types import AttemptResult, Message, Millis, Outcome, Severity
from tests.notifiers import hostile
from tests.notifiers.hostile import GOOD, Hostile, Speak, Visit
from tests.notifiers.mailserver import address
from tests.notifiers.sending import Sender, sender

COUNT = min(10_000, settings().max_examples // 4)
PATIENCE: Millis = 200
"""The time of one attempt."""
HANGING = 0.05
"""Share of answers that end in silence instead of a closed connection."""
BOUND = 130 * 1024
"""kB."""
TOKEN = "tok3n-9fK2xQ"
MESSAGE = Message("CRITICAL low-margin · main", "available_margin is 42 < 100", Severity.CRITICAL)

ANSWERS = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}',
    b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n{"ok":true}\r\n0\r\nX: y\r\n\r\n',
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"a" * 100_000),
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nSet-Cookie: a=b; path=/\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=a\r\nContent-Length: 2\r\n\r\nno",
    b"HTTP/1.0 429 Too Many Requests\r\nRetry-After: 7\r\n\r\nretry after 7",
    b"HTTP/1.1 500 Oops\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\noops",
)

WORDS = (
    *(
        b"\r\n",
        b"\n",
        b"\0",
        b"\xff",
        b": ",
        b" ",
        b"-",
        b"\r\n\r\n",
        b"\r\n.\r\n",
        b";",
        b"99999999999",
    ),
    *(
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Content-Length: -1\r\n",
        b"fffffffff\r\n",
    ),
    *(
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/2 ",
        b"250-",
        b"250 ",
        b"334 ",
        b"354 ",
        b"421 ",
        b"STARTTLS\r\n",
    ),
    *(b"250-AUTH PLAIN LOGIN CRAM-MD5\r\n", b"\x16\x03\x01", b"\x1f\x8b\x08"),
)


def changed(answer: bytes, random: Random) -> bytes:
    """With some bytes flipped, lost, repeated, or put between."""
    for _ in range(random.choice((1, 1, 2, 3, 8))):
        begin = random.randint(0, len(answer))
        end = min(len(answer), begin + random.choice((1, 1, 2, 8, 64)))
        item = answer[begin:end]
        match random.randrange(5):
            case 0:
                item = random.randbytes(len(item))
            case 1:
                item = b""
            case 2:
                item *= random.choice((2, 2, 100, 100_000))
            case 3:
                item += random.choice(WORDS)
            case _:
                item = random.choice(WORDS)
        answer = answer[:begin] + item + answer[end:]
    return answer


def any_answer(random: Random) -> Speak:
    said = changed(random.choice(ANSWERS), random)
    return hostile.answering(said, hang=random.random() < HANGING)


REPLIES = {
    "banner": GOOD["banner"],
    "ehlo": b"250-mx.example.com\r\n250 AUTH PLAIN\r\n",
    "auth": b"235 welcome\r\n",
    **{step: GOOD[step] for step in ("mail", "rcpt", "data", "mail text", "quit")},
}


def conversation(replies: Mapping[str, bytes], ends_after: str = "quit") -> Speak:
    """A mail server with these answers; it ends after one of them, or falls silent after all."""

    def speak(visit: Visit) -> None:
        for step, reply in replies.items():
            if step != "banner":
                visit.hear(b"\r\n.\r\n" if step == "mail text" else b"\r\n")
            visit.say(reply)
            if step == ends_after:
                return
        visit.hang()

    return speak


def any_mail_server(random: Random) -> Speak:
    """One that is honest but for some of its replies."""
    odd = random.sample(list(REPLIES), random.choice((1, 1, 1, 2, len(REPLIES))))
    replies = {
        step: changed(reply, random) if step in odd else reply for step, reply in REPLIES.items()
    }
    return conversation(replies, "" if random.random() < HANGING else odd[-1])


@pytest.mark.fuzz
@pytest.mark.parametrize(
    ("url", "made", "well"),
    [
        (f"json://127.0.0.1:{{port}}/hooks/{TOKEN}?-key={TOKEN}", any_answer, hostile.well),
        (address("{port}", login=f"me:{TOKEN}@"), any_mail_server, conversation(REPLIES)),
    ],
    ids=["webhook", "mail"],
)
def test_s1_no_answer_hurts(
    url: str, made: Callable[[Random], Speak], well: Speak, tmp_path: Path
) -> None:
    """S1, promise 9: memory holds, threads end, no token is shown, and sending works afterwards."""
    seed = SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")  # noqa: T201 -- shown if it fails
    random = Random(seed)
    with (
        (tmp_path / "log").open("wb") as log,
        sender({}, [TOKEN], log) as sending,
        Hostile(hostile.well).serving() as server,
    ):
        for _ in range(COUNT):
            server.speak = made(random)
            delivered(sending, server, url.format(port=server.port), well)
        status = Path(f"/proc/{sending.pid}/status").read_text()
    assert _figure("VmHWM", status) < BOUND
    assert _figure("Threads", status) <= 3
    assert TOKEN not in (tmp_path / "log").read_text(errors="replace")


def delivered(sending: Sender, server: Hostile, url: str, well: Speak) -> None:
    """One message, tried until it is; what is refused for good is told elsewhere."""
    attempted = sending.send(url, MESSAGE, PATIENCE)
    assert TOKEN not in attempted.detail
    if attempted.outcome in {Outcome.LATER, Outcome.UNKNOWN}:
        server.speak = well
        assert sending.send(url, MESSAGE) == AttemptResult(Outcome.DELIVERED)


def _figure(name: str, status: str) -> int:
    found = re.search(rf"{name}:\s+(\d+)", status)
    assert found is not None
    return int(found[1])
