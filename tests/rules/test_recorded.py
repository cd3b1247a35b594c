"""Rules as an epoch holds them, read back: promise 6 needs them as they were in force."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.alerts.system_rules import KINDS, system_rule
from daemon.rules.recorded import read_rule, read_rules, rule_watched
from daemon.rules.rule import AtLeast, Condition, Rule
from daemon.types import Limit, OnMissing, Severity
from tests.rules.strategies import conditions
from tests.rules.test_rule import FULL, LOW

spans = st.integers(0, 10**9)
names = st.lists(st.text("ab-*? ", min_size=1, max_size=5), max_size=3).map(tuple)
limits = st.none() | st.builds(Limit, st.integers(1, 99), st.integers(1, 10**8))
told = conditions.map(lambda tree: Condition(str(tree), tree))
written: st.SearchStrategy[Rule] = st.builds(
    Rule,
    name=st.text("ab-. ", min_size=1, max_size=9),
    when=told,
    clear_when=st.none() | told,
    hold=spans,
    severity=st.sampled_from(Severity),
    accounts=names,
    channels=names,
    repeat=st.none() | st.integers(1, 10**9),
    inhibited_by=names,
    keep_firing_for=spans,
    at_least=st.none() | st.builds(AtLeast, st.integers(1, 9), st.integers(1, 9)),
    on_missing=st.sampled_from(OnMissing),
    missing_after=spans,
    flapping=limits,
    worse_by=st.none() | st.decimals("0.001", 10, places=5),
    mute=names,
    system=st.booleans(),
)


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
