"""The key `database`: from the written value to the address that the store takes.

    sqlite:///FILE            a path, relative to the rules.toml, `~` expanded
                              ──► encoded, so that no folder's name reads as part of a URL
    postgresql+psycopg://…    references filled in
                              ──► an address that no character of a password cuts

Nothing here opens or looks at a database.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from unicodedata import category
from urllib.parse import parse_qs, quote, unquote

from daemon.addresses import is_loopback
from daemon.config import secret_references
from daemon.config.parse import values
from daemon.config.problems import MistakeError
from daemon.config.secret_references import Resolved, Surroundings
from daemon.hidden import Secret

KINDS = 'must be "sqlite:///FILE" or "postgresql+psycopg://USER@HOST/NAME"'

_FILE = re.compile(r"sqlite(?:\+pysqlite)?:///(.+)", re.DOTALL)
_SERVER = re.compile(
    r"postgresql\+psycopg://(?:[^@/?#]*@)?(?:[^:@/?#]*|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?"
    r"/[^/?#]+(?:\?.*)?"
)
_PASSWORDS = ("password", "sslpassword")
"""Keys behind the `?` that hold a password."""


def resolve_address(written: str, around: Surroundings) -> Resolved:
    """The address of a database.

    Raises:
        MistakeError: when it names none. The sentence shows no part of it: it may hold a password.
    """
    file = _FILE.fullmatch(written)
    if file:
        return Resolved(Secret(file_url(_path(file[1], around))))
    if ":" not in written:
        raise MistakeError(KINDS)  # so that the name of a database is not taken for a reference
    found = secret_references.url(written, around)
    address = values.uncut(found.text.reveal())
    if not _SERVER.fullmatch(address):
        raise MistakeError(KINDS)
    query = parse_qs(address.partition("?")[2])
    passwords = {Secret(each) for key in _PASSWORDS for each in query.get(key, ())}
    return Resolved(found.text, found.parts | passwords, literal=found.literal or bool(passwords))


def file_url(path: Path) -> str:
    """The address of an SQLite file, whatever characters its path has."""
    return f"sqlite:///{quote(str(path))}"


def file_of(address: str) -> Path | None:
    """The file of an SQLite address; None for a server's address."""
    scheme, found, name = address.partition("sqlite:///")
    return Path(unquote(name)) if found and not scheme else None


def caution(address: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Warnings about a usable address: others may read the record, or pose as the server.

    Without `sslmode` the driver falls back to plain text where no TLS is offered. Only verify-full
    checks the server's name.
    """
    _, server, rest = address.partition("postgresql+psycopg://")
    query = parse_qs(rest.partition("?")[2])
    beyond = [
        host for host in _hosts(rest, query) if not (host.startswith("/") or is_loopback(host))
    ]
    mode = query.get("sslmode", [environ.get("PGSSLMODE", "")])[-1]
    if server and beyond and mode != "verify-full":
        yield (
            f"whoever is on the way to {beyond[0]} may read the record, or answer for it: add"
            " sslmode=verify-full behind a ?, and sslrootcert=FILE with the server's authority"
        )


def _hosts(rest: str, query: Mapping[str, list[str]]) -> list[str]:
    """The hosts that a driver would connect to. Options behind the ? win; there may be several."""
    place = re.split("[/?]", rest, maxsplit=1)[0].rpartition("@")[2]
    written = query.get("hostaddr") or query.get("host") or [re.sub(r":[0-9]*$", "", place)]
    names = (name.strip("[]") for text in written for name in unquote(text).split(","))
    return [re.sub(r"(?<=[^:]):[0-9]+$", "", name) for name in names if name]


def _path(written: str, around: Surroundings) -> Path:
    if "?" in written:
        raise MistakeError(
            "takes no options: leave out what follows the ?, or write a ? in a name as %3F"
        )
    name = unquote(written)
    if name == ":memory:" or not name.strip("/"):
        raise MistakeError(KINDS)
    if name.startswith("file:"):
        raise MistakeError("write the path itself, without file:")
    path = around.path(name)
    if any(category(each) in {"Cc", "Cs"} for each in str(path)):
        raise MistakeError(
            "its path holds a control character, or one that is not UTF-8; rename that folder or"
            " file"
        )
    return path
