"""The rules.toml is found, and read with a sentence when it cannot be."""

from pathlib import Path

import pytest

from daemon import config
from daemon.errors import ConfigError
from tests.config.written import WHOLE, doubts


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Two places to look at, of which only the second has a file."""
    (tmp_path / "etc.toml").write_text(WHOLE)
    return (tmp_path / "here.toml", tmp_path / "etc.toml")


def test_the_option_goes_first(places: tuple[Path, Path]) -> None:
    """DESIGN §5: --config before everything else."""
    assert config.find("a.toml", {"MARGINWATCH_CONFIG": "b.toml"}, places) == Path("a.toml")


def test_then_the_environment(places: tuple[Path, Path]) -> None:
    """DESIGN §5: $MARGINWATCH_CONFIG before the usual places."""
    assert config.find(None, {"MARGINWATCH_CONFIG": "b.toml"}, places) == Path("b.toml")


def test_then_the_first_usual_place_that_has_a_file(places: tuple[Path, Path]) -> None:
    """DESIGN §5: ./rules.toml, then /etc/marginwatch/rules.toml."""
    assert config.find(None, {}, places) == places[1]
    places[0].write_text(WHOLE)
    assert config.find(None, {}, places) == places[0]


def test_without_a_file_init_is_suggested(tmp_path: Path) -> None:
    """The sentence names the places searched and the remedy; the status is that of bad config."""
    with pytest.raises(ConfigError) as caught:
        config.find(None, {}, (tmp_path / "rules.toml", tmp_path / "none.toml"))
    looked, remedy = str(caught.value).split("; ")
    assert looked == f"there is neither {tmp_path}/rules.toml nor {tmp_path}/none.toml"
    assert remedy == "`marginwatch init` writes one, --config PATH names one"
    assert caught.value.exit_status == 78


def test_a_place_that_cannot_be_looked_at_is_not_passed_over(tmp_path: Path) -> None:
    """A file that this user may not see is reported when read, instead of "there is none"."""
    (tmp_path / "loop").symlink_to("loop")
    assert config.find(None, {}, (tmp_path / "loop",)) == tmp_path / "loop"


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    """Missing, a folder, a loop of links, no text: each has its own remedy."""
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "latin").write_bytes(b"# gr\xf6\xdfe")
    expected = {
        "missing": "there is no such file; `marginwatch init` writes one",
        ".": "is a folder; name the file in it",
        "loop": "cannot be read (Too many levels of symbolic links); check who may read it",
        "latin": "is not text in UTF-8 (byte 4); save it as UTF-8",
    }
    for name, sentence in expected.items():
        with pytest.raises(ConfigError) as caught:
            config.read(tmp_path / name, environ={})
        assert caught.value.problems == [f"{tmp_path / name}: {sentence}"]


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    """Some editors write one."""
    path = tmp_path / "rules.toml"
    path.write_text("\ufeff" + WHOLE)
    assert config.read(path, environ={}).path == path


def test_secrets_that_others_can_read_are_a_warning(tmp_path: Path) -> None:
    """A file with a literal key must be its owner's alone; one with references may be readable."""
    path = tmp_path / "rules.toml"
    path.write_text(WHOLE)
    path.chmod(0o644)
    warning = (
        f"{path}: holds secrets and can be read by every user of this machine; chmod 600 {path}"
    )
    assert doubts(config.read(path, environ={})) == [warning]
    path.chmod(0o640)
    assert doubts(config.read(path, environ={})) == []
    path.write_text(
        WHOLE.replace("planted-key-0001", "env:K").replace("planted-secret-0001", "env:K")
    )
    path.chmod(0o644)
    assert doubts(config.read(path, environ={"K": "planted"})) == []


def test_files_of_secrets_that_others_can_read_are_a_warning(tmp_path: Path) -> None:
    """B6: the file that a key or a channel names belongs to its owner alone, too."""
    path = tmp_path / "rules.toml"
    path.write_text(
        WHOLE.replace("planted-key-0001", "file:key").replace("com/phone", "com/{file:token}")
    )
    path.chmod(0o600)
    for name in ("key", "token"):
        (tmp_path / name).write_text("planted-0001")
        (tmp_path / name).chmod(0o644)
    assert doubts(config.read(path, environ={})) == [
        (
            'accounts "main" (line 2).api_key: the file key can be read by every user of'
            " this machine; chmod"
            f" 600 {tmp_path}/key"
        ),
        (
            'channels "phone" (line 7).url: the file token can be read by every user of'
            " this machine; chmod 600"
            f" {tmp_path}/token"
        ),
    ]
