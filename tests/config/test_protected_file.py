"""Files that other users could change are refused, with the remedy; all others are read."""

import os
import re
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import trustme

from daemon import config
from daemon.config import protected_file
from daemon.errors import ConfigError
from tests.config.written import WHOLE, problems
from tests.other_users import mounted, needs_root, open_folder

STRANGER, GROUP = 20_003, 20_004
"""They have no names on this machine."""

EVERYBODY = "can be written by every user of this machine; chmod go-w {file}"
MEMBERS = "can be written by the group 20004; chmod go-w {file}"
LISTED = "can be written by users whom getfacl names; chmod go-w {file}"

ACCESS_LIST = struct.pack(
    "<I" + "HHI" * 5,
    *(2, 1, 6, 0xFFFFFFFF, 2, 6, STRANGER, 4, 0, 0xFFFFFFFF, 16, 6, 0xFFFFFFFF, 32, 0, 0xFFFFFFFF),
)
"""An access list of acl(5): the stranger may write, the owner's group may do nothing."""

Spoil = Callable[[Path], None]


def mode(bits: int, *, group: int | None = None, owner: int | None = None) -> Spoil:
    def spoil(file: Path) -> None:
        given(file, owner, group)
        file.chmod(bits)

    return spoil


def folder(bits: int, *, group: int | None = None, owner: int | None = None) -> Spoil:
    """The same of the folder of the file."""
    return lambda file: mode(bits, group=group, owner=owner)(file.parent)


def given(file: Path, owner: int | None, group: int | None) -> None:
    if owner is not None or group is not None:
        needs_root()
        os.chown(
            file,
            -1 if owner is None else owner,
            -1 if group is None else group,
            follow_symlinks=False,
        )


def listed(file: Path) -> None:
    """A stranger on the access list."""
    try:
        os.setxattr(file, "system.posix_acl_access", ACCESS_LIST)
    except OSError:
        pytest.skip("this file system has no access lists")


def linked(file: Path, bits: int, owner: int | None = None) -> None:
    """The file reached by two links; the second is in a folder with this mode."""
    middle = file.parent / "middle"
    middle.mkdir()
    (file.parent / "far").mkdir(mode=0o755)
    file.rename(file.parent / "far" / "file")
    (middle / "link").symlink_to("../far/file")
    given(middle / "link", owner, None)
    file.symlink_to("middle/link")
    middle.chmod(bits)


WEAK: Mapping[str, tuple[Spoil, str]] = {
    "for all": (mode(0o666), EVERYBODY),
    "for all to write, not to read": (mode(0o602), EVERYBODY),
    "for a group": (mode(0o620, group=GROUP), MEMBERS),
    "access list": (listed, LISTED),
    "stranger's": (
        mode(0o600, owner=STRANGER),
        (
            "belongs to user 20003, who could change it; run marginwatch as user 20003, or chown"
            " root {file}"
        ),
    ),
    "folder for all": (
        folder(0o777),
        "lies in {folder}, which can be written by every user of this machine; chmod go-w {folder}",
    ),
    "folder for a group": (
        folder(0o2770, group=GROUP),
        "lies in {folder}, which can be written by the group 20004; chmod go-w {folder}",
    ),
    "stranger's folder": (
        folder(0o755, owner=STRANGER),
        "lies in {folder}, which belongs to user 20003; chown root {folder}, or move the file",
    ),
    "link in a folder for all": (
        lambda file: linked(file, 0o777),
        (
            "lies in {folder}/middle, which can be written by every user of this machine; chmod"
            " go-w {folder}/middle"
        ),
    ),
    "stranger's link": (
        lambda file: linked(file, 0o1777, STRANGER),
        "is reached by {folder}/middle/link, a link of user 20003; name the file itself",
    ),
}

SAFE: Mapping[str, Spoil] = {
    "own": mode(0o600),
    "readable": mode(0o444),
    "root's group": mode(0o660, group=0),
    "sticky folder": folder(0o1777),
    "sticky folder of a group": folder(0o3770, group=GROUP),
    "links": lambda file: linked(file, 0o755),
    "links in a sticky folder": lambda file: linked(file, 0o1777),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of this user, in a folder of its own."""
    made = tmp_path / "a folder" / "file"
    made.parent.mkdir(mode=0o755)
    made.write_text("planted-0001")
    made.chmod(0o600)
    return made


@pytest.mark.parametrize("way", WEAK)
def test_s4_what_another_user_could_change_is_told_with_the_remedy(file: Path, way: str) -> None:
    """S4: a file is weak by its mode, owner or access list, its folder's, or a link on the way."""
    spoil, sentence = WEAK[way]
    spoil(file)
    found = protected_file.read(file, 100)
    assert found.content == b"planted-0001"
    assert [weakness.replace("'", "") for weakness in found.weaknesses] == [
        sentence.format(file=file, folder=file.parent)
    ]


@pytest.mark.parametrize("way", SAFE)
def test_s4_what_only_this_user_and_root_can_change_is_not(file: Path, way: str) -> None:
    """S4: among them what Docker, Kubernetes and systemd mount, and files in /tmp."""
    SAFE[way](file)
    assert protected_file.read(file, 100).weaknesses == ()


def test_s4_the_remedies_work_in_a_shell(file: Path) -> None:
    """S4: typed as they stand, with a blank in the name; all weaknesses are told at once."""
    file.chmod(0o666)
    file.parent.chmod(0o777)
    found = protected_file.read(file, 100)
    assert len(found.weaknesses) == 2
    for weakness in found.weaknesses:
        subprocess.run(weakness.partition("; ")[2], shell=True, check=True)
    assert protected_file.read(file, 100).weaknesses == ()


USERS = """
import os, sys
from pathlib import Path
from daemon.config import protected_file
file = Path(sys.argv[1])
for user, group in ((20_005, 20_005), (20_005, 20_004)):
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
        print(protected_file.read(file, 100).weaknesses, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_s4_the_private_group_of_a_user_may_write() -> None:
    """S4: on Debian and Fedora it may by default (umask 002); another group may not."""
    needs_root()
    with open_folder() as folder:
        for path in (folder / "file", folder):
            path.touch()
            os.chown(path, 20_005, 20_005)
        (folder / "file").chmod(0o664)
        folder.chmod(0o775)
        done = subprocess.run(
            [sys.executable, "-c", USERS, str(folder / "file")],
            capture_output=True,
            text=True,
            check=True,
        )
    own, other = done.stdout.splitlines()
    assert own == "()"
    assert other.count("can be written by the group 20005") == 2


def test_s4_every_kind_of_file_is_refused(tmp_path: Path) -> None:
    """S4: rules.toml, key and token files, credentials, certificates; read without its secrets."""
    path, credentials = tmp_path / "rules.toml", tmp_path / "credentials"
    credentials.mkdir()
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    (tmp_path / "key").write_text("planted-0001")
    (tmp_path / "token").write_text("planted-0002")
    (credentials / "secret").write_text("planted-0003")
    text = WHOLE.replace("planted-key-0001", "file:key").replace(
        "planted-secret-0001", "credential:secret"
    )
    text = text.replace("com/phone", "com/{file:token}")
    path.write_text(f'[daemon]\nca_file = "ca.pem"\n{text}')
    environ = {"CREDENTIALS_DIRECTORY": str(credentials)}
    told = {
        path: f"{path}: ",
        tmp_path / "key": 'accounts "main" (line 4).api_key: the file key ',
        credentials / "secret": 'accounts "main" (line 4).secret_key: the credential secret ',
        tmp_path / "token": 'channels "phone" (line 9).url: the file token ',
        tmp_path / "ca.pem": f"daemon.ca_file: the file {tmp_path / 'ca.pem'} ",
    }
    config.read(path, environ=environ)
    for file, start_result in told.items():
        before = file.stat().st_mode
        file.chmod(0o666)
        with pytest.raises(ConfigError) as caught:
            config.read(path, environ=environ)
        assert caught.value.problems == [start_result + EVERYBODY.format(file=file)]
        config.read(path, environ=environ, secrets=False)
        file.chmod(before)
    tmp_path.chmod(0o777)
    with pytest.raises(
        ConfigError, match=rf"^{path}: lies in {tmp_path}, which can be written by every user"
    ):
        config.read(path, environ=environ)


def test_s7_what_is_no_file_is_neither_waited_for_nor_read_to_its_end(tmp_path: Path) -> None:
    """S7: a pipe or device as rules.toml, secret or certificates is refused at once."""
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening, (tmp_path / "large").open("wb") as large:
        listening.bind(str(tmp_path / "socket"))
        large.truncate(1 << 31)
        for name in (
            "pipe",
            "socket",
            "large",
            "/dev/zero",
            "/dev/urandom",
            "/dev/tty",
            "/proc/self/mem",
        ):
            text = WHOLE.replace("planted-key-0001", f"file:{name}").replace(
                "com/phone", f"com/{{file:{name}}}"
            )
            told = problems(f'[daemon]\nca_file = "{name}"\n{text}', path=tmp_path / "rules.toml")
            reason = (
                " is larger than" if name == "large" else " is a pipe or a device| cannot be read"
            )
            assert [bool(re.search(reason, each)) for each in told] == [True] * 3, told
            with pytest.raises(
                ConfigError, match=r" is larger than 1 MB| is a pipe or a device| cannot be read"
            ):
                config.read(tmp_path / name, environ={})


def test_s4_secrets_mounted_for_reading_only_are_as_they_should_be(tmp_path: Path) -> None:
    """S4: Docker and Kubernetes show them to all in the container, and chmod would not help."""
    needs_root()
    (tmp_path / "mount").mkdir()
    with mounted(tmp_path / "mount", "size=64k,mode=1777"):
        (tmp_path / "mount" / "..data").mkdir()
        (tmp_path / "mount" / "..data" / "key").write_text("planted-0001")
        (tmp_path / "mount" / "key").symlink_to("..data/key")
        assert protected_file.is_exposed(tmp_path / "mount" / "key")
        subprocess.run(["mount", "-o", "remount,ro", str(tmp_path / "mount")], check=True)
        path = tmp_path / "rules.toml"
        path.write_text(
            WHOLE.replace("planted-key-0001", "file:mount/key").replace(
                "planted-secret-0001", "env:K"
            )
        )
        assert config.read(path, environ={"K": "planted-0002"}).exposed == ()


def test_s4_a_folder_that_a_service_sees_as_read_only_is_exposed_all_the_same(
    tmp_path: Path,
) -> None:
    """S4: ProtectSystem=full of our unit makes /etc read-only for the daemon alone."""
    needs_root()
    (tmp_path / "etc").mkdir()
    with mounted(tmp_path / "etc", "size=64k,mode=755"):
        path = tmp_path / "etc" / "marginwatch" / "rules.toml"
        path.parent.mkdir()
        path.write_text(WHOLE)
        path.chmod(0o644)
        subprocess.run(["mount", "-o", "remount,ro", str(tmp_path / "etc")], check=True)
        remedy = f"chmod 600 {path}"
        exposed = f"{path}: holds secrets and can be read by every user of this machine; {remedy}"
        assert config.read(path, environ={}).exposed == (exposed,)


def test_s4_a_folder_of_everybody_is_none_where_it_is_mounted_for_reading(tmp_path: Path) -> None:
    """S4: Kubernetes mounts a ConfigMap so. A folder merely below such a mount is refused."""
    needs_root()
    volume = tmp_path / "the volume"
    volume.mkdir()
    with mounted(volume, "size=64k,mode=777"):
        (volume / "..data").mkdir()
        (volume / "..data" / "rules.toml").write_text(WHOLE)
        (volume / "rules.toml").symlink_to("..data/rules.toml")
        (volume / "open").mkdir()
        (volume / "open").chmod(0o777)
        (volume / "open" / "rules.toml").write_text(WHOLE)
        with pytest.raises(ConfigError, match="which can be written by every user"):
            config.read(volume / "rules.toml", environ={})
        subprocess.run(["mount", "-o", "remount,ro", str(volume)], check=True)
        assert config.read(volume / "rules.toml", environ={}).exposed == ()
        with pytest.raises(ConfigError, match="which can be written by every user"):
            config.read(volume / "open" / "rules.toml", environ={})


REPLACEABLE: Mapping[str, tuple[Spoil, str]] = {
    "own": (folder(0o755), ""),
    "this user's group": (folder(0o775, group=0), ""),
    "sticky": (folder(0o1777), ""),
    "a service's": (folder(0o2770, owner=STRANGER, group=STRANGER), ""),
    "for all": (folder(0o777), WEAK["folder for all"][1]),
    "for a group": (folder(0o2770, group=GROUP), WEAK["folder for a group"][1]),
    "link in a folder for all": WEAK["link in a folder for all"],
    "stranger's link": WEAK["stranger's link"],
}


@pytest.mark.parametrize("way", REPLACEABLE)
def test_s4_a_folder_in_which_others_could_replace_the_database_is_a_warning(
    file: Path, tmp_path: Path, way: str
) -> None:
    """S4: `check` and `run` name the remedy; nobody is refused, and readers hear nothing."""
    spoil, weakness = REPLACEABLE[way]
    path, database = tmp_path / "rules.toml", file.parent.resolve() / "file"
    path.write_text(f'[daemon]\ndatabase = "sqlite:///{database}"\n{WHOLE}')
    spoil(file)
    found = config.read(path, environ={})
    expected = (
        [f"daemon.database: {database} {weakness.format(folder=file.parent)}"] if weakness else []
    )
    assert [each.replace("'", "") for each in found.replaceable] == expected
    assert set(found.replaceable) <= set(found.warnings)
    assert config.read(path, environ={}, secrets=False).replaceable == ()
