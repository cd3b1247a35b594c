"""README and the other pages: configurations load, commands exist, messages are real."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import click
import pytest

from daemon import __version__, bundled, cli, config
from daemon.cli.configuration import CHECKS
from daemon.config import Config
from daemon.config.checks.not_available import NOT_YET
from tests.config.written import ACCOUNT, CHANNELS, RULE, doubts
from tests.docs.markdown import (
    BACKTESTING,
    CHANGELOG,
    COMMAND_LIST,
    CONFIGURATION,
    OPERATIONS,
    PAGES,
    README,
    RECIPES,
    ROOT,
    Page,
    code,
)

SECRETS: Mapping[str, str] = {
    "coinw-key": "key-0001",
    "coinw-secret": "secret-0001",
    "telegram-token": "123456789:AAabcdefghijklmnopqrstuvwxyz0123456",
    "mail-password": "p@ss/w0rd",
    "ntfy-topic": "margin-0af3",
    "heartbeat-uuid": "0af3-0001",
}
WRITTEN = ("coinw-key", "coinw-secret", "telegram-token", "mail-password")
"""Secrets that the README stores in files."""
ENVIRON = {"GRID_API_KEY": "key-0002", "GRID_SECRET_KEY": "secret-0002"}

# A newcomer.

SECTIONS = [
    "Try it",
    "How it wakes you",
    "Install",
    "Five minutes to your first alert",
    "As a service",
    "Eight commands for every day",
    "Questions",
    "Limits of this release",
    "More",
]


def test_a_newcomer_reads_at_most_220_lines_in_this_order() -> None:
    """What it does with pictures, demo, waking, install, first alert, service, commands, FAQ."""
    lines = README.text.splitlines()
    assert len(lines) <= 220
    assert [line[3:] for line in lines if line.startswith("## ")] == SECTIONS
    before, _, _ = README.text.partition("\n## ")
    assert Page.pictures(before) == ["docs/demo.svg", "docs/phone.png", "docs/chart.png"]
    assert len(README.table("Eight commands for every day").rows) == 8


def test_secrets_are_stored_also_when_the_commands_are_pasted(tmp_path: Path) -> None:
    """A shell without bracketed paste: what is typed after the commands is what is stored."""
    (block,) = (block for block in README.blocks("console") if "marginwatch secret" in block)
    commands = [line.removeprefix("$ ") for line in block.splitlines()]
    typed = [SECRETS[name] for name in WRITTEN]
    programs = Path(sys.executable).parent
    subprocess.run(
        ["bash", "-s"],
        input="\n".join([*commands, *typed, ""]),
        env={"HOME": str(tmp_path), "PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    files = {name: tmp_path / "watch" / name for name in WRITTEN}
    assert {name: file.read_text() for name, file in files.items()} == {
        name: SECRETS[name] for name in WRITTEN
    }
    assert {file.stat().st_mode & 0o777 for file in files.values()} == {0o600}
    assert (tmp_path / "watch").stat().st_mode & 0o777 == 0o700


# Configurations.

LOUD_CHANNELS = (
    CHANNELS
    + CHANNELS.replace('"phone"', '"telegram"').replace('"mail"', '"call"')
    + "loud = true\n"
)
"""Channels for a page that shows rules alone; the last of them may ring at night."""


def _loaded(text: str, folder: Path) -> Config:
    for name, secret in SECRETS.items():
        (folder / name).write_text(secret + "\n")
        (folder / name).chmod(0o600)
    return config.load(text, path=folder / "rules.toml", environ=ENVIRON, checks=CHECKS)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text, id=f"{page.path.name}:{text[:20]!r}")
        for page in PAGES
        # Other tests execute these: the example of backtests has one channel, recipes have two.
        if page not in (BACKTESTING, RECIPES)
        for text in page.blocks("toml")
        if "[[tests]]" not in text  # those are played, not loaded
    ],
)
def test_configurations_load(text: str, tmp_path: Path) -> None:
    """Every TOML block is valid, alone or with the tables it leaves out, also for the adapters."""
    missing = [
        rest
        for table, rest in (("accounts", ACCOUNT), ("channels", LOUD_CHANNELS), ("rules", RULE))
        if f"[[{table}]]" not in text
    ]
    assert doubts(_loaded(text + "".join(missing), tmp_path)) == []


def test_the_first_configuration_holds_no_secret(tmp_path: Path) -> None:
    """The example keeps secrets elsewhere, watches two accounts and has two kinds of channels."""
    whole = next(text for text in README.blocks("toml") if "[[accounts]]" in text)
    loaded = _loaded(whole, tmp_path)
    assert not loaded.holds_secrets
    assert [account.name for account in loaded.accounts] == ["main", "grid-bot"]
    assert [channel.name for channel in loaded.channels] == ["telegram", "email"]


def test_the_service_keeps_its_database_where_the_unit_allows(tmp_path: Path) -> None:
    """The example's database is in the unit's state directory; commands use the unit's paths."""
    unit = (bundled.path("systemd") / "marginwatch.service").read_text()
    shown = next(text for text in README.blocks("toml") if "[[accounts]]" not in text)
    database = _loaded(shown + ACCOUNT, tmp_path).daemon.database.reveal()
    assert re.search(r"^StateDirectory=(\w+)$", unit, re.MULTILINE)
    assert database == "sqlite:////var/lib/marginwatch/marginwatch.db"
    assert (
        "ExecStart=/opt/marginwatch/.venv/bin/marginwatch run --config /etc/marginwatch/rules.toml"
        in unit
    )
    assert database in unit


# Commands, files, targets.

COMMANDS = sorted({command for page in PAGES for command in page.commands()})


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_commands_exist_with_their_options(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call shown uses an existing command and options; named files count as existing."""
    monkeypatch.chdir(tmp_path)
    for word in words:
        if word.endswith(".toml") and "/" not in word:
            Path(word).touch()
    command: click.Command = cli.commands
    rest = [*words]
    with click.Context(command) as context:
        while isinstance(command, click.Group):
            _, found, rest = command.resolve_command(context, rest)
            assert found is not None
            command = found
        assert command.make_context(command.name, rest, parent=context).params is not None


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_is_shown_and_explains_itself(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """docs/commands.md has every command; its --help says how it is used, with an example."""
    assert name in {words[0] for words in COMMAND_LIST.commands() if words}
    with pytest.raises(SystemExit) as ended:
        cli.commands.main([name, "--help"], prog_name="marginwatch")
    assert ended.value.code == 0
    assert "Example" in capsys.readouterr().out


def test_the_limits_are_those_of_this_release(tmp_path: Path) -> None:
    """C5: missing features are missing, `web` is accepted, and no other key does nothing."""
    limits = README.text.partition("## Limits of this release")[2].partition("\n## ")[0]
    assert "`web` is accepted" in limits
    _loaded('[daemon]\nweb = "127.0.0.1:9000"\n' + ACCOUNT + CHANNELS + RULE, tmp_path)
    marked = {
        code(row[0]) for table in CONFIGURATION.tables() for row in table.rows if "not yet" in row
    }
    assert marked == {key.partition(".")[2] for key in NOT_YET}


def test_targets_exist() -> None:
    """Every `make` target named is one of the Makefile."""
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        target
        for page in PAGES
        for target in re.findall(r"(?:`|^\$ |^)make (\w+)", page.text, re.MULTILINE)
    }
    everyday = {"demo", "check", "test", "lint", "format"}
    assert named == everyday | {"fuzz", "soak", "man", "wheel", "lock", "audit"}
    assert named <= targets


PINNED = [
    "pip install --require-hashes -r requirements.lock",
    "pip install --no-deps --force-reinstall dist/marginwatch-*.whl",
]


def test_installations_take_what_is_pinned() -> None:
    """S13: requirements pinned by hash, then the wheel without any; no other way is shown."""
    shown = [*README.blocks("console"), *OPERATIONS.blocks("console")]
    installations = [block for block in shown if "/pip " in block]
    assert len(installations) == 3
    for block in installations:
        assert block.index("$ make wheel") < block.index("/pip ")
        assert re.findall(r"^\$ (?:sudo )?\S+/(pip .*)$", block, re.MULTILINE) == PINNED
    assert sum(page.text.count("pip install") for page in PAGES) == 3 * len(PINNED)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path.name)
def test_no_place_of_packages_is_named(page: Page) -> None:
    """No package index is named, since that is the machine's own business."""
    assert re.findall(r"--(?:extra-)?index-url|--find-links|/simple\b", page.text) == []


def test_the_changelog_has_this_version() -> None:
    """The released version is described below the unreleased changes."""
    headings = re.findall(r"^## \[(.+?)\]", CHANGELOG.text, re.MULTILINE)
    assert headings[:2] == ["Unreleased", __version__]
