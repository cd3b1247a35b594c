"""B5: names that lead nowhere are mistakes, and names that look the same are the same."""

import unicodedata
from typing import Literal, TypeAlias

import pytest

from daemon.config import Config, load_rules
from daemon.config.problems import format_value
from tests.config.written import ACCOUNT, CHANNELS, PATH, WHOLE, doubts, loaded, problems

Form: TypeAlias = Literal["NFC", "NFD"]

EVERYWHERE = {
    'rules "other" (line 18).accounts': "accounts = ['{}']",
    'rules "other" (line 18).channels': "channels = ['{}']",
    'rules "other" (line 18).mute': "mute = ['{}']",
    'rules "other" (line 18).inhibited_by': "inhibited_by = ['{}']",
    'channels "third" (line 25).fallback': (
        "[[channels]]\nname = 'third'\nurl = 'jsons://example.com/3'\nfallback = '{}'"
    ),
    'reports "r" (line 25).channels': (
        "[[reports]]\nname = 'r'\ncron = '0 8 * * *'\nchannels = ['{}']"
    ),
    "system.channels": "[system]\nchannels = ['{}']",
}
"""Keys that refer to a name, with the text written there."""

NAMED = f"""
[[accounts]]
name = "Größe"
api_key = "k-0000000"
secret_key = "s-0000000"
{CHANNELS.replace("phone", "Größe", 1)}
[[mutes]]
name = "Größe"
between = ["23:00", "07:00"]
[[rules]]
name = "other"
when = "al_freeze > 1"
[[rules]]
name = "Größe"
when = "al_freeze > 2"
"""
"""An account, a channel, a mute and a rule of one name."""


def beside(text: str, extra: str) -> str:
    """With keys for the rule `other` of NAMED, or tables behind it all."""
    if extra.startswith("["):
        return f"{text}\n{extra}\n"
    return text.replace('when = "al_freeze > 1"\n', f'when = "al_freeze > 1"\n{extra}\n')


@pytest.mark.parametrize(("place", "extra"), EVERYWHERE.items())
def test_a_name_that_leads_nowhere_is_a_mistake(place: str, extra: str) -> None:
    """B5: also for an account; the nearest name is suggested, whatever its capitals."""
    (sentence,) = problems(beside(NAMED, extra.format("gröse")))
    assert sentence.startswith(f"{place}: there is no ")
    assert sentence.endswith('"gröse"; did you mean "Größe"?')


@pytest.mark.parametrize(("place", "extra"), EVERYWHERE.items())
@pytest.mark.parametrize("file", ["NFC", "NFD"])
@pytest.mark.parametrize("word", ["NFC", "NFD"])
def test_a_name_is_the_same_however_it_is_composed(
    place: str, extra: str, file: Form, word: Form
) -> None:
    """B5: some keyboards and files compose a letter of two characters, which nobody sees."""
    text = unicodedata.normalize(file, NAMED)
    assert problems(beside(text, extra.format(unicodedata.normalize(word, "Größe")))) == []


def test_names_are_kept_composed() -> None:
    """B5: recorded and shown names have one form."""
    config: Config = loaded(unicodedata.normalize("NFD", NAMED))
    assert [config.accounts[0].name, config.channels[0].name, config.rules[1].name] == ["Größe"] * 3
    assert list(config.mutes.windows) == ["Größe"]


def test_names_that_look_the_same_are_the_same() -> None:
    """B5: two accounts that nobody could tell apart are one mistake."""
    twice = ACCOUNT.replace("main", "Größe") + ACCOUNT.replace(
        "main", unicodedata.normalize("NFD", "Größe")
    )
    assert problems(twice + CHANNELS) == [
        'accounts "Größe" (line 7).name: "Größe" is already the name of accounts "Größe" (line 2)'
    ]


INVISIBLE = (
    "\u200b",
    "\u200d",
    "\ufeff",
    "\u00ad",
    "\u2060",
    "\u202e",
    "\u3164",
    "\u00a0",
    "\u2028",
    "\x07",
    "\ufe0f",
)


@pytest.mark.parametrize("sign", INVISIBLE)
def test_invisible_characters_are_named(sign: str) -> None:
    """B5: invisible characters could not be found in the sentence otherwise."""
    escaped = f"ma\\u{ord(sign):04x}in"
    named = f"holds an invisible character (U+{ord(sign):04X}); type it again"
    assert problems(WHOLE.replace('name = "main"', f'name = "{escaped}"')) == [
        f"accounts {format_value(f'ma{sign}in')} (line 2).name: {named}"
    ]
    for place, extra in EVERYWHERE.items():
        assert f"{place}: {named}" in problems(
            beside(NAMED, extra.replace("'", '"').format(escaped))
        )


def test_a_pattern_that_matches_nothing_is_a_warning() -> None:
    """B5: accounts may come later; each such pattern is named."""
    config = loaded(WHOLE + 'accounts = ["main", "grid-*", "[xy]"]\n')
    assert doubts(config) == [
        'rules "low" (line 15).accounts: "grid-*" matches no account',
        'rules "low" (line 15).accounts: "[xy]" matches no account',
    ]
    assert doubts(loaded(WHOLE + 'accounts = ["grid-*"]\n')) == [
        'rules "low" (line 15).accounts: matches no account, so the rule has no effect'
    ]


def test_a_mistyped_pattern_gets_the_one_that_was_meant() -> None:
    """B5: alone, the rule would have no effect; beside another it is named."""
    config = loaded(WHOLE + 'accounts = ["main", "mian*"]\n')
    place = 'rules "low" (line 15).accounts: '
    assert doubts(config) == [f'{place}"mian*" matches no account; did you mean "main*"?']
    assert doubts(loaded(WHOLE + 'accounts = ["x-*", "mian*"]\n')) == [
        f'{place}matches no account, so the rule has no effect; did you mean "main*"?'
    ]


def test_rules_alone_may_be_about_any_account() -> None:
    """B5: a file without accounts cannot say which there are."""
    (rule,) = load_rules(
        '[[rules]]\nname = "a"\nwhen = "al_freeze > 1"\naccounts = ["x"]', path=PATH
    )
    assert rule.accounts == ("x",)
