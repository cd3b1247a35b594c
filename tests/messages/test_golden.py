"""Every kind of message is, to the letter, what its file in `golden` shows.

A wanted change of words: `python -m tests.messages.test_golden` writes the files and the blocks of
docs/delivery.md anew; read them.
"""

import re
from functools import partial
from itertools import takewhile
from operator import ne
from pathlib import Path

import pytest

from daemon.messages.title_fitting import TITLE
from tests.messages.golden_messages import MESSAGES, shown

GOLDEN = Path(__file__).parent / "golden"
DELIVERY = Path(__file__).parents[2] / "docs" / "delivery.md"


@pytest.mark.parametrize("name", MESSAGES)
def test_a_phone_shows_what_its_file_shows(name: str) -> None:
    """Title and body of one kind of message."""
    assert shown(MESSAGES[name]) == (GOLDEN / f"{name}.txt").read_text()
    assert len(MESSAGES[name].title) <= TITLE


def test_no_file_is_left_over() -> None:
    """A kind that is gone takes its file with it."""
    assert sorted(path.stem for path in GOLDEN.iterdir()) == sorted(MESSAGES)


@pytest.mark.parametrize("name", sorted(set(MESSAGES) - {"report", "firing-title"}))
def test_a_number_stands_once_in_a_message(name: str) -> None:
    """A value of the title is not said again of that alert, but by the step that led to it.

    A title in the rule's own words may name any field, and is not looked at.
    """
    title, _, body = shown(MESSAGES[name]).partition("\n\n")
    lines = [line for line in body.split("\n\n")[0].splitlines() if " -> " not in line]
    amounts = set(re.findall(r"\d+\.\d+", title))
    assert not [line for line in lines if amounts & set(re.findall(r"\d+\.\d+", line))]


@pytest.mark.parametrize("name", [name for name in MESSAGES if MESSAGES[name].html])
def test_the_mail_says_what_the_text_says(name: str) -> None:
    """Every word of the text stands in the HTML, in order; its rows repeat values of headlines."""
    text = re.sub(r"<[^>]*>", " ", MESSAGES[name].html)
    for sign, word in {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'"}.items():
        text = text.replace(sign, word)
    words = iter(_words(text))
    more = set[str]()
    for word in _words(MESSAGES[name].body):
        more.update(takewhile(partial(ne, word), words))
    assert more <= {"available_margin", *_words(shown(MESSAGES[name]))}
    assert list(words) == []


def _words(text: str) -> list[str]:
    return re.findall(r"[^\s·()]+", text)


def write() -> None:
    """Write the golden files, and the messages that docs/delivery.md shows."""
    page = DELIVERY.read_text()
    for name, message in MESSAGES.items():
        text = shown(message)
        (GOLDEN / f"{name}.txt").write_text(text)
        block = rf"(\n`{re.escape(name)}`:\n\n```text\n).*?(```\n)"
        if found := re.search(block, page, re.DOTALL):
            page = f"{page[: found.end(1)]}{text}{page[found.start(2) :]}"
    DELIVERY.write_text(page)


if __name__ == "__main__":
    write()
