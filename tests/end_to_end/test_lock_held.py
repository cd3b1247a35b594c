"""The database is locked, or hangs, while the running daemon is stopped or reloaded, and a second
one is started.

Only one of them writes, and nothing that was reported as lost is found in the database.
"""

import os
import re
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import parts
from tests.end_to_end.running import HIGH, STOPS_WITHIN, Stage, send, stage
from tests.end_to_end.test_outage import Query, Rows, locked, query_of
from tests.end_to_end.test_reload import readies

COUNT = "SELECT count(*) FROM snapshots"
SEVERAL = 3
"""Readings that cannot be written."""


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path) as it:
        yield it


def reported(it: Stage, what: str) -> int:
    """How many operations the daemon called lost, or unknown."""
    return sum(map(int, re.findall(rf"stopped; .* {what}=(\d+)", it.said())))


def counted(query: Query) -> int:
    ((count,),) = query(COUNT)
    assert isinstance(count, int)
    return count


async def is_refused_a_second(it: Stage) -> None:
    """Another daemon beside the present one ends with 1, and names it."""
    first = it.life
    second = await it.begin()
    assert await second.over() == 1
    assert f"another marginwatch (pid {first.process.pid}) is collecting" in it.said()
    it.lives.remove(second)
    assert not first.death.done()


async def hear_several(it: Stage) -> None:
    heard = len(it.asked("main"))
    await it.until(lambda: len(it.asked("main")) >= heard + SEVERAL)


async def reload(it: Stage) -> str:
    """Ask for a reload; what the manager hears at its end."""
    heard = len(readies(it))
    send(it.life.process, signal.SIGHUP)
    await it.until(lambda: len(readies(it)) > heard)
    return readies(it)[-1]


async def test_strict_2_what_a_stop_reports_as_lost_is_not_in_the_database(it: Stage) -> None:
    """Strict 2: a stop under a foreign lock; the second daemon gets its lock only afterwards."""
    await it.start()
    await it.until(lambda: it.told("main", HIGH) >= 2)
    query = query_of(it)
    with locked(it.database):
        await hear_several(it)
        before = counted(query)
        await is_refused_a_second(it)
        assert await it.stop(within=2 * STOPS_WITHIN) == 1
        assert reported(it, "lost") >= len(it.asked("main")) - before
        assert reported(it, "unknown") == 0
    assert counted(query) == before
    await it.start()
    await it.until(lambda: counted(query) > before)
    assert await it.stop() == 0


async def test_strict_2_a_reload_under_a_lock_loses_nothing(it: Stage) -> None:
    """Strict 2: a reload waits for the commit under way, and is put off."""
    await it.start()
    await it.until(lambda: it.told("main", HIGH) >= 2)
    with locked(it.database):
        await it.until(lambda: it.told("main", HIGH) > counted(query_of(it)))
        assert "the old one is in force" in await reload(it)
        assert "not reloaded: the database does not write (locked by another program)" in it.said()
        await is_refused_a_second(it)
    assert await it.stop() == 0
    assert counted(query_of(it)) == len(it.asked("main"))
    assert query_of(it)("SELECT reason, end_reason FROM epochs") == [("start", "stop")]


@pytest.fixture
def cluster(require: Callable[[str], Path]) -> Iterator[parts.Cluster]:
    with parts.cluster(require("postgresql")) as cluster:
        yield cluster


def query_at(cluster: parts.Cluster) -> Query:
    psycopg = pytest.importorskip("psycopg")

    def query(text: str) -> Rows:
        with psycopg.connect(cluster.url.replace("+psycopg", "")) as connection:
            found: Rows = connection.execute(text).fetchall()
            return found

    return query


@contextmanager
def hanging(it: Stage, query: Query) -> Iterator[None]:
    """The server's process that writes for the daemon does nothing, and says nothing."""
    name = f"marginwatch {it.life.process.pid} on %"
    ((backend,),) = query(f"SELECT pid FROM pg_stat_activity WHERE application_name LIKE '{name}'")
    assert isinstance(backend, int)
    os.kill(backend, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(backend, signal.SIGCONT)


async def test_strict_2_a_server_that_hangs_at_a_stop_keeps_its_lock(
    tmp_path: Path, cluster: parts.Cluster
) -> None:
    """Strict 2: an unanswered commit is unknown; nobody writes anything else meanwhile."""
    async with stage(tmp_path, database=cluster.url) as it:
        query = query_at(cluster)
        await it.start()
        await it.until(lambda: it.told("main", HIGH) >= 2)
        with hanging(it, query):
            before = counted(query)
            await hear_several(it)
            first = it.life
            assert await it.stop(within=2 * STOPS_WITHIN) == 1
            lost, unknown = reported(it, "lost"), reported(it, "unknown")
            assert lost + unknown >= SEVERAL
            assert await (await it.begin()).over() == 1
            assert f"another marginwatch (pid {first.process.pid}) is collecting" in it.said()
        await it.start()
        assert before <= counted(query) <= before + unknown + len(it.asked("main"))
        assert await it.stop() == 0


async def test_strict_2_a_reload_while_the_server_hangs_is_put_off(
    tmp_path: Path, cluster: parts.Cluster
) -> None:
    """Strict 2: the present life goes on, and once the server answers its record is whole."""
    async with stage(tmp_path, database=cluster.url) as it:
        query = query_at(cluster)
        await it.start()
        await it.until(lambda: it.told("main", HIGH) >= 2)
        with hanging(it, query):
            await hear_several(it)
            assert "the old one is in force" in await reload(it)
            assert "not reloaded: the database does not write (it does not answer)" in it.said()
        assert await it.stop() == 0
        assert counted(query) == len(it.asked("main"))
