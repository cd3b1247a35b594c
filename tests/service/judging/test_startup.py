"""A start: what recorded states become, as a pure decision, and what the store holds then."""

import json
import sqlite3
from dataclasses import replace
from datetime import datetime, time
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from daemon.alerts.channel_decisions import ChannelStatus
from daemon.alerts.engine import step
from daemon.alerts.ids import alert_code
from daemon.alerts.mutes import Mutes, MuteWindow
from daemon.errors import StoreError
from daemon.rules.rule import Rule
from daemon.service.judging.startup import StartConfig, missed, open_account, watching
from daemon.store import FaultInjection
from daemon.types import MINUTE, SECOND, AccountState, ClockStep, ConfigChange, Kind, Severity
from tests.fakes import ManualClock
from tests.service.lives import RELOAD, TRANSITIONS, Life, rows
from tests.values import T0, TRUE, answer, reading, rule, state


def setting(*rules: Rule, accounts: tuple[str, ...] = ("main",)) -> StartConfig:
    return StartConfig(
        rules, ("telegram",), dict.fromkeys(accounts, "coinw"), partial(alert_code, taken=())
    )


def firing() -> AccountState:
    return step(state(), reading(1, T0), {"low": TRUE}, {"low": rule()}, lambda *_: "k3f9").state


def test_a_rule_watches_the_accounts_that_match() -> None:
    """Globs, in the order of the configuration."""
    rules = [rule("all"), rule("bots", accounts=("grid-*",)), rule("none", accounts=("x",))]
    assert list(watching(rules, "grid-1")) == ["all", "bots"]


def test_a1_a_new_account_begins_with_the_change_of_the_configuration() -> None:
    """A1: its first input has the seq 1."""
    account_start = open_account(state(), {}, setting(rule()), T0)
    assert account_start.stepped is None
    assert account_start.changed.event == ConfigChange(1, T0)
    assert (account_start.state.seq, account_start.state.at) == (1, T0)


def test_a5_a_record_in_the_future_is_shifted_first() -> None:
    """A5: the step is an input of its own, before the change of the configuration."""
    account_start = open_account(firing(), {}, setting(rule()), T0 - MINUTE)
    assert account_start.stepped is not None
    assert account_start.stepped.event == ClockStep(2, T0 - MINUTE, -MINUTE)
    assert account_start.changed.event == ConfigChange(3, T0 - MINUTE)
    assert account_start.state.alerts["low"].fired_at == T0 - MINUTE


def test_a5_a_record_a_little_in_the_future_is_no_step() -> None:
    """A5: 250 ms are noise; the instant just does not go back (A1)."""
    account_start = open_account(firing(), {}, setting(rule()), T0 - 250)
    assert account_start.stepped is None
    assert account_start.changed.event.at == T0


def test_d5_the_alert_of_a_rule_that_no_longer_matches_ends_for_who_was_told() -> None:
    """D5: told once, as retired; the alert of an account that is gone as well."""
    told = {("low", 1): {"telegram": ChannelStatus(told_at=T0)}}
    elsewhere = setting(rule(accounts=("other",)))
    gone = setting(rule(), accounts=())
    for now_in_force in (elsewhere, gone):
        account_start = open_account(firing(), told, now_in_force, T0 + MINUTE)
        assert account_start.state.alerts == {}
        assert [notice.key.kind for notice in account_start.changed.notices] == [Kind.RETIRED]


async def test_a5_at_a_start_with_the_last_input_in_the_future_the_record_is_shifted(
    tmp_path: Path,
) -> None:
    """A5: by = -(last - now), stored as a gap, and alerts keep their age."""
    path = tmp_path / "m.db"
    async with Life(f"sqlite:///{path}", ["main"], [rule()], clock=ManualClock()) as life:
        await life.tell({"main": answer(available_margin="90")})
    behind = ManualClock()
    behind.step(-10 * MINUTE)
    async with Life(f"sqlite:///{path}", ["main"], [rule()], clock=behind) as life:
        state = life.states["main"]
        assert state.alerts["low"].started_at == behind.now()
    assert rows(path, "SELECT reason, step_ms FROM gaps") == [("clock_step", -10 * MINUTE)]


async def test_f6_a_life_knows_since_when_nobody_watched(tmp_path: Path) -> None:
    """F6: from the last input of all accounts to the start; None at the first one."""
    url, clock = f"sqlite:///{tmp_path / 'm.db'}", ManualClock()
    async with Life(url, ["main", "other"], [rule()], clock=clock) as life:
        assert life.start_result.absent is None
        await clock.advance(MINUTE)
        await life.tell({"main": answer()})
        last = clock.now()
    await clock.advance(10 * MINUTE)
    async with Life(url, ["main", "other"], [rule()], clock=clock) as life:
        assert life.start_result.absent == (last, last + 10 * MINUTE)


async def test_a_start_after_a_gap_says_what_it_missed(tmp_path: Path) -> None:
    """One sentence with the time, the open alerts and the messages that waited."""
    url, clock = f"sqlite:///{tmp_path / 'm.db'}", ManualClock()
    async with Life(url, ["main"], [rule()], clock=clock) as life:
        await life.tell({"main": answer(available_margin="90")})
    await clock.advance(10 * MINUTE)
    async with Life(url, ["main"], [rule()], clock=clock) as life:
        started = life.start_result
    every = {"main": 5 * SECOND, "slow": 600 * MINUTE}
    berlin = ZoneInfo("Europe/Berlin")
    gone = missed(started, every)
    assert gone is not None
    assert gone.sentence(berlin) == (
        "did not run from 12:00:00 to 12:10:00 (10 min): no readings of that time;"
        " 1 alert was open; 1 message waited"
    )
    assert gone.fields(berlin) == {
        "from": datetime.fromisoformat("2026-01-01T12:00:00+01:00"),
        "until": datetime.fromisoformat("2026-01-01T12:10:00+01:00"),
        "seconds": 600,
        "open_alerts": 1,
        "messages_waiting": 1,
    }
    several = missed(replace(started, open_alerts=0, waiting=2), every)
    assert several is not None
    assert several.sentence(None).endswith("0 alerts were open; 2 messages waited")
    assert missed(started, {"main": 5 * MINUTE}) is not None
    assert missed(started, {"main": 5 * MINUTE + 1}) is None
    assert missed(started, {}) is None
    assert missed(replace(started, absent=None), every) is None


async def test_d5_a_rule_that_changed_while_stopped_retires_its_alert(tmp_path: Path) -> None:
    """D5: at the start, told once to whom it was told firing; an unchanged rule keeps its alert."""
    path = tmp_path / "m.db"
    url = f"sqlite:///{path}"
    async with Life(url, ["main"], [rule("low"), rule("same")]) as life:
        await life.tell({"main": answer(available_margin="90")})
    async with Life(url, ["main"], [rule("low", "available_margin < 99"), rule("same")]) as life:
        assert set(life.states["main"].alerts) == {"same"}
    moved = [(name, state, why) for _, name, _, _, _, state, why, _ in rows(path, TRANSITIONS)]
    assert sorted(moved) == [
        ("low", "firing", "condition"),
        ("low", "retired", "rule_changed"),
        ("same", "firing", "condition"),
    ]
    assert rows(path, "SELECT kind FROM notifications ORDER BY id") == [
        ("firing",),
        ("firing",),
        ("retired",),
    ]


async def test_d5_the_alerts_of_an_account_that_is_gone_are_retired(tmp_path: Path) -> None:
    """D5: a removed account has no owner any more, and its alerts still end."""
    url = f"sqlite:///{tmp_path / 'm.db'}"
    async with Life(url, ["main", "old"], [rule()]) as life:
        await life.tell({"old": answer(available_margin="90")})
    async with Life(url, ["main"], [rule()]) as life:
        assert set(life.states) == {"main"}
    assert rows(tmp_path / "m.db", "SELECT state FROM alerts") == [("retired",)]


async def test_d5_a_reload_retires_what_is_gone_or_no_longer_watched(tmp_path: Path) -> None:
    """D5: retired once; the rule goes on elsewhere, and begins anew if it comes back."""
    path = tmp_path / "m.db"
    url, names = f"sqlite:///{path}", ["main", "grid-1"]
    async with Life(url, names, [rule("low"), rule("gone")]) as life:
        await life.tell(dict.fromkeys(names, answer(available_margin="90")))
        life.ending = RELOAD
    narrowed = rule("low", accounts=("grid-*",), severity=Severity.CRITICAL)
    for _ in range(2):
        async with Life(url, names, [narrowed], reason=RELOAD) as life:
            assert {name: list(state.alerts) for name, state in life.states.items()} == {
                "main": [],
                "grid-1": ["low"],
            }
            assert life.states["grid-1"].alerts["low"].severity is Severity.CRITICAL
            life.ending = RELOAD
    retired = [
        (name, one, why)
        for name, one, _, _, _, to, why, _ in rows(path, TRANSITIONS)
        if to == "retired"
    ]
    expected = [
        ("grid-1", "gone", "rule_removed"),
        ("main", "gone", "rule_removed"),
        ("main", "low", "rule_removed"),
    ]
    assert retired == expected
    assert rows(path, "SELECT count(*) FROM notifications WHERE kind = 'retired'") == [(3,)]
    assert rows(path, "SELECT end_reason FROM epochs") == [("reload",)] * 3


async def test_e2_the_mute_windows_in_force_are_recorded_with_the_rules(tmp_path: Path) -> None:
    """E2: so that later commands can say why nothing was sent."""
    path = tmp_path / "m.db"
    night = MuteWindow("night", frozenset({"sat"}), time(23), time(7))
    async with Life(
        f"sqlite:///{path}",
        ["main"],
        [rule()],
        mutes=Mutes({"night": night}, ZoneInfo("Asia/Tokyo")),
    ):
        pass
    [(recorded,)] = rows(path, "SELECT rules FROM epochs")
    held = json.loads(str(recorded))
    assert [each["name"] for each in held["rules"]] == ["low"]
    windows = [{"name": "night", "days": ["sat"], "between": ["23:00", "07:00"]}]
    assert held["mutes"] == {"timezone": "Asia/Tokyo", "windows": windows}


def test_the_zone_of_the_system_is_recorded_by_its_name() -> None:
    """Promise 6: a replay may run on a machine of another zone; a configured zone stays."""
    here = replace(setting(rule()), system_zone="Europe/Berlin")
    assert here.written()["mutes"] == {"timezone": "Europe/Berlin", "windows": []}
    tokyo = replace(here, mutes=Mutes(zone=ZoneInfo("Asia/Tokyo")))
    assert tokyo.written()["mutes"] == {"timezone": "Asia/Tokyo", "windows": []}


async def test_what_waits_for_a_channel_that_is_gone_goes_to_those_that_are_there(
    tmp_path: Path,
) -> None:
    """Promise 2: a channel removed from the configuration loses no news."""
    url = f"sqlite:///{tmp_path / 'm.db'}"
    async with Life(url, ["main"], [rule()], channels=["telegram"]) as life:
        await life.tell({"main": answer(available_margin="90")})
    async with Life(url, ["main"], [rule()], channels=["email"]) as life:
        assert [
            entry.notice.facts.handed_over_by for entry in life.notifications.waiting("email")
        ] == ["telegram"]
        await life.tell({"main": answer(available_margin="80")})
        assert len(life.notifications.waiting("email")) == 1
    states = rows(tmp_path / "m.db", "SELECT channel, state FROM notifications ORDER BY id")
    assert states == [("telegram", "refused"), ("email", "queued")]


async def test_a_database_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    """A start on a locked database fails with what to do, and leaves the lock to the next one."""
    url = f"sqlite:///{tmp_path / 'm.db'}"
    async with Life(url, ["main"], [rule()]):
        pass
    blocker = sqlite3.connect(tmp_path / "m.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        Life(url, ["main"], [rule()])
    blocker.close()
    async with Life(url, ["main"], [rule()]):
        pass


def test_a_beginning_whose_outcome_is_unknown_is_a_sentence(tmp_path: Path) -> None:
    """Nothing runs on a beginning that may not be recorded."""

    def fail(_: object) -> None:
        raise RuntimeError("lost")

    with pytest.raises(StoreError, match="beginning"):
        Life(
            f"sqlite:///{tmp_path / 'm.db'}",
            ["main"],
            [rule()],
            fault_injection=FaultInjection(commit=fail),
        )


KEPT = "SELECT rule, expression, value FROM rule_values ORDER BY rule"


async def test_promise_4_a_peak_goes_on_as_long_as_its_rule_has_the_expression(
    tmp_path: Path,
) -> None:
    """A kill and another limit change nothing; another expression or name begins anew."""
    url, path = f"sqlite:///{tmp_path / 'm.db'}", tmp_path / "m.db"
    first = rule("drawdown", "available_margin < 50% * peak(available_margin)")
    limit = rule("drawdown", "available_margin < 80% * peak(available_margin)")
    frozen = rule("drawdown", "al_freeze < 80% * peak(al_freeze)")
    renamed = rule("drawdown-2", "available_margin < 80% * peak(available_margin)")
    highest = []
    for present, amount in ((first, "500"), (limit, "450"), (frozen, "450"), (limit, "440")):
        async with Life(url, ["main"], [present]) as life:
            await life.tell({"main": answer(available_margin=amount, al_freeze="7")})
        highest += rows(path, KEPT)
    peak = "peak(available_margin)"
    assert highest == [
        ("drawdown", peak, "500"),
        ("drawdown", peak, "500"),
        ("drawdown", "peak(al_freeze)", "7"),
        ("drawdown", peak, "440"),
    ]
    async with Life(url, ["main"], [renamed]) as life:
        await life.tell({"main": answer(available_margin="430")})
    assert rows(path, KEPT) == [("drawdown-2", peak, "430")]


async def test_an_account_that_is_gone_loses_its_peak(tmp_path: Path) -> None:
    """It may come back after a long time, and begins anew then; it has no open alert."""
    url, path = f"sqlite:///{tmp_path / 'm.db'}", tmp_path / "m.db"
    drawdown = rule("drawdown", "available_margin < 50% * peak(available_margin)")
    async with Life(url, ["main", "grid"], [drawdown]) as life:
        await life.tell({name: answer(available_margin="500") for name in ("main", "grid")})
    async with Life(url, ["grid"], [drawdown]):
        assert len(rows(path, KEPT)) == 1
    async with Life(url, ["main", "grid"], [drawdown]) as life:
        assert not life.states["main"].values
        assert life.states["grid"].values
