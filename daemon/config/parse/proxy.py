"""The proxy of an address: the one written, the one of the environment, or none. Pure.

A mistake is a MistakeError whose text completes "KEY: …". It never shows the address, which may
hold a password.
"""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, unquote, urlsplit

from daemon import addresses
from daemon.addresses import is_loopback
from daemon.config.problems import MistakeError
from daemon.text import url_secrets
from daemon.types import DIRECT, Route

OFF = "off"
ENVIRONMENT = "env"
WORDS = frozenset({"", OFF, ENVIRONMENT})
"""Values of the key `proxy` that are no address."""

_VARIABLES = {
    "https": ("https_proxy", "all_proxy"),
    "wss": ("https_proxy", "all_proxy"),
    "http": ("http_proxy", "all_proxy"),
    "ws": ("http_proxy", "all_proxy"),
}
"""Variables that name the proxy, by scheme of the called address; the first one wins."""

_PORTS = {"https": 443, "wss": 443, "http": 80, "ws": 80}

_FORM = 'must be "env", "off", or an address such as "http://HOST:PORT"'
_ENCODED = "write @ as %40, / as %2F, # as %23 and ? as %3F"


def route(wanted: str, url: str, environ: Mapping[str, str], *, own: bool) -> Route:
    """The way to `url`. `wanted` is the key `proxy`: one of `WORDS`, or a checked address.

    This machine itself is called directly, unless the account has an address of its own (`own`).
    Curl and requests would send such calls to the environment's proxy, and these calls hold keys.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host or wanted == OFF:
        return DIRECT
    if is_loopback(host) and (wanted in WORDS or not own):
        return DIRECT
    if wanted not in WORDS:
        return Route(_safe(wanted, parts.scheme))
    return _route_of_environment(parts, environ, is_used=bool(wanted))


def _route_of_environment(
    parts: SplitResult, environ: Mapping[str, str], *, is_used: bool
) -> Route:
    """The way through the first proxy that the environment names; lower case comes first."""
    spellings = (spelt for name in _VARIABLES[parts.scheme] for spelt in (name, name.upper()))
    variable = next((name for name in spellings if environ.get(name)), "")
    if not variable or _is_exempt(parts, environ):
        return DIRECT
    if not is_used:
        return Route(unused=variable)
    written = environ[variable]
    if "://" not in written:
        written = f"http://{written}"
    try:
        return Route(_safe(address(written), parts.scheme))
    except MistakeError as mistake:
        raise MistakeError(f"the environment variable {variable} {mistake}") from None


def _safe(proxy: str, scheme: str) -> str:
    """The proxy, if it cannot see keys: plain calls would reach it unencrypted (promise 9)."""
    if scheme in {"http", "ws"} and not is_loopback(urlsplit(proxy).hostname or ""):
        raise MistakeError(
            "names a proxy that would see the keys unencrypted; call https:// and wss:// through it"
        )
    return proxy


def _is_exempt(parts: SplitResult, environ: Mapping[str, str]) -> bool:
    """Whether NO_PROXY names the host."""
    exempt = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    port = str(parts.port or _PORTS[parts.scheme])
    entries = filter(None, (entry.strip().lower() for entry in exempt.split(",")))
    return any(_covers(entry, parts.hostname or "", port) for entry in entries)


def _covers(entry: str, host: str, port: str) -> bool:
    """Whether an entry is `*`, the host, a domain above it (also with the port), or its network."""
    if entry == "*":
        return True
    named = entry.removesuffix(f":{port}")
    try:
        address = ip_address(host)
    except ValueError:
        domain = named.lstrip("*.")
        return host == domain or host.endswith(f".{domain}")
    try:
        return address in ip_network(named.strip("[]"), strict=False)
    except ValueError:
        return False


def address(written: str) -> str:
    """The address of a proxy, unchanged; raises MistakeError when it cannot be used."""
    scheme, _, rest = written.partition("://")
    login, _, place = rest.rpartition("@")
    if scheme.lower().startswith("socks"):
        raise MistakeError(
            "names a SOCKS proxy, which is not supported; name an HTTP proxy, http://HOST:PORT"
        )
    if any(sign in login for sign in "@/#?") or ":" in unquote(login.partition(":")[0]):
        raise MistakeError(
            f"holds @, /, # or ? in its user or password, or : in its user; {_ENCODED}"
        )
    if not written.isascii() or not written.isprintable() or {" ", "\\"} & {*written}:
        raise MistakeError("holds a space or a character that no address has; copy it again")
    _check_parts(_split(written))
    if addresses.flaw(f"https://{place}", "https") is not None:
        raise MistakeError(_FORM)
    return written


def _check_parts(parts: SplitResult | None) -> None:
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise MistakeError(_FORM)
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise MistakeError("must end behind the port")


def _split(written: str) -> SplitResult | None:
    try:
        parts = urlsplit(written)
        parts.port  # noqa: B018  a bad port is found only when it is asked for
    except ValueError:
        return None
    return parts


def secrets(written: str) -> frozenset[str]:
    """Secret parts of a proxy's address: all before the last @, the password, a user's token."""
    before, _, _ = written.rpartition("@")
    before = before.partition("://")[2] or before
    user, _, password = before.partition(":")
    found = {before, password, user if url_secrets.is_like_a_token(user) else ""}
    return frozenset({*found, *map(unquote, found)} - {""})


def of_environment(environ: Mapping[str, str]) -> frozenset[str]:
    """Secrets in the proxies that the environment names, used or not."""
    names = {name for each in _VARIABLES.values() for name in each}
    values = (environ.get(spelt, "") for name in names for spelt in (name, name.upper()))
    return frozenset(text for value in values for text in secrets(value))
