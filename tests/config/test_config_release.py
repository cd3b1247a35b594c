"""Keys that are not effective yet: at their default or empty they may stand, otherwise they are refused."""

import pytest

from daemon.config.release import NOT_YET, SENTENCE
from tests.config.written import ACCOUNT, CHANNELS, RULE, WHOLE, problems

OTHER = {
    "daemon.heartbeat": '"https://example.com/planted"',
    "daemon.max_jump": '"50%"',
    "accounts.ws_url": '"wss://example.com/x"',
    "channels.fallback": '"phone"',
    "channels.fallback_after": '"3m"',
    "rules.keep_firing_for": '"1s"',
    "rules.at_least": '"3 of 5"',
    "rules.flapping": '"3 per 1h"',
    "rules.worse_by": '"25%"',
    "rules.on_missing": '"firing"',
    "rules.missing_after": '"3m"',
    "rules.mute": '["night"]',
    "rules.summary": '"margin {available_margin:.2f} USDT"',
    "system.no-readings": '"3m"',
    "system.key-refused": '"1s"',
    "system.rate-limited": '"off"',
    "system.channel-failing": '"off"',
    "system.clock-stepped": '"off"',
    "system.clock-skew": '"off"',
    "system.exchange-frozen": '"off"',
    "system.push-contradicted": "4",
    "system.rule-unknown": '"off"',
    "system.disk-full": '"6%"',
    "system.upkeep-failing": '"off"',
    "system.channels": '["phone"]',
}
TABLES = {
    "mutes": '[[mutes]]\nname = "night"\ndays = ["sat"]\nbetween = ["23:00", "07:00"]\n',
    "reports": '[[reports]]\nname = "daily"\ncron = "0 8 * * *"\n',
}
PLACES = {"accounts": "accounts[0]", "channels": "channels[1]", "rules": "rules[0]"}


def written(key: str, value: str) -> str:
    """The whole file with one more key in it."""
    table, _, name = key.partition(".")
    line = f"{name} = {value}\n"
    parts = {"accounts": ACCOUNT, "channels": CHANNELS, "rules": RULE}
    text = "".join(part + (line if section == table else "") for section, part in parts.items())
    return text if table in parts else f"{text}[{table}]\n{line}"


def test_every_key_of_the_list_is_tried_here() -> None:
    """A key that becomes effective leaves the list and this test together."""
    assert {*OTHER, *TABLES} == NOT_YET


@pytest.mark.parametrize("key", sorted(OTHER))
def test_another_value_is_refused(key: str) -> None:
    """A valid value of a key that does nothing yet is not silently ignored, and not shown."""
    table, _, name = key.partition(".")
    text = written(key, OTHER[key])
    expected = [f"{PLACES.get(table, table)}.{name}: {SENTENCE}"]
    if key == "rules.mute":
        text += TABLES["mutes"]
        expected.append(f"mutes[0]: {SENTENCE}")
    assert problems(text) == expected


@pytest.mark.parametrize("key", sorted(OTHER))
def test_an_empty_value_may_stand(key: str) -> None:
    """An empty text or list says nothing, and may stand at each of these keys."""
    assert problems(written(key, "[]" if OTHER[key].startswith("[") else '""')) == []


def test_all_defaults_may_stand() -> None:
    """The [system] table of DESIGN §5 may be written out."""
    system = """
[system]
no-readings = "2m"
key-refused = "0s"
rate-limited = "2m"
channel-failing = "10m"
clock-stepped = "250ms"
clock-skew = "30s"
exchange-frozen = "30s"
push-contradicted = 3
rule-unknown = "15m"
disk-full = "5%"
upkeep-failing = "1h"
channels = []
"""
    assert problems(WHOLE + system) == []


@pytest.mark.parametrize("table", sorted(TABLES))
def test_a_whole_table_is_refused_once(table: str) -> None:
    """[[mutes]] and [[reports]] are one sentence each, not one per key."""
    assert problems(WHOLE + TABLES[table]) == [f"{table}[0]: {SENTENCE}"]


def test_an_invalid_value_is_explained_as_such() -> None:
    """Where a mistake is known, "not available yet" is not added to it."""
    assert problems(written("rules.flapping", '"often"')) == [
        'rules[0].flapping: must be a limit such as "50 per 10s", not "often"'
    ]
    assert problems(WHOLE + '[[mutes]]\nname = "n"\nbetween = ["7"]\n') == [
        'mutes[0].between: must be times such as "23:00", not "7"'
    ]
