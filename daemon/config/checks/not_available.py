"""Keys that are known and checked but not effective yet.

Such a key may stand at its default or empty, so that a complete rules.toml can be written today;
any other value is refused, because a setting that is silently ignored is worse than none. A key
that becomes effective loses its line.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from daemon.config.parse.tables import Item
from daemon.config.problems import Problems

NOT_YET = frozenset({
    "system.upkeep-failing",
})  # fmt: skip
"""`table.key`."""

EMPTY: tuple[object, ...] = ("", [])

SENTENCE = "not available yet; leave it out"


def without_empty(section: str, raw: Mapping[str, object]) -> dict[str, object]:
    """The table without keys that are not effective yet and are empty, which is always allowed."""
    return {
        key: value for key, value in raw.items() if value not in EMPTY or not _waits(section, key)
    }


def check(items: Iterable[Item[Any]], problems: Problems) -> None:
    """Report keys that are valid but not available yet, unless a mistake is already known there."""
    for item in items:
        for key in item.raw:
            place = f"{item.place}.{key}"
            if not _waits(item.section, key) or problems.within(place):
                continue
            if item.raw[key] not in EMPTY and item.differs(key):
                problems.add(place, SENTENCE)


def _waits(section: str, key: str) -> bool:
    return f"{section}.{key}" in NOT_YET
