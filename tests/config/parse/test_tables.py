"""Each table knows its keys, and reports every mistake in it while keeping the rest."""

from daemon.config.parse import tables
from daemon.config.problems import Problems
from daemon.types import HOUR

ALL_DEFAULTS = {
    "name": "a",
    "when": "available_margin < 1",
    "clear_when": "",
    "for": "0s",
    "keep_firing_for": "0s",
    "at_least": "",
    "severity": "warning",
    "accounts": ["*"],
    "channels": [],
    "repeat": "4h",
    "flapping": "6 per 1h",
    "worse_by": "",
    "inhibited_by": [],
    "on_missing": "keep",
    "missing_after": "2m",
    "mute": [],
    "summary": "",
}


def test_every_key_of_a_rule_may_stand_at_its_default() -> None:
    """A rule that spells out all defaults of DESIGN §5 is the rule that leaves them out."""
    problems = Problems()
    spelt = tables.read(tables.RuleTable, ALL_DEFAULTS, "rules[0]", problems)
    short = tables.read(
        tables.RuleTable, {k: ALL_DEFAULTS[k] for k in ("name", "when")}, "rules[0]", problems
    )
    problems.raise_if_any()
    assert spelt.table == short.table
    assert set(ALL_DEFAULTS) == set(tables.RuleTable.keys())


def test_a_bad_value_counts_as_not_written() -> None:
    """One mistake does not hide what is right beside it, so that later checks see the rest."""
    problems = Problems()
    item = tables.read(
        tables.RuleTable, {"name": "a", "for": 5, "repeat": "1h"}, "rules[0]", problems
    )
    assert (item.table.hold, item.table.repeat, item.table.when) == (0, HOUR, None)
    assert [problems.within(f"rules[0].{key}") for key in ("for", "when", "repeat")] == [
        True,
        True,
        False,
    ]


def test_an_item_knows_whether_a_key_differs_from_its_default() -> None:
    """Two spellings of one value are the same value."""
    item = tables.read(
        tables.RuleTable,
        {**ALL_DEFAULTS, "flapping": "6 per 60m", "for": "1s"},
        "rules[0]",
        Problems(),
    )
    assert [item.differs(key) for key in ("flapping", "for", "mute")] == [False, True, False]


def test_an_item_keeps_the_name_as_written() -> None:
    """Others may refer to a name that is not a good one; a name that is no text is none."""
    good = tables.read(tables.ChannelTable, {"name": "a!"}, "channels[0]", Problems())
    bad = tables.read(tables.ChannelTable, {"name": 5}, "channels[0]", Problems())
    assert (good.section, good.name, bad.name) == ("channels", "a!", "")
