"""`init`: from a few answers to a file that `check` finds good."""

import stat
from decimal import Decimal
from pathlib import Path

import click
import pytest

from daemon.cli.configuration import configuration
from daemon.cli.setup import answers, questions, write_file
from daemon.config.problems import MistakeError
from daemon.config.secret_references import Surroundings
from daemon.errors import MarginwatchError
from daemon.hidden import HiddenMapping
from tests.cli.calls import call, exchange

BEAT = "https://hc-ping.com/planted-0af3"
ENVIRON = {
    "COINW_API_KEY": "planted-key-4711",
    "COINW_SECRET_KEY": "planted-secret-4711",
    "HOOK_TOKEN": "planted-token-4711",
}
HOOK = "jsons://example.com/hook"
DEFAULTS = ("", "", "", HOOK, "", "", "", "", "", "", "")
"""Return everywhere but at the first channel, without which there is no configuration."""


def init(
    path: Path, *answers: str, force: bool = False, exchange_url: str = "http://127.0.0.1:9"
) -> tuple[int, str, str]:
    options = ["--force"] if force else []
    result = call(
        "init",
        "--config",
        path,
        *options,
        answers="".join(f"{each}\n" for each in answers),
        environ=ENVIRON,
        exchange_url=exchange_url,
    )
    return result.exit_code, result.stdout, result.stderr


def test_a_person_who_presses_return_has_a_configuration_that_loads(tmp_path: Path) -> None:
    """Keys stay in the environment; the next commands are shown; the file is the owner's alone."""
    path = tmp_path / "rules.toml"
    status, shown, _ = init(path, *DEFAULTS)
    assert status == 0
    assert shown.splitlines()[-4:] == [
        f"{path} is written. Next:",
        f"  marginwatch check --online --notify --config {path}",
        f"  marginwatch rules test --config {path}",
        f"  marginwatch run --config {path}",
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    config = configuration(path, ENVIRON)
    assert config.accounts[0].api_key.reveal() == "planted-key-4711"
    assert "planted" not in path.read_text() + shown


def test_every_answer_ends_up_in_the_file(tmp_path: Path) -> None:
    """Two channels named after their services, levels, zone and report as answered, a typed key."""
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
        "email, telegram",
        "200",
        "99.5",
        "Europe/Berlin",
        "7:05",
        BEAT,
    )
    config = configuration(path, ENVIRON)
    assert config.daemon.heartbeat.reveal() == BEAT
    assert config.accounts[0].name == "grid bot"
    assert config.accounts[0].secret_key.reveal() == "typed-secret-1"
    assert [(channel.name, channel.loud) for channel in config.channels] == [
        ("telegram", True),
        ("email", True),
    ]
    assert [report.cron for report in config.reports] == ["5 7 * * *"]
    assert (tmp_path / "coinw-secret").read_text() == "typed-secret-1"
    assert stat.S_IMODE((tmp_path / "coinw-secret").stat().st_mode) == 0o600
    assert "typed-secret-1" not in path.read_text()
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
        *("env:NOT_SET", "env:NOT_SET"),
        *("", "foo://x", "jsons://example.com/{TOKEN}", "jsons://example.com/{env:HOOK_TOKEN}", ""),
        *("json", "mail", "jsons"),
        *("none", "-5", "NaN", "100"),
        *("100", "50"),
        *("Europe/Berln", "UTC"),
        *("8", "24:00", "none"),
        *("http://hc-ping.com/x", "https://hc-ping.com/{TOKEN}"),
        *("https://hc-ping.com/{env:BEAT}", "https://hc-ping.com/{env:BEAT}"),
    )
    status, shown, _ = init(path, *answers)
    assert status == 0
    said = [
        line.removeprefix("Error: ") for line in shown.splitlines() if line.startswith("Error: ")
    ]
    assert [line.split(",")[0].split(";")[0] for line in said] == [
        "must be 1 to 64 letters",
        "write env:NAME",
        "the environment variable NOT_SET is not set",
        "without a channel nobody is told",
        "Apprise knows no service foo://",
        "write {env:TOKEN} instead of {TOKEN}",
        'there is no channel "json"',
        'there is no channel "mail"',
        "write a number such as 100 or 99.5",
        "write a number above 0",
        "write a number above 0",
        "must be below the level of the warning",
        'no such time zone as "Europe/Berln"',
        *("write a time such as 08:00", "write a time such as 08:00"),
        "plain http shows the address to everyone on the way",
        "write {env:TOKEN} instead of {TOKEN}",
        "the environment variable BEAT is not set",
    ]
    text = path.read_text()
    assert 'secret_key = "env:NOT_SET"' in text
    assert "[[reports]]" not in text


@pytest.mark.parametrize("given", range(len(DEFAULTS)))
def test_answers_that_end_early_write_nothing(tmp_path: Path, given: int) -> None:
    """One sentence, status 1."""
    path = tmp_path / "rules.toml"
    status, _, said = init(path, *DEFAULTS[:given])
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
    assert init(path, *DEFAULTS, force=True)[0] == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["rules.test.toml", "rules.toml"]


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
    status, _, said = init(path, *DEFAULTS)
    assert status == 1
    assert said.strip().startswith(f"{path} cannot be written (")
    assert said.strip().endswith("name another place with --config, or let this user write there")
    assert list(tmp_path.iterdir()) == []


def test_a_second_channel_of_one_service_gets_its_own_name(tmp_path: Path) -> None:
    """Names are unique, and say what kind of way it is; a whole reference says nothing."""
    path = tmp_path / "rules.toml"
    missing = "env:HOOK_URL"
    hooks = ("jsons://a.example.com", "jsons://b.example.com", missing, missing, "")
    init(path, "", "", "", *hooks, "none", "", "", "", "", "")
    names = [
        (channel.name, channel.loud)
        for channel in configuration(path, ENVIRON | {"HOOK_URL": "jsons://c.example.com"}).channels
    ]
    assert names == [("jsons", False), ("jsons-2", False), ("channel", False)]


def test_a_typed_key_is_no_reference() -> None:
    """A reference is refused as the answer to the hidden prompt for a key."""
    around = Surroundings(HiddenMapping({}), Path())
    assert answers.typed(around, "abc-123") == "abc-123"
    for answer in ("env:NAME", "", " ", "with space", "with\u200bnothing"):
        with pytest.raises(MistakeError):
            answers.typed(around, answer)


def test_levels_keep_their_digits() -> None:
    """Promise 7 begins with what was typed."""
    assert answers.amount("0.1") == Decimal("0.1")
    assert answers.below(Decimal(100), "99.99999999") == Decimal("99.99999999")


def test_an_interruption_stays_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ctrl-C at a question is no early end of the answers."""

    def interrupted(*_: object) -> None:
        raise click.Abort

    monkeypatch.setattr(questions._Interviewer, "ask", interrupted)
    assert init(tmp_path / "rules.toml")[0] == 130


KEYS = "planted-key-4711", "planted-secret-4711"


def test_limits_are_proposed_from_the_balance(tmp_path: Path) -> None:
    """A fifth and a tenth of available_margin, to the cent; the file and its tests have them."""
    path = tmp_path / "rules.toml"
    with exchange() as simulator:
        simulator.account("main", *KEYS).set(available_margin="1234.56")
        status, shown, _ = init(path, *DEFAULTS, exchange_url=simulator.rest_url)
    assert status == 0
    assert "  CoinW answers: available_margin 1234.56\n" in shown
    assert "Proposed are 20 % and 10 % of the balance.\nWarn" in shown
    assert "in USDT [246.91]" in shown
    assert "Critical below [123.455]" in shown
    assert [str(rule.when) for rule in configuration(path, ENVIRON).rules] == [
        "available_margin < 123.455",
        "available_margin < 246.91",
    ]
    assert call("rules", "test", "--config", path, environ={}).exit_code == 0


def test_a_balance_that_is_unknown_or_tiny_proposes_the_usual_limits(tmp_path: Path) -> None:
    """Nobody wants to be warned below some cents."""
    with exchange() as simulator:
        simulator.account("main", *KEYS).set(available_margin="4.9")
        shown = init(tmp_path / "rules.toml", *DEFAULTS, exchange_url=simulator.rest_url)[1]
    assert "in USDT [100]" in shown


def test_keys_that_the_exchange_refuses_are_asked_for_again(tmp_path: Path) -> None:
    """Other keys may be given; the same ones once more are kept."""
    path = tmp_path / "rules.toml"
    with exchange() as simulator:
        simulator.account("main", *KEYS).set(available_margin="1000")
        wrong = ("", "type", "wrong-key", "type", "wrong-secret")
        found = init(path, *wrong, *DEFAULTS[1:], exchange_url=simulator.rest_url)[1]
        kept = init(
            tmp_path / "kept.toml",
            *wrong,
            *wrong[1:],
            *DEFAULTS[3:],
            exchange_url=simulator.rest_url,
        )[1]
    assert found.count("CoinW gives no balance") == 1
    assert found.count("Give other keys, or the same ones once more to keep them.") == 1
    assert "in USDT [200]" in found
    assert configuration(path, ENVIRON).accounts[0].api_key.reveal() == KEYS[0]
    assert kept.count("CoinW gives no balance") == 2
    assert kept.count("Give other keys") == 1
    assert "wrong-" not in (tmp_path / "kept.toml").read_text()
    assert 'api_key = "file:coinw-key' in (tmp_path / "kept.toml").read_text()


def test_an_exchange_that_does_not_answer_stops_nothing(tmp_path: Path) -> None:
    """The reason is told, and the usual limits are proposed."""
    status, shown, _ = init(tmp_path / "rules.toml", *DEFAULTS)
    assert status == 0
    assert "  CoinW gives no balance: " in shown
    assert "in USDT [100]" in shown


def test_a_key_that_is_typed_overwrites_no_other(tmp_path: Path) -> None:
    """A file that is there already is somebody's key."""
    (tmp_path / "coinw-key").write_text("mine")
    typed = ("", "type", "typed-key", "", HOOK, *DEFAULTS[4:])
    assert init(tmp_path / "rules.toml", *typed)[0] == 0
    assert (tmp_path / "coinw-key").read_text() == "mine"
    assert (tmp_path / "coinw-key-2").read_text() == "typed-key"


def test_tests_that_are_there_already_are_kept(tmp_path: Path) -> None:
    """Unless all is to be replaced."""
    path, tests = tmp_path / "rules.toml", tmp_path / "rules.test.toml"
    tests.write_text("mine")
    status, shown, _ = init(path, *DEFAULTS)
    assert (status, tests.read_text()) == (0, "mine")
    assert f"{tests} exists already and is kept.\n" in shown
    assert "rules test" not in shown
    assert init(path, *DEFAULTS, force=True)[0] == 0
    assert tests.read_text().startswith("# Tests of rules.toml")
