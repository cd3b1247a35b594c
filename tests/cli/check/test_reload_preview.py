"""`check`: what a reload would do to the rules, the accounts and the open alerts on record."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from daemon.cli.check.reload_preview import RunningConfig, preview_reload
from daemon.cli.configuration import configuration
from daemon.rules.rule import Rule
from daemon.types import FLAPPING, HOUR, Alert, Millis, Severity, State
from tests.cli.calls import CHANNEL, RULE, SECRETS, account, call, url, write
from tests.fakes import ManualClock
from tests.service.lives import Life
from tests.values import T0, answer, rule


def firing(one: Rule, name: str = "") -> Alert:
    return Alert(name or one.name, 2, "ab2c", Severity.WARNING, State.FIRING, one.meaning, T0, T0)


def before(
    rules: Sequence[Rule] = (rule("low"), rule("spike")),
    watched: Sequence[str] = ("main",),
    alerts: Sequence[tuple[str, Alert]] = (),
) -> RunningConfig:
    return RunningConfig(rules, watched, watched, alerts)


LOW, SPIKE, SILENT = rule("low"), rule("spike"), rule("no-readings", "age > 2m")
LOWER = rule("low", "available_margin < 90")


def test_nothing_is_said_where_nothing_changes() -> None:
    """Neither order nor spelling is a change, and open alerts go on."""
    alerts = [
        ("main", firing(LOW)),
        ("main", firing(LOW, f"low{FLAPPING}")),
        ("main", firing(SILENT)),
    ]
    spelled_otherwise = rule("low", "( availableMargin < 1_00 )")
    assert (
        preview_reload([SPIKE, spelled_otherwise], ["main"], before(alerts=alerts), [SILENT]) == []
    )


def test_d7_rules_that_nobody_writes_are_told_only_with_their_alerts() -> None:
    """D7: `[system]` was changed, or the rule switched off."""
    alerts = [("main", firing(SILENT))]
    line = "1 open alert will be retired, as [system] changed (no-readings · main)"
    later = rule("no-readings", "age > 3m")
    assert preview_reload([LOW, SPIKE], ["main"], before(alerts=alerts), [later]) == [line]
    assert preview_reload([LOW, SPIKE], ["main"], before(alerts=alerts)) == [line]
    assert preview_reload([LOW, SPIKE], ["main"], before(), [later]) == []


def test_d5_changed_rules_are_named_with_the_alerts_that_end() -> None:
    """D5: by their meaning; what is told of their flapping ends with them."""
    alerts = [
        ("main", firing(LOW)),
        ("main", firing(LOW, f"low{FLAPPING}")),
        ("main", firing(SPIKE)),
    ]
    assert preview_reload([LOWER, SPIKE], ["main"], before(alerts=alerts)) == [
        "1 rule changed (low): 2 open alerts will be retired"
    ]
    changed = [LOWER, rule("spike", keep_firing_for=HOUR)]
    assert preview_reload(changed, ["main"], before(alerts=alerts[:1])) == [
        "2 rules changed (low, spike): 1 open alert will be retired"
    ]
    assert preview_reload(changed, ["main"], before()) == ["2 rules changed (low, spike)"]


def test_d5_an_alert_of_another_meaning_counts_whatever_the_rules_say() -> None:
    """The meaning with which the alert began decides."""
    assert preview_reload([LOW, SPIKE], ["main"], before(alerts=[("main", firing(LOWER))])) == [
        "1 rule changed (low): 1 open alert will be retired"
    ]


def test_d5_rules_come_and_go() -> None:
    """A rule under another name is a new one."""
    renamed = [rule("lower"), SPIKE]
    assert preview_reload(renamed, ["main"], before(alerts=[("main", firing(LOW))])) == [
        "1 rule is gone (low): 1 open alert will be retired",
        "1 rule is new (lower)",
    ]
    assert preview_reload([], ["main"], before()) == ["2 rules are gone (low, spike)"]


def test_d5_accounts_come_and_go() -> None:
    """All that is open about an account ends with it, what the system says of it included."""
    alerts = [("old", firing(LOW)), ("old", firing(SILENT)), ("main", firing(LOW))]
    assert preview_reload(
        [LOW, SPIKE], ["main", "fresh"], before(watched=["main", "old"], alerts=alerts)
    ) == [
        "1 account is gone (old): 2 open alerts will be retired",
        "1 account is new (fresh)",
    ]


def test_d5_an_account_that_its_rule_watches_no_more() -> None:
    """The rule's own meaning is unchanged: only the alerts that no longer match end."""
    narrowed = rule("low", accounts=("grid-*",))
    alerts = [("main", firing(LOW)), ("grid-1", firing(LOW))]
    assert preview_reload(
        [narrowed, SPIKE], ["main", "grid-1"], before(watched=["main", "grid-1"], alerts=alerts)
    ) == [
        "1 open alert will be retired, as the rule no longer watches the account (low · main)",
        "low keeps its alerts; changed: accounts",
    ]


def test_d5_other_keys_keep_the_state() -> None:
    """Said, so that a person sees that the change was understood."""
    adjusted = rule("low", repeat=HOUR, severity=Severity.CRITICAL)
    assert preview_reload([adjusted, SPIKE], ["main"], before(alerts=[("main", firing(LOW))])) == [
        "low keeps its alerts; changed: severity, repeat"
    ]


def reloads(path: Path) -> list[str]:
    said = call("check", "--config", path)
    assert said.exit_code == 0
    return [line for line in said.stdout.splitlines() if line.startswith("reload: ")]


async def fired(folder: Path, *, config: Path, at: Millis = T0) -> None:
    """A daemon ran with this configuration, and its rules fire."""
    loaded = configuration(config, SECRETS)
    names = [each.name for each in loaded.accounts]
    async with Life(
        url(folder), names, loaded.rules, channels=["hook"], clock=ManualClock(at)
    ) as life:
        await life.tell({name: answer(available_margin="90") for name in names})


async def test_check_compares_with_the_last_epoch(tmp_path: Path) -> None:
    """Whether the daemon runs or not; without a change nothing is said."""
    path = write(tmp_path)
    assert reloads(path) == []
    await fired(tmp_path, config=path)
    assert reloads(path) == []
    write(tmp_path, account("other"), RULE.replace("< 100", "< 90"), CHANNEL)
    assert reloads(path) == [
        "reload: 1 rule changed (low)",
        "reload: 1 account is gone (main): 1 open alert will be retired",
        "reload: 1 account is new (other)",
    ]


async def test_an_account_that_left_before_is_no_news(tmp_path: Path) -> None:
    """Its alerts were retired at that start, which is the last epoch."""
    await fired(tmp_path, config=write(tmp_path, account(), account("old"), RULE, CHANNEL))
    path = write(tmp_path, account(), RULE, CHANNEL)
    await fired(tmp_path, config=path, at=T0 + HOUR)
    assert reloads(path) == []


@pytest.mark.parametrize("rules", ['{"of": "another version"}', '[{"name": "low"}]', "17"])
async def test_rules_of_another_version_are_not_compared(tmp_path: Path, rules: str) -> None:
    """Nothing is predicted from what is not understood."""
    path = write(tmp_path)
    await fired(tmp_path, config=path)
    with closing(sqlite3.connect(tmp_path / "marginwatch.db")) as connection, connection:
        connection.execute("UPDATE epochs SET rules = ?", (rules,))
    write(tmp_path, account(), RULE.replace("< 100", "< 90"), CHANNEL)
    assert reloads(path) == []


def test_a_database_without_a_daemon_predicts_nothing(tmp_path: Path) -> None:
    """The database was made, but no daemon has begun with it yet."""
    path = write(tmp_path)
    assert call("db", "upgrade", "--config", path).exit_code == 0
    assert reloads(path) == []
