"""`explain`: why a rule did, or did not, wake anybody, from a record that real owners made."""

import asyncio
import sqlite3
import sys
from collections.abc import Iterable
from contextlib import closing
from datetime import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import Result

from daemon.alerts.mutes import DAYS, Mutes, MuteWindow
from daemon.cli import record_access
from daemon.cli.explain import answer as explained
from daemon.cli.session import CommandSession
from daemon.rules.rule import AtLeast, Rule
from daemon.service.judging.arrivals import Arrival
from daemon.types import HOUR, MINUTE, SECOND, Limit, MissReason, NoAnswer, OnMissing
from tests.cli import past
from tests.cli.calls import CHANNEL, RULE, SECRETS, Terminal, account, call, url, write
from tests.fakes import NOON, ManualClock
from tests.service.lives import RELOAD, STOP, Life, play
from tests.values import answer, rule

LATER = ManualClock(NOON + 10 * MINUTE)


def lived(folder: Path, rules: Iterable[Rule], *arrivals: Arrival, **life: Any) -> None:
    """One life of the account main, an arrival each second, on the database of this folder."""
    rounds = [{"main": arrival} for arrival in arrivals]
    asyncio.run(
        play(
            lambda **how: Life(url(folder), ["main"], list(rules), **life, **how),
            rounds,
            SECOND,
            lambda _: "",
        )
    )


def change(folder: Path, statement: str, *values: object) -> None:
    """Tamper with the record."""
    with closing(sqlite3.connect(folder / "marginwatch.db")) as connection, connection:
        connection.execute(statement, values)


def asked(
    folder: Path,
    name: str,
    at: str = "2026-01-01T12:00:10",
    *more: str,
    tables: tuple[str, ...] = (),
) -> Result:
    return call("explain", name, "--at", at, *more, "--config", write(folder, *tables), clock=LATER)


def lines(
    folder: Path,
    name: str,
    at: str = "2026-01-01T12:00:10",
    *,
    tables: tuple[str, ...] = (),
    account: str = "",
) -> list[str]:
    """The output, without the spaces that align it."""
    answered = asked(folder, name, at, *(["--account", account] if account else []), tables=tables)
    assert answered.exit_code == 0, answered.output
    return [" ".join(line.split()) for line in answered.stdout.splitlines()]


MISS = NoAnswer(MissReason.TIMEOUT, "no answer within 10 s")


def test_every_value_of_the_condition_is_shown(tmp_path: Path) -> None:
    """The tree with what each part was worth, and how many readings a window held."""
    lived(
        tmp_path,
        [rule("deep", "max(available_margin, 10s) - available_margin > 100")],
        answer(),
        answer(),
    )
    assert lines(tmp_path, "deep")[3:8] == [
        "when max(available_margin, 10s) - available_margin > 100 no",
        "max(available_margin, 10s) - available_margin 0",
        "max(available_margin, 10s) 500 (2 readings)",
        "available_margin 500",
        "available_margin 500",
    ]


def test_c4_a_ratio_is_shown_as_the_percentage_it_is_compared_with(tmp_path: Path) -> None:
    """C4: in the condition, the alert and the transitions, from the recorded epoch and alert."""
    lived(
        tmp_path,
        [rule("fell", "drop(available_margin, 30s) > 30%")],
        answer(),
        answer(available_margin="285.2"),
    )
    shown = lines(tmp_path, "fell")
    assert shown[3:6] == [
        "when drop(available_margin, 30s) > 30% yes",
        "drop(available_margin, 30s) 42.96% (2 readings)",
        "available_margin 285.2",
    ]
    assert any(line.startswith("alert ") and line.endswith(", worst 42.96%") for line in shown)
    assert "was 2026-01-01 12:00:01 ok → firing (condition) at 42.96%" in shown


def test_an_unknown_part_says_why(tmp_path: Path) -> None:
    """Nothing is a mere "unknown": the missing field, or the readings that a window lacks."""
    lived(
        tmp_path,
        [rule("pnl", "cross_un_pnl < -5 or zscore(al_freeze, 1m) > 3")],
        answer(),
        answer(),
    )
    shown = lines(tmp_path, "pnl")
    assert "cross_un_pnl unknown: cross_un_pnl is not sent" in shown
    assert "zscore(al_freeze, 1m) unknown: 2 of 10 readings needed in 1m" in shown


def test_it_stands_as_it_stood_then(tmp_path: Path) -> None:
    """The instant decides: what came later is not known yet."""
    lived(tmp_path, [rule("low")], answer(), answer(available_margin="90"), answer())
    assert "alert none is open" in lines(tmp_path, "low", "2026-01-01T12:00:00")
    firing = lines(tmp_path, "low", "2026-01-01T12:00:01")
    assert any(
        line.startswith("alert ") and "firing since 2026-01-01 12:00:01, worst 90" in line
        for line in firing
    )
    assert "was 2026-01-01 12:00:01 ok → firing (condition) at 90" in firing
    assert "told 2026-01-01 12:00:01 firing to telegram: queued" in firing
    assert "was 2026-01-01 12:00:02 firing → resolved (cleared) at 500" in lines(tmp_path, "low")


def test_without_a_time_it_is_shown_as_it_stands(tmp_path: Path) -> None:
    """Most people ask about now."""
    lived(tmp_path, [rule("low")], answer(available_margin="90"))
    at_now = asked(tmp_path, "low", "now")
    without = call("explain", "low", "--config", write(tmp_path), clock=LATER)
    assert (without.exit_code, without.stdout) == (0, at_now.stdout)


def test_the_clocks_that_run_are_shown(tmp_path: Path) -> None:
    """`for`, `keep_firing_for`, `missing_after` and `at_least`: the progress and the target."""
    rules = [
        rule("held", hold=10 * SECOND),
        rule("kept", "al_freeze > 5", keep_firing_for=10 * SECOND),
        rule("silent", "al_freeze > 500", on_missing=OnMissing.FIRING, missing_after=10 * SECOND),
        rule("most", at_least=AtLeast(3, 5)),
    ]
    low, frozen = answer(available_margin="90"), answer(available_margin="90", al_freeze="10")
    lived(tmp_path, rules, frozen, low, low, MISS, MISS)
    assert "clock for 10s: 2 s so far, 8 s to go" in lines(tmp_path, "held", "2026-01-01T12:00:02")
    assert "clock keep_firing_for 10s: 1 s so far, 9 s to go" in lines(
        tmp_path, "kept", "2026-01-01T12:00:02"
    )
    assert "clock missing_after 10s: 2 s so far, 8 s to go" in lines(tmp_path, "silent")
    assert "at_least 2 of the last 2 readings hold; needed: 3 of 5" in lines(
        tmp_path, "most", "2026-01-01T12:00:01"
    )


def test_a_miss_is_named_and_the_last_reading_too(tmp_path: Path) -> None:
    """At a miss the values are those of the last reading, which is said."""
    lived(tmp_path, [rule("low")], answer(), MISS, MISS)
    shown = lines(tmp_path, "low")
    assert shown[1:3] == [
        "last input 2026-01-01 12:00:02 a miss (timeout): no answer within 10 s",
        "last read 2026-01-01 12:00:00, 2 s before",
    ]


def test_what_mutes_it_is_named(tmp_path: Path) -> None:
    """Inhibition and flapping are reasons why nobody was told."""
    rules = [rule("critical", "available_margin < 50"), rule("low", inhibited_by=("critical",))]
    lived(tmp_path, rules, answer(available_margin="40"))
    shown = lines(tmp_path, "low")
    assert "muted inhibited by critical, which fires on the same account" in shown
    assert "told nothing was sent of it" in shown


def test_each_channel_was_told_or_there_is_a_reason(tmp_path: Path) -> None:
    """The reason is the one by which the daemon decides; only of an alert that fires."""
    rules = [
        rule("critical", "available_margin < 50"),
        rule("low", inhibited_by=("critical",), repeat=HOUR),
    ]
    margins = ("500", "90", "40")
    lived(tmp_path, rules, *(answer(available_margin=each) for each in margins), channels=("hook",))
    reasons = [
        line
        for second in range(3)
        for line in lines(tmp_path, "low", f"2026-01-01T12:00:0{second}")
        if line.startswith("channel ")
    ]
    assert reasons == [
        "channel hook: not told: a message waits to be sent",
        "channel hook: not told: inhibited by critical, which fires on the same account",
    ]


def test_a_channel_that_was_told_says_when_and_until_when_it_is_left_alone(tmp_path: Path) -> None:
    """The time of the next reminder, by the `repeat` that was in force."""
    low = answer(available_margin="90")
    lived(tmp_path, [rule("low", repeat=HOUR)], low, low, channels=("hook",))
    at = NOON + 500
    told = "UPDATE notifications SET state = 'delivered', attempts = 1, done_at = ?, told_at = ?"
    change(tmp_path, told, at, at)
    shown = lines(tmp_path, "low")
    assert "channel hook: told 2026-01-01 12:00:00: no reminder before 2026-01-01 13:00:00" in shown


LUNCH = Mutes(
    {"lunch": MuteWindow("lunch", frozenset(DAYS), time(12), time(13))}, ZoneInfo("Europe/Berlin")
)


def test_e2_the_mute_windows_are_those_that_were_in_force(tmp_path: Path) -> None:
    """E2: they are recorded with the rules, and today's configuration has none."""
    lived(tmp_path, [rule("low", mute=("lunch",))], answer(available_margin="90"), mutes=LUNCH)
    assert "muted the mute window lunch, until 2026-01-01 13:00:00" in lines(tmp_path, "low")
    assert not any("today's" in line for line in lines(tmp_path, "low"))


def test_e2_mute_windows_that_were_not_recorded_are_those_of_today(tmp_path: Path) -> None:
    """E2: an earlier version recorded the rules alone; whose windows are shown then, is said."""
    lived(
        tmp_path,
        [rule("low", mute=("lunch",)), rule("other")],
        answer(available_margin="90"),
        mutes=LUNCH,
    )
    change(tmp_path, "UPDATE epochs SET rules = rules -> '$.rules'")
    window = '[[mutes]]\nname = "lunch"\nbetween = ["11:30", "12:30"]\n'
    shown = lines(tmp_path, "low", tables=(account(), RULE, CHANNEL, window))
    at = shown.index("muted the mute window lunch, until 2026-01-01 12:30:00")
    assert shown[at + 1] == "by today's mute windows, for those of that time are not recorded"
    assert shown[-1] == "told nothing was sent of it"
    assert not any("today's" in line for line in lines(tmp_path, "other"))


def test_a_duration_is_told_with_its_unit(tmp_path: Path) -> None:
    """A rule that judges a duration shows its worst value and its transitions as durations."""
    lived(tmp_path, [rule("stale", "age > 1s")], answer(), MISS, MISS, answer())
    silent = lines(tmp_path, "stale", "2026-01-01T12:00:02")
    assert any(line.startswith("alert ") and line.endswith(", worst 2 s") for line in silent)
    assert "was 2026-01-01 12:00:02 ok → firing (condition) at 2 s" in silent


def test_what_a_silence_ends_with_is_an_amount_again(tmp_path: Path) -> None:
    """The alert was about the silence; the value at its end is that of the condition."""
    gone = rule("gone", "available_margin < 1", on_missing=OnMissing.FIRING, missing_after=SECOND)
    lived(tmp_path, [gone], answer(), MISS, MISS, answer())
    shown = lines(tmp_path, "gone")
    assert any(line.endswith("ok → firing (missing) at 1 s") for line in shown)
    assert any(line.endswith("firing → resolved (back) at 500") for line in shown)


def test_a_long_condition_is_cut_for_its_parts_follow(tmp_path: Path) -> None:
    """A part of hundreds of characters would fill the screen again on every level."""
    lived(tmp_path, [rule("long", " + ".join(["available_margin"] * 20) + " < 1")], answer())
    assert max(len(line) for line in asked(tmp_path, "long").stdout.splitlines()) < 180


def test_a_phone_shows_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal of 40 columns nothing is wider."""
    lived(
        tmp_path,
        [rule("low", "max(available_margin, 10s) - available_margin > 100")],
        answer(),
        MISS,
    )
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "40")
    session = CommandSession(environ=SECRETS, path=write(tmp_path))
    with record_access.open_record(session) as recorded:
        explained.show(recorded, explained.Question("low", None, "10m"), LATER.now())
    shown = terminal.getvalue().splitlines()
    assert max(map(len, shown)) <= 40
    assert "last input  2026-01-01 12:00:00  a" in shown


def test_a_flapping_rule_says_so(tmp_path: Path) -> None:
    """While it flaps, its episodes are not told one by one."""
    swings = [answer(available_margin=amount) for amount in ("90", "500") * 4]
    lived(tmp_path, [rule("low", flapping=Limit(2, MINUTE))], *swings)
    assert "muted it flaps, which is told as one thing" in lines(tmp_path, "low")


def test_what_came_before_a_restart_is_not_forgotten(tmp_path: Path) -> None:
    """Transitions and notifications come from the record; the alert goes on over the stop."""
    past.lived(tmp_path, [rule("low")], past.alone(past.FINE, past.LOW))
    past.lived(tmp_path, [rule("low")], past.alone(past.LOW, past.FINE), begin=NOON + MINUTE)
    assert lines(tmp_path, "low", "2026-01-01T12:01:00")[-2:] == [
        "was 2026-01-01 12:00:05 ok → firing (condition) at 90",
        "told 2026-01-01 12:00:05 firing to telegram: queued",
    ]
    assert lines(tmp_path, "low", "2026-01-01T12:01:05")[-4:] == [
        "was 2026-01-01 12:00:05 ok → firing (condition) at 90",
        "was 2026-01-01 12:01:05 firing → resolved (cleared) at 500",
        "told 2026-01-01 12:00:05 firing to telegram: queued",
        "told 2026-01-01 12:01:05 resolved to telegram: queued",
    ]


def test_d5_what_a_reload_retired_is_told(tmp_path: Path) -> None:
    """D5: the end of an alert whose rule has changed, although the replay begins after it."""
    past.lived(tmp_path, [rule("low")], past.alone(past.FINE, past.LOW), ending=RELOAD)
    lower = rule("low", "available_margin < 95")
    past.lived(tmp_path, [lower], past.alone(past.FINE), begin=NOON + 10 * SECOND, reason=RELOAD)
    assert "was 2026-01-01 12:00:10 firing → retired (rule_changed)" in lines(tmp_path, "low")
    assert "told 2026-01-01 12:00:10 retired to telegram: queued" in lines(tmp_path, "low")


@pytest.mark.parametrize(
    ("second", "ending", "accounts", "end"),
    [
        ([rule("other")], RELOAD, ["main"], "reloaded with other rules"),
        ([rule("low", accounts=("grid-*",))], STOP, ["main"], "started with other rules"),
        ([rule("low")], RELOAD, ["other"], "reloaded without that account"),
    ],
)
def test_d5_a_rule_that_did_not_watch_any_more_is_told(
    tmp_path: Path, second: list[Rule], ending: str, accounts: list[str], end: str
) -> None:
    """D5: since when, with what became of its alert: that is why it woke nobody."""
    past.lived(tmp_path, [rule("low")], past.alone(past.FINE, past.LOW), ending=ending)
    reason = RELOAD if ending == RELOAD else "start"
    for begin in (NOON + MINUTE, NOON + 2 * MINUTE):
        rounds = [dict.fromkeys(accounts, past.FINE)]
        past.lived(tmp_path, second, rounds, begin=begin, ending=ending, reason=reason)
    assert asked(tmp_path, "low", "2026-01-01T12:03", "--account", "main").stdout.splitlines() == [
        "low on main at 2026-01-01 12:03:00",
        f"not watched low watched main until 2026-01-01 12:01:00, when the daemon was {end}",
        "",
        "was         2026-01-01 12:00:05  ok → firing (condition) at 90",
        "was         2026-01-01 12:01:00  firing → retired (rule_removed)",
        "told        2026-01-01 12:00:05  firing to telegram: queued",
        "told        2026-01-01 12:01:00  retired to telegram: queued",
    ]


def test_an_account_that_left_without_an_open_alert_is_watched_no_more(tmp_path: Path) -> None:
    """Later epochs do not name it at all, until it is back."""
    past.lived(tmp_path, [rule("low")], past.alone(past.FINE))
    past.lived(tmp_path, [rule("low")], [{"other": past.FINE}], begin=NOON + MINUTE)
    past.lived(tmp_path, [rule("low")], past.alone(past.FINE), begin=NOON + 2 * MINUTE)
    gone = asked(tmp_path, "low", "2026-01-01T12:01:30", "--account", "main").stdout
    assert (
        "not watched low watched main until 2026-01-01 12:01:00, when the daemon was started"
        " without that" in gone
    )
    assert (
        "not watched"
        not in asked(tmp_path, "low", "2026-01-01T12:02:00", "--account", "main").stdout
    )


def test_the_last_of_everything_is_shown(tmp_path: Path) -> None:
    """The last eight transitions and notifications up to the instant, flapping included."""
    swings = past.alone(*[past.LOW, past.FINE] * 6)
    past.lived(
        tmp_path, [rule("low", flapping=Limit(4, HOUR)), rule("high", "al_freeze < 1")], swings
    )
    shown = [
        line
        for line in lines(tmp_path, "low", "2026-01-01T12:00:46")
        if line.startswith(("was", "told"))
    ]
    assert [line.partition("12:00:")[2] for line in shown] == [
        "15 firing → resolved (cleared) at 500",
        "20 ok → firing (condition) at 90",
        "25 firing → resolved (cleared) at 500",
        "30 ok → firing (condition) at 90",
        "35 firing → resolved (cleared) at 500",
        "40 ok → firing (condition) at 90",
        "40 ok → firing (flapping)",
        "45 firing → resolved (cleared) at 500",
        *(f"{second} {kind} to telegram: queued" for second, kind in TOLD),
    ]


TOLD = [
    *(
        ("05", "resolved"),
        ("10", "firing"),
        ("15", "resolved"),
        ("20", "firing"),
        ("25", "resolved"),
    ),
    *(("30", "firing"), ("35", "resolved"), ("40", "firing (flapping)")),
]


@pytest.mark.parametrize(
    ("state", "attempts", "done", "how"),
    [
        ("delivered", 1, NOON + 3 * SECOND, "delivered 2026-01-01 12:00:03"),
        ("delivered", 3, NOON + 3 * SECOND, "delivered 2026-01-01 12:00:03, 3 attempts"),
        ("queued", 3, None, "queued, 3 attempts, the last 2026-01-01 12:00:02: it is full"),
        ("refused", 1, NOON + 3 * SECOND, "refused 2026-01-01 12:00:03, 1 attempt: it is full"),
    ],
)
def test_f1_how_a_notification_fared_is_told(
    tmp_path: Path, state: str, attempts: int, done: int | None, how: str
) -> None:
    """F1: when it arrived, or how often it was tried, when last, and what was answered."""
    lived(tmp_path, [rule("low")], answer(available_margin="90"))
    change(tmp_path, "INSERT INTO messages VALUES (7, 'telegram', 0, 0, '', '')")
    change(
        tmp_path,
        "INSERT INTO attempts VALUES (1, 7, ?, 0, 'later', 'it is full', NULL)",
        NOON + 2 * SECOND,
    )
    fared = "UPDATE notifications SET state = ?, attempts = ?, done_at = ?, message_id = 7"
    change(tmp_path, fared, state, attempts, done)
    assert lines(tmp_path, "low")[-1] == f"told 2026-01-01 12:00:00 firing to telegram: {how}"


def test_what_is_not_in_the_record_is_said(tmp_path: Path) -> None:
    """One sentence with the remedy: unknown rule, account or time; several accounts; no record."""
    lived(tmp_path, [rule("low-margin")], answer())
    assert 'did you mean "low-margin"?' in asked(tmp_path, "low-margn").stderr
    assert (
        'no account "grid" is recorded; there are main'
        in asked(tmp_path, "low-margin", "now", "--account", "grid").stderr
    )
    early = asked(tmp_path, "low-margin", "2025-01-01")
    assert (early.exit_code, early.stderr) == (
        2,
        "the record of main begins only at 2026-01-01 12:00:00\n",
    )
    assert asked(tmp_path, "low-margin", "yesterday").exit_code == 2
    late = asked(tmp_path, "low-margin", "2026-01-02")
    sentence = "2026-01-02 00:00:00 lies in the future: only what has been can be explained\n"
    assert (late.exit_code, late.stderr) == (2, sentence)
