"""The sending part of the Telegram Bot API, on loopback, behind TLS at its real name.

It reads HTML as Telegram's own library does (`parse_html`, `clean_input_string`), refuses what that
refuses, and keeps the text that a person would read. `environment` is for child processes: a
certificate to trust, and a resolver that knows only this name and the machine itself.
"""

import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import trustme

from tests.notifiers.receiver import Answer, Post, Receiver, answering

NAME = "api.telegram.org"
TOKEN = "123456789:abcdefghijklmnopqrstuvwxyz_0123456"
CHAT = 12315544
URL = f"tgram://{TOKEN}/{CHAT}"
LONGEST = 4_096

_PATH = re.compile(r"/bot(?P<token>[^/]+)/(?P<method>\w+)")
_TAGS = frozenset(
    {
        "b",
        "strong",
        "i",
        "em",
        "u",
        "ins",
        "s",
        "strike",
        "del",
        "code",
        "pre",
        "blockquote",
        "tg-spoiler",
    }
)
_TAG = re.compile(r"<(?P<end>/?)(?P<name>[A-Za-z0-9-]*)(?P<rest>[^>]*)>")
_ENTITY = re.compile(
    r"&(?:#x(?P<hex>[0-9a-fA-F]+)|#(?P<dec>[0-9]+)|(?P<word>lt|gt|amp|quot)(?![A-Za-z]));?"
)
_WORDS = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_CLEANED = {code: " " for code in range(32) if code != 10} | {13: ""}
_REMOVED = dict.fromkeys([*range(0x2028, 0x202F), 0x030A, 0x0333, 0x033F], "")


class Refused(Exception):  # noqa: N818 -- it is the answer's description
    pass


@dataclass(frozen=True, slots=True)
class Shown:
    """One message as it stands in the chat."""

    text: str
    bold: tuple[str, ...] = ()
    silent: bool = False
    photo: bytes = b""
    code: tuple[str, ...] = ()
    """Parts that a tap copies."""


class BotApi:
    """Gives `answers` first, one per call; then acts as Telegram, in the bot's chat `CHAT`."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.chat: list[Shown] = []
        self.heard: Callable[[], object] = lambda: None
        """Called in a thread after each request."""
        self.authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(NAME).configure_cert(context)
        self.receiver = Receiver(self._answer, context)

    @contextmanager
    def serving(self) -> Iterator["BotApi"]:
        with self.receiver.serving():
            yield self

    def environment(self, folder: Path, port: int | None = None) -> dict[str, str]:
        """Variables for a child process, which keeps its files in `folder`.

        It can resolve no other name but the machine's own. `port` is that of a proxy in between, if
        any.
        """
        authority = folder / "authority.pem"
        self.authority.cert_pem.write_to_path(str(authority))
        (folder / "sitecustomize.py").write_text(
            _RESOLVER.format(name=NAME, port=port or self.receiver.port)
        )
        return {
            "PYTHONPATH": str(folder),
            "REQUESTS_CA_BUNDLE": str(authority),
            "SSL_CERT_FILE": str(authority),
            "NO_PROXY": "*",
        }

    def _answer(self, handler: BaseHTTPRequestHandler, post: Post) -> None:
        try:
            self._say(handler, post)
        finally:
            self.heard()

    def _say(self, handler: BaseHTTPRequestHandler, post: Post) -> None:
        if self.answers:
            self.answers.pop(0)(handler, post)
            return
        try:
            self.chat.append(self._taken(post))
        except Refused as refused:
            status, _, description = str(refused).partition(" ")
            refusing(int(status), description)(handler, post)
        else:
            answering(200, {"ok": True, "result": {"message_id": len(self.chat)}})(handler, post)

    def _taken(self, post: Post) -> Shown:
        called = _PATH.fullmatch(post.path)
        if called is None or ":" not in called["token"]:
            raise Refused("404 Not Found")
        if called["token"] != TOKEN:
            raise Refused("401 Unauthorized")
        wishes = (
            post.json
            if called["method"] == "sendMessage"
            else {k: v.decode("latin-1") for k, v in post.form.items()}
        )
        if str(wishes["chat_id"]) != str(CHAT):
            raise Refused("400 Bad Request: chat not found")
        silent = str(wishes.get("disable_notification", "")).lower() in {"true", "yes", "1"}
        if called["method"].lower() == "sendphoto":
            return Shown("", silent=silent, photo=post.form["photo"])
        return _read(wishes, silent=silent)


def refusing(status: int, description: str, **parameters: Any) -> Answer:
    """An answer in Telegram's own form."""
    body: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
    return answering(status, body | ({"parameters": parameters} if parameters else {}))


def _read(wishes: dict[str, Any], *, silent: bool) -> Shown:
    marked = str(wishes["text"]).translate(_CLEANED).translate(_REMOVED)
    is_html = wishes.get("parse_mode") == "HTML"
    text, bold, code = parsed(marked) if is_html else (marked, (), ())
    text = text.strip()
    if not text:
        raise Refused("400 Bad Request: message text is empty")
    if len(text.encode("utf-16-le")) // 2 > LONGEST:
        raise Refused("400 Bad Request: message is too long")
    return Shown(text, bold, silent, code=code)


def parsed(marked: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The text, its bold parts and its code; raises `Refused` as Telegram refuses."""
    text: list[str] = []
    opened: list[tuple[str, int]] = []
    marks: dict[str, list[str]] = {"b": [], "code": []}
    at = 0
    while at < len(marked):
        sign = marked[at]
        if sign == "<":
            at = _tag(marked, at, text, opened, marks)
        elif sign == "&":
            at = _entity(marked, at, text)
        else:
            text.append(sign)
            at += 1
    if opened:
        raise Refused(
            "400 Bad Request: can't parse entities: Can't find end tag corresponding to start tag"
            f' "{opened[-1][0]}"'
        )
    return "".join(text), tuple(marks["b"]), tuple(marks["code"])


def _tag(
    marked: str,
    at: int,
    text: list[str],
    opened: list[tuple[str, int]],
    marks: dict[str, list[str]],
) -> int:
    found = _TAG.match(marked, at)
    where = f"at byte offset {len(marked[:at].encode())}"
    if found is None:
        raise Refused(f"400 Bad Request: can't parse entities: Unclosed start tag {where}")
    name = found["name"].lower()
    if not found["end"]:
        if name not in _TAGS:
            raise Refused(
                f'400 Bad Request: can\'t parse entities: Unsupported start tag "{name}" {where}'
            )
        opened.append((name, len(text)))
    elif not opened or opened[-1][0] != name:
        raise Refused(f"400 Bad Request: can't parse entities: Unexpected end tag {where}")
    else:
        begun, since = opened.pop()
        if begun in marks:
            marks[begun].append("".join(text[since:]))
    return found.end()


def _entity(marked: str, at: int, text: list[str]) -> int:
    found = _ENTITY.match(marked, at)
    code = (
        0
        if found is None or found["word"]
        else int(found["hex"] or found["dec"], 16 if found["hex"] else 10)
    )
    if found is None or (not found["word"] and not 0 < code < 0x10FFFF):
        text.append("&")
        return at + 1
    text.append(_WORDS[found["word"]] if found["word"] else chr(code))
    return found.end()


_RESOLVER = """
import socket

_known = socket.getaddrinfo


def getaddrinfo(host, port, *rest, **named):
    name = host.decode() if isinstance(host, bytes) else host
    if name == "{name}":
        return _known("127.0.0.1", {port}, *rest, **named)
    if name in (None, "", "localhost") or name.startswith(("127.", "::1", "0.0.0.0")):
        return _known(host, port, *rest, **named)
    raise socket.gaierror(socket.EAI_NONAME, "no such name in this test")


socket.getaddrinfo = getaddrinfo
"""


def lines(text: str) -> list[str]:
    """The text as a person reads it: without surrounding blanks and empty lines."""
    spoken = text.replace("\r\n", "\n").replace("\r", "\n").translate(_CLEANED).translate(_REMOVED)
    return list(filter(None, (" ".join(line.split()) for line in spoken.split("\n"))))
