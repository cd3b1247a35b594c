"""`backtest --rules FILE --diff`: two sets of rules over the same history."""

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import Result

from daemon.types import HOUR
from tests.cli.calls import CHANNEL, RULE, account, call, record, write
from tests.cli.past import FINE, LOW, alone, lived
from tests.fakes import NOON, ManualClock
from tests.values import answer

LATER = ManualClock(NOON + HOUR)
MIDDLE = answer(available_margin="150")
EXTRA = '\n[[rules]]\nname = "frozen"\nwhen = "al_freeze > 5"\n'


def diff(folder: Path, rules: str, *options: object) -> Result:
    other = folder / "other.toml"
    other.write_text(rules, encoding="utf-8")
    config = write(folder, account(), RULE, CHANNEL)
    answered = call(
        "backtest", "--rules", other, "--diff", *options, "--config", config, clock=LATER
    )
    assert answered.exit_code == 0, answered.output
    return answered


def shown(folder: Path, rules: str) -> list[str]:
    return [" ".join(line.split()) for line in diff(folder, rules).stdout.splitlines()]


HIGHER = RULE.replace("< 100", "< 200").replace("> 120", "> 220")


def test_alerts_of_one_side_and_those_that_come_earlier_are_shown(tmp_path: Path) -> None:
    """Side by side what became of each rule, then every alert that differs, and by how much."""
    lived(tmp_path, [], alone(FINE, MIDDLE, LOW, FINE, MIDDLE, answer(al_freeze="10")))
    lines = shown(tmp_path, HIGHER + EXTRA)
    assert lines[0].endswith(": 1 account, 1 → 2 rules, 6 inputs")
    assert lines[1] == "messages: 2 → 4 (the configuration → the file)"
    assert lines[3:6] == [
        "rule alerts at night firing longest worst early",
        "low 1 → 2 0 5 s → 15 s 5 s → 10 s 90 none → 5 s",
        "frozen - → 1 - → 0 - → none - → none - → 10 - → none",
    ]
    assert lines[7:] == [
        "fired rule account what differs ended worst",
        "2026-01-01 12:00:05 low main the file 5 s earlier 2026-01-01 12:00:15 90",
        "2026-01-01 12:00:20 low main only by the file 2026-01-01 12:00:25 150",
        "2026-01-01 12:00:25 frozen main only by the file still fires 10",
    ]


def test_programs_get_both_sides_of_each_difference(tmp_path: Path) -> None:
    """JSON and CSV: what differs, by how many seconds, and the alert as each side has it."""
    lived(tmp_path, [], alone(FINE, LOW, LOW, FINE, LOW, FINE))
    later = RULE + 'for = "5s"\n'
    found = json.loads(diff(tmp_path, later, "--format", "json").stdout)
    assert [(each["what"], each["later_seconds"]) for each in found["differences"]] == [
        ("later", 5.0),
        ("only_config", None),
    ]
    assert found["differences"][0]["file"] == {
        "fired": "2026-01-01T12:00:10.000+01:00",
        "ended": "2026-01-01T12:00:15.000+01:00",
        "worst": "90",
        "worsts": [{"comparison": "available_margin < 100", "value": "90"}],
        "alerts": 1,
    }
    assert found["messages"] == {"config": 4, "file": 2}
    assert [found["summary"][0][side]["alerts"] for side in ("config", "file")] == [2, 1]
    rows = list(csv.DictReader(io.StringIO(diff(tmp_path, later, "--format", "csv").stdout)))
    assert [
        (row["what"], row["config_fired"][17:19], row["file_fired"][17:19]) for row in rows
    ] == [
        ("later", "05", "10"),
        ("only_config", "20", ""),
    ]


def test_equal_rules_differ_in_nothing(tmp_path: Path) -> None:
    """The same conditions, whatever the policy: said in a sentence, an empty list for programs."""
    lived(tmp_path, [], alone(FINE, LOW, FINE))
    assert shown(tmp_path, RULE)[-1] == "both raise the same alerts at the same instants"
    assert json.loads(diff(tmp_path, RULE, "--format", "json").stdout)["differences"] == []


@pytest.mark.parametrize(
    ("more", "differs"),
    [
        (
            'mute = ["noon"]\n[[mutes]]\nname = "noon"\nbetween = ["11:00", "13:00"]\n',
            "who is told of them, or when",
        ),
        ('[[channels]]\nname = "pager"\n', "who is told of them, or when"),
        ('[[channels]]\nname = "hook"\ngroup_wait = "2s"\n', "who is told of them, or when"),
        ('severity = "critical"\n', "who is told of them, or when"),
        ('keep_firing_for = "5s"\n', "when they end"),
    ],
)
def test_equal_alerts_may_be_told_otherwise(tmp_path: Path, more: str, differs: str) -> None:
    """However many messages it comes to, it says that the alerts are the same, and what is not."""
    lived(tmp_path, [], alone(FINE, LOW, FINE, FINE))
    assert (
        shown(tmp_path, RULE + more)[-1]
        == f"both raise the same alerts at the same instants; what differs is {differs}"
    )


def test_the_headline_speaks_of_both(tmp_path: Path) -> None:
    """Windows, unwatched accounts, channels of either side; both numbers of rules if different."""
    lived(tmp_path, [], alone(FINE, LOW, FINE, FINE))
    other = '[[rules]]\nname = "grid"\nwhen = "delta(al_freeze, 24h) > 5"\naccounts = ["grid"]\n'
    lines = shown(tmp_path, f"channels = []\n{RULE}{other}")
    assert lines[0].endswith(": 1 account, 1 → 2 rules, 4 inputs")
    assert lines[1:4] == [
        "the longest window, 1 d, is longer than this history: it was never full",
        "no account here is watched by: grid",
        "the file has no channel, so nobody would have been told anything by it",
    ]


def test_each_side_has_its_own_night(tmp_path: Path) -> None:
    """The times shown are those of the file."""
    lived(tmp_path, [], alone(FINE, LOW, LOW, FINE))
    lines = shown(tmp_path, '[daemon]\ntimezone = "America/New_York"\n' + RULE + 'for = "5s"\n')
    assert lines[0].startswith("2026-01-01 06:00:00 to 2026-01-01 06:00:15")
    assert lines[4] == "low 1 0 → 1 10 s → 5 s 10 s → 5 s 90"
    assert lines[-1].startswith("2026-01-01 06:00:10 low main the file 5 s later")


def test_an_empty_record_is_said(tmp_path: Path) -> None:
    """Nothing to compare is no failure."""
    record(tmp_path, accounts=())
    assert shown(tmp_path, RULE) == [
        "nothing is recorded yet: let the daemon run first, or import readings"
    ]
