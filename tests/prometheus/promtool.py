"""What Prometheus makes of cases: `promtool test rules` is told the states to expect, and prints
where it differs.

Cases of one interval share a unit test: a series and a rule each, which `case="…"` tells apart, and
at every evaluation one look at `ALERTS`, the series in which Prometheus records the alerts that are
pending or firing (an `alert_rule_test` would show those that fire, and no others).
"""

import json
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from daemon.text.durations import duration_text
from daemon.types import Millis
from tests.prometheus.case import Case, Known

STATES = {"p": "pending", "F": "firing"}

LOOK = "ALERTS and on (case) timestamp(available_margin) == time()"
"""The alerts of the cases that have a sample at this very instant."""

_FAILED = re.compile(
    r'expr: "ALERTS .*?", time: (?P<time>\w+),\s+exp: (?P<expected>.*)\s+got: (?P<got>.*)'
)
_ALERT = re.compile(r'alertname="(?P<name>\w+)", alertstate="(?P<state>\w+)"')


@dataclass(frozen=True, slots=True)
class Difference:
    """An evaluation at which Prometheus is in another state than was expected."""

    known: Known
    time: str
    expected: str
    got: str

    def __str__(self) -> str:
        return (
            f"at {self.time} {self.expected} was expected and Prometheus says {self.got}:"
            f" {self.known}"
        )


def differences(promtool: Path, expected: Iterable[Known], directory: Path) -> list[Difference]:
    """Differences of Prometheus from the expectation; its test files stay in `directory`."""
    by_name = {known.case.name: known for known in expected}
    tests = [
        _write(every, batch, directory) for every, batch in _by_interval(by_name.values()).items()
    ]
    ran = subprocess.run(
        [promtool, "test", "rules", *tests], capture_output=True, text=True, check=False
    )
    said = ran.stdout + ran.stderr
    found = [
        difference for failed in _FAILED.finditer(said) for difference in _compare(failed, by_name)
    ]
    if not found and said.count("SUCCESS") != len(tests):
        raise RuntimeError(f"promtool could not compare:\n{said}")
    return found


def _by_interval(expected: Iterable[Known]) -> dict[Millis, list[Known]]:
    batches = defaultdict(list)
    for known in expected:
        batches[known.case.every].append(known)
    return batches


def _write(every: Millis, batch: list[Known], directory: Path) -> Path:
    """The unit test of one batch, with its rules beside it. JSON is YAML."""
    text = duration_text(every)
    rules, test = directory / f"rules-{text}.json", directory / f"test-{text}.json"
    group = {"name": "cases", "rules": [_rule(known.case) for known in batch]}
    rules.write_text(json.dumps({"groups": [group]}, indent=1))
    unit = {
        "interval": text,
        "input_series": [_series(known.case) for known in batch],
        "promql_expr_test": _looks(every, batch),
    }
    test.write_text(
        json.dumps(
            {"rule_files": [rules.name], "evaluation_interval": text, "tests": [unit]}, indent=1
        )
    )
    return test


def _rule(case: Case) -> dict[str, str]:
    return {
        "alert": case.name,
        "expr": case.promql.replace("available_margin", f'available_margin{{case="{case.name}"}}'),
        "for": duration_text(case.hold),
        "keep_firing_for": duration_text(case.keep_firing_for),
    }


def _series(case: Case) -> dict[str, str]:
    return {"series": f'available_margin{{case="{case.name}"}}', "values": case.readings}


def _looks(every: Millis, batch: list[Known]) -> list[dict[str, object]]:
    length = max(len(known.states) for known in batch)
    return [
        {
            "expr": LOOK,
            "eval_time": duration_text(place * every),
            "exp_samples": _samples(place, batch),
        }
        for place in range(length)
    ]


def _samples(place: int, batch: list[Known]) -> list[dict[str, object]]:
    present = ((known.case.name, STATES.get(known.states[place : place + 1])) for known in batch)
    return [
        {"labels": f'ALERTS{{alertname="{name}",alertstate="{state}",case="{name}"}}', "value": 1}
        for name, state in present
        if state
    ]


def _compare(failed: re.Match[str], known: Mapping[str, Known]) -> list[Difference]:
    expected, got = (dict(_ALERT.findall(failed[side])) for side in ("expected", "got"))
    sides = {name: (expected.get(name, "none"), got.get(name, "none")) for name in expected | got}
    return [
        Difference(known[name], failed["time"], *both)
        for name, both in sides.items()
        if both[0] != both[1]
    ]
