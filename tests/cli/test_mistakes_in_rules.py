"""A mistake in rules.toml: commands on the record go on, with what the daemon read last."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result

from daemon.types import MINUTE
from tests.cli.calls import CHANNEL, RULE, account, call, url, write
from tests.cli.past import FINE, LOW, alone, lived
from tests.fakes import NOON, ManualClock
from tests.values import rule

LATER = ManualClock(NOON + MINUTE)
TYPO = RULE + 'severety = "critical"\n'
WARNING = (
    'rules "low" (line 12).severety: unknown key; did you mean "severity"?\n'
    "warning: rules.toml has this mistake; until it is corrected, this command uses the rules"
    " that the daemon read last, and so does a running daemon\n"
)


@pytest.fixture
def firing(tmp_path: Path) -> Path:
    """A record in which `low` fires on main, as the daemon read it before the mistake."""
    lived(tmp_path, [rule()], alone(FINE, LOW))
    return tmp_path


def run(folder: Path, *words: object, tables: tuple[str, ...] = (account(), TYPO)) -> Result:
    return call(*words, "--config", write(folder, *tables, CHANNEL), clock=LATER)


def code(folder: Path) -> str:
    (alert,) = json.loads(run(folder, "alerts", "--json").stdout)
    return str(alert["id"])


@pytest.mark.parametrize(
    "words",
    [
        ["silence", "add", "--rule", "low", "--for", "2h"],
        ["silence", "list"],
        ["history"],
        ["alerts"],
        ["notifications"],
        ["gaps"],
        ["export", "readings"],
        ["explain", "low", "--at", "now"],
    ],
    ids=" ".join,
)
def test_commands_on_the_record_do_their_job_with_a_warning(firing: Path, words: list[str]) -> None:
    """The output is that of a right file; the mistake stands on stderr."""
    done = run(firing, *words)
    assert (done.exit_code, done.stderr.startswith(WARNING)) == (0, True)
    assert done.stdout
    if words[:2] != ["silence", "add"]:
        assert done.stdout == run(firing, *words, tables=(account(), RULE)).stdout


def test_an_alert_can_be_acknowledged(firing: Path) -> None:
    """At 3 am, after a hasty edit."""
    done = run(firing, "ack", code(firing))
    assert (done.exit_code, done.stderr) == (0, WARNING)
    assert done.stdout.startswith(f"acknowledged {code(firing)}: low · main")


def test_status_shows_the_state_and_ends_with_its_own_status(firing: Path) -> None:
    """It does not say 78: that is about the daemon, and here none runs."""
    done = run(firing, "status")
    right = run(firing, "status", tables=(account(), RULE))
    assert (done.exit_code, done.stdout) == (right.exit_code, right.stdout) != (78, "")
    assert done.stderr == WARNING


def test_of_several_mistakes_the_first_is_shown_and_how_many_more(firing: Path) -> None:
    """All of them are for `check`."""
    done = run(firing, "alerts", tables=(account(colour="red"), TYPO))
    first, warning = done.stderr.splitlines()
    assert 'accounts "main"' in first
    assert "has this mistake, and 1 more (marginwatch check shows all); until" in warning


def test_rules_are_those_of_the_record_not_those_with_the_mistake(firing: Path) -> None:
    """A rule that the daemon never read can neither be silenced nor explained."""
    other = TYPO.replace('"low"', '"new"')
    known = run(firing, "silence", "add", "--rule", "low", "--for", "2h", tables=(account(), other))
    assert known.exit_code == 0
    new = run(firing, "silence", "add", "--rule", "new", "--for", "2h", tables=(account(), other))
    assert (new.exit_code, 'no rule matches "new"' in new.stderr) == (2, True)


def test_parts_without_a_name_are_left_out(firing: Path) -> None:
    """Nothing is known of them; the rest is."""
    nameless = account().replace('name = "main"\n', "")
    done = run(firing, "status", tables=(account(), nameless, TYPO, '[[channels]]\nurl = ""\n'))
    assert done.stdout == run(firing, "status", tables=(account(), RULE)).stdout


def test_an_account_that_the_daemon_watches_is_shown_without_its_table(firing: Path) -> None:
    """All would look well, if a mistake in its name hid it."""
    lost = account().replace("name =", "nmae =")
    done = run(firing, "status", "--json", tables=(lost, RULE))
    assert [each["account"] for each in json.loads(done.stdout)["accounts"]] == ["main"]
    right = run(firing, "status", "--json", tables=(account(), RULE))
    assert json.loads(done.stdout)["not_well"] == json.loads(right.stdout)["not_well"]


def test_rules_that_another_version_recorded_are_those_of_the_file(tmp_path: Path) -> None:
    """As before the first start."""
    lived(tmp_path, [rule()], alone(FINE, LOW))
    with closing(sqlite3.connect(tmp_path / "marginwatch.db")) as connection, connection:
        connection.execute("UPDATE epochs SET rules = '[{}]'")
    good = RULE.replace('"low"', '"good"')
    for name, status in (("good", 0), ("low", 2)):
        words = ("silence", "add", "--rule", name, "--for", "2h")
        assert run(tmp_path, *words, tables=(account(), good, TYPO)).exit_code == status


def test_a_default_is_certain_where_the_mistake_is_in_another_table(firing: Path) -> None:
    """`[[rule]]` cannot be meant as [daemon]; `[deamon]` can."""
    assert run(firing, "alerts", tables=(account(), RULE, "[[rule]]\n")).exit_code == 0
    done = run(firing, "alerts", tables=(account(), RULE, "[deamon]\n"))
    assert done.exit_code == 78
    written = f'database = "{url(firing)}"\n'
    assert run(firing, "alerts", tables=(written, account(), "[deamon]\n")).exit_code == 0


def test_a_daemon_table_that_is_none_is_refused(firing: Path) -> None:
    """Nothing says which record is meant."""
    path = firing / "other.toml"
    path.write_text("daemon = 3\n" + account())
    assert call("alerts", "--config", path, clock=LATER).exit_code == 78


def test_before_the_first_start_rules_with_a_mistake_are_left_out(tmp_path: Path) -> None:
    """No default stands for a key that was mistyped."""
    readings = tmp_path / "old.csv"
    readings.write_text("at,account,available_margin\n2025-12-01T00:00:00Z,main,90\n")
    write(tmp_path, account(), RULE, CHANNEL)
    assert run(tmp_path, "import", readings, tables=(account(), RULE)).exit_code == 0
    asked = ("explain", "low", "--at", "2025-12-01T02:00:00")
    assert run(tmp_path, *asked, tables=(account(), RULE)).exit_code == 0
    assert run(tmp_path, *asked).exit_code == 2


@pytest.mark.parametrize(
    "tables",
    [
        ('database = "nonsense"\n',),
        ('databse = "sqlite:////var/lib/marginwatch.db"\n',),
        ("[[rules]\n",),
    ],
    ids=["unusable", "mistyped", "no TOML"],
)
def test_where_the_record_is_uncertain_nothing_is_done(
    firing: Path, tables: tuple[str, ...]
) -> None:
    """Another database than the daemon's would show a calm that there is not."""
    done = run(firing, "alerts", tables=(*tables, account(), RULE))
    assert (done.exit_code, done.stdout) == (78, "")


@pytest.mark.parametrize("words", [["check"], ["backtest"], ["db", "size"]], ids=" ".join)
def test_commands_about_the_file_itself_stay_strict(firing: Path, words: list[str]) -> None:
    """They would judge what is not written."""
    assert run(firing, *words).exit_code == 78
