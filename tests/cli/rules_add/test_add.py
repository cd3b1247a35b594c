"""`rules add`: one rule and its test are added, or nothing changes."""

import os
import tomllib
from pathlib import Path

import pytest
from click.testing import Result

from daemon import bundled
from daemon.cli.reload_command import START
from tests.cli.calls import CHANNEL, RULE, account, call, write
from tests.other_users import User, needs_root, open_folder

TEST = """
[[tests]]
name = "low fires and ends"
rules = ["low"]
series.available_margin = "500 90 130"
expect = ["5s low firing 90", "10s low resolved"]
"""

CALL = CHANNEL.replace('"hook"', '"call"')


def _add(path: Path, *arguments: object) -> Result:
    """No key and no token is there, as where the daemon's user has them."""
    return call("rules", "add", *arguments, "--config", path, environ={})


def _refused(path: Path, *arguments: object) -> tuple[int, str]:
    """Exit status and sentence of a call that must change no file."""
    before = {each: each.read_bytes() for each in path.parent.iterdir()}
    result = _add(path, *arguments)
    assert result.stdout == ""
    assert {each: each.read_bytes() for each in path.parent.iterdir()} == before
    return result.exit_code, result.stderr


def test_a_rule_and_its_test_are_added(tmp_path: Path) -> None:
    """It says what was added and what to do next; the test passes; no key is needed."""
    path = write(tmp_path)
    before = path.read_text()
    result = _add(path, "low-margin", "--limit", "250")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == (
        f"{path}: added\n"
        "  # The available margin is below an amount.\n"
        "  [[rules]]\n"
        '  name = "low-margin"\n'
        '  when = "available_margin < 250"\n'
        '  clear_when = "available_margin > 300"\n'
        '  worse_by = "25%"\n'
        '  unit = "USDT"\n'
        f"{tmp_path / 'rules.test.toml'}: added 1 test, good when played\n"
        "Next:\n"
        f"  marginwatch check --config {path}\n"
        f"  {START}\n"
    )
    rules = [rule["name"] for rule in tomllib.loads(path.read_text())["rules"]]
    assert rules == ["low", "low-margin"]
    rest = iter(path.read_text().splitlines())
    assert all(line in rest for line in before.splitlines())
    played = call("rules", "test", "--config", path, environ={})
    assert (played.exit_code, "1 case, all good" in played.stdout) == (0, True), played.stdout


def test_everything_else_stays_to_the_byte(tmp_path: Path) -> None:
    """Comments, empty lines and Windows' line breaks, in both files."""
    for name in ("rules.toml", "rules.test.toml"):
        shipped = bundled.path(name).read_text(encoding="utf-8")
        (tmp_path / name).write_text("\ufeff" + shipped, newline="\r\n", encoding="utf-8")
    before = {name: (tmp_path / name).read_bytes() for name in ("rules.toml", "rules.test.toml")}
    assert _add(tmp_path / "rules.toml", "drawdown-week").exit_code == 0
    for name, old in before.items():
        new = (tmp_path / name).read_bytes()
        length = len(new) - len(old)
        at = next(i for i in range(len(old) + 1) if new[:i] + new[i + length :] == old)
        assert b"drawdown-week" in new[at : at + length]
        assert new.count(b"\n") == new.count(b"\r\n")


def test_accounts_and_channels_are_written_and_the_test_watches_one(tmp_path: Path) -> None:
    """Both options can be repeated."""
    path = write(tmp_path, account("main"), account("grid 1"), RULE, CHANNEL)
    result = _add(
        path, "bot-stopped", "--account", "grid*", "--account", "main", "--channel", "hook"
    )
    assert result.exit_code == 0, result.stderr
    rule = tomllib.loads(path.read_text())["rules"][-1]
    assert (rule["accounts"], rule["channels"]) == (["grid*", "main"], ["hook"])
    tests = tomllib.loads((tmp_path / "rules.test.toml").read_text())["tests"]
    assert [list(test["accounts"]) for test in tests] == [["main"], ["main"]]


def test_any_rule_escalates_to_a_channel(tmp_path: Path) -> None:
    """The channels that are told at once are named, too."""
    path = write(tmp_path, account(), RULE, CHANNEL, CALL)
    assert _add(path, "escalation", "--channel", "hook", "--escalate-to", "call").exit_code == 0
    assert _add(path, "withdrawal", "--channel", "hook", "--escalate-to", "call").exit_code == 0
    for rule in tomllib.loads(path.read_text())["rules"][1:]:
        assert rule["channels"] == ["hook"]
        assert rule["escalate"] == [{"after": "15m", "channels": ["call"]}]
    assert call("rules", "test", "--config", path, environ={}).exit_code == 0


def test_an_escalation_without_its_channels_is_refused(tmp_path: Path) -> None:
    """Each sentence says what is missing."""
    path = write(tmp_path, account(), RULE, CHANNEL, CALL)
    assert _refused(path, "escalation", "--channel", "hook") == (
        2,
        "name the channel that rings with --escalate-to\n",
    )
    status, sentence = _refused(path, "withdrawal", "--escalate-to", "call")
    assert status == 2
    assert sentence.startswith("name the channels that are told at once with --channel: ")
    status, sentence = _refused(path, "escalation", "--channel", "hook", "--escalate-to", "cal")
    assert sentence == 'no channel is named "cal"; did you mean "call"?\n'
    status, sentence = _refused(path, "escalation", "--channel", "hook", "--escalate-to", "hook")
    assert sentence.startswith("this does not fit into rules.toml, which stays as it is: ")


def test_a_recipe_is_added_again_under_another_name(tmp_path: Path) -> None:
    """The same name is refused, with one that is free."""
    path = write(tmp_path)
    _add(path, "low-margin")
    _add(path, "low-margin", "--name", "low-margin-2")
    assert _refused(path, "low-margin") == (
        2,
        'there is a rule "low-margin" already: name the new one, such as --name "low-margin-3"\n',
    )
    assert len(tomllib.loads(path.read_text())["rules"]) == 3


def test_a_mute_window_of_the_recipe_is_added_with_it(tmp_path: Path) -> None:
    """One of the same name is refused: the recipe may have meant other hours."""
    path = write(tmp_path)
    assert _add(path, "day-limit").exit_code == 0
    path.write_text(path.read_text().replace('name = "day-limit"\n', 'name = "mine"\n'))
    (tmp_path / "rules.test.toml").unlink()
    status, sentence = _refused(path, "day-limit")
    assert status == 2
    assert sentence.startswith("this does not fit into rules.toml, which stays as it is: mutes ")
    assert '"day-limit-night" is already the name of' in sentence


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--account", "grid-*"), 'no account is named "grid-*"; there is main'),
        (("--account", "mian"), 'no account is named "mian"; did you mean "main"?'),
        (("--channel", "hok"), 'no channel is named "hok"; did you mean "hook"?'),
        (("--name", "a/b"), 'the name must be 1 to 64 letters, digits, spaces or _ . -, not "a/b"'),
        (
            ("--name", "no-readings"),
            'there is a rule "no-readings" already: name the new one, such',
        ),
        (("--limit", "20%"), 'the limit must be an amount in USDT such as 100, not "20%"'),
    ],
)
def test_what_does_not_exist_or_cannot_be_is_refused(
    arguments: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    """With a suggestion where there is one; nothing changes."""
    status, found = _refused(write(tmp_path), "low-margin", *arguments)
    assert (status, found[: len(sentence)]) == (2, sentence)


def test_a_file_with_mistakes_stays_as_it_is(tmp_path: Path) -> None:
    """The first mistake is told, with the number of the others."""
    path = write(tmp_path, account(), RULE.replace("margin <", "margn <"), CHANNEL, "[sytem]")
    status, sentence = _refused(path, "low-margin")
    assert status == 78
    assert sentence.splitlines()[0].startswith("rules.toml has a mistake, so nothing was added: ")
    assert sentence.splitlines()[-1] == "and 1 more mistake: `marginwatch check` lists all of them"


def test_a_file_that_is_no_toml_stays_as_it_is(tmp_path: Path) -> None:
    """With the line of the mistake."""
    path = write(tmp_path, "rules = [")
    status, sentence = _refused(path, "low-margin")
    assert status == 78
    assert sentence.startswith("rules.toml has a mistake, so nothing was added: rules.toml: line ")


def test_without_a_configuration_it_says_so(tmp_path: Path) -> None:
    """The remedy is that of every command."""
    result = _add(tmp_path / "rules.toml", "low-margin")
    assert result.exit_code == 78
    assert "there is no such file; `marginwatch init` writes one" in result.stderr


def test_rules_in_one_list_take_no_further_one(tmp_path: Path) -> None:
    """The sentence says how to write them."""
    path = write(tmp_path, 'rules = [{ name = "a", when = "al_margin > 1" }]\n')
    text = path.read_text()
    path.write_text(text[text.index("rules =") :] + text[: text.index("rules =")] + account())
    status, sentence = _refused(path, "low-margin")
    assert status == 1
    assert sentence == (
        "rules.toml writes rules in another way than as tables that begin with [[rules]], so"
        " nothing was added: write each as one\n"
    )


def test_a_file_of_tests_with_mistakes_stays_as_it_is(tmp_path: Path) -> None:
    """And so does rules.toml."""
    path = write(tmp_path)
    tests = tmp_path / "rules.test.toml"
    tests.write_text(TEST.replace("low firing", "lwo firing"))
    status, sentence = _refused(path, "low-margin")
    assert status == 78
    assert sentence.startswith("rules.test.toml has a mistake, so nothing was added: tests ")
    tests.write_text('rules = "other.toml"\n')
    status, sentence = _refused(path, "low-margin")
    assert status == 1
    assert sentence == (
        "rules.test.toml tests the rules of other.toml, so nothing was added: correct its key"
        " `rules`\n"
    )
    tests.write_text("tests = [")
    assert _refused(path, "low-margin")[0] == 78
    tests.write_text(
        TEST.replace(
            "low fires and ends",
            "low-margin: fires below the limit, not at it, and ends well above it",
        )
    )
    status, sentence = _refused(path, "low-margin")
    assert (status, "this does not fit into rules.test.toml" in sentence) == (2, True)


def test_earlier_tests_that_look_at_every_rule_are_named(tmp_path: Path) -> None:
    """They now see the new rule, too; the rule is added all the same."""
    path = write(tmp_path)
    (tmp_path / "rules.test.toml").write_text(TEST.replace('rules = ["low"]\n', ""))
    result = _add(path, "low-margin")
    assert result.exit_code == 0
    assert (
        'warning: failing now: 1 earlier test, such as "low fires and ends"; a test without the key'
        " `rules` looks at every rule"
    ) in result.stdout.splitlines()


def test_warnings_about_the_new_rule_are_shown(tmp_path: Path) -> None:
    """Those of `check`, and of this rule alone."""
    other = RULE.replace("available_margin < 100", "drop(al_margin, 1m) > 1%")
    path = write(tmp_path, account(every="1m"), other, CHANNEL)
    result = _add(path, "sudden-drop")
    warnings = [line for line in result.stdout.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 2
    assert all(line.startswith('warning: rules "sudden-drop" (line ') for line in warnings)


def test_a_file_of_tests_that_cannot_be_written_keeps_the_rules_as_they_are(tmp_path: Path) -> None:
    """Both files are looked at before one is written."""
    path = write(tmp_path)
    tests = tmp_path / "rules.test.toml"
    tests.write_text(TEST)
    tests.chmod(0o444)
    status, sentence = _refused(path, "low-margin")
    assert (status, sentence.startswith(f"{tests} is read-only")) == (1, True)


def test_a_kill_between_the_files_leaves_a_rule_without_a_test(tmp_path: Path) -> None:
    """Here the second file cannot be put in place: the first one is complete."""
    path = write(tmp_path)
    (tmp_path / ".rules.test.toml.new").mkdir()
    result = _add(path, "low-margin")
    assert result.exit_code == 1
    assert f"{tmp_path / 'rules.test.toml'} cannot be replaced (" in result.stderr
    assert tomllib.loads(path.read_text())["rules"][-1]["name"] == "low-margin"
    assert not (tmp_path / "rules.test.toml").exists()


STRANGER = User(20_003, 20_004)
"""It has no name on this machine."""


def test_the_file_of_another_user_is_refused() -> None:
    """A user who may write in the folder could replace it, and would become its owner."""
    with open_folder() as folder:
        path = write(folder)
        folder.chmod(0o777)
        command = ["rules", "add", "low-margin", "--config", str(path)]
        ((status, output),) = STRANGER.commands(command)
        assert status == 1
        assert output == (
            f"{path} cannot be changed, for it belongs to root and not to user 20003: call this as"
            " its owner\n"
        )
        assert list(folder.iterdir()) == [path]


def test_root_leaves_both_files_to_their_owner() -> None:
    """The daemon's user can still read what root added."""
    with open_folder() as folder:
        path = write(folder)
        needs_root()
        os.chown(path, STRANGER.uid, STRANGER.gid)
        path.chmod(0o600)
        assert _add(path, "low-margin").exit_code == 0
        for each in (path, folder / "rules.test.toml"):
            info = each.stat()
            assert (info.st_uid, info.st_gid) == (STRANGER.uid, STRANGER.gid)
            assert info.st_mode & 0o777 == 0o600
