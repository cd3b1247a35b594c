"""`backtest --verify`: promise 6 for users, with what is covered and every difference."""

import csv
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

from click.testing import Result

from daemon.replay.verify import FADED
from daemon.types import HOUR, MissReason, NoAnswer, OnMissing
from tests.cli.calls import call, record, write
from tests.cli.past import FINE, LOW, alone, lived
from tests.fakes import NOON, ManualClock
from tests.values import answer, rule

GONE = "input 4 is not recorded: pruned, or lost while the database refused to write"
LATER = ManualClock(NOON + 24 * HOUR)
MISS = NoAnswer(MissReason.TIMEOUT, "no answer within 10 s")


def verify(folder: Path, *options: object) -> Result:
    return call("backtest", "--verify", *options, "--config", write(folder), clock=LATER)


def change(folder: Path, *statements: str) -> None:
    """Tamper with the record."""
    with closing(sqlite3.connect(folder / "marginwatch.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def two_lives(folder: Path) -> None:
    lived(folder, [rule()], alone(FINE, LOW, FINE))
    lived(folder, [rule(hold=3_000)], alone(LOW, LOW, FINE), begin=NOON + HOUR)


def test_promise_6_the_span_covered_is_printed(tmp_path: Path) -> None:
    """Exit status 0 where nothing differs: inputs, transitions, and from when to when."""
    two_lives(tmp_path)
    answered = verify(tmp_path)
    assert (answered.exit_code, answered.stdout.splitlines()) == (
        0,
        [
            "main: 6 inputs and 5 transitions replayed, no difference",
            "  covered     2026-01-01 12:00:00 to 2026-01-01 13:00:10, 6 inputs",
        ],
    )


def test_promise_6_every_difference_is_one_line(tmp_path: Path) -> None:
    """Exit status 1: what is recorded, and what the replay has in its place."""
    two_lives(tmp_path)
    change(
        tmp_path,
        "UPDATE transitions SET value = 91 WHERE id = 1",
        "DELETE FROM transitions WHERE id = 5",
    )
    answered = verify(tmp_path)
    assert answered.exit_code == 1
    assert sorted(answered.stdout.splitlines()[2:-1]) == [
        (
            "  differs     2026-01-01 12:00:05 low: recorded nothing; replayed ok → firing"
            " (condition) at 90"
        ),
        (
            "  differs     2026-01-01 12:00:05 low: recorded ok → firing (condition) at 91;"
            " replayed nothing"
        ),
        (
            "  differs     2026-01-01 13:00:10 low: recorded nothing; replayed firing → resolved"
            " (cleared) at 500"
        ),
    ]
    assert (
        answered.stdout.splitlines()[-1] == "3 differences: replay does not give what is recorded"
    )


def test_promise_6_programs_get_the_same(tmp_path: Path) -> None:
    """JSON and CSV: stretches and differences, instants with offset."""
    two_lives(tmp_path)
    change(tmp_path, "DELETE FROM transitions WHERE id = 1")
    answered = verify(tmp_path, "--format", "json")
    assert answered.exit_code == 1
    (account,) = json.loads(answered.stdout)["accounts"]
    assert [account["inputs"], account["transitions"], len(account["covered"])] == [6, 5, 2]
    assert account["differences"] == [
        {
            "at": "2026-01-01T12:00:05.000+01:00",
            "rule": "low",
            "recorded": None,
            "replayed": {"from": "ok", "to": "firing", "value": "90", "reason": "condition"},
        }
    ]
    rows = list(csv.DictReader(io.StringIO(verify(tmp_path, "--format", "csv").stdout)))
    assert [row["what"] for row in rows] == ["covered", "covered", "difference"]


def test_promise_6_a_state_that_was_recorded_otherwise_is_a_difference(tmp_path: Path) -> None:
    """An epoch must begin with the state with which the one before ends."""
    lived(tmp_path, [rule()], alone(FINE, LOW))
    lived(tmp_path, [rule()], alone(FINE), begin=NOON + HOUR)
    change(
        tmp_path,
        """UPDATE epochs SET state = replace(state, '"worst":"90"', '"worst":"91"') WHERE id = 2""",
    )
    change(
        tmp_path,
        "UPDATE epochs SET state ="
        """ replace(state, '"worst": "90"', '"worst": "91"') WHERE id = 2""",
    )
    answered = verify(tmp_path)
    assert answered.exit_code == 1
    assert (
        "recorded the state firing, worst 91; replayed the state firing, worst 90"
        in answered.stdout
    )
    json_side = json.loads(verify(tmp_path, "--format", "json").stdout)["accounts"][0][
        "differences"
    ][0]["recorded"]
    assert json_side == {"state": "firing", "worst": "91"}


def test_promise_6_a_kept_value_that_was_recorded_otherwise_is_a_difference(tmp_path: Path) -> None:
    """Both sides name the expression with its value, in JSON too."""
    fallen = rule("fallen", "available_margin < 10% * peak(available_margin)")
    lived(tmp_path, [fallen], alone(FINE))
    lived(tmp_path, [fallen], alone(FINE), begin=NOON + HOUR)
    for space in ("", " "):
        old, new = (f'"value":{space}"{each}"' for each in ("500", "499.5"))
        change(tmp_path, f"UPDATE epochs SET state = replace(state, '{old}', '{new}') WHERE id = 2")
    answered = verify(tmp_path)
    assert answered.exit_code == 1
    assert (
        "fallen: recorded peak(available_margin) 499.5; replayed peak(available_margin) 500"
        in answered.stdout
    )
    (account,) = json.loads(verify(tmp_path, "--format", "json").stdout)["accounts"]
    assert account["differences"][0]["recorded"] == {
        "expression": "peak(available_margin)",
        "value": "499.5",
    }


def test_promise_6_what_differs_of_a_state_is_told(tmp_path: Path) -> None:
    """Never the same on both sides: whatever of an alert differs stands there, and in JSON."""
    lived(tmp_path, [rule(keep_firing_for=60_000)], alone(LOW, FINE))
    lived(tmp_path, [rule(keep_firing_for=60_000)], alone(FINE), begin=NOON + 10_000)
    for space in ("", " "):
        for key, new in (
            ("clearing_since", str(NOON + 4_750)),
            ("missing", "true"),
            ("threshold", '"100.000000001"'),
        ):
            old = {"clearing_since": str(NOON + 5_000), "missing": "false", "threshold": '"100"'}[
                key
            ]
            words = (f'"{key}":{space}{each}' for each in (old, new))
            change(
                tmp_path,
                "UPDATE epochs SET state = replace(state, '{}', '{}') WHERE id = 2".format(*words),
            )
    answered = verify(tmp_path)
    line = next(line for line in answered.stdout.splitlines() if "the state" in line)
    assert line.split(": ", 1)[1].split("; replayed ") == [
        (
            "recorded the state firing, worst 90, judged.threshold 100.000000001, "
            "clearing_since 2026-01-01T12:00:04.750+01:00, missing yes"
        ),
        (
            "the state firing, worst 90, judged.threshold 100, clearing_since"
            " 2026-01-01T12:00:05.000+01:00, missing no"
        ),
    ]
    found, *_ = json.loads(verify(tmp_path, "--format", "json").stdout)["accounts"][0][
        "differences"
    ]
    assert found["recorded"] == {
        "state": "firing",
        "worst": "90",
        "judged.threshold": "100.000000001",
        "clearing_since": "2026-01-01T12:00:04.750+01:00",
        "missing": True,
    }


def test_promise_6_durations_are_spelled(tmp_path: Path) -> None:
    """The value of a rule on `age` is a duration, recorded or not; amounts have all digits."""
    silent = rule("silent", "age > 4s")
    lived(
        tmp_path,
        [silent, rule(on_missing=OnMissing.FIRING, missing_after=8_000)],
        alone(FINE, MISS, MISS, FINE),
    )
    change(
        tmp_path,
        "UPDATE transitions SET value = 5001 WHERE value = 5000",
        "UPDATE alerts SET rule = 'x' WHERE id = 2",
    )
    told = "\n".join(
        line.split(": ", 1)[1] for line in verify(tmp_path).stdout.splitlines() if "differs" in line
    )
    assert "recorded ok → firing (condition) at 5s1ms; replayed nothing" in told
    assert "recorded nothing; replayed ok → firing (condition) at 5s" in told
    assert "recorded nothing; replayed ok → firing (missing) at 10s" in told
    change(tmp_path, "UPDATE transitions SET value = 500.123456789 WHERE value = 500")
    assert "at 500.123456789; replayed nothing" in verify(tmp_path).stdout


def test_promise_6_one_of_a_kind_is_told_as_such(tmp_path: Path) -> None:
    """One has no plural; a span without inputs is shown only where all are empty."""
    lived(tmp_path, [rule()], alone(FINE))
    change(tmp_path, "UPDATE transitions SET value = 1")
    assert verify(tmp_path).stdout.splitlines() == [
        "main: 1 input and 0 transitions replayed, no difference",
        "  covered     2026-01-01 12:00:00 to 2026-01-01 12:00:00, 1 input",
    ]
    lived(tmp_path, [rule()], alone(LOW), begin=NOON + 5_000)
    change(tmp_path, "DELETE FROM transitions")
    assert (
        verify(tmp_path).stdout.splitlines()[-1]
        == "1 difference: replay does not give what is recorded"
    )
    change(tmp_path, "DELETE FROM snapshots WHERE seq = 2")
    assert [line.split()[0] for line in verify(tmp_path).stdout.splitlines()[1:3]] == [
        "not",
        "covered",
    ]
    change(tmp_path, "DELETE FROM snapshots", "DELETE FROM epochs WHERE id = 2")
    assert verify(tmp_path).stdout.splitlines() == [
        "main: 0 inputs and 0 transitions replayed, no difference",
        "  covered     2026-01-01 12:00:00 to 2026-01-01 12:00:00, 0 inputs",
    ]


def test_promise_6_what_is_gone_is_not_covered(tmp_path: Path) -> None:
    """Pruned inputs are no difference and never count as agreeing; the next epoch is covered."""
    lived(tmp_path, [rule()], alone(FINE, LOW, FINE, LOW, FINE))
    lived(tmp_path, [rule()], alone(FINE, LOW), begin=NOON + HOUR)
    change(tmp_path, "DELETE FROM snapshots WHERE seq = 4")
    answered = verify(tmp_path)
    assert (answered.exit_code, answered.stdout.splitlines()[1:]) == (
        0,
        [
            "  covered     2026-01-01 12:00:00 to 2026-01-01 12:00:05, 2 inputs",
            f"  not covered 2026-01-01 12:00:05 to 2026-01-01 13:00:00: {GONE}",
            "  covered     2026-01-01 13:00:00 to 2026-01-01 13:00:05, 2 inputs",
        ],
    )


def test_promise_6_an_epoch_whose_windows_held_what_is_gone_is_not_covered(tmp_path: Path) -> None:
    """Windows at its start are unknown; rules that look back no further are covered again."""
    fell = [rule("fell", "drop(available_margin, 90m) > 50%")]
    lived(tmp_path, fell, alone(FINE, answer(available_margin="5000"), FINE))
    for hours in (1, 3):
        lived(tmp_path, fell, alone(FINE), begin=NOON + hours * HOUR)
    assert verify(tmp_path).exit_code == 0
    change(tmp_path, "DELETE FROM snapshots WHERE available_margin = 5000")
    lines = verify(tmp_path).stdout.splitlines()
    assert f"  not covered 2026-01-01 13:00:00 to 2026-01-01 15:00:00: {FADED}" in lines
    assert lines[-1] == "  covered     2026-01-01 15:00:00 to 2026-01-01 15:00:00, 1 input"
    assert verify(tmp_path).exit_code == 0


def test_promise_6_what_is_gone_of_the_last_epoch_is_not_covered_to_its_end(tmp_path: Path) -> None:
    """Records after the hole cannot be judged, so they are no difference."""
    lived(tmp_path, [rule()], alone(FINE, LOW, FINE, LOW, FINE))
    change(tmp_path, "DELETE FROM snapshots WHERE seq = 3")
    answered = verify(tmp_path)
    assert answered.exit_code == 0
    assert (
        "  not covered 2026-01-01 12:00:00 to 2026-01-01 12:00:20: input 3 is not recorded"
        in answered.stdout
    )


def test_promise_6_rules_that_cannot_be_read_are_not_covered(tmp_path: Path) -> None:
    """Rules of another version are named with that version; the other epochs are covered."""
    two_lives(tmp_path)
    newer = (
        'UPDATE epochs SET version = \'9.0\', rules = \'[{"name": "low", "if": "x"}]\' WHERE id'
        " = {}"
    )
    change(tmp_path, newer.replace("{}", "1"))
    why = (
        "its rules were recorded by version 9.0, and this one cannot read them: replay with"
        " that one"
    )
    answered = verify(tmp_path)
    assert (answered.exit_code, answered.stdout.splitlines()[1:]) == (
        0,
        [
            f"  not covered 2026-01-01 12:00:00 to 2026-01-01 13:00:00: {why}",
            "  covered     2026-01-01 13:00:00 to 2026-01-01 13:00:10, 3 inputs",
        ],
    )
    change(tmp_path, newer.replace("{}", "2"))
    assert (
        f"  not covered 2026-01-01 13:00:00 to 2026-01-01 13:00:10: {why}"
        in verify(tmp_path).stdout
    )
    explained = call(
        "explain", "low", "--at", "2026-01-01T12:00:05", "--config", write(tmp_path), clock=LATER
    )
    assert (explained.exit_code, explained.stderr) == (1, f"{why}\n")


def test_promise_6_a_record_without_a_daemon_has_nothing_to_compare(tmp_path: Path) -> None:
    """Nothing recorded, or only imported readings: said, and no failure."""
    record(tmp_path, accounts=())
    assert verify(tmp_path).stdout == "nothing is recorded yet: let the daemon run first\n"
    (tmp_path / "old.csv").write_text(
        "account,time,available_margin\nmain,1767200000,90\n", encoding="utf-8"
    )
    assert (
        call("import", tmp_path / "old.csv", "--config", write(tmp_path), clock=LATER).exit_code
        == 0
    )
    answered = verify(tmp_path)
    assert (answered.exit_code, answered.stderr) == (0, "")
    assert (
        answered.stdout == "main: no daemon ever judged it, so there is nothing to compare with\n"
    )
