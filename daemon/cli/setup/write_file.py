"""Writing rules.toml, its tests and secrets: readable by their owner alone, complete or not at all.

An existing file is replaced only on request.
"""

import contextlib
import os
from pathlib import Path

from daemon.errors import MarginwatchError

OWNER_ONLY = 0o600

ANOTHER = "name another one with --config, or add --force to replace it"
"""Remedy for a file that exists."""


def refuse_to_overwrite(path: Path, remedy: str = ANOTHER) -> None:
    """Raise MarginwatchError if the file exists."""
    if os.path.lexists(path):
        raise MarginwatchError(f"{path} exists already: {remedy}")


def write(path: Path, text: str, *, force: bool, remedy: str = ANOTHER) -> None:
    """Write the file.

    Raises:
        MarginwatchError: where that fails; nothing is left behind then.

    """
    beside = path.with_name(f".{path.name}.new")
    try:
        _write_new(beside, text)
        if not force:
            refuse_to_overwrite(path, remedy)  # it may have come into being while we asked
        beside.replace(path)
    except OSError as error:
        remedy = "name another place with --config, or let this user write there"
        raise MarginwatchError(f"{path} cannot be written ({error.strerror}): {remedy}") from None
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


def _write_new(path: Path, text: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
