"""The place an export is written to: standard output, or a file that is complete or not there.

checks ──► .name.RANDOM beside it, 0600 ──► rows ──► fsync ──► renamed
"""

import contextlib
import os
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from daemon.cli.output.terminal import STDOUT, Writable
from daemon.cli.setup.write_file import refuse_to_overwrite
from daemon.errors import MarginwatchError

STANDARD_OUTPUT = "-"

ANOTHER = "name another one with -o, or add --force to replace it"
"""Remedy for a file that exists."""


def refuse_target(path: Path, ours: Collection[Path], *, force: bool) -> None:
    """Raise MarginwatchError for a path that an export must not replace.

    `ours` are the configuration and the files of the database, existing or not.
    """
    if any(_is_same(path, each) for each in ours):
        raise MarginwatchError(f"{path} belongs to marginwatch itself: name another file with -o")
    if path.is_dir():
        raise MarginwatchError(
            f"{path} is a folder: name a file in it, such as {path / 'readings.csv'}"
        )
    if path.exists() and not path.is_file():
        raise MarginwatchError(
            f"{path} is a pipe or a device, not a file: write -o - > {path} for it"
        )
    if not force:
        refuse_to_overwrite(path, ANOTHER)


def _is_same(path: Path, other: Path) -> bool:
    """Whether both are one file, or would be if they existed; links are followed."""
    if os.path.realpath(path) == os.path.realpath(other):
        return True
    with contextlib.suppress(OSError):
        return path.samefile(other)
    return False


@contextmanager
def opened(target: str, *, force: bool) -> Iterator[Writable]:
    """Open the target; a file gets its name at the end of the block, unless that fails.

    Raises:
        MarginwatchError: where the file cannot be written; nothing is left behind then.

    """
    if target == STANDARD_OUTPUT:
        yield STDOUT
        return
    path = Path(target)
    try:
        with _beside(path) as new:
            with new.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if not force:
                refuse_to_overwrite(path, ANOTHER)  # it may have come into being meanwhile
            new.replace(path)
    except OSError as error:
        raise MarginwatchError(
            f"{path} cannot be written ({error.strerror}): name a place with room, in which this"
            " user may write, with -o"
        ) from None


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A new file in the same folder, for its owner alone, deleted unless it was renamed."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:200]}.", dir=path.parent)
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(name)  # noqa: PTH108 -- as mkstemp gave it
