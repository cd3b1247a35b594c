"""Hostile text, and checks whether any of it arrived unchanged."""

import re
import unicodedata

FORGED = "2026-01-01 12:00:00 critical forged"

HOSTILE = (
    "x\x1b]52;c;eA==\x07\x1b[2J\x9b2J\x7f\u202e\u2066\u200b\ufeff\u2028\U000e0041"
    f"\r{FORGED}\n{FORGED}"
)
"""Sets the clipboard, clears the screen, turns the text direction, hides, and forges a line."""

BIDI = "x\u202e\u200b\u2066y"
"""The rest of it without control characters."""


VISIBLE = frozenset(
    map(chr, [*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD])
)
VISIBLE |= frozenset(map(chr, range(0x13430, 0x13440)))
"""Format characters that show a sign around a number or a word, or arrange hieroglyphs."""


def is_raw(text: str, at: int) -> bool:
    """Whether a terminal would obey or hide it; joiners and selectors between others are fine."""
    character = text[at]
    between = bool(at) and not text[at - 1].isascii()
    if between and re.fullmatch(
        "[\u200c\u200d\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]", character
    ):
        return False
    return (
        unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        and character not in VISIBLE
    )


def raw(output: str) -> list[str]:
    """The lines of an output that hold something raw, or were forged."""
    lines = output.split("\n")
    return [
        line
        for line in lines
        if line.startswith(FORGED) or any(is_raw(line, at) for at in range(len(line)))
    ]
