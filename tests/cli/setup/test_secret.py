"""`secret`: one secret, typed hidden or from a pipe, in a file of its own."""

import io
import stat
from pathlib import Path

import pytest

from daemon.cli.setup.secret_file import LONGEST, read_secrets
from daemon.config.secret_references import Surroundings, key
from daemon.errors import MarginwatchError
from daemon.hidden import HiddenMapping
from tests.cli.calls import Terminal, call

PLANTED = "planted-secret-4711"


def secret(folder: Path, name: str, answer: str, *options: str) -> tuple[int, str]:
    result = call(
        "secret", name, "--config", folder / "rules.toml", *options, answers=answer, environ={}
    )
    return result.exit_code, result.output


@pytest.mark.parametrize("answer", [PLANTED, f"{PLANTED}\n", f"  {PLANTED} \r\n\n"])
def test_a_secret_is_written_for_its_owner_alone(tmp_path: Path, answer: str) -> None:
    """Beside rules.toml, without the blanks around it, and never shown."""
    status, shown = secret(tmp_path, "coinw-key", answer)
    path = tmp_path / "coinw-key"
    assert status == 0
    assert shown.splitlines() == [
        f"{path} is written, for you alone: 19 characters.",
        "Name it in rules.toml as file:coinw-key, or within an address as {file:coinw-key}.",
    ]
    assert path.read_text() == PLANTED
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["coinw-key"]
    around = Surroundings(HiddenMapping({}), tmp_path)
    assert key("file:coinw-key", around).text.reveal() == PLANTED


def test_an_existing_file_is_replaced_only_on_request(tmp_path: Path) -> None:
    """It may be the only copy of a key."""
    path = tmp_path / "coinw-key"
    path.write_text("mine")
    assert secret(tmp_path, "coinw-key", PLANTED) == (
        1,
        f"{path} exists already: add --force to replace it, or choose another name\n",
    )
    assert path.read_text() == "mine"
    assert secret(tmp_path, "coinw-key", PLANTED, "--force")[0] == 0
    assert path.read_text() == PLANTED
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("", "nothing was typed: nothing is written"),
        (" \n\n", "nothing was typed: nothing is written"),
        (f"{PLANTED}\n{PLANTED}\n", "more than one line was given: nothing is written"),
        (
            "x" * (LONGEST + 1),
            "a secret has at most 4,096 characters; this is another file: nothing is written",
        ),
        ("a\x00b", "it holds a character that cannot be seen; copy it again"),
        ("a\u200bb", "it holds a character that cannot be seen; copy it again"),
    ],
)
def test_what_is_no_secret_writes_nothing(tmp_path: Path, answer: str, said: str) -> None:
    """One sentence, status 1, no file."""
    assert secret(tmp_path, "coinw-key", answer) == (1, f"{said}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "NAME is the name of a file"),
        ("a/b", "NAME is the name of a file"),
        ("../key", "NAME is the name of a file"),
        (".key", "NAME is the name of a file"),
        ("a b", "NAME is the name of a file"),
        ("x" * 65, "NAME is the name of a file"),
        ("rules.toml", "rules.toml is no name for a secret"),
        ("marginwatch.db-wal", "marginwatch.db-wal is no name for a secret"),
    ],
)
def test_a_name_that_is_none_is_bad_usage(tmp_path: Path, name: str, said: str) -> None:
    """A path leads elsewhere, and our own files would be lost."""
    status, shown = secret(tmp_path, name, PLANTED, "--force")
    assert status == 2
    assert shown.startswith(said)
    assert list(tmp_path.iterdir()) == []


def test_on_a_terminal_it_asks(tmp_path: Path) -> None:
    """Hidden, by the name of the file; blanks that were pasted with it are dropped."""
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return f" {PLANTED} "

    assert list(read_secrets(["coinw-key"], Terminal(), ask)) == [("coinw-key", PLANTED)]
    assert asked == ["coinw-key, hidden"]
    with pytest.raises(MarginwatchError, match="nothing was typed"):
        list(read_secrets(["coinw-key"], Terminal(), lambda _: ""))


def test_several_are_asked_for_one_after_the_other(tmp_path: Path) -> None:
    """So that one line can be pasted; what is left empty is left out, and that is said."""
    answers = iter(["one", "", "three"])
    found = read_secrets(["a", "b", "c"], Terminal(), lambda _: next(answers))
    assert list(found) == [("a", "one"), ("b", ""), ("c", "three")]
    result = call(
        *("secret", "a", "b", "c", "d", "--config", tmp_path / "rules.toml"),
        answers="one\n\nthree\n",
        environ={},
    )
    assert result.exit_code == 0
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a", "c"]
    left_out = [line for line in result.output.splitlines() if "left out" in line]
    assert left_out == [f"{name} is left out: nothing was typed." for name in ("b", "d")]
    with pytest.raises(MarginwatchError, match="more than 2 lines were given"):
        list(read_secrets(["a", "b"], io.StringIO("1\n2\n3\n"), lambda _: ""))


def test_without_config_it_is_beside_the_configuration_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable, or else the folder in which you are."""
    (tmp_path / "etc").mkdir()
    monkeypatch.chdir(tmp_path)
    environ = {"MARGINWATCH_CONFIG": str(tmp_path / "etc/rules.toml")}
    assert call("secret", "one", answers=PLANTED, environ=environ).exit_code == 0
    assert call("secret", "two", answers=PLANTED, environ={}).exit_code == 0
    assert (tmp_path / "etc/one").exists()
    assert (tmp_path / "two").exists()
