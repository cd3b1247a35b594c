"""The file that `init` writes loads, whatever the answers."""

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.config import Answers, ChannelAnswer, System, new_cases, new_config
from daemon.config.template import quoted
from daemon.types import HOUR, MINUTE, SECOND
from tests.cli.calls import call
from tests.config.written import doubts, loaded
from tests.lengths import length

TELEGRAM = ChannelAnswer("telegram", "tgram://{env:TOKEN}/{env:CHAT}", loud=True)
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
            "06:30",
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
    assert [channel.loud for channel in config.channels] == [True, False]
    assert [(each.name, each.cron) for each in config.reports] == [("daily", "30 6 * * *")]


def test_a_new_configuration_is_told_more_often_and_bothered_less() -> None:
    """The defaults of keys that are not written stay as they are, for files that exist."""
    config = loaded(new_config(Answers("main", "k", "s", (TELEGRAM,))), {"TOKEN": "1", "CHAT": "5"})
    critical, warning = config.rules
    assert (critical.repeat, warning.repeat) == (5 * MINUTE, 4 * HOUR)
    assert (critical.worse_by, warning.worse_by) == (Decimal("0.25"), Decimal("0.25"))
    assert (config.system.key_refused, config.system.clock_stepped) == (MINUTE, 2 * SECOND)
    assert (System().key_refused, System().clock_stepped) == (0, 250)
    assert config.reports == ()


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


levels = st.decimals(Decimal("0.0001"), Decimal("1e9"), allow_nan=False, places=4)


@given(levels)
def test_any_level_is_written_exactly(level: Decimal) -> None:
    """Promise 7: the level in the file is the level that was answered."""
    rules = loaded(new_config(Answers("main", "k", "s", warning_below=level))).rules
    assert str(rules[1].when) == f"available_margin < {format(level, 'f').rstrip('0').rstrip('.')}"


@settings(max_examples=length(20, 200), deadline=None)
@given(levels, levels)
def test_its_tests_pass_whatever_the_levels(one: Decimal, other: Decimal) -> None:
    """A person begins with a file of tests that is good, and sees what it is for."""
    answers = Answers(
        *("main", "env:KEY", "env:KEY"),
        (ChannelAnswer("hook", "jsons://example.com/hook"),),
        max(one, other) + Decimal("0.0001"),
        min(one, other),
    )
    with TemporaryDirectory() as folder:
        (Path(folder) / "rules.toml").write_text(new_config(answers))
        (Path(folder) / "rules.test.toml").write_text(new_cases(answers))
        result = call("rules", "test", f"{folder}/rules.test.toml", environ={})
    assert result.exit_code == 0, result.output
    assert "4 cases, all good" in result.output
