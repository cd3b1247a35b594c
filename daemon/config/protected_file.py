"""Reads files that decide where keys and warnings go: regular, of bounded size, safe from others.

    open without waiting → fstat → who else could change the file, or its folder → content

The checks use the opened descriptor, so a file exchanged meanwhile is never mistaken for the
checked one. A file is safe when it belongs to this user or root, no other user can write it, and
the same is true of its folders. Every link on the way is checked too.
"""

import errno
import grp
import os
import pwd
import re
import shlex
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from daemon.errors import user_name

MOST_LINKS = 40
"""Most links that Linux follows on one path."""

_MOUNTS = Path("/proc/self/mountinfo")

_ACCESS_LIST = "system.posix_acl_access"


class NotRegularError(OSError):
    """The path is a pipe, on which a reader would wait, or a device, which may never end."""


@dataclass(frozen=True, slots=True)
class ProtectedFile:
    content: bytes
    """Holds one byte more than the limit if the file is larger."""
    weaknesses: tuple[str, ...]
    """Ways in which other users could change it: sentences without subject, with the remedy."""


def read(path: Path, limit: int) -> ProtectedFile:
    """Read the file, but no more than one byte beyond the limit.

    Raises:
        OSError: where it cannot be read; NotRegularError where it is neither file nor folder.

    """
    # Opening a pipe waits for its writer, and opening a terminal may make it ours.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        info = os.fstat(descriptor)
        if stat.S_ISDIR(info.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(info.st_mode):
            raise NotRegularError(errno.EINVAL, "it is no regular file")
        weaknesses = (*_file_weaknesses(path, info, descriptor), *_folder_weaknesses(path))
        return ProtectedFile(_content(descriptor, limit), weaknesses)
    finally:
        os.close(descriptor)


def _content(descriptor: int, limit: int) -> bytes:
    content = bytearray()
    while len(content) <= limit and (part := os.read(descriptor, limit + 1 - len(content))):
        content += part
    return bytes(content)


def is_exposed(path: Path) -> bool:
    """Whether every user of this machine may read the file, and chmod would help.

    Docker and Kubernetes mount secrets for reading only, as their administrator wants them.
    """
    place = path.absolute()
    readable = path.stat().st_mode & stat.S_IROTH
    return bool(readable) and not any(map(_is_mounted_to_read, (place, place.parent)))


def _is_mounted_to_read(place: Path) -> bool:
    """Whether a file or folder is itself a read-only mount.

    Being below one proves nothing: systemd's ProtectSystem= mounts all of /etc so, and others can
    still write there.
    """
    with suppress(OSError):
        if os.statvfs(place).f_flag & os.ST_RDONLY:
            return str(place.parent.resolve() / place.name) in _mounts()
    return False


def _mounts() -> Iterator[str]:
    """Mount points, from lines such as `36 35 98:0 /root /place rw - ext3 /dev/sda1 rw`."""
    for line in _MOUNTS.read_bytes().splitlines():
        place = re.sub(
            rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), line.split(b" ")[4]
        )
        yield os.fsdecode(place)


def _file_weaknesses(path: Path, info: os.stat_result, descriptor: int) -> Iterator[str]:
    if not _is_trusted(info.st_uid):
        owner, remedy = user_name(info.st_uid), _chown(path)
        yield f"belongs to {owner}, who could change it; run marginwatch as {owner}, or {remedy}"
    writers = _writers(info, descriptor)
    if writers:
        yield f"can be written by {writers}; {_chmod(path)}"


def replaceable(path: Path) -> Iterator[str]:
    """Ways in which other users could replace a file that marginwatch writes, existing or not.

    The sentences have no subject. A folder of another user is not checked against that user: it is
    the folder of a service whose database root looks at.
    """
    with suppress(OSError):  # reading the file reports it
        yield from _folder_weaknesses(path, owners=False)


def _folder_weaknesses(path: Path, *, owners: bool = True) -> Iterator[str]:
    """Users who can write the folder: they can replace each file in it."""
    seen = set()
    for place in _places(path):
        folder = place.parent
        info = folder.stat()
        if (info.st_dev, info.st_ino) not in seen:
            seen.add((info.st_dev, info.st_ino))
            yield from _weaknesses_of_folder(folder, info, owners=owners)
        if (
            info.st_mode & stat.S_ISVTX
            and place.is_symlink()
            and not _is_trusted(owner := place.lstat().st_uid)
        ):
            yield f"is reached by {place}, a link of {user_name(owner)}; name the file itself"


def _weaknesses_of_folder(folder: Path, info: os.stat_result, *, owners: bool) -> Iterator[str]:
    if not owners and not _is_trusted(info.st_uid) and not info.st_mode & stat.S_IWOTH:
        return  # only this user's own groups can be known as private
    if owners and not _is_trusted(info.st_uid):
        owner = user_name(info.st_uid)
        yield f"lies in {folder}, which belongs to {owner}; {_chown(folder)}, or move the file"
    # In a folder with the sticky bit, such as /tmp, only the owner of a file can replace it.
    # Kubernetes mounts a ConfigMap as a folder that everybody could write, but for reading only.
    is_kept = info.st_mode & stat.S_ISVTX or _is_mounted_to_read(folder)
    writers = "" if is_kept else _writers(info, folder)
    if writers:
        yield f"lies in {folder}, which can be written by {writers}; {_chmod(folder)}"


def _places(path: Path) -> Iterator[Path]:
    """The path and, if it is a link, each place to which it leads."""
    place = path.absolute()
    for _ in range(MOST_LINKS):
        yield place
        if not place.is_symlink():
            return
        place = place.parent / place.readlink()


def _is_trusted(owner: int) -> bool:
    return owner in {0, os.geteuid()}


def _writers(info: os.stat_result, target: int | Path) -> str:
    """Users beside its owner who can write it, by its mode; "" when there are none."""
    if info.st_mode & stat.S_IWOTH:
        return "every user of this machine"
    if not info.st_mode & stat.S_IWGRP:
        return ""
    if _has_access_list(target):  # then its group bits cover everybody on the list
        return "users whom getfacl names"
    return "" if _is_private(info.st_gid) else f"the group {_group_name(info.st_gid)}"


def _has_access_list(target: int | Path) -> bool:
    try:
        return bool(os.getxattr(target, _ACCESS_LIST))
    except OSError:
        return False


def _is_private(group: int) -> bool:
    """Whether only this user and root are known to be in the group.

    Debian and Fedora give each user a group of the same name, and let it write by default.
    """
    if group == 0:
        return True
    if group != os.getegid():
        return False
    try:
        members = grp.getgrgid(group).gr_mem
    except KeyError:
        members = []
    users = (
        each.pw_uid for each in pwd.getpwall() if each.pw_gid == group or each.pw_name in members
    )
    return all(map(_is_trusted, users))


def _group_name(group: int) -> str:
    try:
        return grp.getgrgid(group).gr_name
    except KeyError:
        return str(group)


def _chmod(path: Path) -> str:
    return f"chmod go-w {shlex.quote(str(path))}"


def _chown(path: Path) -> str:
    return f"chown {user_name(os.geteuid()).removeprefix('user ')} {shlex.quote(str(path))}"
