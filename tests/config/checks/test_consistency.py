"""The keys of one rule, and how often its accounts are read, go together."""

import pytest

from daemon.config import load_rules
from daemon.errors import ConfigError
from tests.config.written import ACCOUNT, CHANNELS, PATH, RULE, WHOLE, loaded, problems

SLOW = ACCOUNT + 'every = "5m"\n' + CHANNELS + "[system]\nno-readings = '10m'\n" + RULE


def too_far(reach: str, apart: str) -> str:
    return (
        f"at_least: reaches back up to {reach}, its readings missing_after = {apart} apart and the"
        " windows of the rule added; 7d is the most: ask for fewer readings, or a shorter"
        " missing_after"
    )


def too_short(limit: str, what: str) -> str:
    return (
        f'missing_after: is {limit}, but "main" is read only every 5m, so {what}; write a longer'
        " time"
    )


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        (
            WHOLE.replace("available_margin < 100", "equity < 0.9 * peak(equity)")
            + 'at_least = "3 of 5"',
            ["at_least: cannot be used with peak; write for instead"],
        ),
        (
            WHOLE + 'for = "1m"\nat_least = "3 of 5"',
            ["at_least: is used instead of for; keep one of the two"],
        ),
        (WHOLE + 'for = "0s"\nat_least = "3 of 5"', []),
        (WHOLE + 'at_least = "3 of 5"\nmissing_after = "42h"', []),
        (
            WHOLE + 'at_least = "3 of 5"\nmissing_after = "42h1ms"',
            [
                too_far("7d4ms", "1d18h1ms"),
            ],
        ),
        (
            WHOLE + 'at_least = "2 of 3"\nclear_when = "max(al_freeze, 6d23h57m) > 1"',
            [
                too_far("7d1m", "2m"),
            ],
        ),
        (
            WHOLE + 'clear_when = "available_margin > 90"',
            [
                (
                    "clear_when: is true together with when, for instance at available_margin"
                    " = 95; "
                    "let it be true only where when is false"
                ),
            ],
        ),
    ],
)
def test_keys_that_contradict_each_other(text: str, sentences: list[str]) -> None:
    """One sentence at the key that has to change."""
    assert problems(text) == [f'rules "low" (line 15).{each}' for each in sentences]


@pytest.mark.parametrize(
    ("lines", "sentences"),
    [
        ("", []),
        ('missing_after = "1s"', []),
        ('on_missing = "firing"\nmissing_after = "5m"', []),
        (
            'on_missing = "firing"\nmissing_after = "4m59s"',
            [
                too_short("4m59s", "on_missing would act between any two readings"),
            ],
        ),
        (
            'on_missing = "ok"',
            [
                too_short("2m", "on_missing would act between any two readings"),
            ],
        ),
        (
            'at_least = "2 of 2"',
            [
                too_short("2m", "at_least would count anew from each reading"),
            ],
        ),
        ('at_least = "1 of 1"', []),
        ('on_missing = "ok"\naccounts = ["other*"]', []),
    ],
)
def test_b3_missing_after_is_no_shorter_than_the_interval(lines: str, sentences: list[str]) -> None:
    """B3: otherwise readings would be missing between any two regular ones."""
    assert problems(SLOW + lines) == [f'rules "low" (line 18).{each}' for each in sentences]


@pytest.mark.parametrize(
    ("limit", "sentences"),
    [
        ("5m", []),
        ("off", []),
        (
            "4m",
            [
                (
                    'system.no-readings: is 4m, but "main" is read only every 5m; write a'
                    " longer time,"
                    ' or "off"'
                )
            ],
        ),
    ],
)
def test_b3_no_readings_is_no_shorter_than_the_interval(limit: str, sentences: list[str]) -> None:
    """B3: the system rule is about `age`, too; also where its limit is the default."""
    assert problems(SLOW.replace("10m", limit)) == sentences


def test_b3_the_default_of_no_readings_counts_as_written() -> None:
    """An account that is read every five minutes needs a longer limit than the default."""
    found = problems(SLOW.replace("no-readings = '10m'", ""))
    assert found == [
        'system.no-readings: is 2m, but "main" is read only every 5m; write a longer time, or "off"'
    ]


def test_rules_loaded_alone_are_checked_as_well() -> None:
    """`demo` runs no rule that `check` refuses."""
    with pytest.raises(ConfigError, match=r'rules "low" \(line 2\).at_least: is used instead'):
        load_rules(RULE + 'for = "1m"\nat_least = "3 of 5"', path=PATH)


def test_a_rule_with_a_mistake_is_not_searched_for_more() -> None:
    """A wrong condition is the only mistake reported for its rule."""
    assert (
        len(
            problems(WHOLE.replace("available_margin", "margn") + 'for = "1m"\nat_least = "3 of 5"')
        )
        == 1
    )
    assert loaded(WHOLE).rules
