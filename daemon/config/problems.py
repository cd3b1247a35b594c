"""The mistakes of a rules.toml: gathered, each with its place, and put into words.

A sentence is short and says what is wrong and what would be right. It never shows a value that may
be secret: values of secret keys are left out, and every known secret is blanked at the end.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable
from difflib import get_close_matches

from daemon.errors import ConfigError
from daemon.redaction import Redactor
from daemon.text.printable import printable, printable_json
from daemon.text.similar_pattern import similar_pattern

SECTIONS = (
    "daemon",
    "accounts",
    "channels",
    "rules",
    "mutes",
    "reports",
    "system",
    "budget",
)
"""The tables of a rules.toml in documented order, in which mistakes are listed."""

MAX_TOLD = 100
"""Most problems listed; of more only the number is shown. Nobody corrects more at once."""

_LONGEST_SHOWN = 40
_LONGEST_PLACE = 100
_LARGEST_SHOWN = 10**_LONGEST_SHOWN
_SHORTEST_BLOTTED = 8
_END_OF_PART = re.compile(r"(?=[.\[])|$")
_PLACE = re.compile(r"(\w*)(?:\[(\d+)\])?")


class MistakeError(ValueError):
    """A value that is not allowed at its key; its text completes the sentence "PLACE: …"."""


class Problems:
    """Mistakes found so far; a place is written like `rules[2].when`, counting from 0.

    `shown` gives the place as people find it in the file.
    """

    def __init__(self, shown: Callable[[str], str] = str) -> None:
        self.shown = shown
        self._found: list[tuple[str, str]] = []
        self._places: set[str] = set()
        self._more = 0

    def add(self, place: str, sentence: str) -> None:
        self._places.update(place[: found.start()] for found in _END_OF_PART.finditer(place))
        if len(self._found) < MAX_TOLD:
            self._found.append((place, sentence))
        else:
            self._more += 1

    def within(self, place: str) -> bool:
        """Whether a mistake is already known at this place, or inside it."""
        return place in self._places

    def did_you_mean(self, written: str, known: Collection[str]) -> str:
        """The suggestion of `did_you_mean`, which is slow; skipped for problems not shown."""
        return did_you_mean(written, known) if len(self._found) < MAX_TOLD else ""

    def sentences(self, hidden: Iterable[str] = ()) -> list[str]:
        """Every mistake with its place, in documented order; the `hidden` texts are blanked."""
        told = sorted(self._found, key=lambda found: _order(found[0]))
        if not told:
            return []
        redactor = Redactor(text for text in hidden if len(text) >= _SHORTEST_BLOTTED)
        problems = [
            _told(redactor.redact(self.shown(place)), redactor.redact(sentence))
            for place, sentence in told
        ]
        more = [f"and {self._more:,} more mistakes: correct these first"] if self._more else []
        return problems + more

    def raise_if_any(self, hidden: Iterable[str] = ()) -> None:
        """End the loading with every mistake, the `hidden` texts blanked.

        Raises:
            ConfigError: when there is at least one.
        """
        if problems := self.sentences(hidden):
            raise ConfigError(problems)


def _order(place: str) -> tuple[int, int]:
    match = _PLACE.match(place)
    section, index = match.groups() if match else ("", None)
    return SECTIONS.index(section) if section in SECTIONS else -1, int(index or 0)


def _told(place: str, sentence: str) -> str:
    """The problem as shown; a key of the file may hold any text."""
    return f"{_cut(printable(place), _LONGEST_PLACE)}: {sentence}"


def format_value(value: object) -> str:
    """The value as written in the file, shortened to fit a sentence."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) > _LARGEST_SHOWN:
        return "a number of that size"
    if not isinstance(value, str):
        return str(value)
    return printable_json(json.dumps(_cut(value, _LONGEST_SHOWN), ensure_ascii=False))


def _cut(text: str, at_most: int) -> str:
    return text if len(text) <= at_most else text[: at_most - 1] + "…"


def did_you_mean(written: str, known: Collection[str]) -> str:
    """The text `; did you mean "rules"?` when a known name is close, else "".

    For a pattern that matches nothing it is a pattern that does, if one is close.
    """
    pattern = similar_pattern(written, known)
    if pattern is not None:
        return f'; did you mean "{pattern}"?'
    spelled = {each.casefold(): each for each in sorted(known) if each}
    close = get_close_matches(written.casefold(), spelled, n=1, cutoff=0.6)
    return f'; did you mean "{spelled[close[0]]}"?' if close else ""
