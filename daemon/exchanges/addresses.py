"""Which addresses secrets may be sent to: encrypted ones, and this machine itself. Pure; resolves no name."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit


def problem(url: str, scheme: str) -> str | None:
    """What forbids the address, in one sentence; None when nothing does.

    `scheme` is the encrypted one, `https` or `wss`; its plain sister is accepted for loopback only (promise 9).
    """
    if not url.isascii() or not url.isprintable() or " " in url:
        return "holds a space or a character that no address has"
    if "@" in url:
        return "must not hold a user or password"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return f"is no address: write {scheme}://HOST"
    if parts.scheme not in {scheme, scheme[:-1]} or not host:
        return f"must begin with {scheme}:// and name a host"
    return _unsafe(parts, host, scheme)


def _unsafe(parts: SplitResult, host: str, scheme: str) -> str | None:
    if parts.query or parts.fragment:
        return "must end before any ? or #"
    if parts.scheme != scheme and not is_loopback(host):
        return f"must use {scheme}://: secrets go there, and only this machine itself may be called unencrypted"
    return None


def is_loopback(host: str) -> bool:
    """Whether the host is this machine by its very name: `localhost`, 127.0.0.0/8 or ::1."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
