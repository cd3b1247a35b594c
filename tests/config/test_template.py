"""The file that `init` writes loads, whatever the answers."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.config import Answers, ChannelAnswer, new_config
from daemon.config.template import quoted
from daemon.types import SECOND
from tests.config.written import doubts, loaded

TELEGRAM = ChannelAnswer("telegram", "tgram://{env:TOKEN}/{env:CHAT}")
MAIL = ChannelAnswer("mail", "mailtos://me:pass@example.com")


@pytest.mark.parametrize(
    ("key", "meant"),
    [("env:KEY", "from-env"), ("literal-key", "literal-key"), ('quo"te\\d', 'quo"te\\d')],
)
def test_what_is_written_loads_without_a_warning(key: str, meant: str) -> None:
    """A person who answered every question has a configuration that `check` finds clean."""
    text = new_config(
        Answers(
            "main",
            key,
            "secret-text",
            (TELEGRAM, MAIL),
            Decimal(200),
            Decimal("80.50"),
            "Europe/Paris",
            "env:BEAT",
        )
    )
    config = loaded(
        text, {"KEY": "from-env", "TOKEN": "12:ab", "CHAT": "5", "BEAT": "https://hc-ping.com/x"}
    )
    assert config.warnings == ()
    assert config.accounts[0].api_key.reveal() == meant
    assert [channel.url.reveal() for channel in config.channels] == ["tgram://12%3Aab/5", MAIL.url]
    assert [channel.group_wait for channel in config.channels] == [1 * SECOND, 5 * SECOND]
    assert [str(rule.when) for rule in config.rules] == [
        "available_margin < 80.5",
        "available_margin < 200",
    ]
    assert [str(rule.clear_when) for rule in config.rules] == [
        "available_margin > 96.6",
        "available_margin > 240",
    ]
    assert str(config.daemon.timezone) == "Europe/Paris"
    assert config.daemon.heartbeat.reveal() == "https://hc-ping.com/x"


def test_without_a_channel_it_says_how_to_add_one() -> None:
    """The file loads; `check` refuses it, as nobody would be told."""
    text = new_config(Answers("main", "env:KEY", "env:KEY"))
    config = loaded(text, {"KEY": "k"})
    assert (config.channels, doubts(config)) == ((), [])
    assert "# url = " in text


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_survives_quoting(text: str) -> None:
    """Any text pasted as an answer is read back unchanged."""
    config = loaded(
        new_config(Answers("main", "k", "s", (ChannelAnswer("c", "jsons://h/" + _harmless(text)),)))
    )
    assert config.channels[0].url.reveal() == "jsons://h/" + _harmless(text)
    assert quoted(text).startswith('"')


def _harmless(text: str) -> str:
    """Without what a channel's URL would fill in."""
    return text.replace("{", "(")


@given(st.decimals(Decimal("0.0001"), Decimal("1e9"), allow_nan=False, places=4))
def test_any_level_is_written_exactly(level: Decimal) -> None:
    """Promise 7: the level in the file is the level that was answered."""
    rules = loaded(new_config(Answers("main", "k", "s", warning_below=level))).rules
    assert str(rules[1].when) == f"available_margin < {format(level, 'f').rstrip('0').rstrip('.')}"
