"""Checks of addresses that secrets are sent to. Pure; resolves no name.

One strict grammar serves the exchange and the heartbeat. URL parsers differ at odd characters (a
backslash, a second @, a percent sign in a host): one reads a host where another reads a password.
So an address that any of them could read otherwise is refused before a library sees it.
"""

import re
from enum import Enum, auto
from ipaddress import ip_address

_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*")
"""Characters of addresses in RFC 3986. Parsers disagree about all others."""

_LOGIN = re.compile(r"[A-Za-z0-9._~%!$&'*+=-]*(?::[A-Za-z0-9._~%!$&'*+=-]*)?")
"""A user, or a user and a password, without what could end them early."""

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
_PLACE = re.compile(rf"(\[[0-9A-Fa-f:.]+\]|{_LABEL}(?:\.{_LABEL})*\.?)(?::([0-9]{{1,5}}))?")
_NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?")
"""Hosts that some parsers take for an IPv4 address: 2130706433, 127.1, 0x7f.1, 0177.0.0.1."""

_LAST_PORT = 65_535


class Flaw(Enum):
    """Reasons why nothing is sent to an address."""

    CHARACTER = auto()
    """A character that no address has."""
    SCHEME = auto()
    """Another scheme, or no host."""
    LOGIN = auto()
    """An @ in the wrong place."""
    PLACE = auto()
    """Its host or port is none, or is none to some parsers."""
    TAIL = auto()
    """A ? or # in the wrong place."""
    PLAIN = auto()
    """Not encrypted, and leaving this machine."""


def flaw(address: str, scheme: str, *, token: bool = False) -> Flaw | None:
    """The reason why nothing may be sent to the address; None when it can be used.

    `scheme` is the encrypted one, `https` or `wss`. Its plain counterpart is accepted for loopback
    only (promise 9). `token` says that the address itself is the secret: it may have a query and,
    where it is encrypted, a login.
    """
    if not _CHARACTERS.fullmatch(address):
        return Flaw.CHARACTER
    named, mark, rest = address.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    plain = named.lower() != scheme
    if not mark or not authority or (plain and named.lower() != scheme[:-1]):
        return Flaw.SCHEME
    login, at, place = authority.rpartition("@")
    if at and (plain or not _LOGIN.fullmatch(login)):
        return Flaw.LOGIN
    return _flaw_of_rest(rest, token=token) or _flaw_of_place(place, plain=plain)


def _flaw_of_rest(rest: str, *, token: bool) -> Flaw | None:
    """The flaw of the signs behind the scheme: a login, or a query or fragment."""
    if "@" in rest and not token:
        return Flaw.LOGIN
    return Flaw.TAIL if "#" in rest or ("?" in rest and not token) else None


def _flaw_of_place(place: str, *, plain: bool) -> Flaw | None:
    found = _PLACE.fullmatch(place)
    if found is None or int(found[2] or 0) > _LAST_PORT:
        return Flaw.PLACE
    if plain and not is_loopback(found[1]):
        return Flaw.PLAIN
    return None if _is_host(found[1]) else Flaw.PLACE


def _is_host(host: str) -> bool:
    """Whether every parser takes the text for the same host."""
    if not (host.startswith("[") or _NUMERIC.fullmatch(host)):
        return True
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether the host is this machine by name: `localhost`, 127.0.0.0/8 or ::1.

    Names below `localhost` do not count: a resolver that does not know the rule asks a name server.
    """
    if host.lower() == "localhost":
        return True
    try:
        return "%" not in host and ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def problem(address: str, scheme: str) -> str | None:
    """One sentence why the address of an exchange cannot be used; None when it can."""
    found = flaw(address, scheme)
    return None if found is None else _SENTENCES[found].format(scheme=scheme)


_SENTENCES = {
    Flaw.CHARACTER: "holds a space or a character that no address has",
    Flaw.SCHEME: "must begin with {scheme}:// and name a host",
    Flaw.LOGIN: "must not hold a user or password",
    Flaw.PLACE: "is no address: write {scheme}://HOST",
    Flaw.TAIL: "must end before any ? or #",
    Flaw.PLAIN: (
        "must use {scheme}://: secrets go there, and only this machine itself may be called"
        " unencrypted"
    ),
}
