"""The line that an account's first reading after a start leaves in the log."""

from pathlib import Path

import pytest

from daemon.log import IN_SENTENCE
from daemon.rules.rule import Rule
from daemon.types import MINUTE, MissReason, NoAnswer
from tests.cli.past import FINE, LOW, lived
from tests.fakes import NOON
from tests.service.lives import Told
from tests.values import answer, rule

MISSED = NoAnswer(MissReason.TIMEOUT, "no answer within 10 s")
LOW_MARGIN = rule("low-margin", clear_when="available_margin > 120")


def logged(
    folder: Path, caplog: pytest.LogCaptureFixture, rules: list[Rule], *told: dict[str, Told]
) -> list[str]:
    """The lines about the first readings of one life."""
    caplog.clear()
    with caplog.at_level("INFO"):
        begin = NOON + MINUTE * len(list(folder.iterdir()))
        lived(folder, rules, told, begin=begin)
    return [line for line in caplog.messages if "available_margin" in line]


def test_each_account_says_once_what_it_has_and_what_is_nearest(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """After its first reading, not after a miss; a later reading says nothing."""
    rich = answer(available_margin="499.71964459")
    rounds: list[dict[str, Told]] = [
        {"main": MISSED, "grid": FINE},
        {"main": rich},
        {"main": FINE},
    ]
    assert logged(tmp_path, caplog, [LOW_MARGIN], *rounds) == [
        "grid: available_margin 500, nearest rule low-margin below 100, 400 away",
        "main: available_margin 499.72, nearest rule low-margin below 100, 399.72 away",
    ]


def test_a_rule_that_fires_is_said_as_such(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """From the first reading on, or since before the start, though the value is back."""
    expected = ["main: available_margin 90, low-margin below 100 fires"]
    assert logged(tmp_path, caplog, [LOW_MARGIN], {"main": LOW}) == expected
    back = answer(available_margin="110")
    assert logged(tmp_path, caplog, [LOW_MARGIN], {"main": back}) == [
        "main: available_margin 110, low-margin below 100 fires"
    ]


def test_without_a_rule_that_has_a_distance_the_margin_is_all(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A window has none."""
    windowed = rule("fall", "delta(available_margin, 10m) < -50")
    assert logged(tmp_path, caplog, [windowed], {"main": FINE}) == ["main: available_margin 500"]


def test_programs_get_its_numbers_as_fields(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Named as in `status --json`, with all digits; of the margin alone where no rule is near."""
    rich = answer(available_margin="499.71964459")
    expected = {"account": "main", "field": "available_margin", "value": "499.71964459"}
    assert _fields(tmp_path, caplog, rule("fall", "delta(available_margin, 10m) < -50"), rich) == (
        expected
    )
    assert _fields(tmp_path, caplog, LOW_MARGIN, rich) == expected | {
        "rule": "low-margin",
        "fires": False,
        "limit": "100",
        "distance": "399.71964459",
    }
    low = _fields(tmp_path, caplog, LOW_MARGIN, answer(available_margin="90.0"))
    assert (low["fires"], low["value"], low["distance"]) == (True, "90", "-10")


def _fields(
    folder: Path, caplog: pytest.LogCaptureFixture, watching: Rule, reading: Told
) -> dict[str, object]:
    logged(folder, caplog, [watching], {"main": reading})
    (found,) = (getattr(each, IN_SENTENCE) for each in caplog.records if hasattr(each, IN_SENTENCE))
    return dict(found)
