"""Places in a file as people find them: a table by its name and line, `rules "low" (line 23)`."""

import re
from collections.abc import Mapping
from unicodedata import normalize

from daemon.config.parse import size_limits
from daemon.config.problems import format_value

_HEADER = re.compile(r"[ \t]*\[\[[ \t]*([\w-]+)[ \t]*\]\]")
_TABLE = re.compile(r"(\w+)\[(\d+)\]")


class Places:
    """The places of one file: its text, and the tables that it holds."""

    def __init__(self, text: str, tables: Mapping[str, object]) -> None:
        self._tables = tables
        self._lines: dict[str, list[int]] = {}
        for number, line in enumerate(size_limits.without_texts(text).split("\n"), 1):
            header = _HEADER.match(line)
            if header:
                self._lines.setdefault(header[1], []).append(number)

    def shown(self, place: str) -> str:
        """The place with its table named: `rules "low" (line 23).when` for `rules[2].when`.

        What follows the place, such as the sentence about it, stays.
        """
        found = _TABLE.match(place)
        tables = self._tables.get(found[1]) if found else None
        if not found or not isinstance(tables, list):
            return place
        section, index, lines = found[1], int(found[2]), self._lines.get(found[1], [])
        name = tables[index].get("name") if isinstance(tables[index], dict) else None
        label = f" {format_value(normalize('NFC', name))}" if isinstance(name, str) and name else ""
        # Tables in the braces of a list have no header, and so no line that can be known.
        if len(lines) == len(tables):
            label += f" (line {lines[index]})"
        return f"{section}{label or f' (number {index + 1})'}{place[found.end() :]}"
