"""What is allowed but probably not meant is a warning with its place."""

import pytest

from daemon.config import Checks
from tests.config.written import ACCOUNT, CHANNELS, RULE, WHOLE, loaded


def rule(name: str, when: str, *lines: str) -> str:
    return "\n".join(("[[rules]]", f'name = "{name}"', f'when = "{when}"', *lines, ""))


def channels(*urls: str) -> str:
    return "".join(f'[[channels]]\nname = "c{index}"\nurl = "{url}"\n' for index, url in enumerate(urls))


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        (WHOLE, []),
        (
            WHOLE + ACCOUNT.replace("main", "twin"),
            ["accounts[1].api_key: the same key as accounts[0]; both read one account"],
        ),
        (ACCOUNT + RULE, ["channels: there is none, so nobody will be told; add [[channels]]"]),
        (
            ACCOUNT + channels("jsons://h") + RULE,
            ["channels: there is only one; add a second of another kind, for when it fails"],
        ),
        (ACCOUNT + CHANNELS, ["rules: there is none, so nothing will ever alert; add [[rules]]"]),
        (WHOLE + rule("odd", "1 < 2"), ["rules[1].when: does not depend on any reading, so it is always the same"]),
        (WHOLE + 'accounts = ["x*"]', ["rules[0].accounts: matches no account, so the rule has no effect"]),
        (
            WHOLE + 'clear_when = "availableMargin < 100"',
            ["rules[0].clear_when: is the same as when, so the alert would never end"],
        ),
        (
            WHOLE + 'inhibited_by = ["no-readings"]',
            [
                'rules[0].inhibited_by: the system rule "no-readings" is not available yet, so this has no effect',
            ],
        ),
        (
            WHOLE + ACCOUNT.replace("main", "b").replace("0001", "2") + rule("b", "al_freeze > 1", 'accounts = ["b"]')
            + rule("a", "al_freeze > 5", 'accounts = ["main"]', 'inhibited_by = ["b", "low"]'),
            ['rules[2].inhibited_by: "b" watches none of the same accounts, so this has no effect'],
        ),
        (
            WHOLE + rule("spike", "delta(al_freeze, 10m) > 200"),
            [
                (
                    "rules[1].when: delta(al_freeze, 10m) forgets after its window, which ends the alert by itself; "
                    'add a clear_when on the level, such as clear_when = "al_freeze < 200"'
                ),
            ],
        ),
        (
            WHOLE + rule("fall", "delta(availableMargin, 10m) < -200"),
            [
                (
                    "rules[1].when: delta(available_margin, 10m) forgets after its window, which ends the alert by "
                    'itself; add a clear_when on the level, such as clear_when = "available_margin > 200"'
                ),
            ],
        ),
        (
            WHOLE + rule("fall", "delta(available_margin, 10m) < al_margin"),
            [
                (
                    "rules[1].when: delta(available_margin, 10m) forgets after its window, which ends the alert by "
                    'itself; add a clear_when on the level, such as clear_when = "available_margin > …"'
                ),
            ],
        ),
        (WHOLE + rule("spike", "delta(al_freeze, 10m) > 200", 'clear_when = "al_freeze < 9"'), []),
        (WHOLE + rule("low-for-long", "max(available_margin, 10m) < 100"), []),
    ],
)  # fmt: skip
def test_each_doubt_is_one_sentence(text: str, warnings: list[str]) -> None:
    """D6 and others: a warning names its place and what to do; a sound configuration has none."""
    assert list(loaded(text).warnings) == warnings


def test_what_the_notifier_says_of_a_url_is_a_warning() -> None:
    """DESIGN §4, 9: a channel's plain scheme beyond loopback is allowed, and `check` warns of it."""
    checks = Checks(caution=lambda url: "goes unencrypted" if url.startswith("json:") else None)
    text = ACCOUNT + channels("jsons://h/x", "json://h/y") + RULE
    assert loaded(text, checks=checks).warnings == ("channels[1].url: goes unencrypted",)
