"""Replacing a text file in one step: complete or not at all, with its owner, mode and access list.

    alone ──► read ──► (new text) ──► replace
    one call  refuse what may         refuse if somebody changed it meanwhile
    at a time not be written

A link stays a link: the file to which it leads is replaced.
"""

import errno
import fcntl
import os
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from daemon.config.files import is_present, read_exact
from daemon.errors import MarginwatchError, owner_text

_ALL_BITS = 0o7777


@dataclass(frozen=True, slots=True)
class EditedFile:
    """A file as it was read, or one that does not exist yet."""

    path: Path
    """The path as people named it."""
    text: str = ""
    """Its contents, with line breaks and byte order mark; "" where it does not exist."""
    exists: bool = True

    @property
    def target(self) -> Path:
        return self.path.resolve()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait until no other call edits files in the folder, and keep others waiting.

    Where the folder cannot be locked, nobody waits: `replace` finds a change of another call.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # this user may enter the folder, but not list it
        yield
        return
    try:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def read(path: Path) -> EditedFile:
    """The file, which this user may replace; it need not exist.

    Raises:
        ConfigError: where it cannot be read.
        MarginwatchError: where it must not be written.

    """
    if not is_present(path):
        return EditedFile(path, exists=False)
    text = read_exact(path)
    info = path.stat()
    if info.st_uid != os.geteuid() != 0:
        owner = owner_text(path).removeprefix(", for ")
        raise MarginwatchError(f"{path} cannot be changed, for {owner}: call this as its owner")
    if not info.st_mode & stat.S_IWUSR:
        remedy = f"chmod u+w {shlex.quote(str(path))}"
        raise MarginwatchError(f"{path} is read-only, so it stays as it is: {remedy} allows it")
    return EditedFile(path, text)


def replace(edited: EditedFile, text: str, like: Path) -> None:
    """Put the new text in the place of the file; a new file gets owner and mode of `like`.

    Raises:
        MarginwatchError: where that fails, or the file was changed since it was read; it stays as
            it is then.

    """
    target = edited.target
    beside = target.with_name(f".{target.name}.new")
    try:
        _write(beside, text, target if edited.exists else like)
        _refuse_if_changed(edited)
        beside.replace(target)
    except OSError as error:
        remedy = f"let this user write in {target.parent}"
        if error.errno == errno.EBUSY:  # a container has the file as a mount of its own
            remedy = "mount its folder instead of the file alone"
        raise MarginwatchError(
            f"{edited.path} cannot be replaced ({error.strerror}), so it stays as it is: {remedy}"
        ) from None
    finally:
        with suppress(OSError):
            beside.unlink()


def _write(path: Path, text: str, like: Path) -> None:
    """Write a new file that only its owner can read until it has the access rights of `like`."""
    with suppress(FileNotFoundError):
        path.unlink()  # of a call that was killed
    info = like.stat()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8", newline="") as file:
        file.write(text)
        descriptor = file.fileno()
        if (info.st_uid, info.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(descriptor, info.st_uid, info.st_gid)
        os.fchmod(descriptor, info.st_mode & _ALL_BITS)
        for name in os.listxattr(like):
            with suppress(OSError):  # not every file system takes every attribute
                os.setxattr(descriptor, name, os.getxattr(like, name))
        file.flush()
        os.fsync(descriptor)


def _refuse_if_changed(edited: EditedFile) -> None:
    now = read(edited.path)
    if (now.exists, now.text) != (edited.exists, edited.text):
        raise MarginwatchError(
            f"{edited.path} was changed by somebody else meanwhile, so it stays as it is: try again"
        )
