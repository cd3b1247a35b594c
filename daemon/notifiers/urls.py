"""What of a channel URL is secret, so that no line ever shows it. Pure text; nothing here knows any service.

Services keep their tokens in every part of a URL (`tgram://TOKEN/CHAT`, `slack://A/B/C`, `ntfy://TOKEN@host`,
`json://host/hooks/TOKEN?+Authorization=…`): so everything is secret that does not look like a word or a host.
"""

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import unquote

from daemon.hidden import passwords

OPEN_KEYS = frozenset({"bcc", "cc", "format", "from", "method", "mode", "name", "overflow", "reply", "smtp", "to"})
"""Query keys whose values are addresses and settings, not secrets."""

TOKEN_LENGTH = 8
"""From this length on a text that is not a plain word is taken for a token."""

_WITH_PORT = re.compile(r"[^:]*(:[0-9]+)?|\[[^\]]*\](:[0-9]+)?")
_FRAGMENT = re.compile(r"[^/]#")
"""Apprise keeps a # only at the beginning of a part of the path, as in slack://…/#general."""

_HOST_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,12}\.?", re.ASCII)
_PLAIN_WORD = re.compile(r"[a-z]+|[A-Z]+|[A-Z][a-z]+", re.ASCII)


def scheme(url: str) -> str:
    """The service that a URL names (`tgram`), or an empty text where it names none or what stands there is odd."""
    found = re.match(r"\s*([A-Za-z][A-Za-z0-9.+-]{0,15})://", url)
    return found.group(1).lower() if found else ""


def are_several(url: str) -> bool:
    """Whether a text holds more than one URL, as Apprise would take it."""
    return re.search(r"(?<![\s,;])[\s,;]++[A-Za-z][A-Za-z0-9+]*://", url.strip()) is not None


def misread(url: str, *, login: bool) -> str:
    """What of a URL its parser would cut off, as one sentence; the empty text where it would nothing.

    `login` says that the service takes USER:PASSWORD@HOST, of which Apprise reads up to the second `:` or `@` and drops
    the rest.
    """
    rest = url.strip().partition("://")[2]
    before_query, _, query = rest.partition("?")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    user_part, at, host_part = authority.rpartition("@")
    if login and (
        "@" in user_part
        or user_part.count(":") > 1
        or (at and not host_part)
        or (not at and "@" in rest and _WITH_PORT.fullmatch(host_part) is None)
        or "\ufffd" in unquote(user_part)
    ):
        return (
            "the user or the password in this URL holds a character at which it would be cut; put it into a file and "
            "write {file:PATH} in its place, or write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23, % as %25"
        )
    if _FRAGMENT.search(before_query):
        return "this URL would be cut at its #; write it as %23, or put the token into a file and write {file:PATH}"
    pieces = [piece.partition("=") for piece in re.split("[&;]", query) if piece]
    if any("@" in key or not equals for key, equals, _ in pieces):
        return (
            "what follows ? in this URL is no list of NAME=VALUE; where one of these signs belongs to a password or "
            "token, write ? as %3F, & as %26, ; as %3B"
        )
    return ""


def secrets(url: str) -> frozenset[str]:
    """Every text of a channel URL that must not be seen, as written; the redactor adds the other spellings."""
    rest = url.strip().partition("://")[2] or url.strip()
    address, slash, tail = _split(rest)
    path, _, query = tail.partition("?")
    found = {url.strip(), *_of_address(address), *passwords(url.strip())}
    found.update(segment for segment in re.split(r"[/,;#:@]", path) if _like_a_token(segment))
    found.update(_of_query(query))
    if slash and _like_a_token(tail):
        found.add(slash + tail)
    return frozenset(found - {""})


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _split(rest: str) -> tuple[str, str, str]:
    """The address, the character that ends it, and what follows."""
    found = re.search(r"[/?]", rest)
    if found is None:
        return rest, "", ""
    at = found.start()
    return rest[:at], rest[at], rest[at + 1 :] if rest[at] == "/" else rest[at:]


def _of_address(address: str) -> Iterator[str]:
    user_part, _, host_part = address.rpartition("@")
    user, _, password = user_part.partition(":")
    if password:
        yield password
        yield user_part
    elif len(user) >= TOKEN_LENGTH:
        yield user
    yield from _of_host(host_part)


def _of_host(text: str) -> Iterator[str]:
    host, _, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    host, port = (host, port) if host else (port, "")
    if not (_is_host(host) or port.isdecimal()):
        yield from (host, port, text)


def _is_host(text: str) -> bool:
    if is_loopback(text) or _HOST_NAME.fullmatch(unquote(text).lower()) is not None:
        return True
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def _of_query(query: str) -> Iterator[str]:
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        if key.startswith(("+", "%2B", "%2b")):  # a header of ours: "+Authorization=Bearer …"
            yield value
            yield from unquote(value).split()
        elif key.lower() not in OPEN_KEYS and _like_a_token(value):
            yield value


def _like_a_token(text: str) -> bool:
    return len(text) >= TOKEN_LENGTH and _PLAIN_WORD.fullmatch(unquote(text)) is None
