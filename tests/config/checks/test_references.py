"""Names stand once, and references lead somewhere."""

import pytest

from tests.config.written import ACCOUNT, CHANNELS, RULE, WHOLE, problems


def inhibited(name: str, by: str) -> str:
    return rule(name, f'inhibited_by = ["{by}"]')


def rule(name: str, *lines: str) -> str:
    return "\n".join(("[[rules]]", f'name = "{name}"', 'when = "available_margin < 1"', *lines, ""))


def twice(section: str, name: str, line: int, first: int) -> str:
    return (
        f'{section} "{name}" (line {line}).name: "{name}" is already the name of'
        f' {section} "{name}" (line {first})'
    )


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        (
            WHOLE + ACCOUNT,
            [twice("accounts", "main", 19, 2)],
        ),
        (
            WHOLE + CHANNELS,
            [
                twice("channels", "phone", 19, 7),
                twice("channels", "mail", 23, 11),
            ],
        ),
        (
            WHOLE + RULE,
            [twice("rules", "low", 19, 15)],
        ),
        (
            WHOLE + rule("disk-full"),
            [
                (
                    'rules "disk-full" (line 18).name: "disk-full" is the name of a system'
                    " rule; choose another"
                )
            ],
        ),
        (
            WHOLE + rule("a", 'channels = ["phne", "mail"]'),
            ['rules "a" (line 18).channels: there is no channel "phne"; did you mean "phone"?'],
        ),
        (
            WHOLE + rule("a", 'inhibited_by = ["x"]'),
            ['rules "a" (line 18).inhibited_by: there is no rule "x"'],
        ),
        (WHOLE + rule("a", 'inhibited_by = ["low", "no-readings"]'), []),
        (
            WHOLE + rule("a", 'inhibited_by = ["a"]'),
            ['rules "a" (line 18).inhibited_by: a rule cannot inhibit itself'],
        ),
        (
            WHOLE + inhibited("a", "b") + inhibited("b", "c") + inhibited("c", "a"),
            [
                (
                    'rules "a" (line 18).inhibited_by: these rules inhibit each other in a'
                    " circle: a → b → c → a"
                )
            ],
        ),
        (
            WHOLE
            + rule("a", 'inhibited_by = ["b", "c"]')
            + rule("b", 'inhibited_by = ["c"]')
            + rule("c"),
            [],
        ),
        (
            ACCOUNT + '[[channels]]\nname = "a"\nurl = "jsons://h"\nfallback = "a"\n' + RULE,
            ['channels "a" (line 6).fallback: a channel cannot be its own fallback'],
        ),
        (
            ACCOUNT + '[[channels]]\nname = "a"\nurl = "jsons://h"\nfallback = "b"\n' + RULE,
            ['channels "a" (line 6).fallback: there is no channel "b"'],
        ),
        (WHOLE + 'mute = ["night"]', ['rules "low" (line 15).mute: there is no mute "night"']),
        (
            WHOLE + '[[reports]]\nname = "daily"\ncron = "0 8 * * *"\nchannels = ["x"]',
            ['reports "daily" (line 18).channels: there is no channel "x"'],
        ),
        (WHOLE + '[system]\nchannels = ["x"]', ['system.channels: there is no channel "x"']),
    ],
)
def test_each_mistake_between_tables_is_one_sentence(text: str, sentences: list[str]) -> None:
    """Duplicate names, dangling references and circles are reported once, with their place."""
    assert problems(text) == sentences


def test_a_bad_name_that_is_referred_to_is_one_mistake() -> None:
    """A reference to a name that is written wrongly, but alike, is not a second mistake."""
    text = (
        ACCOUNT + '[[channels]]\nname = "a!"\nurl = "jsons://h"\n' + rule("r", 'channels = ["a!"]')
    )
    assert problems(text) == [
        'channels "a!" (line 6).name: must be 1 to 64 letters, digits, spaces or _ . -, not "a!"',
    ]


def escalating(escalate: str, *lines: str) -> str:
    return WHOLE + rule("a", f"escalate = {escalate}", *lines)


STEP = '[{ after = "15m", channels = ["mail"] }]'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (escalating(STEP, 'channels = ["phone"]'), None),
        (
            escalating(STEP),
            (
                "has no effect, as the rule tells every channel at once; name in channels those"
                " that are told first"
            ),
        ),
        (
            escalating(STEP, 'channels = ["phone", "mail"]'),
            'the rule tells "mail" at once; take it out of channels, or out of escalate',
        ),
        (
            escalating('[{ after = "15m", channels = ["phne"] }]', 'channels = ["mail"]'),
            'there is no channel "phne"; did you mean "phone"?',
        ),
    ],
)
def test_an_escalation_leads_to_a_channel_that_is_not_told_at_once(
    text: str, sentence: str | None
) -> None:
    """Unknown channels, and those that the rule has already, are mistakes."""
    expected = [] if sentence is None else [f'rules "a" (line 18).escalate: {sentence}']
    assert problems(text) == expected


def test_a_mistake_in_channels_is_told_once() -> None:
    """What the rule's channels would be is not known then."""
    assert problems(escalating(STEP, "channels = 3")) == [
        'rules "a" (line 18).channels: must be a list such as ["one", "two"], not 3'
    ]
