r"""Safe text: foreign text that is shown on a terminal, in a log or in a message. Pure.

Control characters, bidi controls and invisible characters are escaped: `\x1b`, `\u202e`. Letters of
any script, combining marks and emoji stay as they are, with the joiners and selectors that they
need.
"""

import re
from unicodedata import category

_HIDDEN = re.compile(
    "[\0-\x1f\x7f-\x9f"  # C0, DEL and C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi controls
    "\u2028\u2029\ud800-\udfff"  # line and paragraph separators, halves of surrogate pairs
    # All others that Unicode calls Default_Ignorable_Code_Point, and interlinear annotations.
    "\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_JOINERS = frozenset("\u200c\u200d")
_SELECTORS = re.compile("[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_KEYCAP = re.compile("[0-9#*]\ufe0f\u20e3")
_JOINED = frozenset({"Lo", "Lm", "Mn", "Mc", "So", "Sm", "Sk"})
"""Categories of characters that are joined or varied: letters without capitals, marks, emoji."""

_EMOJI_BY_SELECTOR = frozenset("\u203c\u2049\u2139\u3030")
"""Emoji that are punctuation or a letter unless a selector follows."""


def printable(text: str, keep: str = "") -> str:
    r"""Escape everything in the text that is obeyed or hidden instead of shown.

    `keep` names characters to let through: "\n" for a text with lines of its own.
    """
    return _HIDDEN.sub(
        lambda found: found[0] if found[0] in keep or _is_needed(found) else _escaped(found[0]),
        text,
    )


def printable_json(document: str) -> str:
    """Escape a JSON document the same way; its strings keep their values."""
    return _HIDDEN.sub(
        lambda found: found[0] if found[0] == "\n" else _escaped_in_json(found[0]), document
    )


def one_line(text: str, at_most: int | None = None) -> str:
    """Text as one printable line with single spaces, cut to `at_most` characters."""
    line = printable(" ".join(text.split()))
    return line if at_most is None or len(line) <= at_most else line[: at_most - 1] + "…"


def is_hidden(character: str) -> bool:
    """Check whether a character alone shows nothing, or is obeyed instead of shown."""
    return _HIDDEN.fullmatch(character) is not None


def _escaped(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _escaped_in_json(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _is_needed(found: re.Match[str]) -> bool:
    """Check whether the character is a needed part of an emoji or a word around it."""
    character, text, at = found[0], found.string, found.start()
    before, after = text[at - 1 : at] if at else "", text[at + 1 : at + 2]
    if character in _JOINERS:
        return _is_joined(before) and _is_joined(after)
    if not _SELECTORS.fullmatch(character) or not before or is_hidden(before):
        return False
    return (
        _is_joined(before)
        or before in _EMOJI_BY_SELECTOR
        or _KEYCAP.match(text, at - 1) is not None
    )


def _is_joined(character: str) -> bool:
    return not character.isascii() and category(character) in _JOINED
