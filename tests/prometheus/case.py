"""One comparison with Prometheus: a series, a rule written for both, and the state of its alert at
every evaluation.

States are written with one character per evaluation: `.` no alert, `p` pending, `F` firing, `_` not
compared, since no reading was there to judge.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.types import Millis

FIXTURES = Path(__file__).with_name("cases.json")
"""Cases with the states that promtool confirmed."""

MISS = "_"
"""An attempt to read that gave no reading; Prometheus' notation for a sample that is not there."""


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    every: Millis
    """From evaluation to evaluation; the first one is at 0."""
    when: str
    """The condition, in our words."""
    promql: str
    """The same in Prometheus', of a series `available_margin`."""
    hold: Millis
    """The key `for`."""
    keep_firing_for: Millis
    readings: str
    """One per evaluation, between spaces: a value of `available_margin`, or a `MISS`."""

    @property
    def values(self) -> list[str]:
        return self.readings.split()


@dataclass(frozen=True, slots=True)
class Known:
    """A case, and the state of its alert at each evaluation."""

    case: Case
    states: str


def write(known: Iterable[Known], path: Path = FIXTURES) -> None:
    """Plain JSON, one case a line."""
    lines = ",\n".join(json.dumps(_written(one)) for one in known)
    path.write_text(f"[\n{lines}\n]\n")


def read(path: Path = FIXTURES) -> list[Known]:
    return [_known(written) for written in json.loads(path.read_text())]


def _written(known: Known) -> dict[str, object]:
    case = known.case
    return {
        "name": case.name,
        "every": case.every,
        "when": case.when,
        "promql": case.promql,
        "for": case.hold,
        "keep_firing_for": case.keep_firing_for,
        "readings": case.readings,
        "states": known.states,
    }


def _known(written: dict[str, Any]) -> Known:
    states, hold = written.pop("states"), written.pop("for")
    return Known(Case(hold=hold, **written), states)
