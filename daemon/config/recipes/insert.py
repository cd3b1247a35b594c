"""Inserts tables into the text of a TOML file; every other character stays as it is. Pure.

A library that writes TOML, such as tomlkit, moves a new table behind the comment that introduces
the next section, and rearranges sections of one name that stand apart. So text is inserted, and the
result is read again: it must hold all that was there and the new tables, and nothing else.
"""

import re
import tomllib
from collections.abc import Sequence

from daemon.config.parse import size_limits

_HEADER = re.compile(r"[ \t]*\[\[?[ \t]*([\w-]+)[^\[\],]*\]\]?[ \t]*\r?$")
_BYTE_ORDER_MARK = "\ufeff"


class NoPlaceError(ValueError):
    """The file is written in a way that allows no further table."""


def insert_tables(text: str, tables: str, section: str) -> str:
    """The text with the tables behind the last table of their section, else at its end.

    A byte order mark and either kind of line breaks are kept.

    Raises:
        NoPlaceError: where the file writes the section in another way, such as in one list.

    """
    body = text.removeprefix(_BYTE_ORDER_MARK)
    ending = "\r" if "\r\n" in body else ""
    lines = body.split("\n")
    at = _end_of_section(lines, size_limits.without_texts(body).split("\n"), section)
    before, behind = lines[:at], lines[at:] or [""]
    if at == len(lines) and before:
        before[-1] += ending  # the last line of the file had no line break
    gap = [ending] if before else []
    new = [line + ending for line in tables.strip("\n").split("\n")]
    further = [ending] if behind[0].strip() else []
    result = "\n".join([*before, *gap, *new, *further, *behind])
    if not _adds(body, result, tables):
        raise NoPlaceError(
            f"writes {section} in another way than as tables that begin with [[{section}]]"
        )
    return text[: len(text) - len(body)] + result


def _end_of_section(lines: Sequence[str], bare: Sequence[str], section: str) -> int:
    """The number of lines up to the end of the section's last table, comments below it included.

    Comments that stand right above the next table belong to that one.
    """
    headers = {at: found[1] for at, line in enumerate(bare) if (found := _HEADER.match(line))}
    own = [at for at, name in headers.items() if name == section]
    if not own:
        return max((at for at, line in enumerate(lines, 1) if line.strip()), default=0)
    end = min((at for at in headers if at > own[-1]), default=len(lines))
    last = max(at for at in range(own[-1], end) if bare[at].strip())
    below = last + 1
    while below < len(lines) and lines[below].lstrip().startswith("#"):
        below += 1
    return last + 1 if below == end < len(lines) else below


def _adds(text: str, result: str, tables: str) -> bool:
    """Whether the result holds what the text holds, and these tables behind it."""
    expected = tomllib.loads(text)
    try:
        found = tomllib.loads(result)
    except tomllib.TOMLDecodeError:
        return False
    for section, added in tomllib.loads(tables).items():
        expected[section] = [*expected.get(section, []), *added]
    return found == expected
