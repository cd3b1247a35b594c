"""The last questions of `init`: ready rules."""

from pathlib import Path

from daemon.cli.configuration import configuration
from tests.cli.calls import call
from tests.cli.setup.test_init import DEFAULTS, ENVIRON, init


def test_chosen_recipes_are_in_the_file_with_their_tests(tmp_path: Path) -> None:
    """Each asks for its limit; those of which `init` wrote the rule are not offered."""
    path = tmp_path / "rules.toml"
    status, shown, _ = init(path, *DEFAULTS, "daily-loss, bot-stopped daily-loss", "75")
    assert status == 0
    assert "low-margin," not in shown.partition("Ready rules")[2]
    assert "  daily-loss is added, with its test." in shown.splitlines()
    config = configuration(path, ENVIRON)
    assert [rule.name for rule in config.rules][-2:] == ["daily-loss", "bot-stopped"]
    assert "< -75" in config.rules[-2].when.text
    played = call("rules", "test", "--config", path, environ={})
    assert played.exit_code == 0, played.output
    assert "daily-loss" in played.stdout


def test_a_bad_answer_is_asked_again(tmp_path: Path) -> None:
    """A name that is none, and a limit that cannot be."""
    path = tmp_path / "rules.toml"
    _, shown, _ = init(path, *DEFAULTS, "daily-los", "daily-loss", "none", "75")
    name, limit = (line for line in shown.splitlines() if line.startswith("Error: "))
    assert name == 'Error: there is no recipe "daily-los"; did you mean "daily-loss"?'
    assert limit.startswith("Error: the limit must be above 0 and below 1000000000000")
    assert configuration(path, ENVIRON).rules[-1].name == "daily-loss"


def test_without_an_answer_nothing_is_added(tmp_path: Path) -> None:
    """An empty one, or none at all: the file was complete before."""
    for folder, answers in (("empty", ("",)), ("ended", ()), ("half", ("daily-loss",))):
        path = tmp_path / folder / "rules.toml"
        path.parent.mkdir()
        status, shown, _ = init(path, *DEFAULTS, *answers)
        assert (status, f"{path} is written. Next:" in shown.splitlines()) == (0, True)
        assert "daily-loss" not in path.read_text()


def test_a_file_of_tests_that_cannot_take_one_keeps_the_recipe_out(tmp_path: Path) -> None:
    """It says so, and goes on: the configuration is written."""
    path = tmp_path / "rules.toml"
    (tmp_path / "rules.test.toml").write_text("tests = [\n")
    status, shown, _ = init(path, *DEFAULTS, "daily-loss", "75")
    assert status == 0
    assert "  daily-loss is not added: rules.test.toml has a mistake, so nothing was added" in shown
    assert "daily-loss" not in path.read_text()
