"""The exit status, the first line and `not_well` of `status`."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from daemon.store.operations import Claim, MessageKey, NoticeState, Operation, RecordAttempt
from daemon.types import (
    SECOND,
    Alert,
    AttemptResult,
    Kind,
    Message,
    Millis,
    Miss,
    MissReason,
    Notice,
    NoticeKey,
    NotificationFacts,
    Outcome,
    Record,
    Severity,
    State,
)
from tests.cli.calls import CHANNEL, RULE, account, call, collecting, write
from tests.fakes import NOON, ManualClock
from tests.values import judged, miss, reading

AT = NOON + 5 * SECOND
FACTS = NotificationFacts(Severity.WARNING, "ab3d", AT, AT, AT, judged("90"))
NOTICE = Notice(NoticeKey("main", "low", 1, "hook", Kind.FIRING, 1), AT, FACTS)
OVER = replace(
    Alert("low", 1, "ab3d", Severity.WARNING, State.RESOLVED, "when x", AT, AT, AT, judged("90")),
    ended_seq=2,
)
OTHER = CHANNEL.replace("hook", "desk")


def alert(rule: str, severity: Severity, state: State = State.FIRING, at: Millis = AT) -> Alert:
    return Alert(rule, 1, rule[:4], severity, state, "when x", at, at, None, judged("90"))


def told(notice: Notice, outcome: Outcome) -> tuple[Operation, Operation]:
    """An attempt to deliver the notice, and its outcome."""
    key, result = MessageKey("hook", AT, 1), AttemptResult(outcome)
    state = NoticeState.DELIVERED if outcome is Outcome.DELIVERED else NoticeState.QUEUED
    claim = Claim(key, (notice.key,), Message("title", "body", Severity.WARNING))
    return claim, RecordAttempt(key, AT, result, {notice.key: state})


def status(
    folder: Path, *operations: Operation, after: Millis = 0, channels: str = CHANNEL
) -> tuple[int, str, Any]:
    """Exit status, first line, and the kinds of findings, `after` the last reading."""
    path = write(folder, account(), RULE, channels)
    options = ("--config", path)
    clock = ManualClock(AT + after)
    with collecting(folder, Record("main", reading(1, AT))) as store:
        for operation in operations:
            store.submit(operation).result()
        shown = call("status", *options, clock=clock)
        found = json.loads(call("status", "--format", "json", *options, clock=clock).stdout)
    kinds = [each["why"] for each in found["not_well"]]
    return shown.exit_code, shown.stdout.splitlines()[0], kinds


def test_it_is_0_and_said_where_all_is_well(tmp_path: Path) -> None:
    """Also while a rule is pending: nothing is told yet."""
    pending = Record("main", reading(2, AT), (alert("low", Severity.WARNING, State.PENDING),))
    assert status(tmp_path, pending) == (0, "all is well", [])


def test_it_is_1_where_something_fires_the_worst_first(tmp_path: Path) -> None:
    """Severity comes before age; pending alerts stand below all that fire."""
    alerts = (
        alert("quiet", Severity.CRITICAL, State.PENDING, AT - 3),
        alert("hint", Severity.INFO, at=AT - 2),
        alert("low", Severity.WARNING, at=AT - 1),
        alert("gone", Severity.CRITICAL),
    )
    fired = Record("main", reading(2, AT), alerts)
    assert status(tmp_path, fired) == (1, "not well: gone on main and 2 more fire", ["firing"])
    shown = call("status", "--config", tmp_path / "rules.toml", clock=ManualClock(AT)).stdout
    rules = [line.split()[1] for line in shown.splitlines() if " main  " in line]
    expected = ["gone", "low", "hint", "quiet"]
    assert [rule for rule in rules if rule in expected] == expected


def test_it_is_1_where_a_message_waits(tmp_path: Path) -> None:
    """One whose attempt failed; not one that a mute window holds back until later."""
    record = Record("main", reading(2, AT), (OVER,), notices=(NOTICE,))
    found = status(tmp_path, record, *told(NOTICE, Outcome.LATER))
    assert found == (1, "not well: 1 message waits for hook", ["waiting"])


def test_it_is_0_where_a_mute_window_holds_a_message_back(tmp_path: Path) -> None:
    """It is not due before the window ends."""
    held = replace(NOTICE, facts=replace(FACTS, not_before=AT + SECOND))
    assert status(tmp_path, Record("main", reading(2, AT), (OVER,), notices=(held,)))[0] == 0


@pytest.mark.parametrize(("after", "expected"), [(15 * SECOND, 0), (15 * SECOND + 1, 2)])
def test_it_is_2_where_an_account_has_no_recent_reading(
    tmp_path: Path, after: Millis, expected: int
) -> None:
    """F9: as late as withholds the heartbeat, three intervals; a miss is no reading."""
    missed = Record("main", miss(2, AT + SECOND))
    exit_status, line, kinds = status(tmp_path, missed, after=after)
    assert exit_status == expected
    if expected:
        assert (line, kinds) == ("not well: main has no reading for 15 s", ["stale"])


def test_a_pause_that_the_exchange_asked_for_makes_no_reading_late(tmp_path: Path) -> None:
    """F9: the account is asked again after the pause, within its interval and the timeout."""
    refused = Miss(2, AT + SECOND, MissReason.BLOCKED, "CoinW blocks this address")
    assert status(tmp_path, Record("main", refused), after=30 * SECOND)[0] == 0
    assert status(tmp_path, after=38 * SECOND)[0] == 2


@pytest.mark.parametrize(
    ("channels", "word"), [(CHANNEL + OTHER, "is parked"), (CHANNEL, "refuses for good")]
)
def test_it_is_2_where_a_channel_refused_for_good(tmp_path: Path, channels: str, word: str) -> None:
    """F3: also where every channel does, and is tried on."""
    record = Record("main", reading(2, AT), (OVER,), notices=(NOTICE,))
    exit_status, line, kinds = status(
        tmp_path, record, *told(NOTICE, Outcome.REFUSED), channels=channels
    )
    assert (exit_status, kinds[0]) == (2, "parked")
    assert line.startswith(f"not well: hook {word}; ")


def test_it_is_2_where_the_record_cannot_be_read(tmp_path: Path) -> None:
    """1 would say that the daemon watches."""
    result = call("status", "--config", write(tmp_path))
    assert result.exit_code == 2
    assert result.stderr.startswith("there is no database at ")


def test_the_last_lines_of_the_help_say_what_it_means() -> None:
    """For whoever sets up the monitoring."""
    *_, last = call("status", "--help").stdout.rstrip().split("\n\n")
    assert last.split()[:4] == ["The", "exit", "status,", "for"]
    assert [line.split()[0] for line in last.splitlines()[1:4]] == ["0", "1", "2"]
