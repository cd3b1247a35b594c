"""Unpacking of an answer's body, bounded: by what the body is, whatever its header says. Pure.

The HTTP library unpacks by the header alone, and loses the whole answer where that is wrong.
"""

import zlib

from daemon.exchanges.common.responses import MAX_BODY, MalformedError, tidy

ASKED = "gzip, deflate"
"""What we say that we can read: `Accept-Encoding`."""

_GZIP = b"\x1f\x8b"
_TEXT = frozenset(b"{[<\xef \t\r\n")
"""How JSON and HTML may begin, and no packed body by the two that we ask for."""


def unpacked(body: bytes, encoding: str) -> bytes:
    """The body as text, at most one byte over MAX_BODY; `encoding` is its `Content-Encoding`,
    believed last.

    Raises MalformedError where it is packed in a way that cannot be undone.
    """
    named = encoding.strip().lower()
    if body.startswith(_GZIP):
        return _inflated(body, zlib.MAX_WBITS | 16)
    if not body or body[0] in _TEXT or named in {"", "identity", "gzip", "x-gzip"}:
        return body
    if named == "deflate":
        return _deflated(body)
    raise MalformedError(f'is compressed as "{tidy(named, at_most=200)}", which was not asked for')


def _deflated(body: bytes) -> bytes:
    """Some servers leave out the header that belongs to it."""
    try:
        return _inflated(body, zlib.MAX_WBITS)
    except MalformedError:
        return _inflated(body, -zlib.MAX_WBITS)


def _inflated(body: bytes, window: int) -> bytes:
    inflating = zlib.decompressobj(window)
    try:
        text = inflating.decompress(body, MAX_BODY + 1)
    except zlib.error:
        raise MalformedError("is compressed, and damaged") from None
    if not inflating.eof and len(text) <= MAX_BODY:
        raise MalformedError("is compressed, and not complete")
    return text
