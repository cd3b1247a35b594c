"""S9: whatever a file, a database or a person writes, a terminal is shown it and never obeys it."""

import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing, redirect_stdout
from pathlib import Path

import pytest
from click.testing import Result

from daemon.cli.last_words import command as lastwords
from daemon.cli.last_words.unit_status import UnitStatus, parse
from daemon.cli.output.tables import Table
from daemon.cli.session import CommandSession
from daemon.config.template import quoted
from daemon.text.printable import printable
from daemon.types import HOUR, MissReason, NoAnswer
from tests.cli.calls import CHANNEL, RULE, SECRETS, Terminal, account, call, write
from tests.cli.past import FINE, LOW, alone, lived
from tests.fakes import NOON, ManualClock
from tests.hostile import BIDI, HOSTILE, raw
from tests.values import rule

LATER = ManualClock(NOON + 24 * HOUR)
KEY, HIDDEN = quoted(HOSTILE), quoted(BIDI)
MISS = NoAnswer(MissReason.TIMEOUT, "no answer within 10 s")
SHOWN = "x\\x1b]52;c;"
"""How what was planted begins where it is shown."""


def assert_shown(*results: Result, start_result: str = SHOWN) -> None:
    """The planted text is in the output, and none of it raw."""
    outputs = [each.output for each in results]
    assert [line for output in outputs for line in raw(output)] == []
    assert start_result in "\n".join(outputs)


@pytest.mark.parametrize(
    "table",
    [
        f"{KEY} = 1\n",
        f"[{KEY}]\n",
        f"[[{KEY}]]\n",
        f"[system]\n{KEY} = 1\n",
        f"[system]\nno-readings = {KEY}\n",
        f"[system]\nchannels = [{KEY}]\n",
        f"[budget]\nhost = {KEY}\n",
        f'[[mutes]]\nname = "m"\nbetween = [{KEY}]\n',
        f'[[mutes]]\nname = "m"\nbetween = ["01:00", "02:00"]\ndays = [{KEY}]\n',
        f'[[reports]]\nname = "r"\ncron = {KEY}\n',
        f'[[reports]]\nname = {KEY}\ncron = "0 8 * * *"\n',
        RULE + f"summary = {quoted('{' + HOSTILE + '}')}\n",
        RULE + f"accounts = [{HIDDEN}]\n",
        RULE.replace('"available_margin < 100"', quoted(f"available_margin < {HOSTILE}")),
        RULE + f"severity = {KEY}\n",
        RULE + f"at_least = {KEY}\n",
        RULE + f"mute = [{quoted(BIDI.replace('y', HOSTILE))}]\n",
        f'[[channels]]\nname = "c"\nurl = "file:"\nfallback = {KEY}\n',
        f'[[channels]]\nname = "c"\nurl = {quoted("file:" + HOSTILE)}\n',
        f'[[channels]]\nname = "c"\nurl = {quoted("json://h/{env:" + HOSTILE + "}")}\n',
        account(exchange="?").replace('"?"', KEY),
        account(api_key="?").replace('"?"', quoted("file:" + HOSTILE)),
        account(api_key="?").replace('"?"', quoted("credential:" + HOSTILE)),
        account(user_id="?").replace('"?"', KEY),
        account(rest_url="?").replace('"?"', quoted("http://" + HOSTILE)),
    ],
)
def test_a_rules_toml_of_somebody_else(tmp_path: Path, table: str) -> None:
    """S9: keys, tables, values and names of files; both `check` and a command that only reads."""
    path = write(tmp_path, table, account("other"))
    if table.startswith(KEY):
        path.write_text(table + path.read_text(encoding="utf-8"), encoding="utf-8")
    found = [call("check", "--config", path), call("status", "--config", path)]
    assert [line for each in found for line in raw(each.output)] == []
    assert found[0].exit_code in {0, 78}


@pytest.mark.parametrize(
    "database", [f"sqlite:///{BIDI}/x.db", f"sqlite:///{BIDI}", f"sqlite:///{HOSTILE}"]
)
def test_the_path_of_a_database(tmp_path: Path, database: str) -> None:
    """S9: its folders and its name."""
    path = write(tmp_path, account(), RULE, CHANNEL)
    path.write_text(
        path.read_text(encoding="utf-8").replace(
            "[daemon]", f"[daemon]\ndatabase = {quoted(database)}"
        )
    )
    found = [
        call(*command, "--config", path)
        for command in (("status",), ("db", "upgrade"), ("history",), ("check",))
    ]
    assert [line for each in found for line in raw(each.output)] == []


@pytest.mark.parametrize(
    "text",
    [
        f'account,time,available_margin,"{HOSTILE}"\n',
        f'account,time,available_margin\n"{HOSTILE}",2026-01-01,1\n',
        f'account,time,available_margin\nmain,"{HOSTILE}",1\n',
        f'account,time,available_margin\nmain,2026-01-01,"{HOSTILE}"\n',
        f'account,time,available_margin,quality\nmain,2026-01-01,1,"{HOSTILE}"\n',
        f"account,time,available_margin\n{BIDI},2026-01-01,1\n",
    ],
)
def test_a_csv_of_somebody_else(tmp_path: Path, text: str) -> None:
    """S9: columns, accounts, times, amounts and qualities, also if the file's name is hostile."""
    file = tmp_path / f"{BIDI}\x1b.csv"
    file.write_text(text, encoding="utf-8")
    result = call("import", file, "--config", write(tmp_path))
    assert (result.exit_code, raw(result.output)) == (1, [])
    assert "\\u202e" in result.output


COMMANDS = (
    ("status",),
    ("gaps",),
    ("history", "--since", "25h"),
    ("alerts", "--since", "25h"),
    ("notifications", "--since", "25h"),
    ("export", "readings"),
    ("export", "alerts", "--format", "jsonl"),
    ("export", "notifications"),
    ("silence", "list", "--past"),
    ("backtest", "--verify"),
    ("backtest",),
    ("explain", "low", "--account", "main", "--at", "2026-01-01T12:00:25"),
    ("check",),
)
FORMATTED = ("status", "gaps", "history", "alerts", "notifications", "silence")

PLANTED = (
    ("UPDATE accounts SET user_id = ?",),
    ("UPDATE accounts SET name = ?",),
    ("UPDATE alerts SET rule = ?",),
    (
        "UPDATE misses SET detail = ?",
        "UPDATE attempts SET detail = ?",
        "UPDATE silences SET comment = ?",
    ),
    ("UPDATE notifications SET channel = ?", "UPDATE messages SET channel = ?"),
    (
        "UPDATE silences SET rule = ?",
        "UPDATE epochs SET version = ?",
        "UPDATE messages SET body = ?, title = ?1",
    ),
)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record with an alert, a miss and a silence in it."""
    folder = tmp_path_factory.mktemp("record")
    lived(folder, [rule()], alone(FINE, LOW, MISS))
    added = call(
        "silence",
        "add",
        "--rule",
        "low",
        "--for",
        "2d",
        "--config",
        write(folder),
        clock=ManualClock(NOON),
    )
    assert added.exit_code == 0
    return folder


@pytest.mark.no_cover
@pytest.mark.parametrize("statements", PLANTED)
def test_a_prepared_database(record: Path, tmp_path: Path, statements: tuple[str, ...]) -> None:
    """S9: names and words in every command and format; json has the recorded text, escaped."""
    path = write(tmp_path)
    with (
        closing(sqlite3.connect(record / "marginwatch.db")) as source,
        closing(sqlite3.connect(tmp_path / "marginwatch.db")) as copy,
        copy,
    ):
        source.backup(copy)
        for statement in statements:
            copy.execute(statement, (HOSTILE,))
    formats = [
        (*each, "--format", output)
        for each in COMMANDS
        if each[0] in FORMATTED
        for output in ("csv", "json")
    ]
    found = {each: call(*each, "--config", path, clock=LATER) for each in (*COMMANDS, *formats)}
    assert_shown(*found.values())
    for command, result in found.items():
        if command[-1] == "json" and result.exit_code in {0, 1} and result.stdout:
            json.loads(result.stdout)


def test_a_database_of_another_program(tmp_path: Path) -> None:
    """S9: its tables are named, and the revision that nobody knows."""
    path = write(tmp_path)
    with closing(sqlite3.connect(tmp_path / "marginwatch.db")) as connection, connection:
        connection.execute(f'CREATE TABLE "{HOSTILE}" (x)')
    assert_shown(
        call("status", "--config", path),
        call("db", "upgrade", "--config", path),
        call("check", "--config", path),
    )
    with closing(sqlite3.connect(tmp_path / "marginwatch.db")) as connection, connection:
        connection.execute("CREATE TABLE alembic_version (version_num)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (HOSTILE,))
    found = [call("status", "--config", path), call("db", "upgrade", "--config", path)]
    assert [line for each in found for line in raw(each.output)] == []


def test_what_one_operator_writes_for_another(record: Path) -> None:
    """S9: the comment of a silence, and names on the command line."""
    config = ("--config", record / "rules.toml")
    added = call(
        "silence",
        "add",
        "--rule",
        "low",
        "--for",
        "1h",
        "--comment",
        HOSTILE,
        *config,
        clock=ManualClock(NOON),
    )
    listed = call("silence", "list", *config, clock=ManualClock(NOON))
    assert_shown(added, listed)
    rows = call("silence", "list", "--format", "csv", *config, clock=ManualClock(NOON)).stdout
    comments = [row["comment"] for row in csv.DictReader(io.StringIO(rows))]
    assert printable(" ".join(HOSTILE.split())) in comments
    wrong = [
        call("silence", "add", "--rule", HOSTILE, "--for", "1h", *config),
        call("silence", "add", "--rule", "low", "--for", HOSTILE, *config),
        call("ack", HOSTILE, *config),
        call("explain", HOSTILE, "--at", "now", *config),
        call("history", "--since", HOSTILE, *config),
        call(HOSTILE),
        call("status", f"--{HOSTILE}"),
        call("status", "--config", record / BIDI),
        call("rules", "test", record / f"{BIDI}.toml"),
    ]
    assert [
        (each.exit_code, raw(each.output))
        for each in wrong
        if raw(each.output) or not each.exit_code
    ] == []


def test_last_words_obey_nothing() -> None:
    """S9: the daemon's last message and the unit's name forge no line and no property."""
    ended = parse(
        "ActiveState=failed\nStatusText=failed:"
        f" {HOSTILE.replace(chr(10), ' ')}\u2028ActiveState=active\n"
    )
    assert ended.state == "failed"
    message = lastwords.message(
        UnitStatus("failed", said=HOSTILE), HOSTILE, CommandSession(environ={}, own_clock=LATER)
    )
    assert (raw(message.title), raw(message.body)) == ([], [])
    assert SHOWN in message.body


def test_a_table_is_aligned_by_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    """S9: an escaped text has the width of its escapes."""
    table = Table(("a", "b"), [["\x1b\u202e", "1"], ["plain", "2"]])
    table.write()
    assert capsys.readouterr().out.splitlines() == [
        "a           b",
        "\\x1b\\u202e  1",
        "plain       2",
    ]
    with redirect_stdout(Terminal()) as terminal:
        table.write()
    rows = [line.split() for line in terminal.getvalue().splitlines()]
    assert ["\\x1b\\u202e", "1"] in rows


def test_a_real_terminal_is_sent_nothing_that_it_obeys(tmp_path: Path) -> None:
    """S9: the running program, with a terminal in front of it."""
    path = write(tmp_path, account(), CHANNEL)
    path.write_text(f"{KEY} = 1\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    master, slave = os.openpty()
    command = [sys.executable, "-m", "daemon", "check", "--config", str(path)]
    environ = {**SECRETS, "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, stdout=slave, stderr=slave, env=environ, timeout=60, check=False)
    os.close(slave)
    seen = os.read(master, 100_000).decode()
    os.close(master)
    assert (done.returncode, raw(seen.replace("\r\n", "\n"))) == (78, [])
    assert SHOWN in seen
