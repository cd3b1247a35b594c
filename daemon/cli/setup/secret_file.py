"""Files that hold one secret each: their names, what is typed, and writing them.

Nothing here shows a secret, or a part of one.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

import click

from daemon.cli.output.terminal import echo
from daemon.cli.session import CommandSession
from daemon.cli.setup.write_file import refuse_to_overwrite, write
from daemon.config.parse.paths import expanded
from daemon.config.parse.values import is_invisible
from daemon.errors import MarginwatchError, UsageError

LONGEST = 4_096
"""Most characters of a secret; what is longer is another file."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_OURS = re.compile(r".*\.(toml|db)(-\w+)?", re.IGNORECASE)
"""Names of files that are no secrets, and would be lost with --force."""

_REMEDY = "add --force to replace it, or choose another name"


def config_path(session: CommandSession) -> Path:
    """The rules.toml that is, or will be, beside the secrets."""
    named = session.path or session.environ.get("MARGINWATCH_CONFIG") or "rules.toml"
    return expanded(named, session.environ)


def store_secrets(session: CommandSession, names: Sequence[str], *, force: bool) -> None:
    """Ask for secrets and write each one. Of several, those that stay empty are left out.

    Raises:
        UsageError: for a name that no file of a secret has.
        MarginwatchError: when nothing is typed, or a file cannot be written.
    """
    folder = config_path(session).parent
    for name in names:
        path = folder / checked_name(name)
        if not force:
            refuse_to_overwrite(path, _REMEDY)
    for name, text in read_secrets(names, sys.stdin, _ask):
        if not text:
            echo(f"{name} is left out: nothing was typed.")
            continue
        write_secret(folder / name, text, force=force)
        echo(f"{folder / name} is written, for you alone: {len(text)} characters.")
        echo(f"Name it in rules.toml as file:{name}, or within an address as {{file:{name}}}.")


def write_secret(path: Path, text: str, *, force: bool) -> None:
    """Write one secret; raises MarginwatchError where that fails."""
    write(path, text, force=force, remedy=_REMEDY)


def checked_name(name: str) -> str:
    """The name of the file; raises UsageError for one that is a path, or not of a secret."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            "NAME is the name of a file beside rules.toml: 1 to 64 letters, digits or _ . -,"
            " such as coinw-key"
        )
    if _OURS.fullmatch(name):
        raise UsageError(f"{name} is no name for a secret; choose one such as coinw-key")
    return name


def read_secrets(
    names: Sequence[str], source: TextIO, ask: Callable[[str], str]
) -> Iterator[tuple[str, str]]:
    """Each name with its secret: asked for hidden on a terminal, else one line of the input each.

    Of several names, one that is left out has the secret "". Raises MarginwatchError for what is
    no secret.
    """
    if source.isatty():
        answers: Iterable[str] = (ask(f"{name}, hidden") for name in names)
    else:
        answers = _lines(source, len(names))
    for name, answer in zip(names, answers, strict=True):
        left_out = len(names) > 1 and not answer.strip()
        yield name, "" if left_out else checked_secret(answer)


def _lines(source: TextIO, count: int) -> list[str]:
    """As many lines of the input; raises MarginwatchError when there are more."""
    lines = source.read(2 * LONGEST * count).strip().split("\n")
    if len(lines) > count:
        raise MarginwatchError(
            f"more than {'one line was' if count == 1 else f'{count} lines were'} given: nothing is"
            " written"
        )
    return lines + [""] * (count - len(lines))


def checked_secret(text: str) -> str:
    """The secret without blanks around it; raises MarginwatchError for what cannot be one."""
    text = text.strip()
    if not text:
        raise MarginwatchError("nothing was typed: nothing is written")
    if len(text) > LONGEST:
        raise MarginwatchError(
            f"a secret has at most {LONGEST:,} characters; this is another file: nothing is written"
        )
    if any(map(is_invisible, text)):
        raise MarginwatchError("it holds a character that cannot be seen; copy it again")
    return text


def _ask(question: str) -> str:
    answer: str = click.prompt(question, default="", show_default=False, hide_input=True)
    return answer
