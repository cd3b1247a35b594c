"""The nearest rule of each account in `status`."""

import csv
import io
import json
from pathlib import Path

from daemon.types import SECOND, Alert, Quality, Record, Severity, State
from tests.cli.calls import CHANNEL, RULE, account, call, record, write
from tests.fakes import NOON, ManualClock
from tests.values import judged, reading

AT = NOON + 5 * SECOND
LATER = ManualClock(AT + SECOND)
FREEZE = """
[[rules]]
name = "freeze"
when = "al_freeze > 200"
accounts = ["grid"]
severity = "critical"
"""
ALERT = Alert(
    "low", 2, "ab3d", Severity.WARNING, State.FIRING, "when x", AT, AT, None, judged("90")
)


def configured(folder: Path) -> Path:
    """Main has room, grid is near its limit, `low` fires on far, and new has no reading."""
    margin = reading(2, AT, available_margin="499.71964459")
    record(
        folder,
        Record("main", margin),
        Record("main", reading(3, AT, Quality.SUSPECT, available_margin="0")),
        Record("grid", reading(2, AT, al_freeze="180")),
        Record("far", reading(2, AT, available_margin="110"), (ALERT,)),
        accounts=("main", "grid", "far"),
    )
    named = [account(name) for name in ("main", "grid", "far", "new")]
    return write(folder, *named, RULE, FREEZE, CHANNEL)


def test_people_see_the_accounts_that_need_them_first(tmp_path: Path) -> None:
    """What fires, then what is nearest; two places; a suspect reading is not judged."""
    shown = call("status", "--config", configured(tmp_path), clock=LATER).stdout
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    first = lines.index("nearest rules")
    assert lines[first + 1 : first + 6] == [
        "account rule field value limit distance",
        "far low available_margin 110 below 100 fires",
        "grid freeze al_freeze 180 above 200 20",
        "main low available_margin 499.72 below 100 399.72",
        "",
    ]


def test_programs_get_all_digits(tmp_path: Path) -> None:
    """In json under `nearest`, in csv in columns; nothing for an account without a reading."""
    options = ("--config", configured(tmp_path), "--format")
    found = json.loads(call("status", *options, "json", clock=LATER).stdout)["accounts"]
    assert found[0]["nearest"] == {
        "rule": "low",
        "fires": False,
        "field": "available_margin",
        "value": "499.71964459",
        "limit": "100",
        "distance": "399.71964459",
    }
    assert [each["nearest"] and each["nearest"]["fires"] for each in found] == [
        False,
        False,
        True,
        None,
    ]
    rows = list(csv.DictReader(io.StringIO(call("status", *options, "csv", clock=LATER).stdout)))
    assert [(row["nearest_rule"], row["nearest_distance"]) for row in rows] == [
        ("low", "399.71964459"),
        ("freeze", "20"),
        ("low", "10"),
        ("", ""),
    ]
