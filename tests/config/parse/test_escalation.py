"""What `escalate` may say, and what each mistake in it gets."""

import pytest

from daemon.config.parse.escalation import escalation
from daemon.config.problems import MistakeError
from daemon.rules.rule import EscalationStep
from daemon.types import MINUTE


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (
            "15m",
            'must be a list such as [{ after = "15m", channels = ["call"] }], not "15m"',
        ),
        (
            ["call"],
            'each step must be a table such as { after = "15m", channels = ["call"] }, not "call"',
        ),
        (
            [{"after": "15m"}],
            'a step has no channels; write { after = "15m", channels = ["call"] }',
        ),
        (
            [{"channels": ["call"]}],
            'a step has no after; write { after = "15m", channels = ["call"] }',
        ),
        (
            [{"after": "15m", "chanels": ["call"]}],
            'unknown key "chanels" in a step; did you mean "channels"?',
        ),
        (
            [{"after": "15m", "channels": []}],
            "channels of a step is empty; name the channels that are told then",
        ),
        (
            [{"after": "15m", "channels": "call"}],
            'channels must be a list such as ["one", "two"], not "call"',
        ),
        ([{"after": "0s", "channels": ["call"]}], 'after must be at least 1s, not "0s"'),
        (
            [{"after": "-15m", "channels": ["call"]}],
            'after must be a duration such as "90s" or "1h30m", not "-15m"',
        ),
        ([{"after": 15, "channels": ["call"]}], "after must be a duration such as"),
        (
            [{"after": "15m", "channels": ["a"]}, {"after": "15m", "channels": ["b"]}],
            "the step after 15m must come later than the one before it, which is after 15m",
        ),
        (
            [{"after": "1h", "channels": ["a"]}, {"after": "15m", "channels": ["b"]}],
            "the step after 15m must come later than the one before it, which is after 1h",
        ),
        (
            [{"after": "15m", "channels": ["call", "call"]}],
            'names the channel "call" twice; once is enough',
        ),
        (
            [{"after": "15m", "channels": ["a"]}, {"after": "1h", "channels": ["a"]}],
            'names the channel "a" twice; once is enough',
        ),
    ],
)
def test_each_mistake_of_an_escalation_is_one_sentence(raw: object, sentence: str) -> None:
    """It names what is wrong, and what would be right."""
    with pytest.raises(MistakeError) as caught:
        escalation(raw)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_steps_of_an_escalation_are_read_in_their_order() -> None:
    """An empty list is none."""
    assert escalation([]) == ()
    assert escalation([
        {"after": "15m", "channels": ["call"]},
        {"after": "1h", "channels": ["boss", "mail"]},
    ]) == (
        EscalationStep(15 * MINUTE, ("call",)),
        EscalationStep(60 * MINUTE, ("boss", "mail")),
    )  # fmt: skip
