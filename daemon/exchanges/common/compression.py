"""Unpacks the body of an answer, with a bound, by its content rather than its header. Pure.

The HTTP library unpacks by the header alone, and loses the whole answer if that is wrong.
"""

import zlib

from daemon.exchanges.common.responses import MAX_BODY, MalformedError, tidy

ASKED = "gzip, deflate"
"""The encodings that we accept (`Accept-Encoding`)."""

_GZIP = b"\x1f\x8b"
_TEXT = frozenset(b"{[<\xef \t\r\n")
"""First bytes of JSON and HTML; no packed body that we accept begins with them."""


def unpack(body: bytes, encoding: str) -> bytes:
    """Unpack a body, to at most one byte over MAX_BODY.

    `encoding` is its `Content-Encoding`, used only if the content is unclear. Raises MalformedError
    if the body cannot be unpacked.
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
    """Unpack deflate, also without the zlib header that some servers omit."""
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
