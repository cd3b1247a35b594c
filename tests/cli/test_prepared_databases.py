"""Malicious or damaged databases: every command answers with one sentence.

The rows of the table are damages, its columns are commands and the daemon's start, all in this
process.
"""

import resource
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from daemon.errors import StoreError
from daemon.store import Store
from daemon.types import HOUR, MissReason, NoAnswer
from tests.cli.calls import call, url, write
from tests.cli.past import FINE, LOW, alone, lived
from tests.fakes import NOON, ManualClock
from tests.service.lives import Step
from tests.values import rule

pytestmark = pytest.mark.no_cover

LATER = ManualClock(NOON + 24 * HOUR)
MISS = NoAnswer(MissReason.TIMEOUT, "no answer within 10 s")

# A command is one text here, to be split at blanks.
READING = (
    "status",
    "history --format csv",
    "alerts --since 25h",
    "notifications --since 25h",
    "gaps --format json",
    "backtest",
    "backtest --verify",
    "explain low --account main --at 2026-01-01T12:00:25",
    "check",
)
WRITING = ("silence add --rule low --for 1h", "import old.csv", "db upgrade")
START = "run"
"""The start of a daemon: it opens the store and reads the state of each account."""

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
DEEP = "replace(hex(zeroblob({})), '00', '[')"
SPARE = 1 << 30
"""Bytes that a command may take in all: what these databases took before was far more."""


def in_place_of(table: str, columns: str) -> str:
    return (
        f"ALTER TABLE {table} RENAME TO {table}_before; CREATE VIEW {table} AS {ENDLESS} SELECT"
        f" {columns} FROM n"
    )


NEVER_WROTE = "holds what marginwatch never wrote"
NO_TABLE = "is not a table of marginwatch"
TRIGGER = "holds the trigger 'wipe'"
RENAMED = 'no account "main" is recorded'
LARGE = "holds a value that is too large"

INSTANTS: dict[tuple[str, str], tuple[str, ...]] = {
    ("alerts", "started_at"): (START,),
    ("epochs", "ended_at"): ("backtest --verify",),
    ("notifications", "at"): (START,),
    ("notifications", "told_at"): (START,),
}
"""Columns of numbers, with the commands that read them at least."""

TEXTS: dict[tuple[str, str], tuple[str, ...]] = {
    ("accounts", "name"): (*READING[:-1], START),
    ("accounts", "user_id"): ("status",),
    ("alerts", "code"): (START,),
    ("alerts", "rule"): ("notifications --since 25h", "backtest --verify", START),
    ("misses", "detail"): ("gaps --format json",),
    ("notifications", "channel"): ("status", "notifications --since 25h", START),
    ("silences", "account"): ("alerts --since 25h",),
    ("silences", "rule"): ("alerts --since 25h",),
    ("silences", "comment"): ("alerts --since 25h",),
}
"""The columns that name something or tell it, with the commands that read them at least."""

DAMAGES = {
    "an endless view as version": (
        in_place_of("alembic_version", "i AS version_num"),
        NO_TABLE,
        (*READING, *WRITING, START),
    ),
    "an endless view as accounts": (
        in_place_of("accounts", "i AS id, 'main' AS name"),
        NO_TABLE,
        (*READING, *WRITING, START),
    ),
    "an exponent": (
        """UPDATE snapshots SET extra = '{"available_margin":"1e999999999"}' WHERE seq > 2""",
        NEVER_WROTE,
        ("status", "history --format csv", "backtest", "backtest --verify", START),
    ),
    "millions of digits": (
        (
            """UPDATE snapshots SET extra = '{"available_margin":"' ||"""
            """ replace(hex(zeroblob(1500000)), '0', '9') || '"}'"""
        ),
        NEVER_WROTE,
        ("status", "history --format csv", "backtest", "backtest --verify", START),
    ),
    "infinity": (
        "UPDATE snapshots SET available_margin = 9e999",
        NEVER_WROTE,
        ("status", "history --format csv", "backtest", START),
    ),
    "a little deep JSON": (
        f"UPDATE snapshots SET extra = {DEEP.format(3_000)}",
        NEVER_WROTE,
        ("status", "backtest --verify", START),
    ),
    "very deep JSON": (
        f"UPDATE snapshots SET extra = {DEEP.format(200_000)}",
        NEVER_WROTE,
        ("status", "backtest", START),
    ),
    "deep alerts": (
        f"UPDATE alerts SET data = {DEEP.format(200_000)}",
        NEVER_WROTE,
        ("alerts --since 25h", START),
    ),
    "deep facts": (
        f"UPDATE notifications SET facts = {DEEP.format(200_000)}",
        NEVER_WROTE,
        ("notifications --since 25h", START),
    ),
    "deep rules": (
        f"UPDATE epochs SET rules = {DEEP.format(200_000)}",
        NEVER_WROTE,
        ("backtest --verify",),
    ),
    "deep state": (
        f"UPDATE epochs SET state = {DEEP.format(200_000)}",
        NEVER_WROTE,
        ("gaps --format json", START),
    ),
    "a value of an alert": (
        """UPDATE alerts SET data = replace(data, '"90"', '"1e999999999"')""",
        NEVER_WROTE,
        ("alerts --since 25h", START),
    ),
    "a value of a message": (
        """UPDATE notifications SET facts = replace(facts, '"90"', '"1e999999999"')""",
        NEVER_WROTE,
        ("notifications --since 25h", START),
    ),
    "a value of a transition": (
        "UPDATE transitions SET exact = '1e999999999'",
        NEVER_WROTE,
        ("backtest --verify",),
    ),
    "instants without end": (
        "UPDATE snapshots SET at = 4611686018427387904 WHERE seq = 10",
        NEVER_WROTE,
        ("status", "backtest", START),
    ),
    "a last instant without end": (
        "UPDATE snapshots SET at = 9223372036854775807 WHERE seq = 12",
        NEVER_WROTE,
        ("status", START),
    ),
    "a renamed account": (
        "UPDATE accounts SET name = 'other'",
        RENAMED,
        ("explain low --account main --at 2026-01-01T12:00:25",),
    ),
    "a large value": (
        "UPDATE misses SET detail = hex(zeroblob(5000000))",
        LARGE,
        ("status", "gaps --format json", "backtest"),
    ),
    "a large reading": (
        "UPDATE snapshots SET extra = printf('%.*c', 17000000, 'a') WHERE seq = 10",
        LARGE,
        ("status", "history --format csv", "backtest", START),
    ),
    "a missing column": (
        "ALTER TABLE misses RENAME COLUMN detail TO said",
        "other tables than expected",
        ("status",),
    ),
    "a trigger": (
        "CREATE TRIGGER wipe AFTER INSERT ON silences BEGIN DELETE FROM snapshots; END",
        TRIGGER,
        (*WRITING, "check", START),
    ),
    **{
        f"bytes as {column} of {table}": (
            f"UPDATE {table} SET {column} = x'ff00'",
            NEVER_WROTE,
            meeting,
        )
        for (table, column), meeting in TEXTS.items()
    },
    "a name that is not UTF-8": (
        "UPDATE accounts SET name = CAST(x'ff' AS TEXT)",
        "holds text that is not UTF-8",
        (*READING[:-1], START),
    ),
    **{
        f"a word as {column} of {table}": (
            f"UPDATE {table} SET {column} = 'noon'",
            NEVER_WROTE,
            meeting,
        )
        for (table, column), meeting in INSTANTS.items()
    },
    "a view of one's own": (f"CREATE VIEW mine AS {ENDLESS} SELECT i FROM n", "", ()),
}
"""One damage, the expected sentence, and the commands that meet it at least."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two lives with everything in them, the second with an open alert."""
    folder = tmp_path_factory.mktemp("sound")
    lived(folder, [rule()], alone(FINE, LOW, MISS, FINE, Step(-1_000), LOW))
    lived(folder, [rule()], alone(FINE, LOW, MISS, LOW), begin=NOON + HOUR)
    (folder / "old.csv").write_text(
        "account,time,available_margin\nmain,1767200000,500\n", encoding="utf-8"
    )
    write(folder)
    assert (
        call(
            "silence", "add", "--rule", "low", "--for", "1h", "--config", folder / "rules.toml"
        ).exit_code
        == 0
    )
    return folder


@contextmanager
def little_memory() -> Iterator[None]:
    """Within, this process gets little more memory than it has."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + SPARE, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def start(folder: Path) -> str:
    """The sentence where a daemon cannot start; empty where it can."""
    try:
        store = Store.open(url(folder))
    except StoreError as error:
        return f"{error}\n"
    reads: tuple[Callable[[], object], ...] = (
        lambda: [store.load(name) for name in ("main", "other", "")],
        lambda: [list(store.recent(name, 0)) for name in ("main", "other")],
        lambda: [store.latest(name) for name in ("main", "other")],
        store.episode_deliveries,
        store.open_notices,
        store.last_life,
        store.codes,
        lambda: store.calls(0),
    )
    try:
        for read in reads:
            read()
    except StoreError as error:
        return f"{error}\n"
    finally:
        store.close()
    return ""


def answered(folder: Path, command: str) -> tuple[int, str]:
    """Exit status, and what was said on stderr."""
    if command == START:
        said = start(folder)
        return int(bool(said)), said
    done = call(*command.split(), "--config", "rules.toml", clock=LATER)
    return done.exit_code, done.stderr


@pytest.mark.parametrize("damage", DAMAGES)
def test_s12_a_prepared_database_is_one_sentence(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    """S12: no command hangs, uses gigabytes or breaks; those that meet the damage have status 1."""
    script, sentence, meeting = DAMAGES[damage]
    folder = tmp_path / "database"
    shutil.copytree(sound, folder)
    monkeypatch.chdir(folder)
    with closing(sqlite3.connect(folder / "marginwatch.db")) as connection, connection:
        connection.executescript(script)
    with little_memory():
        found = {command: answered(folder, command) for command in (*READING, *WRITING, START)}
    failed = {command: said for command, (status, said) in found.items() if said}
    assert {
        command: said
        for command, said in failed.items()
        if said.count("\n") != 1 or "broke" in said
    } == {}
    assert {
        command: said for command, said in failed.items() if sentence not in said or not sentence
    } == {}
    assert [command for command in meeting if command not in failed] == []
    statuses = {command: status for command, (status, _) in found.items() if command != "status"}
    failing = 2 if sentence == RENAMED else 1  # a name that is not known is bad usage
    assert statuses == {command: failing * (command in failed) for command in statuses}


def test_s12_a_sound_database_is_read_and_written_by_all_of_them(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S12: nothing else is the matter with those of the table."""
    folder = tmp_path / "database"
    shutil.copytree(sound, folder)
    monkeypatch.chdir(folder)
    assert {
        command: answered(folder, command)[1] for command in (*READING, *WRITING, START)
    } == dict.fromkeys((*READING, *WRITING, START), "")
