"""`explain` says that nothing was judged for a while, and why."""

from pathlib import Path
from typing import Any

import pytest

from daemon.alerts import system_rules
from daemon.types import HOUR, MINUTE, SECOND, MissReason, NoAnswer
from tests.cli.calls import url
from tests.cli.explain.test_explain_command import change, lines
from tests.cli.past import FINE, LOW, NOTHING, alone, lived
from tests.fakes import NOON
from tests.service.lives import KILL, RELOAD, STOP, Life, RestlessClock, Step
from tests.values import rule

RULES = [rule("low"), system_rules.system_rule("no-readings", 2 * MINUTE)]
LAST = "2026-01-01 12:00:05"


def live(folder: Path, begin: int = NOON, **how: Any) -> None:
    """Ten seconds of the account main, the last input after five of them."""
    lived(folder, RULES, alone(FINE, FINE), begin=begin, **how)


def gap(folder: Path, at: str, name: str = "low") -> str:
    """The sentence about the gap; empty where there is none."""
    said = [
        line.removeprefix("gap ")
        for line in lines(folder, name, f"2026-01-01T{at}")
        if line.startswith("gap ")
    ]
    return "".join(said)


def test_the_time_for_which_the_daemon_was_stopped_is_told(tmp_path: Path) -> None:
    """From when to when, as the epochs tell it; where it did not run again, that."""
    live(tmp_path)
    never = (
        "nothing was judged for 55 s before that: the daemon was stopped at 2026-01-01 12:00:10,"
        " and none has run since"
    )
    assert gap(tmp_path, "12:01") == never
    live(tmp_path, begin=NOON + 8 * MINUTE)
    stopped = "the daemon was stopped from 2026-01-01 12:00:10 to 2026-01-01 12:08:00"
    assert gap(tmp_path, "12:07:05") == f"nothing was judged for 7 min before that: {stopped}"
    assert gap(tmp_path, "12:00:20") == gap(tmp_path, "12:08:10") == ""


def test_right_after_a_start_the_time_before_it_is_told(tmp_path: Path) -> None:
    """The last input is the start itself, which judged nothing; there may have been several."""
    live(tmp_path)
    lived(tmp_path, RULES, [NOTHING], begin=NOON + 2 * MINUTE)
    lived(tmp_path, RULES, [NOTHING], begin=NOON + 4 * MINUTE)
    assert (
        gap(tmp_path, "12:04:00") == "nothing was judged for 3 min 55 s before that: "
        "the daemon was stopped from 2026-01-01 12:00:10 to 2026-01-01 12:02:00; "
        "the daemon was stopped from 2026-01-01 12:02:05 to 2026-01-01 12:04:00"
    )


def test_a_first_start_that_read_nothing(tmp_path: Path) -> None:
    """Nothing is known before it."""
    lived(tmp_path, RULES, [NOTHING] * 9)
    assert gap(tmp_path, "12:00:10") == ""
    assert (
        gap(tmp_path, "12:00:40")
        == "nothing was judged for 40 s before that, as far as the record knows"
    )


def test_a_daemon_that_ended_without_a_word(tmp_path: Path) -> None:
    """The daemon was killed after the last record of any account, whether one ran later or not."""
    lived(tmp_path, RULES, [{"main": FINE, "other": FINE}, {"other": FINE}], ending=KILL)
    killed = (
        "nothing was judged for 1 min before that: the daemon was killed, or the machine went"
        f" down, after {LAST}, and"
    )
    assert gap_of_main(tmp_path, "12:01") == f"{killed} none has run since"
    lived(tmp_path, RULES, [{"main": FINE, "other": FINE}], begin=NOON + 8 * MINUTE)
    assert gap_of_main(tmp_path, "12:01") == f"{killed} it was started again at 2026-01-01 12:08:00"


def gap_of_main(folder: Path, at: str) -> str:
    shown = lines(folder, "low", f"2026-01-01T{at}", account="main")
    return "".join(line.removeprefix("gap ") for line in shown if line.startswith("gap "))


async def test_a_daemon_that_runs_was_not_killed(tmp_path: Path) -> None:
    """Its epoch has no end either."""
    clock = RestlessClock()
    async with Life(url(tmp_path), ["main"], RULES, clock=clock) as life:
        await life.tell({"main": FINE})
        assert (
            gap(tmp_path, "12:01")
            == "nothing was judged for 1 min before that, as far as the record knows"
        )


def test_a_daemon_of_which_nobody_can_tell_is_not_said_to_be_dead(tmp_path: Path) -> None:
    """Its lock cannot be read."""
    live(tmp_path, ending=KILL)
    lock = tmp_path / "marginwatch.db.lock"
    lock.unlink()
    lock.symlink_to(lock)
    assert (
        gap(tmp_path, "12:01")
        == "nothing was judged for 55 s before that, as far as the record knows"
    )


@pytest.mark.parametrize("reason", [MissReason.RATE_LIMITED, MissReason.BLOCKED, MissReason.AUTH])
def test_b2_a_pause_after_a_refusal_is_told(tmp_path: Path, reason: MissReason) -> None:
    """B2: a pause after a refusal explains a gap, unless the gap is longer than any pause."""
    lived(tmp_path, RULES, [*alone(FINE, NoAnswer(reason, "no")), *[NOTHING] * 100, *alone(FINE)])
    pause = f"after a refusal ({reason}) the exchange is left alone for up to 5 min"
    assert gap(tmp_path, "12:00:55") == f"nothing was judged for 50 s before that: {pause}"
    assert (
        gap(tmp_path, "12:08:05")
        == "nothing was judged for 8 min before that, as far as the record knows"
    )


def test_b2_other_misses_make_no_pause(tmp_path: Path) -> None:
    """B2: after a timeout the next slot is used."""
    lived(
        tmp_path, RULES, [*alone(NoAnswer(MissReason.TIMEOUT, "no")), *[NOTHING] * 20, *alone(FINE)]
    )
    assert (
        gap(tmp_path, "12:01")
        == "nothing was judged for 1 min before that, as far as the record knows"
    )


SPAN = "from 2026-01-01 12:00:20 to 2026-01-01 12:00:50"
LOST = f"the database refused to write, so that what was judged {SPAN} is lost (6 inputs)"


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("store_down", f"nothing is recorded of the 1 min before that: {LOST}"),
        (
            "suspended",
            f"nothing was judged for 1 min before that: the machine was suspended {SPAN}",
        ),
        ("clock_step", "nothing was judged for 1 min before that, as far as the record knows"),
    ],
)
def test_a_recorded_gap_is_told(tmp_path: Path, reason: str, said: str) -> None:
    """Readings that were judged but never stored do not count as silence of the daemon."""
    lived(tmp_path, RULES, [*alone(FINE), *[NOTHING] * 20, *alone(FINE)])
    span = (NOON + 20 * SECOND, NOON + 50 * SECOND)
    step = SECOND if reason == "clock_step" else None
    change(tmp_path, "INSERT INTO gaps VALUES (1, 900, ?, ?, ?, 6, ?)", *span, reason, step)
    assert gap(tmp_path, "12:01") == said


def test_an_account_that_was_away_is_told(tmp_path: Path) -> None:
    """Right after it came back: daemons ran, but not for it."""
    live(tmp_path, ending=RELOAD)
    lived(
        tmp_path,
        RULES,
        [{"other": FINE}] * 10,
        begin=NOON + 10 * SECOND,
        ending=RELOAD,
        reason=RELOAD,
    )
    lived(tmp_path, RULES, [NOTHING], begin=NOON + MINUTE, reason=RELOAD)
    assert (
        gap_of_main(tmp_path, "12:01")
        == "nothing was judged for 55 s before that: main was not configured from 2026-01-01"
        " 12:00:10 on"
    )


def test_a5_a_time_that_the_clock_passed_over_is_told(tmp_path: Path) -> None:
    """A5: it was set forward over the instant, so that nothing can lie there."""
    lived(tmp_path, RULES, alone(FINE, Step(HOUR), FINE))
    leap = "the clock was set forward by 1 h, to 2026-01-01 13:00:05"
    assert gap(tmp_path, "12:09:05") == f"nothing was judged for 9 min 5 s before that: {leap}"


def test_a5_epochs_are_followed_in_their_order(tmp_path: Path) -> None:
    """A5: after the clock was set back, an earlier one lies later."""
    live(tmp_path, begin=NOON + 5 * MINUTE)
    live(tmp_path)
    stopped = "the daemon was stopped at 2026-01-01 12:00:10, and none has run since"
    assert gap(tmp_path, "12:09:05") == f"nothing was judged for 9 min before that: {stopped}"
    assert gap(tmp_path, "12:00:00") == ""


def test_a2_what_goes_on_is_marked_as_of_the_last_input(tmp_path: Path) -> None:
    """A2: an age of 0 ms after minutes of silence is that of the last input, and so are clocks."""
    live(tmp_path, ending=STOP)
    shown = lines(tmp_path, "no-readings", "2026-01-01T12:09:05")
    assert "as it stood at the last input, 9 min before:" in shown
    assert "age 0 ms, at the last input" in shown
    assert "clock missing_after 2m: 0 ms so far, 2 min to go, at the last input" in shown
    fresh = lines(tmp_path, "no-readings", "2026-01-01T12:00:10")
    assert "age 0 ms" in fresh
    assert "clock missing_after 2m: 0 ms so far, 2 min to go" in fresh
    assert not any("last input," in line for line in fresh)


def test_misses_are_no_silence(tmp_path: Path) -> None:
    """The last input tells by itself what went wrong."""
    lived(tmp_path, RULES, alone(LOW, *[NoAnswer(MissReason.TIMEOUT, "no answer")] * 12))
    assert gap(tmp_path, "12:01") == ""
    assert "last read 2026-01-01 12:00:00, 1 min before" in lines(
        tmp_path, "low", "2026-01-01T12:01"
    )
