"""The session: one account's inputs through the functions of the live daemon, every message
delivered.
"""

from daemon.replay import session as players
from daemon.replay.session import ReplaySession, RuleSet, judged_amounts, used_fields
from daemon.types import HOUR, AccountState, ClockStep, Input, Kind, Quality, State, Unconfirmed
from tests.replay.played import new_session, readings, records
from tests.values import T0, miss, reading, rule


def test_what_was_told_is_repeated_in_time() -> None:
    """E3, A5: messages count as delivered at once; a clock step moves the repeat clock."""
    low = rule(repeat=HOUR)
    inputs: list[Input] = [
        *readings("90"),
        ClockStep(1, T0 - HOUR, -HOUR),
        reading(2, T0, available_margin="90"),
        reading(3, T0 + 1, available_margin="500"),
    ]
    kinds = [
        notice.key.kind for record in records(new_session(low), inputs) for notice in record.notices
    ]
    assert kinds == [Kind.FIRING, Kind.REPEAT, Kind.RESOLVED]


def test_warming_judges_nothing_and_fills_windows() -> None:
    """Readings before the start, unconfirmed ones and clock steps fill the windows."""
    fell = new_session(rule("fell", "delta(available_margin, 1h) < -300"))
    suspect = reading(1, T0 + 1, Quality.SUSPECT, available_margin="0")
    before: list[Input] = [
        *readings("500"),
        suspect,
        miss(2, T0 + 2),
        ClockStep(3, T0 + HOUR, HOUR),
    ]
    for event in before:
        fell.warm(event)
    assert (fell.state.seq, fell.state.judged_at, fell.state.alerts) == (3, T0 + HOUR, {})
    assert (
        fell.play(reading(4, T0 + HOUR, available_margin="100")).transitions[0].to_state
        is State.FIRING
    )
    settled = new_session(rule("fell", "delta(available_margin, 1h) < -300"))
    unsettled: list[Input] = [*readings("500"), suspect, Unconfirmed(2, T0 + 3, suspect)]
    for event in unsettled:
        settled.warm(event)
    assert settled.state.judged_at == T0 + 3
    assert settled.play(reading(3, T0 + 4, available_margin="0")).notices


def test_codes_are_told_apart_without_remembering_all() -> None:
    """Memory stays flat: beyond a number of alerts, only the codes of open ones are kept."""
    playing = new_session(rule(flapping=None))
    swings = ["90", "500"] * (players.CODES // 2_000)
    for number in range(players.CODES - 5):
        playing._codes.add(str(number))
    codes = [
        alert.code for record in records(playing, readings(*swings)) for alert in record.alerts
    ]
    assert len(set(codes)) == len(swings) // 2
    assert len(playing._codes) < 100


def test_only_the_fields_that_rules_name_are_read() -> None:
    """A derived field counts as its parts; `clear_when` counts too; age is not a sent field."""
    rules = [rule("a", "freeze_ratio > 0.5", clear_when="al_margin < 1"), rule("b", "age > 10s")]
    assert used_fields(rules) == ("available_margin", "al_margin", "al_freeze")
    assert used_fields([rule("b", "age > 10s")]) == ()


def test_rules_of_other_accounts_are_not_played() -> None:
    """Globs decide, as in the daemon."""
    scheme = RuleSet((rule("a", accounts=("grid-*",)), rule("b")), ())
    assert list(ReplaySession(scheme, AccountState("main")).rules) == ["b"]
    assert list(scheme.watching("grid-1")) == ["a", "b"]


def test_alerts_of_one_instant_have_their_own_codes() -> None:
    """Two rules that fire at once are two alerts for people."""
    (record,) = records(new_session(rule("a"), rule("b")), readings("90"))
    assert len({alert.code for alert in record.alerts}) == 2
    assert record.event.at == T0


def test_c7_messages_tell_of_the_amounts_that_rules_compare() -> None:
    """C7: trends are the same live and replayed; only fields in messages have windows."""
    rules = [
        rule("a", "al_freeze > 1 and drop(almighty_gold, 1h) > 5"),
        rule("b", clear_when="free_margin > 1"),
    ]
    assert judged_amounts(rules) == ("available_margin", "al_margin", "al_freeze")
    assert judged_amounts([rule("c", "al_margin / available_margin > 0.5")]) == ()
    assert judged_amounts([rule("d", "equity < 1")]) == ("available_usdt", "al_margin", "al_freeze")
