"""What recorded states become at a start, as a pure decision."""

from functools import partial

from daemon.alerts.dispatch import ChannelStatus
from daemon.alerts.engine import step
from daemon.alerts.ids import alert_code
from daemon.rules.rule import Rule
from daemon.service.judging.opening import StartConfig, open_account, watching
from daemon.types import MINUTE, AccountState, ClockStep, ConfigChange, Kind
from tests.values import T0, TRUE, reading, rule, state


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
