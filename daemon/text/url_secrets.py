"""Secret parts of an address, so that no line ever shows them. Pure text; knows no service.

Services keep their tokens in every part of a URL (`tgram://TOKEN/CHAT`, `slack://A/B/C`,
`ntfy://TOKEN@host`, `json://host/hooks/TOKEN?+Authorization=…`). So every part is secret that does
not look like a word or a host.

Plain words of a path stay readable (`alerts`, `hooks`, `notifications`): without them every log
would be unreadable, and a word of a dictionary protects nothing. A password is always secret.
"""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import unquote

from daemon.addresses import is_loopback
from daemon.hidden import passwords

OPEN_KEYS = frozenset(
    {"bcc", "cc", "format", "from", "method", "mode", "name", "overflow", "reply", "smtp", "to"}
)
"""Query keys whose values are addresses and settings, not secrets."""

TOKEN_LENGTH = 8
"""Length from which on a text that is not a plain word counts as a token."""

LONGEST_WORD = 15
"""Maximum length of a plain word; a longer one is a pass phrase. "notifications" has 13."""

_HOST_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,12}\.?", re.ASCII)
_PLAIN_WORD = re.compile(r"[a-z]+|[A-Z]+|[A-Z][a-z]+", re.ASCII)
_TELLING_KEY = re.compile(
    r"auth|bearer|code|jwt|key|pass|pwd|secret|sig|token|webhook", re.IGNORECASE
)
"""Names of parameters whose values are secret, however short."""


def secrets(url: str) -> frozenset[str]:
    """All texts of an address that must not be seen, as written; the redactor adds spellings."""
    rest = url.strip().partition("://")[2] or url.strip()
    authority = re.split(r"[/?]", rest, maxsplit=1)[0]
    tail = rest.removeprefix(authority)
    path, _, query = tail.partition("?")
    found = {url.strip(), *_of_authority(authority), *passwords(url.strip())}
    found.update(segment for segment in re.split(r"[/,;#:@]", path) if is_like_a_token(segment))
    found.update(_of_query(query))
    found.update(part for part in (tail, path) if is_like_a_token(part.removeprefix("/")))
    return frozenset(found - {""})


def is_like_a_token(text: str) -> bool:
    """Check whether a text is too long, or too odd, for a word."""
    return len(text) >= TOKEN_LENGTH and not is_word(text)


def is_word(text: str) -> bool:
    """Check whether a text reads like a word of a language."""
    return len(text) <= LONGEST_WORD and _PLAIN_WORD.fullmatch(unquote(text)) is not None


def _of_authority(authority: str) -> Iterator[str]:
    user_part, _, host_part = authority.rpartition("@")
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
        yield from (part for part in (host, port, text) if not is_word(part))


def _is_host(text: str) -> bool:
    if (
        is_loopback(text.strip("[]").lower())
        or _HOST_NAME.fullmatch(unquote(text).lower()) is not None
    ):
        return True
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def _of_query(query: str) -> Iterator[str]:
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        if key.startswith(("+", "%2B", "%2b")):  # a header of ours: "+Authorization=Bearer …"
            yield value
            yield from unquote(value).split()
        elif key.lower() not in OPEN_KEYS and (is_like_a_token(value) or _TELLING_KEY.search(key)):
            yield value
