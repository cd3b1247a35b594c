"""Reads only the channels of a rules.toml that cannot be loaded, to report that failure.

    text → as a whole, else table by table → channels with a URL that is there and Apprise takes

The rest of the file is ignored, and mistakes are not reported: `loading` does both.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.config import secret_references
from daemon.config.problems import MistakeError
from daemon.config.secret_references import Resolved, Surroundings
from daemon.hidden import HiddenMapping, Secret
from daemon.text import url_secrets

_HEADERS = re.compile(r"^(?=[ \t]*\[)", re.MULTILINE)
"""The beginning of a table, or a line that looks like one."""


@dataclass(frozen=True, slots=True)
class Salvaged:
    """A channel that can be used."""

    name: str
    resolved: Resolved

    @property
    def secrets(self) -> frozenset[Secret]:
        text = self.resolved.text
        return (
            self.resolved.parts
            | {text}
            | frozenset(map(Secret, url_secrets.secrets(text.reveal())))
        )


def channels(
    text: str, *, path: Path, environ: Mapping[str, str], problem: Callable[[str], str | None]
) -> list[Salvaged]:
    """The channels that can be used; `problem` says why a URL cannot be used, or None."""
    around = Surroundings(HiddenMapping(environ), path.absolute().parent)
    found = (_usable(number, table, around, problem) for number, table in enumerate(_tables(text)))
    return [channel for channel in found if channel is not None]


def _tables(text: str) -> Iterator[Mapping[str, Any]]:
    whole = _parsed(text)
    for part in [text] if whole is not None else _HEADERS.split(text):
        tables = (_parsed(part) or {}).get("channels")
        yield from (
            (table for table in tables if isinstance(table, dict))
            if isinstance(tables, list)
            else ()
        )


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


def _usable(
    number: int,
    table: Mapping[str, Any],
    around: Surroundings,
    problem: Callable[[str], str | None],
) -> Salvaged | None:
    name, url = table.get("name"), table.get("url")
    if not isinstance(url, str):
        return None
    try:
        resolved = secret_references.url(url, around)
    except MistakeError:
        return None
    known = name if isinstance(name, str) else f"channels (number {number + 1})"
    return None if problem(resolved.text.reveal()) else Salvaged(known, resolved)
