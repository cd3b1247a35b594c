"""`status`: how things stand."""

import csv
import io
import json
import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from daemon.cli.status.state import recent_absence
from daemon.readings.sum_check import SENTENCE
from daemon.store import History, Store
from daemon.store.operations import (
    Claim,
    MessageKey,
    NoticeState,
    Operation,
    RecordAttempt,
    SetUserId,
    StartEpoch,
    Written,
)
from daemon.types import (
    HOUR,
    MINUTE,
    SECOND,
    AccountState,
    Alert,
    AttemptResult,
    Check,
    FlapRange,
    Gap,
    GapReason,
    Kind,
    Message,
    Notice,
    NoticeKey,
    NotificationFacts,
    Outcome,
    Quality,
    Record,
    Severity,
    State,
    Transition,
)
from tests.cli.calls import CHANNEL, RULE, account, call, collecting, record, url, write
from tests.cli.past import alone, lived
from tests.fakes import NOON, ManualClock
from tests.values import answer, judged, miss, reading, rule

LATER = ManualClock(NOON + 65 * SECOND)
AT = NOON + 5 * SECOND
KEY = NoticeKey("main", "low", 2, "hook", Kind.FIRING, 2)


def fired() -> Record:
    alert = Alert(
        "low", 2, "ab3d", Severity.WARNING, State.FIRING, "when x", AT, AT, None, judged("90")
    )
    change = Transition("low", 2, AT, State.OK, State.FIRING, "condition", judged("90").value)
    notice = Notice(KEY, AT, NotificationFacts(Severity.WARNING, "ab3d", AT, AT, AT, judged("90")))
    return Record("main", reading(2, AT, available_margin="90"), (alert,), (change,), (notice,))


def attempt(
    n: int, outcome: Outcome, state: NoticeState, detail: str = ""
) -> tuple[Operation, Operation]:
    key = MessageKey("hook", AT + n * SECOND, n)
    claim = Claim(key, (KEY,), Message("title", "body", Severity.WARNING))
    return claim, RecordAttempt(key, AT + n * SECOND, AttemptResult(outcome, detail), {KEY: state})


def configured(folder: Path) -> Path:
    return write(folder, account(), account("new"), RULE, CHANNEL)


def test_it_tells_what_a_person_asks_first(tmp_path: Path) -> None:
    """Is a daemon collecting, how fresh is each account, what fires, what waits and why."""
    with collecting(tmp_path, fired(), Record("main", miss(3, NOON + 10 * SECOND))) as store:
        for operation in attempt(1, Outcome.LATER, NoticeState.QUEUED, "it refuses connections"):
            store.submit(operation).result()
        result = call("status", "--config", configured(tmp_path), clock=LATER)
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[0] == (
        "not well: main has no reading for 1 min; new has no reading yet; low on main fires;"
        " 1 message waits for hook"
    )
    assert lines[1] == f"a daemon is collecting, pid {os.getpid()}"
    assert "main 5s 1 min ago 90 1 read, 1 missed 55 s ago: timeout" in lines
    assert "main: no answer within 10 s" in lines
    assert "new 5s never - - -" in lines
    assert "ab3d low main warning firing 1 min -" in lines
    assert "hook never 1 since 12:00:06 1 since 12:00:05" in lines
    assert "hook: not delivered: it refuses connections" in lines
    assert "hook: 1 waits: due now" in lines


def test_strict_10_what_is_held_back_is_shown_with_its_reason(tmp_path: Path) -> None:
    """Strict 10: the decision of the daemon; programs get it for every channel, held or not."""
    record(tmp_path, replace(fired(), notices=()))
    config = str(configured(tmp_path))
    call("silence", "add", "--rule", "low", "--for", "1h", "--config", config, clock=LATER)
    shown = call("status", "--config", config, clock=LATER).stdout
    assert "low · main to hook: not told: silence 1, until 13:01:05" in shown.splitlines()
    found = json.loads(call("status", "--format", "json", "--config", config, clock=LATER).stdout)
    assert found["alerts"][0]["channels"] == [
        {
            "channel": "hook",
            "told_at": None,
            "why": "silenced",
            "until": "2026-01-01T13:01:05.000+01:00",
        }
    ]


def test_e6_to_whom_an_alert_escalates_is_shown_with_the_time(tmp_path: Path) -> None:
    """E6: unless somebody acknowledges it; then the reason is that."""
    record(tmp_path, fired())
    climbing = RULE.replace(
        "[[rules]]",
        '[[rules]]\nchannels = ["hook"]\nescalate = [{ after = "15m", channels = ["call"] }]',
    )
    config = write(tmp_path, account(), climbing, CHANNEL, CHANNEL.replace('"hook"', '"call"'))
    shown = call("status", "--config", config, clock=LATER).stdout
    sentence = "low · main to call: not told: told at 12:15:05 if nobody acknowledges it before"
    assert sentence in shown.splitlines()

    def call_row() -> object:
        printed = call("status", "--format", "json", "--config", config, clock=LATER).stdout
        return json.loads(printed)["alerts"][0]["channels"][1]

    until = "2026-01-01T12:15:05.000+01:00"
    waits = {"channel": "call", "told_at": None, "why": "not_escalated", "until": until}
    assert call_row() == waits
    call("ack", "ab3d", "--config", config, clock=LATER)
    assert call_row() == waits | {"why": "acknowledged", "until": None}


def test_rules_that_a_mute_window_holds_back_are_shown_with_its_end(tmp_path: Path) -> None:
    """Also where none of them fires: what stays quiet is known before it matters."""
    record(tmp_path, replace(fired(), notices=()))
    window = '[[mutes]]\nname = "lunch"\nbetween = ["12:00", "13:00"]\n'
    muted = RULE.replace("[[rules]]", '[[rules]]\nmute = ["lunch"]')
    config = write(tmp_path, account(), muted, CHANNEL, window)
    shown = call("status", "--config", config, clock=LATER).stdout
    assert "muted until 13:00:00 by lunch: low" in shown.splitlines()
    found = json.loads(call("status", "--format", "json", "--config", config, clock=LATER).stdout)
    assert found["muted"] == [
        {"rules": ["low"], "mutes": ["lunch"], "until": "2026-01-01T13:00:00.000+01:00"}
    ]


def test_strict_10_what_waits_is_shown_at_its_channel_alone(tmp_path: Path) -> None:
    """Strict 10: nothing holds it back; programs get the reason all the same."""
    record(tmp_path, fired())
    config = str(configured(tmp_path))
    shown = call("status", "--config", config, clock=LATER).stdout
    assert "to hook" not in shown
    found = json.loads(call("status", "--format", "json", "--config", config, clock=LATER).stdout)
    assert [each["why"] for each in found["alerts"][0]["channels"]] == ["queued"]


def test_the_worst_age_is_shown_as_a_duration(tmp_path: Path) -> None:
    """455911 is no number for a person."""
    why = judged("455911", "120000", falling=False, field="age")
    alert = Alert(
        "stale", 2, "ab3d", Severity.WARNING, State.FIRING, "when x", AT, AT, None, why, why.value
    )
    record(tmp_path, Record("main", miss(2, AT), (alert,)))
    result = call("status", "--config", configured(tmp_path), clock=LATER)
    (line,) = (line for line in result.stdout.splitlines() if line.startswith("ab3d"))
    assert line.endswith("7 min 35 s")


def test_c2_a_rule_that_stays_unknown_is_named_with_the_part_to_blame(tmp_path: Path) -> None:
    """C2: as the system rule found it."""
    why = "the rule pnl (cross_un_pnl is not sent) cannot be judged"
    alert = Alert(
        "rule-unknown", 2, "ab3d", Severity.WARNING, State.FIRING, "when x", AT, AT, detail=why
    )
    record(tmp_path, Record("main", reading(2, AT), (alert,)))
    result = call("status", "--config", configured(tmp_path), clock=LATER)
    assert f"rule-unknown · main: {why}" in result.stdout.splitlines()


def test_b5_a_reading_that_is_not_simply_believed_is_shown_as_such(tmp_path: Path) -> None:
    """B5: a person sees that the zero is not judged yet."""
    zero = reading(3, NOON + 6 * SECOND, Quality.SUSPECT, available_margin="0")
    record(tmp_path, fired(), Record("main", zero))
    lines = call("status", "--config", configured(tmp_path), clock=LATER).stdout.splitlines()
    assert any("59 s ago, suspect" in line for line in lines)


def test_b6_that_the_margin_is_not_its_sum_is_shown(tmp_path: Path) -> None:
    """B6: after three readings in a row of which it is not true; for programs too."""
    unlike = replace(reading(2, AT).balances, available_usdt=Decimal(400))
    seen = [Record("main", replace(reading(seq, AT + seq), balances=unlike)) for seq in (2, 3, 4)]
    record(tmp_path, *seen[:2])
    config = configured(tmp_path)
    assert "available_usdt" not in call("status", "--config", config, clock=LATER).stdout
    record(tmp_path, seen[2])
    assert (
        f"main: {SENTENCE}" in call("status", "--config", config, clock=LATER).stdout.splitlines()
    )
    found = json.loads(call("status", "--format", "json", "--config", config, clock=LATER).stdout)[
        "accounts"
    ]
    assert [each["margin_is_sum"] for each in found] == [False, True]


def test_json_has_it_for_programs(tmp_path: Path) -> None:
    """One object; numbers as strings, instants with offset."""
    with collecting(tmp_path, fired()) as store:
        delivered = attempt(1, Outcome.DELIVERED, NoticeState.DELIVERED)
        for operation in (SetUserId("main", "1162061"), *delivered):
            store.submit(operation).result()
        result = call("status", "--format", "json", "--config", configured(tmp_path), clock=LATER)
    status = json.loads(result.stdout)
    assert (status["collecting"], status["pid"]) == (True, os.getpid())
    assert [each["account"] for each in status["accounts"]] == ["main", "new"]
    main = status["accounts"][0]
    assert (main["user_id"], main["every"], main["available_margin"]) == ("1162061", "5s", "90")
    assert main["reading_at"] == "2026-01-01T12:00:05.000+01:00"
    assert [each["id"] for each in status["alerts"]] == ["ab3d"]
    assert status["channels"] == [
        {
            "channel": "hook",
            "delivered_at": "2026-01-01T12:00:06.000+01:00",
            "delivered_test": False,
            "failures": 0,
            "failing_since": None,
            "outcome": None,
            "detail": None,
            "parked": False,
            "waiting": 0,
            "waiting_since": None,
            "waits": [],
        }
    ]


def test_csv_has_a_row_per_account(tmp_path: Path) -> None:
    """For a spreadsheet or a shell script."""
    record(tmp_path, fired())
    result = call("status", "--format", "csv", "--config", configured(tmp_path), clock=LATER)
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [(row["account"], row["available_margin"]) for row in rows] == [
        ("main", "90"),
        ("new", ""),
    ]


def test_a_stopped_daemon_is_said(tmp_path: Path) -> None:
    """The lock tells, not what is recorded; a reading from the future is shown with its time."""
    record(tmp_path, fired())
    result = call("status", "--config", configured(tmp_path), clock=ManualClock(NOON))
    first, second, *_ = result.stdout.splitlines()
    assert first.startswith("not well: no daemon is collecting; ")
    assert second == "start it with marginwatch run"
    assert "2026-01-01 12:00:05" in result.stdout


def test_d7_an_alert_about_the_daemon_itself_is_shown_as_the_daemons(tmp_path: Path) -> None:
    """With what was found; programs get the empty account that the record has."""
    alert = Alert(
        "disk-full",
        1,
        "ab3d",
        Severity.WARNING,
        State.FIRING,
        "when x",
        AT,
        AT,
        detail="nearly full",
    )
    change = Transition("disk-full", 1, AT, State.OK, State.FIRING, "condition", None)
    record(tmp_path, Record("", Check(1, AT), (alert,), (change,)))
    config = str(configured(tmp_path))
    shown = call("status", "--config", config, clock=LATER).output
    assert "disk-full · the daemon: nearly full" in shown
    [found] = json.loads(
        call("status", "--config", config, "--format", "json", clock=LATER).output
    )["alerts"]
    assert (found["account"], found["detail"]) == ("", "nearly full")
    table = call("alerts", "--config", config, "--since", "2026-01-01", clock=LATER).output
    assert "the daemon" in table
    assert "condition: nearly full" in table


def test_e4_a_flapping_alert_is_shown_by_the_name_of_its_rule(tmp_path: Path) -> None:
    """For people; programs get the name that the record has."""
    alert = replace(fired().alerts[0], rule="low:flapping", swings=FlapRange(7, None, None))
    record(tmp_path, Record("main", reading(2, AT), (alert,)))
    config = str(configured(tmp_path))
    assert "low (flapping)" in call("status", "--config", config, clock=LATER).output
    [found] = json.loads(call("alerts", "--config", config, "--format", "json", clock=LATER).output)
    assert found["rule"] == "low:flapping"


@pytest.mark.parametrize("output", ["table", "csv", "json"])
def test_the_exit_status_says_whether_anybody_collects(tmp_path: Path, output: str) -> None:
    """C9: 2 where no daemon is collecting, whatever is printed."""
    config = write(tmp_path, account(), RULE, CHANNEL)
    with collecting(tmp_path, Record("main", reading(1, AT))):
        asked = "status", "--config", config, "--format", output
        assert call(*asked, clock=ManualClock(AT)).exit_code == 0
    assert call(*asked, clock=ManualClock(AT)).exit_code == 2


def test_what_is_not_recorded_is_said(tmp_path: Path) -> None:
    """B8: a daemon whose database is locked says so, and since when what is printed is old."""
    config, database = configured(tmp_path), tmp_path / "marginwatch.db"
    with (
        collecting(tmp_path, Record("main", reading(2, NOON + 5 * SECOND))) as store,
        closing(sqlite3.connect(database, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        assert (
            store.submit(Record("main", reading(3, NOON + 10 * SECOND))).result()
            is Written.DEFERRED
        )
        shown = call("status", "--config", config, clock=LATER)
        machine = call("status", "--config", config, "--format", "json", clock=LATER).stdout
        other.execute("ROLLBACK")
    headline, first, second, *_ = shown.stdout.splitlines()
    assert (shown.exit_code, headline) == (2, "not well: the daemon cannot record")
    assert first == (
        f"a daemon is collecting, pid {os.getpid()}, but cannot record anything since 12:00:05: "
        "locked by another program"
    )
    assert second == "what stands here is from before"
    assert json.loads(machine)["not_recording"] == "locked by another program"


def test_a_recent_start_after_a_gap_says_what_it_missed(tmp_path: Path) -> None:
    """For an hour; not where the gap is shorter than two intervals."""
    begin = NOON + 10 * MINUTE
    for start in (NOON, begin):
        lived(tmp_path, [rule("low")], alone(answer()), begin=start, every=5 * SECOND)
    with History.open(url(tmp_path)) as history:
        every = {"main": 5 * SECOND}
        found = recent_absence(history, every, begin + 59 * MINUTE)
        assert found is not None
        assert (found[0] - NOON, found[1]) == (5 * SECOND, begin)
        assert recent_absence(history, every, begin + 61 * MINUTE) is None
        assert recent_absence(history, {"main": 6 * MINUTE}, begin + MINUTE) is None
        assert recent_absence(history, {}, begin + MINUTE) is None


def test_status_shows_what_a_start_missed(tmp_path: Path) -> None:
    """In a line, and in json."""
    config = write(tmp_path, account(), RULE, CHANNEL)
    record(tmp_path, Record("main", reading(1, NOON)))
    down = Gap("main", 3, NOON, NOON + 10 * MINUTE, GapReason.DAEMON_DOWN, 120)
    at = NOON + 10 * MINUTE
    begin = StartEpoch(
        at, "start", "1", [], {"main": "coinw"}, state={"main": AccountState("main")}, gaps=(down,)
    )
    store = Store.open(url(tmp_path))
    try:
        assert store.submit(begin).result() is Written.COMMITTED
        asked = "status", "--config", config
        shown = call(*asked, clock=ManualClock(at + SECOND)).stdout.splitlines()
        found = json.loads(call(*asked, "--json", clock=ManualClock(at + SECOND)).stdout)
        late = json.loads(call(*asked, "--json", clock=ManualClock(at + 2 * HOUR)).stdout)
    finally:
        store.close()
    assert shown[2] == (
        "it did not run from 12:00:00 to 12:10:00 (10 min): no readings of that time"
    )
    assert found["absent_until"] == "2026-01-01T12:10:00.000+01:00"
    assert (late["absent_from"], late["absent_until"]) == (None, None)
