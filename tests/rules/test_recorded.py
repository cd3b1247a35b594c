"""Rules as an epoch holds them, read back: promise 6 needs them as they were in force."""

import json
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.alerts.system_rules import KINDS, system_rule
from daemon.rules import rule
from daemon.rules.recorded import READERS, read_rule, read_rules, rule_watched
from daemon.rules.rule import KEYS, AtLeast, Condition, EscalationStep, KeyType, Rule, RuleKey
from daemon.types import Limit, OnMissing, Severity
from tests.rules.strategies import conditions
from tests.rules.test_rule import FULL, LOW

spans = st.integers(0, 10**9)
names = st.lists(st.text("ab-*? ", min_size=1, max_size=5), max_size=3).map(tuple)
told = conditions.map(lambda tree: Condition(str(tree), tree))
VALUES: dict[KeyType, st.SearchStrategy[Any]] = {
    rule.NAME: st.text("ab-. ", min_size=1, max_size=9),
    rule.NAMES: names,
    rule.CONDITION: told,
    rule.AT_LEAST: st.builds(AtLeast, st.integers(1, 9), st.integers(1, 9)),
    rule.SPAN: spans,
    rule.POSITIVE_SPAN: spans,
    rule.REPEAT_SPAN: spans,
    rule.LIMIT: st.builds(Limit, st.integers(1, 99), st.integers(1, 10**8)),
    rule.FRACTION: st.decimals("0.001", 10, places=5),
    rule.SEVERITY: st.sampled_from(Severity),
    rule.ON_MISSING: st.sampled_from(OnMissing),
    rule.SUMMARY: st.text(max_size=9),
    rule.UNIT: st.text(max_size=9),
    rule.FLAG: st.booleans(),
    rule.ESCALATION: st.lists(st.builds(EscalationStep, spans, names), max_size=3).map(tuple),
    rule.BUILT_IN: st.booleans(),
}


def _values(key: RuleKey) -> st.SearchStrategy[Any]:
    return st.none() | VALUES[key.type] if key.optional else VALUES[key.type]


written: st.SearchStrategy[Rule] = st.builds(
    Rule, **{name: _values(key) for name, key in KEYS.items()}
)


def test_every_field_of_a_rule_is_a_key() -> None:
    """A field without one would be lost in the record, and replay would use its default."""
    assert list(KEYS) == [each.name for each in fields(Rule)]
    assert {key.type for key in KEYS.values()} == set(READERS) == set(VALUES)


@given(written)
def test_promise_6_a_rule_is_read_back_as_it_was(one: Rule) -> None:
    """Promise 6: through JSON too, in which epochs hold them."""
    again = read_rule(json.loads(json.dumps(one.written())))
    assert again == one
    assert again.meaning == one.meaning


@pytest.mark.parametrize("name", KINDS)
def test_d7_system_rules_are_read_back(name: str) -> None:
    """D7: although no person's rule can name what they ask."""
    one = system_rule(name, Decimal("0.05") if name == "disk-full" else 30_000, channels=("email",))
    assert read_rules([one.written(), FULL.written()]) == [one, FULL]


def test_what_an_earlier_version_recorded_is_read_with_the_defaults() -> None:
    """Keys that it did not know stand where the rule stood."""
    known = (
        "name",
        "when",
        "clear_when",
        "for",
        "severity",
        "accounts",
        "channels",
        "repeat",
        "inhibited_by",
    )
    old = {key: value for key, value in LOW.written().items() if key in known}
    assert read_rule(old) == LOW
    assert read_rules(()) == []


def test_rules_stand_beside_what_else_was_in_force() -> None:
    """An earlier version recorded nothing beside them."""
    assert (
        read_rules({"rules": [LOW.written()], "mutes": {}}) == read_rules([LOW.written()]) == [LOW]
    )


@pytest.mark.parametrize(
    "broken",
    [
        "low",
        {"of": "another version"},
        {"rules": "low"},
        None,
        [LOW.written() | {"for": "soon"}],
        [LOW.written() | {"flapping": "6 per never"}],
        [LOW.written() | {"when": "available_margin <"}],
        [LOW.written() | {"severity": "loud"}],
        [LOW.written() | {"at_least": "some"}],
        [{key: value for key, value in LOW.written().items() if key != "repeat"}],
        [{}],
        [None],
    ],
)
def test_what_is_no_record_of_rules_is_refused(broken: Any) -> None:
    """A replay says that it cannot read them, instead of judging by other rules."""
    with pytest.raises((ValueError, KeyError, TypeError)):
        read_rules(broken)


def test_whether_a_rule_watched_an_account_is_seen_without_reading_it() -> None:
    """A watched account is found by name and globs alone; False where the form is unknown."""
    recorded = {
        "rules": [replace(LOW, accounts=("grid-*",)).written() | {"when": "of another version"}]
    }
    assert rule_watched(recorded, LOW.name, "grid-1")
    assert not rule_watched(recorded, LOW.name, "main")
    assert not rule_watched(recorded, "other", "grid-1")
    assert not rule_watched([{"name": LOW.name}], LOW.name, "main")
    assert not rule_watched("low", LOW.name, "main")


def test_a_person_cannot_tell_by_the_text_what_is_compared() -> None:
    """Conditions are equal by their trees: the canonical text is recorded, not the person's own."""
    other = replace(LOW, when=Condition("availableMargin<1_00", LOW.when.tree))
    assert read_rule(other.written()).when.text == "available_margin < 100"
