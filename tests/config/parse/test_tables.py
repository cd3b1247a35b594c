"""Each table knows its keys, and reports every mistake in it while keeping the rest."""

from hypothesis import given
from hypothesis import strategies as st

from daemon.config import Channel
from daemon.config.parse import tables
from daemon.config.problems import Problems
from daemon.rules import rule
from daemon.rules.language.parse import parse_condition
from daemon.rules.recorded import READERS, read_rule
from daemon.rules.rule import KeyType, Rule
from daemon.types import HOUR

LOW = Rule("a", parse_condition("available_margin < 1"))
ALL_DEFAULTS = {key: value for key, value in LOW.written().items() if key != "system"}


def test_every_key_of_a_rule_may_stand_at_its_default() -> None:
    """A rule that spells out all defaults of DESIGN §5 is the rule that leaves them out."""
    problems = Problems()
    spelt = tables.read(Rule, ALL_DEFAULTS, "rules[0]", problems)
    short = tables.read(Rule, {k: ALL_DEFAULTS[k] for k in ("name", "when")}, "rules[0]", problems)
    problems.raise_if_any()
    assert spelt.table == short.table == LOW
    assert set(ALL_DEFAULTS) == set(tables.keys(Rule))


CHOICES: dict[KeyType, list[object]] = {
    rule.NAME: ["low margin"],
    rule.NAMES: [[], ["main", "grid-*"]],
    rule.CONDITION: ["freeze_ratio > 20%", "delta(al_freeze, 10m) > 200"],
    rule.AT_LEAST: ["1 of 1", "3 of 5"],
    rule.SPAN: ["0s", "1h30m", "366d"],
    rule.POSITIVE_SPAN: ["1ms", "1h30m"],
    rule.REPEAT_SPAN: ["1s", "366d"],
    rule.LIMIT: ["1 per 1ms", "6 per 1d"],
    rule.FRACTION: ["0.000001%", "25%", "12.5%", "999999%"],
    rule.SEVERITY: ["info", "warning", "critical"],
    rule.ON_MISSING: ["keep", "firing", "ok"],
    rule.SUMMARY: ["", "{value:.2f}"],
    rule.UNIT: ["", "USDT"],
    rule.FLAG: [True, False],
    rule.ESCALATION: [
        [],
        [{"after": "1s", "channels": ["call"]}, {"after": "2s", "channels": ["boss", "mail"]}],
    ],
}
"""Values in the canonical form, by type of key."""


@given(st.data())
def test_a_rule_is_recorded_in_the_form_in_which_it_is_written(data: st.DataObject) -> None:
    """A new key needs no line here: whatever the file says is recorded, and read back equal."""
    raw = {
        key.name: data.draw(st.sampled_from(CHOICES[key.type] + [""] * key.optional))
        for key in rule.KEYS.values()
        if key.type in tables.READERS
    }
    problems = Problems()
    found = tables.read(Rule, raw, "rules[0]", problems).table
    problems.raise_if_any()
    assert found.written() == raw | {"system": False}
    assert read_rule(found.written()) == found


def test_every_type_of_key_can_be_read_from_the_file() -> None:
    """All but what the program says of its own rules."""
    assert set(tables.READERS) == set(READERS) - {rule.BUILT_IN} == set(CHOICES)


def test_a_bad_value_counts_as_not_written() -> None:
    """One mistake does not hide what is right beside it, so that later checks see the rest."""
    problems = Problems()
    item = tables.read(Rule, {"name": "a", "for": 5, "repeat": "1h"}, "rules[0]", problems)
    assert (item.table.hold, item.table.repeat, item.complete) == (0, HOUR, False)
    assert [problems.within(f"rules[0].{key}") for key in ("for", "when", "repeat")] == [
        True,
        True,
        False,
    ]


def test_an_item_knows_whether_a_key_differs_from_its_default() -> None:
    """Two spellings of one value are the same value."""
    item = tables.read(
        Rule,
        {**ALL_DEFAULTS, "flapping": "6 per 60m", "for": "1s"},
        "rules[0]",
        Problems(),
    )
    assert [item.differs(key) for key in ("flapping", "for", "mute")] == [False, True, False]


def test_an_item_keeps_the_name_as_written() -> None:
    """Others may refer to a name that is not a good one; a name that is no text is none."""
    good = tables.read(Channel, {"name": "a!"}, "channels[0]", Problems())
    bad = tables.read(Channel, {"name": 5}, "channels[0]", Problems())
    assert (good.section, good.name, bad.name) == ("channels", "a!", "")
