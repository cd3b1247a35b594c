"""A record into which an exchange was allowed to write without measure: what it costs whoever reads
it.

Earlier versions kept up to 1 MiB of unknown fields with every reading. Memory is that of whole
processes.
"""

import asyncio
import re
import sqlite3
import sys
from asyncio.subprocess import PIPE, create_subprocess_exec
from contextlib import closing
from pathlib import Path

from daemon.store import upgrade
from tests.end_to_end.running import stage

RULES = """
[[rules]]
name = "falling"
when = "avg(available_margin, 1h) < 100"
"""

# Every second row has an amount whose digits a REAL does not keep: these are part of what was
# judged.
FILL = """
WITH RECURSIVE n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < 160)
INSERT INTO snapshots (account_id, seq, at, source, quality, available_margin, available_usdt,
    almighty_gold, al_margin, al_freeze, extra)
SELECT 1, seq, (strftime('%s', 'now') - 3000 + 10 * seq) * 1000, 'rest', 'ok', 50, 50, 0, 0, 0,
    '{"noise":"' || hex(zeroblob(524288)) || '"'
    || CASE WHEN seq % 2 THEN ',"available_margin":"50.00000000000000000001"' ELSE '' END || '}'
FROM n
"""

READING = r"""
import re, sys
from pathlib import Path
from click.testing import CliRunner
from daemon.cli import commands
from daemon.cli.session import CommandSession
for command in sys.argv[2:]:
    arguments = [*command.split(), "--config", sys.argv[1]]
    done = CliRunner().invoke(commands, arguments, obj=CommandSession())
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024
    said = done.output[:200] if done.exit_code else ""
    exact = done.output.count("50.00000000000000000001")
    print(command, done.exit_code, peak, exact, said, sep="\t")
"""
COMMANDS = (
    "history --format csv",
    "export readings",
    "backtest --since 2h",
    "backtest --verify",
    "explain falling --account main --at now",
    "alerts",
)
MOST = 150
"""MiB; at 1 MiB a row they took thousands."""


async def read(config: Path) -> list[list[str]]:
    """Run the commands in one process: command, exit status, peak, digits found."""
    command = (sys.executable, "-c", READING, str(config), *COMMANDS)
    process = await create_subprocess_exec(*command, stdout=PIPE)
    said, _ = await process.communicate()
    assert process.returncode == 0
    return [line.split("\t") for line in said.decode().splitlines()]


def peak(pid: int) -> int:
    """The most memory that a process has had, in MiB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) // 1024


async def test_s3_an_hour_of_hostile_rows_costs_neither_a_start_nor_a_command_its_memory(
    tmp_path: Path,
) -> None:
    """S3: start and commands read them within 150 MB, and keep every digit."""
    async with stage(tmp_path, rules=RULES) as it:
        await asyncio.to_thread(upgrade, f"sqlite:///{it.database}")
        with closing(sqlite3.connect(it.database)) as connection, connection:
            connection.execute(
                "INSERT INTO accounts (id, name, exchange) VALUES (1, 'main', 'coinw')"
            )
            connection.execute(FILL)
        life = await it.start()
        await it.until(lambda: it.receiver.heard)
        assert peak(life.process.pid) < MOST
        await it.kill()
        found = await read(it.config)
    assert [(command, status) for command, status, *_ in found] == [
        (command, "0") for command in COMMANDS
    ]
    assert [line for line in found if int(line[2]) >= MOST] == []
    assert int(found[0][3]) == 80
