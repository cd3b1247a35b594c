"""One function decides what of a foreign text is shown, and what only its escape."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.text.printable import is_hidden, one_line, printable, printable_json
from tests.hostile import VISIBLE, is_raw


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b]52;c;eA==\x07b", r"a\x1b]52;c;eA==\x07b"),
        ("\0\t\r\n\x7f\x80\x9b2J", r"\x00\x09\x0d\x0a\x7f\x80\x9b2J"),
        (
            "\u061c\u200e\u200f\u202a\u202e\u2066\u2069",
            r"\u061c\u200e\u200f\u202a\u202e\u2066\u2069",
        ),
        ("a\u200bb\u2060c\ufeff\xad\u2028\u2029", r"a\u200bb\u2060c\ufeff\xad\u2028\u2029"),
        ("\u034f\u115f\u3164\uffa0\ufff9\U0001d173", r"\u034f\u115f\u3164\uffa0\ufff9\U0001d173"),
        ("x\U000e0041\U000e007f", r"x\U000e0041\U000e007f"),
        ("\ud800x\udcff", r"\ud800x\udcff"),
        ("main\u200d", r"main\u200d"),
        ("m\u200dain \u4e3b\u200d x", "m\\u200dain \u4e3b\\u200d x"),
        ("a\ufe0f\ufe0f \u2764\ufe0f\ufe0f", "a\\ufe0f\\ufe0f \u2764\ufe0f\\ufe0f"),
    ],
)
def test_what_is_obeyed_or_hidden_is_shown_escaped(text: str, shown: str) -> None:
    """S9: controls, bidi controls, and whatever stands there unseen."""
    assert printable(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Zweit-Konto, e\u0301, ñ, Ω, ж, 主账户, 계정, บัญชี, नमस्ते",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian with a non-joiner
        "\u0915\u094d\u200d\u0937 \u0dc1\u0dca\u200d\u0dbb\u0dd3",  # Hindi, Sinhala with joiners
        "👩\u200d👩\u200d👧 👍🏽 ❤\ufe0f\u200d🔥 1\ufe0f\u20e3 🙂\u200d\u2194\ufe0f ‼\ufe0f 🇸🇬",
        "\u845b\U000e0100 100\u00a0USDT",
    ],
)
def test_what_people_write_is_shown_as_it_is(text: str) -> None:
    """S9: letters and marks of every script and emoji, with the joiners and selectors they need."""
    assert printable(text) == text


@given(st.text())
def test_nothing_raw_is_left(text: str) -> None:
    """S9: nothing raw is left; escaping twice changes nothing; JSON keeps its values."""
    shown = printable(text)
    assert not any(is_raw(shown, at) for at in range(len(shown)))
    assert printable(shown) == shown
    document = printable_json(json.dumps({"said": text}, ensure_ascii=False))
    assert not any(map(is_hidden, document))
    assert json.loads(document) == {"said": text}


def test_every_character_of_a_hidden_kind_is_hidden() -> None:
    """S9: all controls and formats of Unicode, except those that enclose a number or a word."""
    kinds = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    of_kind = {each for each in map(chr, range(0x110000)) if unicodedata.category(each) in kinds}
    assert {each for each in of_kind if not is_hidden(each)} <= VISIBLE


def test_one_line_is_cut() -> None:
    """Whitespace is one blank, and what is too long ends with an ellipsis."""
    assert (one_line("a\r\n  b\x1b", 99), one_line("abcdef", 4)) == (r"a b\x1b", "abc…")
