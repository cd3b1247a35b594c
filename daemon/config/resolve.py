"""Secrets that stand elsewhere: `env:NAME`, `file:PATH`, `credential:NAME`, and URLs put together from them.

What cannot be resolved raises MistakeError with a sentence that names the reference and the remedy, never the secret.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from daemon.config.paths import expanded
from daemon.config.problems import MistakeError
from daemon.hidden import HiddenMapping, Secret, passwords

_REFERENCE = re.compile(r"(env|file|credential):(.*)", re.DOTALL)
_FILLED_IN = re.compile(r"\{(?:env|file|credential):[^{}]*\}")
_FORGOTTEN = re.compile(r"\{([A-Z][A-Z0-9_]*)\}|(?<!\{)\benv:([A-Z][A-Z0-9_]*)")
"""A reference without its `env:`, or without its braces."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONG = re.compile(r"[A-Za-z0-9_+=~%-]{16,}")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where references lead: the environment, and the folder of the rules.toml for relative paths."""

    environ: HiddenMapping[str, str]
    folder: Path

    def path(self, written: str) -> Path:
        """Where a path leads: from the folder, or from the home where it begins with `~`."""
        return self.folder / expanded(written, self.environ)


@dataclass(frozen=True, slots=True)
class Resolved:
    text: Secret
    parts: frozenset[Secret] = frozenset()
    """What else of it must not be shown: the texts from which it was put together, and passwords in it."""
    literal: bool = False
    """Whether the secret itself stands in the rules.toml."""


def is_reference(written: str) -> bool:
    """Whether this only says where a secret is."""
    return bool(_REFERENCE.fullmatch(written))


def key(written: str, around: Surroundings) -> Resolved:
    """An API key or secret."""
    reference = _REFERENCE.fullmatch(written)
    text = _fetched(reference[1], reference[2], around) if reference else written
    if not text.isascii() or not text.isprintable() or " " in text:
        raise MistakeError("holds a space or a character that no key has; copy the key again")
    return Resolved(Secret(text), literal=reference is None)


def url(written: str, around: Surroundings) -> Resolved:
    """An address of a channel; `{env:NAME}` and the like are percent-encoded into it, a whole reference is not."""
    reference = _REFERENCE.fullmatch(written)
    if reference:
        text = _fetched(reference[1], reference[2], around)
        return _resolved(text)
    forgotten = _FORGOTTEN.search(written)
    if forgotten:
        raise MistakeError(f"write {{env:{forgotten[1] or forgotten[2]}}} instead of {forgotten[0]}")
    return _put_together(written, around)


def _put_together(written: str, around: Surroundings) -> Resolved:
    parts: set[str] = set()
    mistakes: dict[str, None] = {}

    def fill_in(found: re.Match[str]) -> str:
        kind, _, name = found[0][1:-1].partition(":")
        try:
            text = _fetched(kind, name, around)
        except MistakeError as mistake:
            mistakes[str(mistake)] = None
            return ""
        parts.update((text, quote(text, safe="")))
        return quote(text, safe="")

    text = _FILLED_IN.sub(fill_in, written)
    if mistakes:
        raise MistakeError("; ".join(mistakes))
    return _resolved(text, parts, literal=bool(tokens(_FILLED_IN.sub("", written))))


def _resolved(address: str, parts: Iterable[str] = (), *, literal: bool = False) -> Resolved:
    return Resolved(Secret(address), frozenset(map(Secret, {*parts, *tokens(address)})), literal)


def tokens(address: str) -> frozenset[str]:
    """The parts of an address that look secret: its password, and every long mixture of letters and digits."""
    rest = address.partition("://")[2] or address
    long = {each for each in _LONG.findall(rest) if not each.isalpha() and not each.isdigit()}
    return frozenset({*long, *map(unquote, long)}) | passwords(address)


def _fetched(kind: str, name: str, around: Surroundings) -> str:
    if kind == "env":
        return _from_environment(name, around.environ)
    if kind == "file":
        return _from_file(around.path(name), f"the file {name}")
    return _from_credential(name, around.environ)


def _from_environment(name: str, environ: Mapping[str, str]) -> str:
    if not _VARIABLE.fullmatch(name):
        raise MistakeError("what follows env: is not the name of an environment variable")
    if not environ.get(name):
        state = "is empty" if name in environ else "is not set"
        raise MistakeError(f"the environment variable {name} {state}; set it, or use file:PATH")
    return environ[name]


def _from_credential(name: str, environ: Mapping[str, str]) -> str:
    if not name or "/" in name:
        raise MistakeError("what follows credential: is not the name of a credential")
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise MistakeError(f"credential:{name} exists only in a service of systemd; use env:NAME or file:PATH")
    return _from_file(Path(folder) / name, f"the credential {name}")


def _from_file(path: Path, what: str) -> str:
    try:
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except FileNotFoundError:
        raise MistakeError(f"{what} does not exist; create it, or correct its name") from None
    except (OSError, ValueError):
        raise MistakeError(f"{what} cannot be read; check what it is and who may read it") from None
    if not text:
        raise MistakeError(f"{what} is empty; put the secret into it")
    return text
