"""Settings that are allowed but probably unintended cause a warning with its place."""

import pytest

from daemon.config import Checks
from daemon.config.checks.warnings import NO_HEARTBEAT
from tests.config.written import ACCOUNT, CHANNELS, RULE, WHOLE, doubts, loaded

SILENT = (
    "system.no-readings: is off, and no rule asks for age, so nobody is told when readings stop"
)
NO_SYSTEM = '\n[system]\nno-readings = "off"\n'


def rule(name: str, when: str, *lines: str) -> str:
    return "\n".join(("[[rules]]", f'name = "{name}"', f'when = "{when}"', *lines, ""))


def channels(*urls: str) -> str:
    return "".join(
        f'[[channels]]\nname = "c{index}"\nurl = "{url}"\n' for index, url in enumerate(urls)
    )


def mute(name: str, start: str, end: str) -> str:
    return f'[[mutes]]\nname = "{name}"\nbetween = ["{start}", "{end}"]\n'


def powerless(name: str, why: str) -> str:
    return (
        f'rules "low" (line 15).inhibited_by: the system rule "{name}" {why}, so this has no effect'
    )


def forgets(call: str, level: str = "") -> str:
    suggestion = f', such as clear_when = "{level}"' if level else ""
    return (
        f'rules "odd" (line 18).when: {call} forgets after its window, which ends the'
        " alert by itself; "
        f"add a clear_when on the level{suggestion}"
    )


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        (WHOLE, []),
        (
            WHOLE + ACCOUNT.replace("main", "twin"),
            [
                (
                    'accounts "twin" (line 19).api_key: the same key as that of "main"; both'
                    " read one account"
                )
            ],
        ),
        (
            ACCOUNT + channels("jsons://h") + RULE,
            ["channels: there is only one; add a second of another kind, for when it fails"],
        ),
        (
            ACCOUNT + CHANNELS,
            ["rules: there is none, so no balance will ever alert; add [[rules]]"],
        ),
        (
            WHOLE + rule("odd", "available_margin < 0 / 0 or al_freeze > 5"),
            [
                (
                    'rules "odd" (line 18).when: 0 / 0 has no value, so nothing that depends'
                    " on it is ever known"
                )
            ],
        ),
        (
            WHOLE + rule("odd", "delta(al_freeze / al_margin, 20s) > 5"),
            [
                (
                    'rules "odd" (line 18).when: delta(al_freeze / al_margin, 20s)'
                    " forgets after its"
                    " window, which ends the alert "
                    "by itself; add a clear_when on the level"
                )
            ],
        ),
        (
            WHOLE + rule("odd", "1 < 2"),
            [
                (
                    'rules "odd" (line 18).when: does not depend on any reading, so it is'
                    " always the same"
                )
            ],
        ),
        (
            WHOLE + 'accounts = ["x*"]',
            ['rules "low" (line 15).accounts: matches no account, so the rule has no effect'],
        ),
        (
            WHOLE
            + rule(
                "two", "availableMargin < al_margin", 'clear_when = "available_margin < al_margin"'
            ),
            ['rules "two" (line 18).clear_when: is the same as when, so the alert would never end'],
        ),
        (
            WHOLE + 'inhibited_by = ["no-readings", "disk-full", "push-contradicted"]',
            [
                powerless("disk-full", "belongs to no account"),
                powerless("push-contradicted", "belongs to no account"),
            ],
        ),
        (
            WHOLE + 'inhibited_by = ["no-readings"]\n[system]\nno-readings = "off"',
            [powerless("no-readings", "is off"), SILENT],
        ),
        (WHOLE + NO_SYSTEM, [SILENT]),
        (WHOLE + 'on_missing = "firing"' + NO_SYSTEM, []),
        (WHOLE + rule("stale", "age > 1m") + NO_SYSTEM, []),
        (
            WHOLE + mute("night", "23:00", "07:00"),
            ['mutes "night" (line 18): no rule has it in its mute, so it has no effect'],
        ),
        (WHOLE + 'mute = ["night"]\n' + mute("night", "07:00", "06:59"), []),
        (
            WHOLE + 'mute = ["day"]\n' + mute("day", "00:00", "24:00"),
            ['rules "low" (line 15).mute: covers the whole week, so the rule is never announced'],
        ),
        (
            WHOLE + 'mute = ["day"]\n' + mute("day", "00:00", "23:59"),
            [
                (
                    'mutes "day" (line 19).between: leaves out the last minute of the day;'
                    ' write "24:00" for its end'
                )
            ],
        ),
        (
            WHOLE
            + 'mute = ["day", "night"]\n'
            + mute("night", "19:00", "07:00")
            + mute("day", "07:00", "19:00"),
            ['rules "low" (line 15).mute: covers the whole week, so the rule is never announced'],
        ),
        (
            WHOLE
            + ACCOUNT.replace("main", "b").replace("0001", "2")
            + rule("b", "al_freeze > 1", 'accounts = ["b"]')
            + rule("a", "al_freeze > 5", 'accounts = ["main"]', 'inhibited_by = ["b", "low"]'),
            [
                (
                    'rules "a" (line 27).inhibited_by: "b" watches none of the same'
                    " accounts, so this has no effect"
                )
            ],
        ),
        (
            WHOLE + rule("odd", "delta(al_freeze, 10m) > 200"),
            [
                (
                    'rules "odd" (line 18).when: delta(al_freeze, 10m) forgets after its'
                    " window, which"
                    " ends the alert by itself; "
                    'add a clear_when on the level, such as clear_when = "al_freeze < …"'
                ),
            ],
        ),
        (WHOLE + rule("odd", "delta(al_freeze, 10m) > 200", "resolve = false"), []),
        (
            WHOLE + rule("odd", "delta(availableMargin, 10m) < -200"),
            [
                (
                    'rules "odd" (line 18).when: delta(available_margin, 10m) forgets'
                    " after its window,"
                    " which ends the alert by "
                    "itself; add a clear_when on the level, such as clear_when ="
                    ' "available_margin > …"'
                ),
            ],
        ),
        (
            WHOLE + rule("odd", "delta(available_margin, 10m) < al_margin"),
            [
                (
                    'rules "odd" (line 18).when: delta(available_margin, 10m) forgets'
                    " after its window,"
                    " which ends the alert by "
                    "itself; add a clear_when on the level, such as clear_when ="
                    ' "available_margin > …"'
                ),
            ],
        ),
        (
            WHOLE + rule("odd", "drop(available_margin, 1h) > 20%"),
            [forgets("drop(available_margin, 1h)", "available_margin > …")],
        ),
        (
            WHOLE + rule("odd", "0.2 < rise(al_freeze, 1h)"),
            [forgets("rise(al_freeze, 1h)", "al_freeze < …")],
        ),
        (
            WHOLE + rule("odd", "change(al_freeze, 1h) > 20%"),
            [forgets("change(al_freeze, 1h)", "al_freeze < …")],
        ),
        (
            WHOLE + rule("odd", "delta(available_margin, 61s) < -100"),
            [forgets("delta(available_margin, 1m1s)", "available_margin > …")],
        ),
        (
            WHOLE + rule("odd", "delta(al_freeze, 1h) != 0"),
            [forgets("delta(al_freeze, 1h)")],
        ),
        (WHOLE + rule("odd", "spike(al_freeze, 1h) > 5"), [forgets("spike(al_freeze, 1h)")]),
        (
            WHOLE + rule("odd", "zscore(al_freeze, 1h, 5) > 5"),
            [forgets("zscore(al_freeze, 1h, 5)")],
        ),
        (WHOLE + rule("odd", "abs(delta(al_freeze, 1h)) > 5"), [forgets("delta(al_freeze, 1h)")]),
        (WHOLE + rule("odd", "delta(al_freeze, 10m) > 200", 'clear_when = "al_freeze < 9"'), []),
        (WHOLE + rule("low-for-long", "max(available_margin, 10m) < 100"), []),
    ],
)
def test_d6_each_doubt_is_one_sentence(text: str, warnings: list[str]) -> None:
    """D6 and others: a warning names its place and what to do; a sound configuration has none."""
    assert doubts(loaded(text)) == warnings


def test_f9_a_configuration_without_a_heartbeat_is_warned_of() -> None:
    """F9: without another monitor nothing would report that the daemon is down."""
    assert loaded(WHOLE).warnings == (NO_HEARTBEAT,)
    assert loaded(WHOLE + '[daemon]\nheartbeat = "https://hc-ping.com/x"\n').warnings == ()


def test_what_the_notifier_says_of_a_url_is_a_warning() -> None:
    """DESIGN §4, 9: a channel's plain scheme beyond loopback is allowed; `check` warns of it."""
    checks = Checks(caution=lambda url: "goes unencrypted" if url.startswith("json:") else None)
    text = ACCOUNT + channels("jsons://h/x", "json://h/y") + RULE
    assert doubts(loaded(text, checks=checks)) == ['channels "c1" (line 9).url: goes unencrypted']
