"""Every kind of message is, to the letter, what its file in `golden` shows.

A wanted change of words: `python -m tests.messages.test_golden` writes the files anew; read them.
"""

from pathlib import Path

import pytest

from daemon.messages.title import TITLE
from tests.messages.golden_messages import MESSAGES, shown

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", MESSAGES)
def test_a_phone_shows_what_its_file_shows(name: str) -> None:
    """Title and body of one kind of message."""
    assert shown(MESSAGES[name]) == (GOLDEN / f"{name}.txt").read_text()
    assert len(MESSAGES[name].title) <= TITLE


def test_no_file_is_left_over() -> None:
    """A kind that is gone takes its file with it."""
    assert sorted(path.stem for path in GOLDEN.iterdir()) == sorted(MESSAGES)


if __name__ == "__main__":
    for name, message in MESSAGES.items():
        (GOLDEN / f"{name}.txt").write_text(shown(message))
