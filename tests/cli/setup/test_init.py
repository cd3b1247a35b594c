"""`init`: from a few answers to a file that `check` finds good."""

import stat
from decimal import Decimal
from pathlib import Path

import click
import pytest

from daemon.cli.configuration import configuration
from daemon.cli.setup import questions, write_file
from daemon.config.problems import MistakeError
from daemon.config.secret_references import Surroundings
from daemon.errors import MarginwatchError
from daemon.hidden import HiddenMapping
from tests.cli.calls import call

BEAT = "https://hc-ping.com/planted-0af3"
ENVIRON = {
    "COINW_API_KEY": "planted-key-4711",
    "COINW_SECRET_KEY": "planted-secret-4711",
    "HOOK_TOKEN": "planted-token-4711",
}
DEFAULTS = "\n" * 9


def init(path: Path, *answers: str, force: bool = False) -> tuple[int, str, str]:
    options = ["--force"] if force else []
    result = call(
        "init",
        "--config",
        path,
        *options,
        answers="".join(f"{each}\n" for each in answers),
        environ=ENVIRON,
    )
    return result.exit_code, result.stdout, result.stderr


def test_a_person_who_presses_return_has_a_configuration_that_loads(tmp_path: Path) -> None:
    """Keys stay in the environment; the next commands are shown; the file is the owner's alone."""
    path = tmp_path / "rules.toml"
    status, shown, _ = init(path, "", "", "", "", "", "", "", "")
    assert status == 0
    assert shown.splitlines()[-3:] == [
        f"{path} is written. Next:",
        f"  marginwatch check --online --notify --config {path}",
        f"  marginwatch run --config {path}",
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    config = configuration(path, ENVIRON)
    assert config.accounts[0].api_key.reveal() == "planted-key-4711"
    assert "planted" not in path.read_text() + shown


def test_every_answer_ends_up_in_the_file(tmp_path: Path) -> None:
    """Two channels named after their services, levels and zone as answered, a typed key."""
    path = tmp_path / "rules.toml"
    channels = (
        "tgram://123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr/42",
        "mailtos://me:pw@example.com",
        "",
    )
    init(
        path,
        "grid bot",
        "env:COINW_API_KEY",
        "type",
        "typed-secret-1",
        *channels,
        "200",
        "99.5",
        "Europe/Berlin",
        BEAT,
    )
    config = configuration(path, ENVIRON)
    assert config.daemon.heartbeat.reveal() == BEAT
    assert config.accounts[0].name == "grid bot"
    assert config.accounts[0].secret_key.reveal() == "typed-secret-1"
    assert [channel.name for channel in config.channels] == ["telegram", "email"]
    assert [str(rule.when) for rule in config.rules][:2] == [
        "available_margin < 99.5",
        "available_margin < 200",
    ]
    assert str(config.daemon.timezone) == "Europe/Berlin"


def test_a_bad_answer_is_told_and_asked_again(tmp_path: Path) -> None:
    """Each answer is checked at once, so that nobody ends with a file that does not load."""
    path = tmp_path / "rules.toml"
    answers = (
        *("a/b", "main"),
        *("COINW_API_KEY", "env:COINW_API_KEY"),
        "env:NOT_SET",
        *("foo://x", "jsons://example.com/{TOKEN}", "jsons://example.com/{env:HOOK_TOKEN}", ""),
        *("none", "-5", "NaN", "100"),
        *("100", "50"),
        *("Europe/Berln", "UTC"),
        *("http://hc-ping.com/x", "https://hc-ping.com/{TOKEN}", "https://hc-ping.com/{env:BEAT}"),
    )
    status, shown, _ = init(path, *answers)
    assert status == 0
    said = [
        line.removeprefix("Error: ") for line in shown.splitlines() if line.startswith("Error: ")
    ]
    assert [line.split(",")[0].split(";")[0] for line in said] == [
        "must be 1 to 64 letters",
        "write env:NAME",
        "Apprise knows no service foo://",
        "write {env:TOKEN} instead of {TOKEN}",
        "write a number such as 100 or 99.5",
        "write a number above 0",
        "write a number above 0",
        "must be below the level of the warning",
        'no such time zone as "Europe/Berln"',
        "plain http shows the address to everyone on the way",
        "write {env:TOKEN} instead of {TOKEN}",
    ]
    assert "noted, but for now the environment variable BEAT is not set" in shown
    assert "noted, but for now the environment variable NOT_SET is not set" in shown


@pytest.mark.parametrize("given", [0, 1, 4, 8])
def test_answers_that_end_early_write_nothing(tmp_path: Path, given: int) -> None:
    """One sentence, status 1."""
    path = tmp_path / "rules.toml"
    status, _, said = init(path, *([""] * min(given, 4)), *(["jsons://example.com"] * (given - 4)))
    assert (status, said.strip()) == (
        1,
        "the answers ended before the questions did: nothing is written",
    )
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    """The refusal comes before any question."""
    path = tmp_path / "rules.toml"
    path.write_text("mine")
    status, shown, said = init(path)
    assert (status, shown) == (1, "")
    assert (
        said
        == f"{path} exists already: name another one with --config, or add --force to replace it\n"
    )
    assert path.read_text() == "mine"
    path.chmod(0o644)
    assert init(path, *DEFAULTS.splitlines(), force=True)[0] == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["rules.toml"]


def test_a_file_that_came_into_being_meanwhile_is_kept(tmp_path: Path) -> None:
    """Another program was quicker than the answers."""
    path = tmp_path / "rules.toml"
    path.write_text("theirs")
    with pytest.raises(MarginwatchError, match="exists already"):
        write_file.write(path, "ours", force=False)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [
        ("rules.toml", "theirs")
    ]


@pytest.mark.parametrize("place", ["/proc/none/rules.toml", "{folder}/none/rules.toml"])
def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path, place: str) -> None:
    """The sentence has the cause and the remedy; nothing is left behind."""
    path = Path(place.format(folder=tmp_path))
    status, _, said = init(path, *DEFAULTS.splitlines())
    assert status == 1
    assert said.strip().startswith(f"{path} cannot be written (")
    assert said.strip().endswith("name another place with --config, or let this user write there")
    assert list(tmp_path.iterdir()) == []


def test_a_second_channel_of_one_service_gets_its_own_name(tmp_path: Path) -> None:
    """Names are unique, and say what kind of way it is; a whole reference says nothing."""
    path = tmp_path / "rules.toml"
    hooks = ("jsons://a.example.com", "jsons://b.example.com", "env:HOOK_URL", "")
    init(path, "", "", "", *hooks, "", "", "", "")
    names = [
        channel.name
        for channel in configuration(path, ENVIRON | {"HOOK_URL": "jsons://c.example.com"}).channels
    ]
    assert names == ["jsons", "jsons-2", "channel"]


def test_a_typed_key_is_no_reference() -> None:
    """A reference is refused as the answer to the hidden prompt for a key."""
    around = Surroundings(HiddenMapping({}), Path())
    assert questions.typed(around, "abc-123") == "abc-123"
    for answer in ("env:NAME", "", "with space"):
        with pytest.raises(MistakeError):
            questions.typed(around, answer)


def test_levels_keep_their_digits() -> None:
    """Promise 7 begins with what was typed."""
    assert questions.amount("0.1") == Decimal("0.1")
    assert questions.below(Decimal(100), "99.99999999") == Decimal("99.99999999")


def test_an_interruption_stays_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ctrl-C at a question is no early end of the answers."""

    def interrupted(*_: object) -> None:
        raise click.Abort

    monkeypatch.setattr(questions, "_answers", interrupted)
    assert init(tmp_path / "rules.toml")[0] == 130
