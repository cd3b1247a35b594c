"""`alerts`: episodes with their transitions."""

import csv
import io
import json
import unicodedata
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from daemon.cli.output.tables import MOST
from daemon.types import (
    DAY,
    MINUTE,
    SECOND,
    Alert,
    DecidingComparison,
    Record,
    Severity,
    State,
    Transition,
)
from tests.cli.calls import CHANNEL, RULE, account, call, record, write
from tests.fakes import NOON, ManualClock
from tests.values import judged, reading

LATER = ManualClock(NOON + 10 * MINUTE)


def fired(seq: int, rule: str = "low", why: DecidingComparison | None = None) -> Record:
    at = NOON + seq * SECOND
    alert = Alert(
        rule,
        seq,
        f"aaa{seq}",
        Severity.CRITICAL,
        State.FIRING,
        "when x",
        at,
        at,
        None,
        why or judged("90"),
    )
    value = alert.judged.value if alert.judged else None
    change = Transition(rule, seq, at, State.OK, State.FIRING, "condition", value)
    return Record("main", reading(seq, at), (replace(alert, worst=value),), (change,))


def resolved(seq: int, begun: Record) -> Record:
    at = NOON + seq * SECOND
    over = replace(begun.alerts[0], state=State.RESOLVED, ended_at=at)
    change = Transition(
        over.rule, over.seq, at, State.FIRING, State.RESOLVED, "cleared", Decimal(130)
    )
    return Record("main", reading(seq, at), (over,), (change,))


def test_an_alert_tells_its_whole_life(tmp_path: Path) -> None:
    """A line per transition, the first with rule, account and id; an end has the duration."""
    begun = fired(2)
    record(tmp_path, begun, resolved(122, begun))
    shown = call("alerts", "--config", write(tmp_path), clock=LATER).stdout.splitlines()
    assert [line.split() for line in shown[1:]] == [
        ["aaa2", "low", "main", "critical", "firing", "12:00:02", "90", "condition"],
        ["resolved", "12:02:02", "130", "cleared,", "lasted", "2", "min"],
    ]


def test_json_and_csv_have_it_for_programs(tmp_path: Path) -> None:
    """Exact digits as strings, instants with offset, transitions as in `backtest`."""
    begun = fired(2)
    record(tmp_path, begun, resolved(122, begun))
    path = write(tmp_path)
    (alert,) = json.loads(call("alerts", "--config", path, "--format", "json", clock=LATER).stdout)
    assert (alert["id"], alert["state"], alert["worst"], alert["field"]) == (
        "aaa2",
        "resolved",
        "90",
        "available_margin",
    )
    assert alert["transitions"][1] == {
        "at": "2026-01-01T12:02:02.000+01:00",
        "from": "firing",
        "to": "resolved",
        "value": "130",
        "reason": "cleared",
    }
    rows = csv.DictReader(
        io.StringIO(call("alerts", "--config", path, "--format", "csv", clock=LATER).stdout)
    )
    assert [(row["id"], row["to"]) for row in rows] == [("aaa2", "firing"), ("aaa2", "resolved")]


def test_the_age_of_a_reading_is_shown_as_a_duration(tmp_path: Path) -> None:
    """120000 is no number for people."""
    record(tmp_path, fired(2, "stale", judged("120000", "60000", falling=False, field="age")))
    assert "2 min" in call("alerts", "--config", write(tmp_path), clock=LATER).stdout


def test_c4_a_ratio_compared_with_a_percentage_is_shown_as_one(tmp_path: Path) -> None:
    """C4: a table for people says 42.96 %; json and csv keep the exact digits."""
    drop = judged("0.42958881", "0.3", falling=False, field="drop(available_margin, 30s)")
    record(tmp_path, fired(2, "fall", replace(drop, percentage=True)))
    path = write(tmp_path)
    assert "42.96%" in call("alerts", "--config", path, clock=LATER).stdout
    for output in ("json", "csv"):
        shown = call("alerts", "--config", path, "--format", output, clock=LATER).stdout
        assert "0.42958881" in shown


def test_open_alerts_are_shown_however_old(tmp_path: Path) -> None:
    """An alert that fires since last week is listed; one that ended before the span is not."""
    over = fired(2)
    record(tmp_path, over, resolved(3, over), fired(4, "other"))
    shown = call("alerts", "--config", write(tmp_path), clock=ManualClock(NOON + 7 * DAY)).stdout
    assert [line.split()[0] for line in shown.splitlines()[1:]] == ["aaa4"]


def test_nothing_in_the_span_is_said(tmp_path: Path) -> None:
    """An empty table would leave a doubt."""
    record(tmp_path)
    result = call("alerts", "--config", write(tmp_path), clock=LATER)
    assert (result.exit_code, result.stdout) == (
        0,
        "no alerts in this span; an earlier --since looks further back\n",
    )


def test_accounts_are_chosen_by_glob(tmp_path: Path) -> None:
    """As in `history`; an account without alerts has none."""
    record(tmp_path, fired(2))
    path = write(tmp_path)
    assert (
        len(
            json.loads(
                call("alerts", "--account", "m*", "--config", path, "--format", "json").stdout
            )
        )
        == 1
    )
    assert (
        json.loads(call("alerts", "--account", "x*", "--config", path, "--format", "json").stdout)
        == []
    )


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ("", ["aaa2", "aaa4", "aaa6"]),
        ("--open", ["aaa4", "aaa6"]),
        ("--rule other", ["aaa4"]),
        ("--rule o*", ["aaa4"]),
        ("--rule x*", []),
        ("--severity critical", ["aaa2", "aaa4", "aaa6"]),
        ("--severity info", []),
        ("--open --rule low --severity critical", ["aaa6"]),
    ],
)
def test_alerts_are_chosen_by_rule_severity_and_state(
    tmp_path: Path, options: str, found: list[str]
) -> None:
    """At night only the open critical ones count."""
    over = fired(2)
    record(tmp_path, over, resolved(3, over), fired(4, "other"), fired(6))
    wanted = ["--config", write(tmp_path, account(), RULE), "--format", "json", *options.split()]
    shown = json.loads(call("alerts", *wanted, clock=LATER).stdout)
    assert [each["id"] for each in shown] == found


def test_a_rule_that_there_is_not_is_bad_usage(tmp_path: Path) -> None:
    """An empty list would look as if all were well."""
    record(tmp_path, fired(4, "other"))
    path = write(tmp_path, account(), RULE)
    done = call("alerts", "--rule", "lwo", "--config", path, clock=LATER)
    assert (done.exit_code, done.stderr) == (2, 'there is no rule "lwo"; did you mean "low"?\n')
    done = call("alerts", "--rule", "lwo*", "--config", path, clock=LATER)
    said = done.stderr.splitlines()
    assert (done.exit_code, said[0]) == (0, 'no rule matches "lwo*"; did you mean "low*"?')
    for rule in ("low", "other", "no-readings", "l*", "oth*", "*"):
        assert call("alerts", "--rule", rule, "--config", path, clock=LATER).exit_code == 0


def test_a_long_table_is_cut_and_says_so(tmp_path: Path) -> None:
    """Csv and json are not."""
    record(tmp_path, *(fired(seq, f"rule-{seq}") for seq in range(1, MOST + 3)))
    path = write(tmp_path)
    shown = call("alerts", "--config", path, clock=LATER).stdout.splitlines()
    assert (
        shown[-1]
        == f"the last {MOST} of {MOST + 2} alerts; --format csv and --format json have all"
    )
    assert (
        len(json.loads(call("alerts", "--config", path, "--format", "json", clock=LATER).stdout))
        == MOST + 2
    )


@pytest.mark.parametrize("command", ["alerts", "notifications", "history", "gaps"])
def test_an_account_that_is_not_recorded_is_bad_usage(command: str, tmp_path: Path) -> None:
    """B5: a mistyped name is refused; a name is the same however it is composed."""
    record(tmp_path, accounts=("Größe",))
    path = write(tmp_path, account("Größe"), RULE, CHANNEL)
    shown = call(command, "--account", "Grösse", "--config", path)
    assert (shown.exit_code, shown.stderr) == (
        2,
        'no recorded account matches "Grösse"; did you mean "Größe"?\n',
    )
    decomposed = unicodedata.normalize("NFD", "Größe")
    assert call(command, "--account", decomposed, "--config", path).exit_code == 0


def test_a_silence_is_for_names_as_they_are_seen(tmp_path: Path) -> None:
    """B5: what a keyboard sends in two characters finds the name that holds one."""
    record(tmp_path, accounts=("Größe",))
    path = write(tmp_path, account("Größe"), RULE, CHANNEL)
    decomposed = unicodedata.normalize("NFD", "Größe")
    shown = call("silence", "add", "--account", decomposed, "--for", "2h", "--config", path)
    assert (shown.exit_code, shown.stdout.partition(",")[0]) == (0, "silence 1: * on Größe")
