"""Critical rules that reach no channel that may ring at night."""

import pytest

from daemon.config.checks.loud import NO_LOUD
from tests.config.checks.test_warnings import rule
from tests.config.written import WHOLE, doubts, loaded

CRITICAL = ('severity = "critical"',)
LOUD = '[[channels]]\nname = "call"\nurl = "jsons://example.com/call"\nloud = true\n'


def deadly(*lines: str) -> str:
    return rule("deadly", "available_margin < 1", *CRITICAL, *lines)


def test_a_critical_rule_without_any_loud_channel_is_one_hint() -> None:
    """Files from before there was `loud` get one, however many critical rules they have."""
    assert doubts(loaded(WHOLE + deadly() + deadly().replace("deadly", "worse"))) == [NO_LOUD]
    assert doubts(loaded(WHOLE)) == []


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ('channels = ["call", "phone"]',),
        ('channels = ["phone"]', 'escalate = [{ after = "15m", channels = ["call"] }]'),
    ],
)
def test_a_critical_rule_that_reaches_a_loud_channel_is_well(lines: tuple[str, ...]) -> None:
    """At once, as all channels are named by none, or by escalation."""
    assert doubts(loaded(WHOLE + LOUD + deadly(*lines))) == []


def test_a_critical_rule_that_reaches_no_loud_channel_is_told() -> None:
    """With the remedy; a warning may stay quiet."""
    quiet = 'channels = ["phone"]'
    text = WHOLE + LOUD + deadly(quiet) + rule("mild", "available_margin < 2", quiet)
    assert doubts(loaded(text)) == [
        (
            'rules "deadly" (line 22).channels: names no channel with loud = true, so this critical'
            " rule cannot ring at night; add one there, or to escalate"
        )
    ]


def test_critical_system_rules_that_reach_no_loud_channel_are_told() -> None:
    """All of them in one sentence."""
    text = WHOLE + LOUD + '\n[system]\nchannels = ["mail"]\n'
    assert doubts(loaded(text)) == [
        (
            "system.channels: names no channel with loud = true, so key-refused and"
            " answers-unusable and account-not-judged, which are critical, cannot ring at night"
        )
    ]
    one = text + 'answers-unusable = "off"\naccount-not-judged = "off"\n'
    assert doubts(loaded(one)) == [
        (
            "system.channels: names no channel with loud = true, so key-refused, which is critical,"
            " cannot ring at night"
        )
    ]
    off = one + 'key-refused = "off"\n'
    assert doubts(loaded(off)) == []
