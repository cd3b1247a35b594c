"""Secrets stored elsewhere: `env:NAME`, `file:PATH`, `credential:NAME`, and URLs built from them.

A reference that cannot be resolved raises MistakeError. Its sentence names the reference and the
remedy, never the secret.
"""

import os
import re
import shlex
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import quote, unquote

from daemon.config import protected_file
from daemon.config.parse.paths import expanded
from daemon.config.parse.size_limits import MAX_URL
from daemon.config.problems import MistakeError
from daemon.errors import owner_text
from daemon.hidden import HiddenMapping, Secret, passwords

_REFERENCE = re.compile(r"(env|file|credential):(.*)", re.DOTALL)
_FILLED_IN = re.compile(r"\{(?:env|file|credential):[^{}]*\}")
_FILE = re.compile(r"\{file:([^{}]*)\}")
_FORGOTTEN = re.compile(r"\{([A-Z][A-Z0-9_]*)\}|(?<!\{)\benv:([A-Z][A-Z0-9_]*)")
"""A reference without its `env:`, or without its braces."""
_WORD = re.compile(r"([A-Za-z ]{1,15}):(?!//)")
_BRACED_WORD = re.compile(r"\{([A-Za-z ]{1,15}):[^{}]*\}")
"""What begins like a reference; its word may be mistyped."""
_WRITTEN = {"env": "env:NAME", "file": "file:PATH", "credential": "credential:NAME"}
"""Each kind of reference, as it is written."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LARGEST = 16_384
"""Largest file of a secret, in bytes; a larger one is another file, such as a log."""
_MOST_CERTIFICATES = 1 << 20
"""Largest file of certificates, in bytes; that of a Linux distribution has some 220,000."""
_LONG = re.compile(r"[A-Za-z0-9_+=~%-]{16,}")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Sources of references: the environment, and the rules.toml's folder for relative paths."""

    environ: HiddenMapping[str, str]
    folder: Path
    protected: bool = True
    """Whether files that another user could change are refused."""

    def path(self, written: str) -> Path:
        """The full path: relative to the folder, or to the home folder after `~`."""
        return self.folder / expanded(written, self.environ)


@dataclass(frozen=True, slots=True)
class Resolved:
    text: Secret
    parts: frozenset[Secret] = frozenset()
    """Further secret texts: the parts from which it was built, and passwords in it."""
    literal: bool = False
    """Whether the secret itself is written in the rules.toml."""


def is_reference(written: str) -> bool:
    """Whether the text only says where a secret is."""
    return bool(_REFERENCE.fullmatch(written))


def key(written: str, around: Surroundings) -> Resolved:
    """The API key or secret."""
    reference = _REFERENCE.fullmatch(written)
    if reference is None:
        _refuse_half_written(written, around)
    text = _fetched(reference[1], reference[2], around) if reference else written
    if not text.isascii() or not text.isprintable() or " " in text:
        raise MistakeError("holds a space or a character that no key has; copy the key again")
    return Resolved(Secret(text), literal=reference is None)


def url(written: str, around: Surroundings) -> Resolved:
    """The address of a channel.

    `{env:NAME}` and the like are percent-encoded into it; a whole reference is not.
    """
    _refuse_long(written)
    reference = _REFERENCE.fullmatch(written)
    if reference:
        text = _fetched(reference[1], reference[2], around)
        return _resolved(text)
    _refuse_half_written(written, around)
    forgotten = _FORGOTTEN.search(written)
    if forgotten:
        raise MistakeError(
            f"write {{env:{forgotten[1] or forgotten[2]}}} instead of {forgotten[0]}"
        )
    return _put_together(written, around)


def _refuse_half_written(written: str, around: Surroundings) -> None:
    """Refuse what is taken for the secret itself and is probably meant to say where it is.

    The rest of the text may be a secret, so only the mistyped word is shown.
    """
    if whole := _WORD.match(written):
        _refuse_mistyped(whole[1], "begins with {}; did you mean {}?")
    for braced in _BRACED_WORD.finditer(written):
        _refuse_mistyped(braced[1], "holds {{{}…}}; did you mean {{{}}}?")
    # No key is also the name of a file by chance. Every address has a colon.
    if ":" not in written and os.path.isfile(around.path(written)):  # noqa: PTH113 -- any text
        raise MistakeError("is the name of a file; write file: in front of it to use what it holds")


def _refuse_mistyped(word: str, sentence: str) -> None:
    close = get_close_matches(word.strip().casefold(), _WRITTEN, n=1, cutoff=0.5)
    if word not in _WRITTEN and close:
        raise MistakeError(sentence.format(f"{word}:", _WRITTEN[close[0]]))


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
    _refuse_long(address)
    return Resolved(Secret(address), frozenset(map(Secret, {*parts, *tokens(address)})), literal)


def _refuse_long(address: str) -> None:
    if len(address) > MAX_URL:
        raise MistakeError(f"has {len(address):,} characters; an address has at most {MAX_URL:,}")


def authorities(written: str, around: Surroundings) -> str:
    """The absolute path of a file of certificates, read once to see that it holds some."""
    import ssl  # noqa: PLC0415 -- few configurations name one

    path = around.path(written)
    content = _content(path, f"the file {path}", _MOST_CERTIFICATES, "file of certificates")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(
            cadata=content.decode("ascii", "ignore")
        )
    except (ssl.SSLError, ValueError):
        raise MistakeError(
            f"the file {path} holds no certificate; it must be PEM, with BEGIN CERTIFICATE"
        ) from None
    return str(path)


def tokens(address: str) -> frozenset[str]:
    """Secret-looking parts of an address: its password, and long mixtures of letters and digits."""
    rest = address.partition("://")[2] or address
    long = {each for each in _LONG.findall(rest) if not each.isalpha() and not each.isdigit()}
    return frozenset({*long, *map(unquote, long)}) | passwords(address)


def exposed(written: str, around: Surroundings) -> Iterator[str]:
    """A sentence for each file named in `written` that every user of this machine can read."""
    names = (
        [written.removeprefix("file:")] if written.startswith("file:") else _FILE.findall(written)
    )
    for name in dict.fromkeys(names):
        path = around.path(name)
        try:
            exposed_to_all = protected_file.is_exposed(path)
        except (OSError, ValueError):
            continue
        if exposed_to_all:
            remedy = f"chmod 600 {shlex.quote(str(path))}"
            yield f"the file {name} can be read by every user of this machine; {remedy}"


def _fetched(kind: str, name: str, around: Surroundings) -> str:
    if kind == "env":
        return _single(_from_environment(name, around.environ), f"the environment variable {name}")
    if kind == "file":
        return _from_file(around.path(name), f"the file {name}", protected=around.protected)
    return _from_credential(name, around)


def _single(text: str, what: str) -> str:
    """The text, if it is one secret and nothing else: an extra blank makes a password wrong."""
    if text.startswith("\ufeff"):
        raise MistakeError(f"{what} begins with a byte order mark; save it as UTF-8 without one")
    if len(text.splitlines()) > 1:
        raise MistakeError(f"{what} has more than one line; leave only the secret in it")
    if text != text.strip():
        raise MistakeError(f"{what} begins or ends with a blank or a line break; remove it")
    odd = next((sign for sign in text if not sign.isprintable()), None)
    if odd is not None:
        named = unicodedata.name(odd, "a control character").lower()
        raise MistakeError(
            f"{what} holds a character that nobody sees (U+{ord(odd):04X}, {named}); remove it"
        )
    return text


def _from_environment(name: str, environ: Mapping[str, str]) -> str:
    if not _VARIABLE.fullmatch(name):
        raise MistakeError("what follows env: is not the name of an environment variable")
    if not environ.get(name):
        state = "is empty" if name in environ else "is not set"
        raise MistakeError(f"the environment variable {name} {state}; set it, or use file:PATH")
    return environ[name]


def _from_credential(name: str, around: Surroundings) -> str:
    if not name or "/" in name:
        raise MistakeError("what follows credential: is not the name of a credential")
    folder = around.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise MistakeError(
            f"credential:{name} exists only in a service of systemd; use env:NAME or file:PATH"
        )
    return _from_file(Path(folder) / name, f"the credential {name}", protected=around.protected)


def _from_file(path: Path, what: str, *, protected: bool) -> str:
    content = _content(path, what, _LARGEST, protected=protected)
    try:
        text = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise MistakeError(f"{what} is not text in UTF-8; save it as UTF-8") from None
    if not text.strip():
        raise MistakeError(f"{what} is empty; put the secret into it")
    return _single(text, what)


def _content(
    path: Path, what: str, limit: int, kind: str = "secret", *, protected: bool = True
) -> bytes:
    """The contents of a file up to the limit. A `protected` one must be safe from other users."""
    try:
        found = protected_file.read(path, limit)
    except FileNotFoundError:
        raise MistakeError(f"{what} does not exist; create it, or correct its name") from None
    except IsADirectoryError:
        raise MistakeError(f"{what} is a folder; name the file in it") from None
    except protected_file.NotRegularError:
        raise MistakeError(
            f"{what} is a pipe or a device, not a file; save the {kind} as a file, and name that"
        ) from None
    except (OSError, ValueError):
        raise MistakeError(
            f"{what} cannot be read{owner_text(path)}; check what it is and who may read it"
        ) from None
    if protected and found.weaknesses:
        raise MistakeError("; ".join(f"{what} {weakness}" for weakness in found.weaknesses))
    if len(found.content) > limit:
        raise MistakeError(
            f"{what} is larger than {limit // 1024} KB, so it is no {kind}; name another file"
        )
    return found.content
