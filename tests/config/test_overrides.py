"""Rules to be tried out: a file that is a whole configuration, or only some of its tables."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from daemon import config
from daemon.config import Config
from daemon.errors import ConfigError
from daemon.types import MINUTE
from tests.config.written import ACCOUNT, CHANNELS, RULE, WHOLE, loaded

MUTE = '\n[[mutes]]\nname = "night"\nbetween = ["23:00", "07:00"]\n'
OTHER = '\n[[rules]]\nname = "other"\nwhen = "al_freeze > 5"\n'
BASE = WHOLE + MUTE + '\n[system]\nno-readings = "5m"\n'


def policy(
    folder: Path, text: str, base: str = BASE, environ: Mapping[str, str] | None = None
) -> Config:
    path = folder / "other.toml"
    path.write_text(text, encoding="utf-8")
    return config.read_policy(path, base=loaded(base), environ=environ or {})


def problems(folder: Path, text: str, base: str = BASE) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        policy(folder, text, base)
    return caught.value.problems


def test_what_is_left_out_is_as_in_the_configuration(tmp_path: Path) -> None:
    """Only rules: they may name its channels, its mutes and each other."""
    found = policy(
        tmp_path, OTHER + 'channels = ["mail"]\nmute = ["night"]\ninhibited_by = ["key-refused"]\n'
    )
    base = loaded(BASE)
    assert [rule.name for rule in found.rules] == ["other"]
    assert (found.channels, found.mutes, found.system, found.accounts) == (
        base.channels,
        base.mutes,
        base.system,
        base.accounts,
    )
    assert found.daemon == base.daemon
    assert found.system_rules == base.system_rules


def test_what_is_written_counts(tmp_path: Path) -> None:
    """Mutes, system rules, channels without an address, and the time zone."""
    text = (
        '[daemon]\ntimezone = "Asia/Tokyo"\n[[channels]]\nname = "pager"\n[system]\nno-readings ='
        ' "off"\n[[mutes]]\nname = "noon"\nbetween = ["12:00", "13:00"]\n'
        + OTHER
        + 'channels = ["pager"]\nmute = ["noon"]\n'
    )
    found = policy(tmp_path, text)
    assert [channel.name for channel in found.channels] == ["pager"]
    assert list(found.mutes.windows) == ["noon"]
    assert str(found.mutes.zone) == "Asia/Tokyo"
    assert found.system.no_readings is None
    assert "no-readings" not in {rule.name for rule in found.system_rules}
    assert found.daemon.database == loaded(BASE).daemon.database


def test_a_file_without_rules_changes_the_rest(tmp_path: Path) -> None:
    """The rules stay, and may be named."""
    found = policy(tmp_path, '[system]\nno-readings = "10m"\n')
    assert (found.rules, found.system.no_readings) == (loaded(BASE).rules, 10 * MINUTE)
    zoned = policy(tmp_path, '[daemon]\ntimezone = "Asia/Tokyo"\n')
    assert (zoned.rules, str(zoned.daemon.timezone), str(zoned.mutes.zone)) == (
        found.rules,
        "Asia/Tokyo",
        "Asia/Tokyo",
    )


def test_a_whole_configuration_is_taken_without_its_secrets(tmp_path: Path) -> None:
    """The targets of its references need not exist."""
    account = ACCOUNT.replace("planted-key-0001", "env:NOWHERE").replace('"main"', '"other"')
    found = policy(tmp_path, account + CHANNELS + OTHER)
    assert [account.name for account in found.accounts] == ["other"]
    assert not found.accounts[0].api_key


def test_all_mistakes_are_told_with_the_file(tmp_path: Path) -> None:
    """Unknown keys, dangling references, keys not available yet, and limits below the intervals."""
    text = (
        OTHER
        + 'chanels = []\nmute = ["nigt"]\nchannels = ["telegram"]\nsummary = "{x"\non_missing ='
        ' "ok"\n'
    )
    found = problems(tmp_path, text + 'missing_after = "1s"\n')
    assert all(each.startswith('other.toml: rules "other" (line 2).') for each in found)
    assert {each.split(": ")[1].removeprefix('rules "other" (line 2).') for each in found} == {
        "chanels",
        "mute",
        "channels",
        "summary",
        "missing_after",
    }


def test_what_is_no_policy_is_refused(tmp_path: Path) -> None:
    """No TOML, wrong tables, or nothing to be tried out."""
    assert problems(tmp_path, "[[rules]\n")[0].startswith("other.toml: line 1")
    assert problems(tmp_path, "channels = 5\n" + RULE) == [
        "other.toml: channels: must be tables that each begin with [[channels]]"
    ]
    tables = "[[rules]], [[mutes]], [system], [[channels]] or a timezone in [daemon]"
    nothing = f"other.toml: rules: there is none; a file to be tried out has {tables}"
    for empty in ("", "[daemon]\n", '[daemon]\nevery = "5s"\n'):
        assert problems(tmp_path, empty) == [nothing]
    assert problems(tmp_path, "daemon = 5\n" + RULE) == [
        "other.toml: daemon: must be one table that begins with [daemon]"
    ]
    with pytest.raises(ConfigError, match="there is no such file"):
        config.read_policy(tmp_path / "none.toml", base=loaded(BASE), environ={})
