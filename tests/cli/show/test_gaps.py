"""`gaps`: when readings were missing, for people and for programs."""

import csv
import io
import json
from pathlib import Path

import pytest

from daemon.cli.output.tables import MOST
from daemon.store.operations import EndEpoch, Operation, StartEpoch
from daemon.types import (
    HOUR,
    MINUTE,
    SECOND,
    AccountState,
    ClockStep,
    Gap,
    GapReason,
    Millis,
    Miss,
    MissReason,
    Record,
)
from tests.cli.calls import account, call, collecting, write
from tests.fakes import NOON, ManualClock
from tests.values import reading

SAID = "CoinW keeps this machine out (HTTP 403): pausing"


def at(second: float) -> Millis:
    return NOON + round(second * SECOND)


def begun(since: Millis | None = NOON) -> StartEpoch:
    states = {name: AccountState(name, at=NOON, since=since) for name in ("main", "grid-1")}
    return StartEpoch(NOON, "start", "1", [], dict.fromkeys(states, "coinw"), state=states)


def recorded(folder: Path, *, stopped: bool = True) -> Path:
    """`main` unanswered for a minute, then a suspend and a clock step; `grid-1` refused."""
    with collecting(folder) as store:
        operations: list[Operation] = [
            begun(),
            Record("main", reading(1, at(0))),
            *(
                Record("main", Miss(seq, at(5 * seq), MissReason.TIMEOUT, "no answer"))
                for seq in range(2, 12)
            ),
            Record("main", reading(12, at(60))),
            Record(
                "main",
                reading(13, at(300)),
                gap=Gap("main", 13, at(100), at(300), GapReason.SUSPENDED, 40),
            ),
            Record("main", ClockStep(14, at(310), -250)),
            Record("grid-1", Miss(1, at(4), MissReason.BLOCKED, SAID)),
            *([EndEpoch(at(320))] if stopped else []),
        ]
        for operation in operations:
            store.submit(operation).result()
    return write(folder, account(), account("grid-1"))


def show(path: Path, *arguments: str, now: Millis = NOON + 322 * SECOND) -> str:
    result = call("gaps", *arguments, "--config", path, clock=ManualClock(now))
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_a3_json_has_reason_span_and_what_was_missed(tmp_path: Path) -> None:
    """A3, DESIGN §5: of all accounts in the order of time; what still lasts has no end."""
    rows = json.loads(show(recorded(tmp_path), "--format", "json"))
    assert [(row["account"], row["reason"], row["missed"], row["step_ms"]) for row in rows] == [
        ("main", "timeout", 10, None),
        ("grid-1", "blocked", 1, None),
        ("main", "suspended", 40, None),
        ("main", "clock_step", 0, -250),
    ]
    assert rows[1] == {
        "account": "grid-1",
        "started_at": "2026-01-01T12:00:04.000+01:00",
        "ended_at": None,
        "reason": "blocked",
        "missed": 1,
        "step_ms": None,
        "detail": SAID,
    }


def test_csv_has_the_same(tmp_path: Path) -> None:
    """A header and a row per gap."""
    rows = list(
        csv.DictReader(
            io.StringIO(show(recorded(tmp_path), "--format", "csv", "--account", "main"))
        )
    )
    assert [row["reason"] for row in rows] == ["timeout", "suspended", "clock_step"]
    assert rows[2]["detail"] == ""
    assert rows[2]["step_ms"] == "-250"


def test_a_table_is_for_people(tmp_path: Path) -> None:
    """How long each lasted, what goes on, and by how much the clock was set."""
    lines = show(recorded(tmp_path)).splitlines()
    assert [line.split() for line in lines] == [
        ["account", "from", "to", "lasted", "reason", "missed"],
        ["main", "11:59:59", "12:00:59", "1", "min", "timeout", "10"],
        ["grid-1", "12:00:04", "goes", "on", "5", "min", "18", "s", "blocked", "1"],
        ["main", "12:01:39", "12:04:59", "3", "min", "20", "s", "suspended", "40"],
        ["main", "12:05:10", "clock_step", "-250", "ms"],
    ]


def test_a3_where_no_daemon_collects_that_is_a_gap_too(tmp_path: Path) -> None:
    """A3: since it ended, for as long as slots have passed; it is recorded at the next start."""
    path = recorded(tmp_path)
    rows = json.loads(show(path, "--format", "json", now=at(320) + HOUR))
    downs = [row for row in rows if row["reason"] == "daemon_down"]
    assert [(row["account"], row["started_at"], row["ended_at"]) for row in downs] == [
        ("grid-1", "2026-01-01T12:05:20.000+01:00", None),
        ("main", "2026-01-01T12:05:20.000+01:00", None),
    ]
    assert [row["missed"] for row in downs] == [HOUR // (5 * SECOND)] * 2
    blocked = next(row for row in rows if row["reason"] == "blocked")
    assert blocked["ended_at"] == "2026-01-01T12:05:20.000+01:00"


def test_beside_a_daemon_that_collects_nobody_is_away(tmp_path: Path) -> None:
    """Nor was an account away that the last life did not watch."""
    recorded(tmp_path)
    with collecting(tmp_path) as store:
        path = write(tmp_path, account(), account("grid-1"))
        assert "daemon_down" not in show(path, now=at(320) + HOUR)
        store.submit(
            StartEpoch(at(400), "start", "1", [], {}, state={"main": AccountState("main")})
        ).result()
    assert "daemon_down" not in show(path, now=at(320) + HOUR)


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (["--since", "2026-01-01T12:01:39"], ["blocked", "suspended", "clock_step"]),
        (["--until", "2026-01-01T12:00:02"], ["timeout"]),
        (
            ["--since", "2026-01-01T12:02:00", "--until", "2026-01-01T12:03:00"],
            ["blocked", "suspended"],
        ),
        (["--account", "grid-*"], ["blocked"]),
    ],
)
def test_the_span_and_the_account_choose(
    tmp_path: Path, span: list[str], expected: list[str]
) -> None:
    """A gap that touches the span is shown as a whole."""
    found = json.loads(show(recorded(tmp_path), "--format", "json", *span))
    assert [row["reason"] for row in found] == expected


def test_no_gap_is_said(tmp_path: Path) -> None:
    """A table looks back a week where nothing is said."""
    path = recorded(tmp_path)
    assert (
        show(path, "--until", "2026-01-01T10:00")
        == "no gaps in this span; an earlier --since looks further back\n"
    )
    assert "suspended" not in show(path, now=at(0) + 8 * 24 * HOUR)


def test_a_table_shows_the_last_and_says_so(tmp_path: Path) -> None:
    """A person who needs all of them is told how."""
    count = MOST + 2
    with collecting(tmp_path) as store:
        for n in range(count):
            store.submit(Record("main", reading(2 * n + 1, NOON + 2 * n * MINUTE)))
            store.submit(
                Record(
                    "main", Miss(2 * n + 2, NOON + (2 * n + 1) * MINUTE, MissReason.NETWORK, "no")
                )
            ).result()
        store.submit(Record("main", reading(2 * count + 1, NOON + 2 * count * MINUTE))).result()
    lines = show(write(tmp_path, account()), now=NOON + 2 * count * MINUTE).splitlines()
    assert len(lines) == MOST + 2
    assert lines[-1] == f"the last {MOST} of {count} gaps; --format csv and --format json have all"
