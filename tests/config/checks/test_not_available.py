"""Keys that are not effective yet: allowed at their default or empty, otherwise refused."""

import pytest

from daemon.config.checks.not_available import NOT_YET, SENTENCE
from tests.config.written import ACCOUNT, CHANNELS, RULE, WHOLE, problems

OTHER = {
    "system.upkeep-failing": '"off"',
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
    assert set(OTHER) == NOT_YET


@pytest.mark.parametrize("key", sorted(OTHER))
def test_another_value_is_refused(key: str) -> None:
    """A valid value of a key that does nothing yet is not silently ignored, and not shown."""
    table, _, name = key.partition(".")
    assert problems(written(key, OTHER[key])) == [f"{PLACES.get(table, table)}.{name}: {SENTENCE}"]


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
account-not-judged = "2m"
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


def test_an_invalid_value_is_explained_as_such() -> None:
    """A known mistake is not reported a second time as "not available yet"."""
    assert problems(written("accounts.ws_url", '"http://example.com"')) == [
        'accounts "main" (line 2).ws_url: must be an address that begins with "wss://"'
    ]
