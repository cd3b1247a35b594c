"""The program itself: how commands are found, and what a failure looks like from outside."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from daemon.cli import COMMANDS, commands, failures
from daemon.cli.configuration import configuration
from daemon.cli.session import CommandSession
from daemon.clock import SystemClock
from daemon.errors import ConfigError, StoreError
from daemon.hidden import Secret
from daemon.types import Record
from tests.cli.calls import CHANNEL, RULE, SECRETS, account, call, record, write
from tests.docs.markdown import ROOT
from tests.fakes import NOON
from tests.values import reading

EVERY = [*([name] for name in COMMANDS if name != "db"), ["db"], ["db", "upgrade"]]


def program(*arguments: object, **environ: str) -> subprocess.CompletedProcess[str]:
    """The real thing, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "daemon", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], **environ},
    )


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_every_help_shows_an_example(command: list[str]) -> None:
    """A person who asks for help sees a line that could be typed."""
    result = call(*command, "--help")
    assert result.exit_code == 0
    assert f"  marginwatch {' '.join(command)}" in result.stdout.replace(
        "Example: marginwatch", "  marginwatch"
    )


@pytest.mark.parametrize("group", ["rules", "db"])
def test_no_summary_is_cut(group: str) -> None:
    """The summary of a command in a group fits its line, also at the usual 80 columns."""
    commands_below = call(group, "--help").stdout.partition("Commands:\n")[2]
    assert commands_below
    assert "..." not in commands_below


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_help_needs_none_of_the_heavy_libraries(command: list[str]) -> None:
    """Commands import what they need when they run."""
    heavy = [
        "aiohttp",
        "sqlalchemy",
        "alembic",
        "apprise",
        "apscheduler",
        "lark",
        "rich",
        "msgspec",
    ]
    heavy += ["matplotlib", "numpy", "PIL"]
    script = (
        "import sys\nfrom daemon.cli import commands\n"
        f"try:\n commands.main([*{command!r}, '--help'])\nexcept SystemExit:\n pass\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert shown.stdout.splitlines()[-1] == "[]"


def test_the_program_tells_its_version() -> None:
    """`python -m daemon` is the program, and prints one line."""
    shown = program("--version")
    assert (shown.returncode, shown.stdout.split()[0], shown.stderr) == (0, "marginwatch", "")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["histry"],
            'there is no command "histry"; did you mean "history"? (see marginwatch --help)\n',
        ),
        (["xyz"], 'there is no command "xyz" (see marginwatch --help)\n'),
        (
            ["history", "--formt", "csv"],
            "no such option '--formt'. Did you mean '--format'? (see marginwatch history --help)\n",
        ),
        (
            ["db", "upgrad"],
            "no such command 'upgrad'. Did you mean 'upgrade'? (see marginwatch db --help)\n",
        ),
    ],
)
def test_bad_usage_is_one_sentence(arguments: list[str], sentence: str) -> None:
    """An unknown command or option has status 2, and a hint where to look."""
    result = call(*arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", sentence)


PLANNED = ["plot", "notifications", "gaps", "silence", "ack", "service"]
"""Commands of DESIGN §5 that there are not yet."""


def texts() -> Iterator[str]:
    """Every text that the program can say, and its documentation."""
    for path in (ROOT / "daemon").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        yield from (
            each.value
            for each in ast.walk(tree)
            if isinstance(each, ast.Constant) and isinstance(each.value, str)
        )
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*.toml")):
        yield path.read_text(encoding="utf-8")


def test_every_command_that_is_named_exists() -> None:
    """A remedy must be one: no sentence names a command that `marginwatch --help` does not have."""
    named = {
        found.groups()
        for text in texts()
        for found in re.finditer(r"marginwatch (\w+)(?: (\w+))?", text)
    }
    with click.Context(commands) as context:
        found = {name: commands.get_command(context, name) for name in COMMANDS}
    groups = {
        name: {None, *group.commands}
        for name, group in found.items()
        if isinstance(group, click.Group)
    }
    assert {first for first, _ in named} & set(PLANNED) - set(COMMANDS) == set()
    assert [
        words
        for words in sorted(named, key=str)
        if words[1] not in groups.get(words[0], {words[1]})
    ] == []


def test_without_a_command_the_help_is_shown() -> None:
    """A person who types the name alone sees what there is."""
    result = call()
    assert result.exit_code == 2
    assert "Commands:" in result.stderr


def test_ten_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """All problems of a configuration, one a line, and status 78."""
    path = tmp_path / "rules.toml"
    path.write_text(
        '[daemon]\nevery = "1ms"\ntimezone = "Europe/Berln"\nwebb = ""\n'
        '[[accounts]]\nname = "a"\napi_key = "env:NOT_SET"\nsecret_key = "planted-secret-9"\n'
        'rest_url = "http://example.com"\nexchange = "coinww"\n'
        '[[channels]]\nname = "c"\nurl = "foo://planted-token-9"\n'
        '[[rules]]\nname = "r"\nwhen = "available_margn < 1"\nfor = "soon"\nchannels = ["d"]\n',
        encoding="utf-8",
    )
    shown = program("check", "--config", path)
    assert (shown.returncode, shown.stdout) == (78, "")
    lines = [line for line in shown.stderr.splitlines() if not line.startswith(" ")]
    assert len(lines) >= 9
    assert "Traceback" not in shown.stderr
    assert "planted" not in shown.stderr


@pytest.mark.parametrize("where", ["before", "after", "environment"])
def test_the_configuration_is_named_in_three_ways(tmp_path: Path, where: str) -> None:
    """--config stands before or after the command's name, or the environment names the file."""
    path = write(tmp_path)
    line: dict[str, list[object]] = {
        "before": ["--config", path, "check"],
        "after": ["check", "--config", path],
    }
    environ = {**SECRETS, "MARGINWATCH_CONFIG": str(path)} if where == "environment" else SECRETS
    assert call(*line.get(where, ["check"]), environ=environ).exit_code == 0


@pytest.mark.parametrize("command", ["check", "history", "alerts", "status"])
def test_a_missing_configuration_is_one_sentence(tmp_path: Path, command: str) -> None:
    """The remedy is `init`, the status 78."""
    result = call(command, "--config", tmp_path / "rules.toml")
    sentence = f"{tmp_path}/rules.toml: there is no such file; `marginwatch init` writes one\n"
    assert (result.exit_code, result.stderr) == (78, sentence)


@pytest.mark.parametrize(("command", "status"), [("history", 1), ("alerts", 1), ("status", 2)])
def test_a_damaged_database_is_one_sentence(tmp_path: Path, command: str, status: int) -> None:
    """No traceback, and what to do about it."""
    (tmp_path / "marginwatch.db").write_bytes(b"this is no database at all" * 100)
    result = call(command, "--config", write(tmp_path))
    assert (result.exit_code, result.stdout) == (status, "")
    assert result.stderr.endswith(
        "is no SQLite database: name another file, or move this one away\n"
    )
    assert result.stderr.count("\n") == 1


def test_the_record_is_read_without_the_secrets(tmp_path: Path) -> None:
    """`history` works in a shell that has neither the daemon's environment nor its credentials."""
    path = write(tmp_path, account(secret_key="credential:coinw"), RULE, CHANNEL)
    record(tmp_path)
    for command, status in {
        "history": 0,
        "alerts": 0,
        "status": 2,
    }.items():  # no daemon is collecting
        assert call(command, "--config", path, environ={}).exit_code == status
    assert call("check", "--config", path, environ={}).exit_code == 78


def test_adapters_have_their_say(tmp_path: Path) -> None:
    """An unknown exchange, plain http, and a URL refused by Apprise are problems of the file."""
    tables = (
        account(exchange="kraken"),
        account("b", rest_url="http://example.com"),
        CHANNEL.replace("json", "jsno"),
    )
    with pytest.raises(ConfigError) as raised:
        configuration(write(tmp_path, *tables), SECRETS)
    told = [problem.partition(": ")[0] for problem in raised.value.problems]
    assert told == [
        'accounts "main" (line 4).exchange',
        'accounts "b" (line 12).rest_url',
        'channels "hook" (line 20).url',
    ]


def test_a_reader_who_has_gone_is_no_failure_to_report(tmp_path: Path) -> None:
    """`marginwatch history | head -1` prints one line and no complaint."""
    many = [reading(seq, NOON + seq) for seq in range(1, 3_000)]
    record(tmp_path, *(Record("main", each) for each in many))
    command = (
        f"{sys.executable} -m daemon history --format csv --config {write(tmp_path)} | head -1"
    )
    shown = subprocess.run(["bash", "-c", command], check=False, capture_output=True, text=True)
    assert (shown.stdout[:10], shown.stderr) == ("account,at", "")


def outcome(error: BaseException, **environ: str) -> tuple[int | str | None, list[str]]:
    """Status and lines that a failure ends with."""
    session = CommandSession(environ=environ, secrets={Secret("planted-secret-4711")})

    @click.command()
    def command() -> None:
        with failures.exit_on_failure(session):
            raise error

    result = CliRunner().invoke(command)
    return result.exit_code, result.stderr.splitlines()


@pytest.mark.parametrize(
    ("error", "status", "lines"),
    [
        (StoreError("the disk is full: free some"), 1, ["the disk is full: free some"]),
        (ConfigError(["a: wrong", "b: wrong"]), 78, ["a: wrong", "b: wrong"]),
        (click.Abort(), 130, []),
        (KeyboardInterrupt(), 130, []),
        (BrokenPipeError(), 1, []),
    ],
)
def test_each_kind_of_failure_has_its_status(
    error: BaseException, status: int, lines: list[str]
) -> None:
    """Sentences on stderr, one a line; an interruption needs no words."""
    assert outcome(error) == (status, lines)


def test_an_unexpected_failure_tells_no_secret() -> None:
    """One sentence with kind and place, since the text itself may hold a secret (promise 9)."""
    status, lines = outcome(KeyError("planted-secret-4711"))
    assert status == 1
    assert len(lines) == 1
    assert lines[0].startswith("marginwatch broke (KeyError at daemon/")
    assert lines[0].endswith("); please report this, with what MARGINWATCH_DEBUG=1 shows")


def test_a_traceback_comes_on_demand_and_redacted() -> None:
    """MARGINWATCH_DEBUG=1 shows where it broke; what is known to be secret is blanked."""
    status, lines = outcome(KeyError("planted-secret-4711"), MARGINWATCH_DEBUG="1")
    assert status == 1
    assert lines[0] == "Traceback (most recent call last):"
    assert "KeyError: '***'" in lines
    assert "planted" not in "\n".join(lines)


def test_an_unexpected_failure_names_its_place() -> None:
    """The last line of our own code on the way."""
    with pytest.raises(ConfigError) as raised:
        configuration(Path("/"), {})
    assert failures._place(raised.value).startswith(" at daemon/config/files.py:")


def test_a_session_makes_its_clock_once() -> None:
    """The system's clock, unless a test gave another one."""
    session = CommandSession()
    assert isinstance(session.clock, SystemClock)
    assert session.clock is session.clock


def test_what_the_configuration_hides_is_kept_for_redaction(tmp_path: Path) -> None:
    """After loading, the session knows every text that no line may show."""
    session = CommandSession(environ=SECRETS, path=write(tmp_path))
    session.config()
    assert set(SECRETS.values()) <= session.revealed()
