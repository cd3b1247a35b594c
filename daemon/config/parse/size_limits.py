"""Limits on the size of a file of rules or tests, far above any real need. Pure.

They bound the time and memory that the readers of its tables need, whoever wrote the file.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

MAX_KEY_PARTS = 20
"""Most parts of a dotted key: the time of TOML's reader grows with the square of their number."""

MAX_SIGNS = 100_000
"""Most dots, equals signs and brackets outside of texts: each may cost TOML's reader a table."""

MAX_ENTRIES = 1_000
"""Most entries of a list, tables of one kind, or keys of a table."""

MAX_TEXT = 1 << 16
"""Most characters of a text."""

MAX_URL = 8_192
"""Most characters of an address, with its references filled in."""

# The possessive quantifiers, the look behind and the optional last quotes keep the searches linear.
_DOTTED_KEY = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{MAX_KEY_PARTS}}}")
_TEXT_OR_COMMENT = re.compile(r"""\"(?:[^"\\\n]|\\.)*+"?|'[^'\n]*+'?|#[^\n]*+""")


def without_texts(text: str) -> str:
    """The file's text with its lines, each text in quotes as a single letter, without comments."""
    return _TEXT_OR_COMMENT.sub(lambda found: "" if found[0].startswith("#") else "x", text)


def line_of_long_key(bare: str) -> int | None:
    """The line of the first dotted key with too many parts, of what `without_texts` returned."""
    found = _DOTTED_KEY.search(bare)
    return None if found is None else bare.count("\n", 0, found.start()) + 1


def signs(bare: str) -> int:
    """The number of dots, equals signs and opening brackets, of what `without_texts` returned."""
    return sum(map(bare.count, ".=[{"))


def excesses(tables: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The place of everything that is too large, with a sentence about it."""
    waiting: list[tuple[str, object]] = [("", tables)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, str) and len(value) > MAX_TEXT:
            yield (
                place,
                f"is a text of {len(value):,} characters; at most {MAX_TEXT:,} are possible",
            )
        if not isinstance(value, dict | list):
            continue
        if len(value) > MAX_ENTRIES:
            yield place, f"has {len(value):,} entries; at most {MAX_ENTRIES:,} are possible"
        elif isinstance(value, list):
            waiting += _entries(place, value, is_table=place in tables)
        else:
            waiting += [(f"{place}.{key}" if place else key, each) for key, each in value.items()]


def _entries(
    place: str, values: Sequence[object], *, is_table: bool
) -> Iterator[tuple[str, object]]:
    """The values of a list with their places: `rules[0]` for tables, else counted from 1."""
    for index, each in enumerate(values):
        yield f"{place}[{index}]" if is_table else f"{place}, entry {index + 1}", each
