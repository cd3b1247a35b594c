"""Epochs as a replay takes them: with their rules and time zone, or why that is not possible."""

import pytest

from daemon.cli.replay_source import epoch_of
from daemon.rules.rule import Rule
from daemon.store.read.recorded import PastEpoch
from tests.values import T0, rule, state

TODAY = rule("lost", "today(available_margin) < -50")
CLEARED = rule("cleared", clear_when='since(available_margin, "08:00") > 0')
ELSEWHERE = rule("lost", "today(available_margin) < -50", accounts=("grid-*",))


def recorded(zone: str, *rules: Rule) -> PastEpoch:
    written = {
        "rules": [each.written() for each in rules],
        "mutes": {"timezone": zone, "windows": []},
    }
    return PastEpoch(T0, None, "start", None, "0.2.0", written, {"main": state(since=T0)})


@pytest.mark.parametrize("unknown", ["Mars/Olympus", "../etc/passwd", "Europe"])
def test_promise_6_days_of_an_unknown_zone_are_not_replayed(unknown: str) -> None:
    """The days of another zone would give other verdicts in silence."""
    for used in (TODAY, CLEARED):
        found = epoch_of(recorded(unknown, rule(), used), "main")
        assert found.why == (
            f"its rules use times of day in the time zone {unknown}, which this machine does not"
            " know: install its zones (tzdata), or replay on another machine"
        )
        assert list(found.rules) == []


@pytest.mark.parametrize("used", [rule(), ELSEWHERE])
def test_promise_6_an_unknown_zone_does_not_matter_without_times_of_day(used: Rule) -> None:
    """Only the mute windows need it, and verdicts do not depend on them."""
    found = epoch_of(recorded("Mars/Olympus", used), "main")
    assert (found.why, list(found.rules), found.mutes) == ("", [used], None)


def test_promise_6_epochs_of_earlier_versions_stay_readable() -> None:
    """An empty time zone is the system's; rules without mute windows have none recorded."""
    found = epoch_of(recorded("", TODAY), "main")
    assert (found.why, list(found.rules)) == ("", [TODAY])
    assert found.mutes is not None
    assert found.mutes.zone is None
    old = PastEpoch(T0, None, "start", None, "0.1.0", [TODAY.written()], {})
    assert epoch_of(old, "main").why == ""
