"""`silence` and `ack`: what people ask not to be told."""

import csv
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from daemon.types import MINUTE, SECOND
from tests.cli.calls import CHANNEL, RULE, account, call, record, write
from tests.cli.past import FINE, LOW, alone, lived
from tests.fakes import NOON, ManualClock
from tests.values import rule

LATER = ManualClock(NOON + MINUTE)
CODE = "SELECT code FROM alerts WHERE state = 'firing'"

SAID = (
    "silence 1: lo* on main, until 2026-01-01 14:01:00 (moving); open now: low · main ({}), of"
    " which only the end is told meanwhile\n"
)


UNDO = "; marginwatch silence end 1 takes it back\n"


def run(folder: Path, *words: object, clock: ManualClock = LATER) -> Result:
    return call(
        *words, "--config", write(folder, account(), account("grid"), RULE, CHANNEL), clock=clock
    )


def silences(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        run(folder, "silence", "list", "--all", "--format", "json").stdout
    )
    return found


def code(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "marginwatch.db")) as connection:
        return str(connection.execute(CODE).fetchone()[0])


@pytest.fixture
def firing(tmp_path: Path) -> Path:
    """A record in which `low` fires on main; grid is fine."""
    lived(tmp_path, [rule()], [{"main": FINE, "grid": FINE}, {"main": LOW, "grid": FINE}])
    return tmp_path


def test_e2_a_silence_says_what_it_holds_back(firing: Path) -> None:
    """Until when, why, and which alerts are open that it is about."""
    result = run(
        firing,
        "silence",
        "add",
        "--rule",
        "lo*",
        "--account",
        "main",
        "--for",
        "2h",
        "--comment",
        "moving",
    )
    assert (result.exit_code, result.stdout) == (0, SAID.format(code(firing)))
    (found,) = silences(firing)
    assert found == {
        "number": 1,
        "what": "silence",
        "rule": "lo*",
        "account": "main",
        "alert": None,
        "from": "2026-01-01T12:01:00.000+01:00",
        "until": "2026-01-01T14:01:00.000+01:00",
        "comment": "moving",
    }
    quiet = run(firing, "silence", "add", "--account", "grid", "--until", "2026-01-01T13:00")
    assert (
        quiet.stdout
        == "silence 2: * on grid, until 2026-01-01 13:00:00; nothing of it is open now\n"
    )


def test_e2_a_silence_of_one_alert_lasts_no_longer_than_it(firing: Path) -> None:
    """By its id, or of every alert that matches and is open; the next one is told."""
    assert (
        run(firing, "silence", "add", "--alert", code(firing).upper(), "--for", "30m").exit_code
        == 0
    )
    result = run(firing, "silence", "add", "--rule", "*", "--until-resolved")
    assert result.stdout == f"silence 2: alert {code(firing)}, until it ends\n"
    assert [(each["alert"], each["rule"], each["until"] is None) for each in silences(firing)] == [
        (code(firing), "low", False),
        (code(firing), "low", True),
    ]


def test_e2_a_silence_can_be_ended_before_its_time(firing: Path) -> None:
    """Once; then it is over, and shown only when asked for."""
    run(firing, "silence", "add", "--rule", "low", "--for", "2h")
    soon = ManualClock(NOON + MINUTE + SECOND)
    assert run(firing, "silence", "end", 1, clock=soon).stdout.startswith(
        "silence 1 ended: low on *, until"
    )
    assert run(firing, "silence", "end", 1, clock=soon).stdout.startswith(
        "silence 1 was over already"
    )
    nothing = "nothing is silenced, and no open alert is acknowledged\n"
    assert run(firing, "silence", "list", clock=soon).stdout == nothing
    assert "12:01:01" in run(firing, "silence", "list", "--all", clock=soon).stdout


def test_e1_an_ack_is_of_one_open_alert(firing: Path) -> None:
    """The acknowledgement is shown with its alert; a second one changes nothing."""
    said = run(firing, "ack", code(firing), "--comment", "adding\n margin")
    assert said.stdout == f"acknowledged {code(firing)}: low · main: no more reminders of it{UNDO}"
    again = run(firing, "ack", code(firing))
    assert again.stdout == f"{code(firing)} is acknowledged already: nobody is reminded of it{UNDO}"
    assert [(each["what"], each["comment"]) for each in silences(firing)] == [
        ("ack", "adding margin")
    ]
    told = f"{code(firing)} is acknowledged (adding margin): no reminders"
    assert told in run(firing, "alerts", "--since", "1h").stdout.splitlines()
    assert (
        f"acknowledged: alert {code(firing)}, until it ends (adding margin)"
        in run(firing, "status").stdout
    )
    lived(firing, [rule()], [{"main": LOW, "grid": FINE}], begin=NOON + 2 * MINUTE)
    after = ManualClock(NOON + 3 * MINUTE)
    explained = run(firing, "explain", "low", "--account", "main", "--at", "now", clock=after)
    assert "muted       acknowledged (adding margin): no reminders" in explained.stdout.splitlines()


def test_e2_status_alerts_and_explain_show_what_is_silenced(firing: Path) -> None:
    """The listing explains why no message comes."""
    run(firing, "silence", "add", "--rule", "low", "--for", "2h", "--comment", "moving")
    until = "until 2026-01-01 14:01:00"
    assert f"silence 1: low on *, {until} (moving)" in run(firing, "status").stdout.splitlines()
    assert (
        json.loads(run(firing, "status", "--format", "json").stdout)["silences"][0]["number"] == 1
    )
    assert (
        f"{code(firing)} is silenced: low on *, {until} (moving)"
        in run(firing, "alerts", "--since", "1h").stdout
    )
    lived(firing, [rule()], [{"main": LOW, "grid": FINE}], begin=NOON + 2 * MINUTE)
    after = ManualClock(NOON + 3 * MINUTE)
    explained = run(firing, "explain", "low", "--account", "main", "--at", "now", clock=after)
    assert f"muted       silence 1 (moving), {until}" in explained.stdout.splitlines()


def test_e2_a_backtest_heeds_the_recorded_silences(firing: Path) -> None:
    """DESIGN §3: as they stood."""
    run(firing, "silence", "add", "--rule", "low", "--for", "2h", clock=ManualClock(NOON))
    assert "nothing would have been announced" in run(firing, "backtest").stdout


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            ["--for", "2h"],
            "say what to silence: --rule, --account or --alert; everything is --rule '*'",
        ),
        (["--rule", "low"], "say for how long: one of --for, --until and --until-resolved"),
        (["--rule", "low", "--for", "2h", "--until-resolved"], "say for how long: one of"),
        (
            ["--rule", "low", "--alert", "k3f9", "--for", "1h"],
            "--alert names one alert: leave out --rule and",
        ),
        (["--rule", "lwo", "--for", "2h"], '--rule: no rule matches "lwo"; did you mean "low"?'),
        (["--rule", "lo-*", "--for", "2h"], '--rule: no rule matches "lo-*"; did you mean "lo*"?'),
        (
            ["--account", "mian*", "--for", "2h"],
            '--account: no account matches "mian*"; did you mean "main*"?',
        ),
        (
            ["--account", "x*", "--for", "2h"],
            '--account: no account matches "x*"; there are grid, main',
        ),
        (["--alert", "zzzz", "--for", "2h"], 'no open alert has the id "zzzz"; there are '),
        (
            ["--rule", "low", "--for", "soon"],
            '--for must be a duration such as "30m" or "2h", not "soon"',
        ),
        (
            ["--rule", "low", "--for", "0s"],
            '--for must be a duration such as "30m" or "2h", not "0s"',
        ),
        (
            ["--rule", "low", "--until", "2020-01-01"],
            '"2020-01-01" lies in the past: 2020-01-01 00:00:00',
        ),
        (
            ["--rule", "disk-full", "--until-resolved"],
            "no open alert matches, so there is nothing to wait for",
        ),
        (
            ["--rule", "low", "--for", "1h", "--comment", "x" * 1_001],
            "--comment is too long: at most 1000 characters",
        ),
    ],
)
def test_what_contradicts_itself_or_matches_nothing_is_refused(
    firing: Path, words: list[str], complaint: str
) -> None:
    """A silence that silences nothing would be found out at night."""
    result = run(firing, "silence", "add", *words)
    assert (
        result.exit_code,
        result.stderr.startswith(f"Error: {complaint}") or complaint in result.stderr,
    ) == (
        2,
        True,
    )
    assert silences(firing) == []


EVERYTHING = (
    ["--rule", "*"],
    ["--account", "*"],
    ["--rule", "?*", "--account", "[mg]*"],
)


@pytest.mark.parametrize("words", EVERYTHING)
def test_a_silence_of_everything_for_more_than_a_day_is_asked_for_twice(
    firing: Path, words: list[str]
) -> None:
    """It is easily forgotten: --yes says that it is meant; a day needs none."""
    add = ("silence", "add", *words)
    assert run(firing, *add, "--for", "30d").exit_code == 2
    refused = run(firing, *add, "--until", "2026-01-02T12:01:01")
    assert (refused.exit_code, refused.stderr) == (
        2,
        (
            "this silences everything until 2026-01-02 12:01:01, and nobody would be told of"
            " anything: for longer than 1d add --yes\n"
        ),
    )
    assert silences(firing) == []
    assert run(firing, *add, "--for", "24h").exit_code == 0
    assert run(firing, *add, "--for", "30d", "--yes").exit_code == 0


@pytest.mark.parametrize("words", [["--rule", "low"], ["--account", "main"]])
def test_a_long_silence_of_a_part_needs_no_second_word(firing: Path, words: list[str]) -> None:
    """Other rules, or the other account, still tell."""
    assert run(firing, "silence", "add", *words, "--for", "30d").exit_code == 0


def test_an_id_or_a_number_that_is_none_is_refused(firing: Path) -> None:
    """With what there is."""
    ack = run(firing, "ack", "zzzz")
    assert (ack.exit_code, f"there are {code(firing)} (low · main)" in ack.stderr) == (2, True)
    end = run(firing, "silence", "end", "7")
    assert (
        end.exit_code,
        "there is no silence 7: marginwatch silence list shows them" in end.stderr,
    ) == (2, True)


def test_of_an_alert_that_is_over_it_is_said_since_when(firing: Path) -> None:
    """Its id is no mistake: it stands in a message that came before the end."""
    ended = code(firing)
    lived(firing, [rule()], [{"main": FINE, "grid": FINE}], begin=NOON + 2 * MINUTE)
    after = ManualClock(NOON + 3 * MINUTE)
    over = (
        f"the alert {ended} (low · main) has been over since 2026-01-01 12:02:00: no reminder of it"
        " comes any more; none is open\n"
    )
    ack = run(firing, "ack", ended.upper(), clock=after)
    assert (ack.exit_code, ack.stderr) == (2, over)
    silence = run(firing, "silence", "add", "--alert", ended, "--for", "1h", clock=after)
    assert (silence.exit_code, silence.stderr) == (2, over)


def test_an_acknowledgement_that_is_taken_back_says_what_comes(firing: Path) -> None:
    """Reminders, if the alert is still open."""
    acknowledged = code(firing)
    run(firing, "ack", acknowledged)
    back = run(firing, "silence", "end", 1)
    assert back.stdout == (
        f"the acknowledgement of {acknowledged} is taken back: reminders come again\n"
    )
    run(firing, "ack", acknowledged, clock=ManualClock(NOON + MINUTE + SECOND))
    lived(firing, [rule()], [{"main": FINE, "grid": FINE}], begin=NOON + 2 * MINUTE)
    after = run(firing, "silence", "end", 2, clock=ManualClock(NOON + 3 * MINUTE))
    assert after.stdout == (
        f"the acknowledgement of {acknowledged} is taken back: the alert is over, so no"
        " reminders come\n"
    )


def test_without_a_record_nothing_can_be_silenced(tmp_path: Path) -> None:
    """Said, and no database is made."""
    for words in (
        ["silence", "add", "--rule", "low", "--for", "1h"],
        ["silence", "list"],
        ["ack", "k3f9"],
    ):
        assert run(tmp_path, *words).exit_code == 1
    assert not (tmp_path / "marginwatch.db").exists()
    record(tmp_path)
    assert "none is open" in run(tmp_path, "ack", "k3f9").stderr


def test_silences_are_data_for_programs(firing: Path) -> None:
    """CSV with a row per silence."""
    run(firing, "silence", "add", "--rule", "low", "--for", "2h")
    rows = list(
        csv.DictReader(io.StringIO(run(firing, "silence", "list", "--format", "csv").stdout))
    )
    assert [(row["number"], row["what"], row["rule"], row["alert"]) for row in rows] == [
        ("1", "silence", "low", "")
    ]


def test_the_quiet_of_one_life_is_that_of_the_next(tmp_path: Path) -> None:
    """E2, promise 4: a silence outlasts restarts; what fired in it is told when it is over."""
    lived(tmp_path, [rule()], alone(FINE))
    run(
        tmp_path,
        "silence",
        "add",
        "--rule",
        "low",
        "--for",
        "1m",
        clock=ManualClock(NOON + 5 * SECOND),
    )
    lived(tmp_path, [rule()], alone(LOW), begin=NOON + 10 * SECOND)
    told = "SELECT kind, facts FROM notifications"
    with closing(sqlite3.connect(tmp_path / "marginwatch.db")) as connection:
        assert connection.execute(told).fetchall() == []
        lived(tmp_path, [rule()], alone(LOW), begin=NOON + 2 * MINUTE)
        ((kind, facts),) = connection.execute(told).fetchall()
    assert (kind, json.loads(facts)["late"]) == ("firing", "muted")
