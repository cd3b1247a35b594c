"""Instances one after another: starts, stops, and messages to the service manager."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from daemon.config import Config, Daemon, Secret
from daemon.errors import ConfigError, StoreError
from daemon.service.supervisor import Supervisor
from tests.fakes import ManualClock, settle

RELOADING = "RELOADING=1\nMONOTONIC_USEC=1000001000"


def named(name: str) -> Config:
    return Config(Path(name), Daemon(Secret("sqlite://")), ())


class Life:
    """Says what happens to it; its start fails as told, and waits at a gate."""

    def __init__(self, house: "House", config: Config, former: "Life | None") -> None:
        self.name = config.path.name
        self.house = house
        self.down: str | None = None
        house.say(f"{self.name} after {former.name}" if former else self.name)

    async def refusal(self) -> str | None:
        return self.down

    async def start(self) -> None:
        failure = self.house.failures.get(self.name)
        if failure is not None:
            raise failure

    async def stop(self, reason: str) -> int:
        self.house.say(f"{self.name} ends: {reason}")
        await self.house.gate.wait()
        return self.house.lost


class House:
    """The surroundings of instances: the configuration file, and all messages in order."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.files: Iterator[Config | Exception] = iter(())
        self.failures: dict[str, Exception] = {}
        self.present: list[Life] = []
        self.lost = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.reading = threading.Event()
        self.reading.set()
        self.loop = asyncio.get_running_loop()
        self.bell = asyncio.Event()
        self.lives = Supervisor(self.make, self.load, self.say, ManualClock())

    def say(self, what: str) -> None:
        """Record a message, from any thread."""
        self.told.append(what)
        self.loop.call_soon_threadsafe(self.bell.set)

    def make(self, config: Config, former: Life | None) -> Life:
        self.present.append(Life(self, config, former))
        return self.present[-1]

    def load(self) -> Config:
        self.say("read")
        assert self.reading.wait(10)
        found = next(self.files)
        if isinstance(found, Exception):
            raise found
        return found

    async def until(self, condition: Callable[[], object]) -> None:
        """Looks again whenever something was said."""
        async with asyncio.timeout(10):
            while not condition():
                self.bell.clear()
                await self.bell.wait()

    async def reloaded(self) -> None:
        """Ask for a reload, and wait until the manager hears that it is over."""
        heard = self.readies()
        self.lives.reload()
        await self.until(lambda: self.readies() > heard)

    def readies(self) -> int:
        return sum(line.startswith("READY=1") for line in self.told)


@asynccontextmanager
async def living() -> AsyncIterator[tuple[House, asyncio.Task[int]]]:
    """A life of the configuration `a`, begun."""
    house = House()
    task = asyncio.create_task(house.lives.run(named("a")))
    await settle()
    assert house.told == ["a", "READY=1"]
    house.told.clear()
    yield house, task
    house.gate.set()
    house.lives.stop()
    async with asyncio.timeout(10):
        await task


async def test_a_stop_ends_the_life_and_says_so() -> None:
    """The exit status is 0; nothing is read anew."""
    async with living() as (house, task):
        house.lives.stop()
        assert await task == 0
        assert house.told == ["STOPPING=1", "a ends: stop"]


async def test_what_a_stop_loses_is_the_exit_status() -> None:
    """Operations that the database never took make it 1."""
    async with living() as (house, task):
        house.lost = 3
        house.lives.stop()
        assert await task == 1


@pytest.mark.parametrize("losses", [(3, 0), (0, 3), (1, 2, 0), (0, 0)])
async def test_strict_4_what_any_life_loses_is_the_exit_status(losses: tuple[int, ...]) -> None:
    """Strict 4: a loss at a reload counts after a clean stop too; without any, the status is 0."""
    async with living() as (house, task):
        house.files = iter([named("b")] * len(losses))
        for house.lost in losses[:-1]:
            await house.reloaded()
        house.lost = losses[-1]
        house.lives.stop()
        assert await task == any(losses)


async def test_a11_a_stop_before_the_first_life_begins_none() -> None:
    """A11: a stop during the start ends with 0, and never says READY."""
    house = House()
    house.lives.stop()
    assert await house.lives.run(named("a")) == 0
    assert house.told == ["STOPPING=1"]


async def test_a_first_life_that_cannot_begin_is_the_callers() -> None:
    """Its error reaches whoever runs the program, and nobody is told READY."""
    house = House()
    house.failures["a"] = StoreError("there is no database")
    with pytest.raises(StoreError, match="no database"):
        await house.lives.run(named("a"))
    assert house.told == ["a"]


async def test_a_reload_ends_one_life_and_begins_the_next() -> None:
    """The new configuration is read first; the manager hears when it begins and when it is over."""
    async with living() as (house, _):
        house.files = iter([named("b")])
        await house.reloaded()
        assert house.told == [
            RELOADING,
            "read",
            "a ends: reload",
            "b after a",
            "READY=1\nSTATUS=reloaded",
        ]


async def test_mistakes_leave_the_present_life_alone(caplog: pytest.LogCaptureFixture) -> None:
    """All are logged, each in one line with its place; then a good file is taken."""
    async with living() as (house, _):
        house.files = iter(
            [
                ConfigError(
                    [
                        'rules "low" (line 3).when: no such field\n  magin < 1\n  ^',
                        "daemon.every: 5",
                    ]
                ),
                named("b"),
            ]
        )
        await house.reloaded()
        refused = (
            "READY=1\nSTATUS=the configuration was not reloaded (see the log): the old one"
            " is in force"
        )
        assert house.told == [RELOADING, "read", refused]
        assert [record.getMessage() for record in caplog.records] == [
            'rules "low" (line 3).when: no such field',
            "daemon.every: 5",
            (
                "not reloaded: the configuration has mistakes; the old one stays in force;"
                " marginwatch check"
            ),
        ]
        await house.reloaded()
        assert house.told[3:] == [
            RELOADING,
            "read",
            "a ends: reload",
            "b after a",
            "READY=1\nSTATUS=reloaded",
        ]


async def test_a_fault_while_reading_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """A bug is named by its type alone, for its text could hold a secret."""
    async with living() as (house, _):
        house.files = iter([RuntimeError("planted-secret")])
        await house.reloaded()
        assert "a ends: reload" not in house.told
        assert "RuntimeError" in caplog.text
        assert "planted-secret" not in caplog.text


async def test_what_waits_in_memory_is_not_given_up_for_a_reload(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Promise 1: during an outage a reload would lose records that wait in memory."""
    async with living() as (house, _):
        house.present[0].down = "database is locked"
        house.files = iter([named("b"), named("b")])
        await house.reloaded()
        assert "a ends: reload" not in house.told
        assert "database is locked" in caplog.text
        house.present[0].down = None
        await house.reloaded()
        assert "b after a" in house.told


@pytest.mark.parametrize("failure", [StoreError("there is no such server"), ZeroDivisionError()])
async def test_a_new_life_that_cannot_begin_gives_way_to_one_as_before(
    caplog: pytest.LogCaptureFixture, failure: Exception
) -> None:
    """Somebody goes on watching; the next reload starts from there."""
    async with living() as (house, _):
        house.failures["b"] = failure
        house.files = iter([named("b"), named("c")])
        await house.reloaded()
        assert house.told[2:4] == ["a ends: reload", "b after a"]
        assert house.told[4].startswith("STATUS=failed: the new configuration does not start")
        assert house.told[5] == "a after a"
        assert house.told[6].startswith("READY=1\nSTATUS=the new configuration does not start")
        assert (str(failure) or "ZeroDivisionError") in caplog.text
        await house.reloaded()
        assert house.told[-3:] == ["a ends: reload", "c after a", "READY=1\nSTATUS=reloaded"]


async def test_where_neither_can_begin_the_process_ends_with_1(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The last line says why; a service manager may start it again."""
    async with living() as (house, task):
        house.failures = {"a": StoreError("the disk is gone"), "b": StoreError("the disk is gone")}
        house.files = iter([named("b")])
        house.lives.reload()
        assert await task == 1
        assert house.told[-4::2] == ["b after a", "a after a"]
        assert (
            house.told[-1]
            == "STATUS=failed: the old configuration does not start either: it failed:"
            " the disk is gone"
        )
        assert "the disk is gone" in caplog.records[-1].getMessage()


async def test_reloads_that_come_together_are_one() -> None:
    """Three requests before the file is read are one; one during the reading is another."""
    async with living() as (house, _):
        house.files = iter([named("b"), named("c")])
        house.reading.clear()
        for _ in range(3):
            house.lives.reload()
        await house.until(lambda: "read" in house.told)
        for _ in range(3):
            house.lives.reload()
        house.reading.set()
        await house.until(lambda: house.readies() == 2)
        await settle()
        assert [line for line in house.told if "after" in line] == ["b after a", "c after b"]
        assert house.told.count("read") == 2


async def test_a_stop_while_the_file_is_read_ends_the_present_life() -> None:
    """No life is begun for somebody who wants the end."""
    async with living() as (house, task):
        house.files = iter([named("b")])
        house.reading.clear()
        house.lives.reload()
        await house.until(lambda: "read" in house.told)
        house.lives.stop()
        house.reading.set()
        assert await task == 0
        assert house.told == [RELOADING, "read", "STOPPING=1", "a ends: stop"]


async def test_s7_a_stop_wins_over_reading_that_does_not_end() -> None:
    """S7: the instance ends in order while a thread still reads the file."""
    async with living() as (house, task):
        house.files = iter([named("b")])
        house.reading.clear()
        house.lives.reload()
        await house.until(lambda: "read" in house.told)
        house.lives.stop()
        assert await asyncio.wait_for(asyncio.shield(task), 5) == 0
        assert house.told == [RELOADING, "read", "STOPPING=1", "a ends: stop"]
        house.reading.set()


@pytest.mark.parametrize("lost", [0, 2])
async def test_a_stop_between_two_lives_begins_none(lost: int) -> None:
    """The life that ended for the reload was the last; what it lost is the exit status."""
    async with living() as (house, task):
        house.files = iter([named("b")])
        house.lost = lost
        house.gate.clear()
        house.lives.reload()
        await house.until(lambda: "a ends: reload" in house.told)
        house.lives.stop()
        house.gate.set()
        assert await task == bool(lost)
        assert house.told[-2:] == ["a ends: reload", "STOPPING=1"]


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="marginwatch")
