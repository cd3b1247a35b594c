"""Channels of a rules.toml with mistakes: the usable ones are found, whatever else it holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.config.channels_only import channels
from tests.config.written import ACCOUNT, CHANNELS, PATH, RULE, WHOLE

HOOK = '[[channels]]\nname = "hook"\nurl = "jsons://example.com/{env:TOKEN}"\n'


def found(text: str, **environ: str) -> list[str]:
    salvaged = channels(
        text, path=PATH, environ=environ, problem=lambda url: "bad" if "bad" in url else None
    )
    return [channel.name for channel in salvaged]


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        CHANNELS,
        WHOLE + '[[rules]]\nname = 5\nwhen = "no_such_field < 5"\n',
        RULE.replace('100"', "100") + ACCOUNT + CHANNELS,
        CHANNELS + "[daemon\nevery = 5s\n",
        CHANNELS + '[[channels]]\nname = "third"\nurl = "jsons://example.com\n',
        CHANNELS.replace(
            'name = "phone"', 'name = "phone"\ngroup_wiat = "1s"\nfallback = "nobody"'
        ),
        CHANNELS + "[[daemon]]\n[daemon]\n",
        CHANNELS.replace("[[", "  [["),
        "'''\n" + CHANNELS,
    ],
)
def test_channels_without_a_mistake_are_found(text: str) -> None:
    """They are found even where a typing error elsewhere makes the text invalid TOML."""
    assert found(text) == ["phone", "mail"]


def test_a_channel_that_cannot_be_used_is_left_out() -> None:
    """Its reference is missing, Apprise refuses it, or its URL is missing or no text."""
    assert found(HOOK + CHANNELS) == ["phone", "mail"]
    assert found(HOOK + CHANNELS.replace("com/mail", "bad"), TOKEN="planted") == ["hook", "phone"]
    assert found('[[channels]]\nname = "a"\n[[channels]]\nurl = 5\n') == []
    assert found('channels = "jsons://example.com"') == []
    assert found("channels = [5]") == []


def test_a_channel_without_a_name_has_that_of_its_place() -> None:
    """It gets the name that sentences about mistakes use."""
    assert found(CHANNELS.replace('name = "mail"\n', "")) == ["phone", "channels (number 2)"]


def test_what_must_not_be_shown_is_known() -> None:
    """Promise 9: the token, and the address it is in."""
    (channel,) = channels(
        HOOK, path=PATH, environ={"TOKEN": "planted/0af3"}, problem=lambda _url: None
    )
    assert {"planted/0af3", "planted%2F0af3", "jsons://example.com/planted%2F0af3"} <= {
        each.reveal() for each in channel.secrets
    }
    assert "planted" not in repr(channel)


@given(st.text(max_size=200) | st.text("[]'\"=#\n chanels", max_size=60))
def test_what_is_typed_below_takes_no_channel_away(text: str) -> None:
    """Text below a channel does not affect it."""
    assert {"phone", "mail"} <= set(found(WHOLE + text))
