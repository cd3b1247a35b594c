"""The rules.toml of the repository: it loads, and its rules do what their comments say."""

import re
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import pytest

from daemon import bundled, config
from daemon.config import Config
from daemon.config.checks import not_available
from daemon.config.parse import tables
from daemon.errors import ConfigError
from daemon.rules.evaluation.evaluator import Evaluator, Verdict
from daemon.rules.rule import Rule
from daemon.types import (
    MINUTE,
    SECOND,
    Balances,
    Miss,
    MissReason,
    Quality,
    Reading,
    Severity,
    Source,
)
from tests.config.written import TABLES, doubts, keys_of
from tests.fakes import NOON

PATH = bundled.path("rules.toml")

ENVIRON = {
    "COINW_API_KEY": "key-0001",
    "COINW_SECRET_KEY": "secret-0001",
    "TELEGRAM_TOKEN": "123456789:AAabcdefghijklmn01",
    "TELEGRAM_CHAT": "42",
    "SMTP_USER": "me@example.com",
    "SMTP_PASSWORD": "p/w",
    "MAIL_FROM": "me@example.com",
    "MAIL_TO": "you@example.com",
}


@pytest.fixture(scope="module")
def shipped() -> Config:
    return config.load(config.read_text(PATH), path=PATH, environ=ENVIRON)


@pytest.fixture(scope="module")
def rules() -> dict[str, Rule]:
    """The rules that `demo` runs, by name."""
    return {rule.name: rule for rule in config.load_rules(config.read_text(PATH), path=PATH)}


def verdicts(rule: Rule, readings: Iterable[Balances], every: int = 5 * SECOND) -> list[Verdict]:
    """The rule's verdict on each reading of a series."""
    evaluator = Evaluator([rule])
    series = (
        Reading(seq, NOON + seq * every, Source.REST, Quality.OK, None, balances)
        for seq, balances in enumerate(readings)
    )
    return [evaluator.read(reading)[rule.name] for reading in series]


def freeze(*amounts: int) -> list[Balances]:
    return [Balances(al_freeze=Decimal(amount)) for amount in amounts]


def margin(*amounts: str) -> list[Balances]:
    return [Balances(available_margin=Decimal(amount)) for amount in amounts]


def test_it_loads_without_a_warning(shipped: Config) -> None:
    """The example is a configuration that `check` finds clean, once its variables are set."""
    assert doubts(shipped) == []
    assert [channel.name for channel in shipped.channels] == ["telegram", "email"]
    assert not shipped.holds_secrets


def test_without_the_environment_each_variable_is_asked_for_once() -> None:
    """A copy that is not filled in yet says at each place what is missing."""
    with pytest.raises(ConfigError) as caught:
        config.load(config.read_text(PATH), path=PATH, environ={})
    places = [problem.partition(":")[0] for problem in caught.value.problems]
    assert [re.sub(r" \(line \d+\)", "", place) for place in places] == [
        'accounts "main".api_key',
        'accounts "main".secret_key',
        'channels "telegram".url',
        'channels "email".url',
    ]


@pytest.mark.parametrize("section", TABLES)
def test_every_effective_key_is_explained(section: str) -> None:
    """Each effective key is in the example, with its default in a comment or with a value."""
    shown = {each.key for each in keys_of(PATH.read_text()) if each.section == section}
    assert shown == {
        key
        for key in tables.keys(TABLES[section])
        if f"{section}.{key}" not in not_available.NOT_YET
    }


def test_commented_defaults_load_too(tmp_path: Path, shipped: Config) -> None:
    """Removing the "# " before a default changes nothing and breaks nothing."""
    opened = [
        line.removeprefix("# ") if _is_default(line) else line
        for line in PATH.read_text().splitlines()
    ]
    path = tmp_path / "rules.toml"
    path.write_text("\n".join(opened))
    path.with_name("grid-secret.txt").write_text("grid-secret")
    found = config.read(path, environ=ENVIRON | {"GRID_API_KEY": "grid"})
    assert len(found.accounts) == 2
    assert list(found.mutes.windows) == ["night"]
    assert (found.rules, found.system) == (shipped.rules, shipped.system)


def _is_default(line: str) -> bool:
    return bool(re.match(r'# (?:[a-z_-]+ = ["\[]|\[\[)', line))


def test_the_pair_on_margin_fires_and_clears_at_its_levels(rules: dict[str, Rule]) -> None:
    """Warning below 100 until above 120, critical below 50 until above 60; critical comes first."""
    series = margin("500", "100", "99.99", "90", "50", "49.99", "60", "60.01", "120", "120.01")
    low = verdicts(rules["low-margin"], series)
    critical = verdicts(rules["margin-critical"], series)
    assert [verdict.when for verdict in low] == [False, False, *[True] * 6, False, False]
    assert [verdict.clear for verdict in low] == [True, *[False] * 8, True]
    assert [verdict.when for verdict in critical] == [*[False] * 5, True, *[False] * 4]
    assert [verdict.clear for verdict in critical] == [*[True] * 4, *[False] * 3, *[True] * 3]
    assert rules["low-margin"].inhibited_by == ("margin-critical",)
    assert rules["margin-critical"].severity == Severity.CRITICAL
    assert (rules["margin-critical"].repeat or 0) < (rules["low-margin"].repeat or 0)


def test_a_freeze_from_nothing_to_500_fires(rules: dict[str, Rule]) -> None:
    """The series 0, 0, 0, …, 500 of the first specification."""
    found = verdicts(rules["freeze-spike"], freeze(*[0] * 20, 500))
    assert [verdict.when for verdict in found] == [None, *[False] * 19, True]


def test_a_small_freeze_does_not_fire(rules: dict[str, Rule]) -> None:
    """An order of ordinary size is no spike."""
    found = verdicts(rules["freeze-spike"], freeze(*[0] * 20, 100))
    assert not any(verdict.when for verdict in found)


def test_a_large_but_steady_freeze_does_not_fire(rules: dict[str, Rule]) -> None:
    """Orders frozen all along are known to their owner."""
    found = verdicts(rules["freeze-spike"], freeze(*[5000] * 20))
    assert not any(verdict.when for verdict in found)


def test_d6_a_freeze_that_stays_is_not_cleared_by_time(rules: dict[str, Rule]) -> None:
    """D6: after ten minutes the spike is its own baseline; only the level ends the alert."""
    found = verdicts(rules["freeze-spike"], freeze(0, *[500] * 15, 100), every=MINUTE)
    assert [found[1].when, found[-2].when] == [True, False]
    assert [verdict.clear for verdict in found] == [True, *[False] * 15, True]


def test_silence_fires_without_a_rule_for_it(shipped: Config) -> None:
    """Promise 5: misses fire only what asks for them, here the system rule that nobody writes."""
    evaluator = Evaluator(shipped.account_rules)
    balances = Balances(available_margin=Decimal(500), al_freeze=Decimal(0))
    evaluator.read(Reading(1, NOON, Source.REST, Quality.OK, None, balances))
    at = NOON + 2 * MINUTE
    early, late = (
        {name for name, verdict in evaluator.miss(miss).items() if verdict.when}
        for miss in (Miss(2, at - 1, MissReason.TIMEOUT, ""), Miss(3, at, MissReason.TIMEOUT, ""))
    )
    assert (early, late) == (set(), {"no-readings"})
