"""The pattern of names that a person probably meant by one that matches nothing. Pure."""

from collections.abc import Collection
from difflib import get_close_matches
from fnmatch import fnmatchcase

_SIGNS = "*?["


def similar_pattern(pattern: str, names: Collection[str]) -> str | None:
    """The pattern that matches a name, for one mistyped before or behind its signs; else None.

    For `lwo-*` that is `low-*` where there is a name `low-margin`. None also for a plain name.
    """
    places = [place for place, character in enumerate(pattern) if character in _SIGNS]
    if not places:
        return None
    head, rest = pattern[: places[0]], pattern[places[0] :]
    if head:
        return _corrected(head, {each: each + rest for each in _beginnings(names, head)}, names)
    # No other sign ends a pattern here: `]` counts as part of the text behind it.
    lead, tail = pattern[: places[-1] + 1], pattern[places[-1] + 1 :]
    return _corrected(tail, {each: lead + each for each in _ends(names, tail)}, names)


def _beginnings(names: Collection[str], like: str) -> set[str]:
    return {name[:length] for name in names for length in _lengths(like)}


def _ends(names: Collection[str], like: str) -> set[str]:
    return {name[-length:] for name in names for length in _lengths(like)}


def _lengths(like: str) -> range:
    """Lengths with one character too few or too many, the likely mistakes."""
    return range(max(len(like) - 1, 1), len(like) + 2)


def _corrected(written: str, patterns: dict[str, str], names: Collection[str]) -> str | None:
    """The pattern of the closest part, of those that match a name."""
    parts = {
        part.casefold(): pattern
        for part, pattern in sorted(patterns.items())
        if any(fnmatchcase(name, pattern) for name in names)
    }
    plain = written.casefold()
    # Exchanged letters count as two errors there, and are the most usual one.
    exchanged = [each for each in parts if sorted(each) == sorted(plain)]
    near = exchanged or get_close_matches(plain, parts, n=1)
    return parts[near[0]] if near else None
