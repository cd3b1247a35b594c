"""A file is replaced in one step, and keeps everything but its text."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.cli.rules_add import edited_file
from daemon.cli.rules_add.edited_file import EditedFile
from daemon.errors import ConfigError, MarginwatchError
from tests.other_users import needs_root


def test_a_new_text_keeps_owner_and_mode(tmp_path: Path) -> None:
    """Nothing is left beside it."""
    path = tmp_path / "rules.toml"
    path.write_text("old\n")
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 0, 65534)
    before = path.stat()
    edited_file.replace(edited_file.read(path), "new\r\n", like=path)
    after = path.stat()
    assert path.read_bytes() == b"new\r\n"
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
    )
    assert after.st_ino != before.st_ino
    assert list(tmp_path.iterdir()) == [path]


def test_attributes_such_as_an_access_list_are_kept(tmp_path: Path) -> None:
    """Access lists are extended attributes of the file."""
    path = tmp_path / "rules.toml"
    path.write_text("old")
    try:
        os.setxattr(path, "user.marginwatch", b"kept")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    edited_file.replace(edited_file.read(path), "new", like=path)
    assert os.getxattr(path, "user.marginwatch") == b"kept"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """The file to which it leads gets the text."""
    target = tmp_path / "elsewhere" / "real.toml"
    target.parent.mkdir()
    target.write_text("old")
    link = tmp_path / "rules.toml"
    link.symlink_to("elsewhere/real.toml")
    edited_file.replace(edited_file.read(link), "new", like=link)
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


def test_a_file_that_is_not_there_yet_is_created_like_another(tmp_path: Path) -> None:
    """Whoever may read the rules may read their tests, and nobody else."""
    rules, tests = tmp_path / "rules.toml", tmp_path / "rules.test.toml"
    rules.write_text("")
    rules.chmod(0o640)
    edited = edited_file.read(tests)
    assert edited == EditedFile(tests, exists=False)
    edited_file.replace(edited, "new", like=rules)
    assert tests.read_text() == "new"
    assert stat.S_IMODE(tests.stat().st_mode) == 0o640


def test_a_change_by_somebody_else_is_never_lost(tmp_path: Path) -> None:
    """An editor that saved meanwhile wins; so does one that created or deleted the file."""
    path = tmp_path / "rules.toml"
    absent = edited_file.read(path)
    path.write_text("of the editor")
    present = edited_file.read(path)
    with pytest.raises(MarginwatchError) as caught:
        edited_file.replace(absent, "ours", like=path)
    assert str(caught.value) == (
        f"{path} was changed by somebody else meanwhile, so it stays as it is: try again"
    )
    path.write_text("of the editor, again")
    with pytest.raises(MarginwatchError):
        edited_file.replace(present, "ours", like=path)
    assert path.read_text() == "of the editor, again"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_call_left_is_replaced(tmp_path: Path) -> None:
    """Its unfinished file is not appended to, and a link in its place is not followed."""
    path, victim = tmp_path / "rules.toml", tmp_path / "victim"
    path.write_text("old")
    victim.write_text("untouched")
    (tmp_path / ".rules.toml.new").symlink_to(victim)
    edited_file.replace(edited_file.read(path), "new", like=path)
    assert (path.read_text(), victim.read_text()) == ("new", "untouched")


def test_a_read_only_file_is_refused(tmp_path: Path) -> None:
    """Whoever took the right to write from everybody, also from root, meant it."""
    path = tmp_path / "rules.toml"
    path.write_text("old")
    path.chmod(0o444)
    with pytest.raises(MarginwatchError) as caught:
        edited_file.read(path)
    assert str(caught.value) == (
        f"{path} is read-only, so it stays as it is: chmod u+w {path} allows it"
    )


def test_a_folder_in_which_nothing_can_be_written_is_one_sentence(tmp_path: Path) -> None:
    """The file stays as it is."""
    path = tmp_path / "rules.toml"
    path.write_text("old")
    edited = edited_file.read(path)
    (tmp_path / ".rules.toml.new").mkdir()
    with pytest.raises(MarginwatchError) as caught:
        edited_file.replace(edited, "new", like=path)
    assert f"{path} cannot be replaced (" in str(caught.value)
    assert f"let this user write in {tmp_path}" in str(caught.value)
    assert path.read_text() == "old"


def test_a_file_that_is_mounted_alone_says_what_to_mount(tmp_path: Path) -> None:
    """A container cannot replace such a file."""
    needs_root()
    path = tmp_path / "rules.toml"
    path.write_text("old")
    if subprocess.run(["mount", "--bind", path, path], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        with pytest.raises(MarginwatchError, match="mount its folder instead of the file alone"):
            edited_file.replace(edited_file.read(path), "new", like=path)
    finally:
        subprocess.run(["umount", path], check=True)
    assert path.read_text() == "old"


def test_a_folder_that_cannot_be_opened_is_edited_without_waiting(tmp_path: Path) -> None:
    """Whether the file can be replaced is known only then."""
    entered = False
    with edited_file.alone(tmp_path / "gone"):
        entered = True
    assert entered


def test_what_is_no_text_file_is_refused(tmp_path: Path) -> None:
    """With the sentences of reading a configuration."""
    with pytest.raises(ConfigError):
        edited_file.read(tmp_path)


def test_two_calls_edit_one_after_the_other(tmp_path: Path) -> None:
    """The second waits until the first is done, so no rule is lost."""
    code = (
        "import sys; from pathlib import Path; from daemon.cli.rules_add import edited_file\n"
        "with edited_file.alone(Path(sys.argv[1])): print('alone')"
    )
    with edited_file.alone(tmp_path):
        other = subprocess.Popen(
            [sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True
        )
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(0.5)
    assert other.communicate(timeout=60)[0] == "alone\n"
