"""Rules fire and resolve at the evaluations at which Prometheus' do (SEMANTICS C1, D1, D2);
promtool 2.42 says so.

Its windows are closed at both ends, as ours are; from version 3 on they are open at the left.
"""

import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.prometheus.case import MISS, Case, Known, read
from tests.prometheus.making import ALL_SIGNS, EXACT, ROUNDED, cases
from tests.prometheus.ours import evaluate
from tests.prometheus.promtool import Difference, differences

FRESH = 500


@pytest.fixture(scope="module")
def kept() -> list[Known]:
    return read()


@pytest.fixture(scope="module")
def promtool(require: Callable[[str], Path]) -> Path:
    program = require("promtool")
    version = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=True
    ).stdout
    assert "version 2." in version, (
        f"promtool must be 2.42 or a later 2.x, whose windows are closed: {version}"
    )
    return program


@pytest.mark.no_cover
def test_c1_d1_d2_random_cases_are_in_prometheus_states(promtool: Path, tmp_path: Path) -> None:
    """C1, D1, D2: random cases give the same pending and firing alerts at every evaluation."""
    expected = [evaluate(case) for case in cases(seed=20_260, count=FRESH)]
    assert [str(difference) for difference in differences(promtool, expected, tmp_path)] == []


@pytest.mark.no_cover
def test_c1_d1_d2_the_kept_cases_are_in_the_states_that_prometheus_confirmed(
    kept: list[Known],
) -> None:
    """C1, D1, D2: the same without promtool, of what it once agreed to."""
    assert [(known, ours) for known in kept if (ours := evaluate(known.case)) != known] == []


def test_the_kept_cases_are_what_promtool_says(
    kept: list[Known], promtool: Path, tmp_path: Path
) -> None:
    """The fixtures hold Prometheus' states, not ours."""
    assert [str(difference) for difference in differences(promtool, kept, tmp_path)] == []


def test_the_kept_cases_take_every_turn(kept: list[Known]) -> None:
    """At least 2,000 cases: every operator with every function, and every course of an alert."""
    assert len(kept) >= 2_000
    conditions = Counter((_function(known.case), _sign(known.case)) for known in kept)
    assert all(conditions[function, sign] >= 10 for function in ("", *EXACT) for sign in ALL_SIGNS)
    assert all(
        conditions[function, sign] >= 10 for function in ROUNDED for sign in ("<", "<=", ">", ">=")
    )
    turns = Counter(turn for known in kept for turn in _turns(known))
    assert min(turns[turn] for turn in ("..", ".F", ".p", "pF", "p.", "FF", "F.", MISS)) >= 50, (
        turns
    )


@pytest.mark.parametrize(
    ("was", "wrong", "expected", "got"),
    [(".", "F", "firing", "none"), ("F", ".", "none", "firing"), ("p", "F", "firing", "pending")],
)
def test_a_wrong_state_is_found(
    kept: list[Known], promtool: Path, tmp_path: Path, was: str, wrong: str, expected: str, got: str
) -> None:
    """One state of one case that is not Prometheus': promtool finds it, and nothing else."""
    place, altered = next((place, known) for place, known in enumerate(kept) if was in known.states)
    altered = replace(altered, states=altered.states.replace(was, wrong, 1))
    found = differences(promtool, [*kept[:place], altered, *kept[place + 1 : 50]], tmp_path)
    assert [(each.known, each.expected, each.got) for each in found] == [(altered, expected, got)]


def test_d1_at_misses_prometheus_goes_on(promtool: Path, tmp_path: Path) -> None:
    """D1: no reading in between, so nothing held long enough; Prometheus repeats the last one."""
    case = Case(
        "c0", 1_000, "available_margin < 100", "available_margin < 100", 2_000, 9_000, "90 _ _ 110"
    )
    assert evaluate(case).states == "p__."
    found = differences(promtool, [evaluate(case)], tmp_path)
    assert found == [Difference(evaluate(case), "3s", "none", "firing")]


def test_d2_at_misses_prometheus_goes_on(promtool: Path, tmp_path: Path) -> None:
    """D2: no reading in between, so nothing cleared long enough; Prometheus repeats the last."""
    case = Case(
        "c0",
        1_000,
        "available_margin < 100",
        "available_margin < 100",
        1_000,
        2_000,
        "90 90 110 _ _ 90",
    )
    assert evaluate(case).states == "pFF__F"
    found = differences(promtool, [evaluate(case)], tmp_path)
    assert found == [Difference(evaluate(case), "5s", "firing", "pending")]


def _function(case: Case) -> str:
    return case.when.split("(")[0] if "(" in case.when else ""


def _sign(case: Case) -> str:
    return case.when.split()[-2]


def _turns(known: Known) -> set[str]:
    judged = known.states.replace(MISS, "")
    return {judged[place : place + 2] for place in range(len(judged) - 1)} | set(known.states) & {
        MISS
    }
