"""How answers travel: late, in drops, cut off, too long, never; and that all of it ends."""

import asyncio

import aiohttp
import pytest

from daemon.simulator import FAULTS, slow
from daemon.simulator.wire import CHUNK, padded
from daemon.types import SECOND
from tests.exchanges.simulated import World, dependencies, until
from tests.fakes import settle

ENDLESS = ("hang", "stall", "drip", "body_30_mib", "slow")


async def _asked(here: World) -> None:
    await until(lambda: here.simulator.log)
    await settle()


async def test_a_slow_answer_comes_when_its_time_has_come() -> None:
    """Not a millisecond early, by the clock that was passed in."""
    async with dependencies() as here:
        main = here.simulator.account("main")
        main.fault(slow(700), times=1)
        asking = asyncio.create_task(here.ask(main))
        await _asked(here)
        await here.clock.advance(699)
        assert not asking.done()
        await here.clock.advance(1)
        assert (await asking).json["code"] == 0


async def test_one_byte_a_second() -> None:
    """A dripping answer brings as many bytes as seconds have passed."""
    async with dependencies() as here:
        main = here.simulator.account("main")
        main.fault("drip", times=1)
        asking = asyncio.create_task(here.ask(main))
        await _asked(here)
        size = len(FAULTS["drip"].altered({"alFreeze": "0"}).body)
        await here.clock.advance(size * SECOND)
        assert not asking.done()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def test_a_dripping_answer_is_whole_at_last() -> None:
    """A patient client gets the whole answer."""
    async with dependencies() as here:
        main = here.simulator.account("main")
        main.fault("drip", times=1)
        asking = asyncio.create_task(here.ask(main))
        await _asked(here)
        while not asking.done():
            await here.clock.advance(SECOND)
        assert (await asking).json["code"] == 0


@pytest.mark.parametrize("name", ["drop", "drop_in_body"])
async def test_a_cut_connection_is_an_error_of_the_client(name: str) -> None:
    """A cut before or within the body gives the client no answer; a retry is logged."""
    async with dependencies() as here:
        main = here.simulator.account("main")
        main.fault(name)
        with pytest.raises(aiohttp.ClientError):
            await here.ask(main)
        assert {name} == {entry.said for entry in here.simulator.log}


@pytest.mark.parametrize("size", [2 * 1_048_576, 30 * 1_048_576])
async def test_a_padded_answer_is_longer_than_told(size: int) -> None:
    """The body has at least that much white space behind it, and no length in its headers."""
    async with dependencies() as here:
        main = here.simulator.account("main")
        main.fault("body_2_mib" if size < CHUNK * 100 else "body_30_mib", times=1)
        answered = await here.ask(main)
    assert len(answered.body) > size
    assert "Content-Length" not in answered.headers
    assert padded(size) is not padded(size)


@pytest.mark.parametrize("name", ENDLESS)
async def test_a_stop_ends_what_would_never_end(name: str) -> None:
    """Stopping the simulator ends any hanging answer, and closes the client's connection."""
    async with dependencies() as here:
        main = here.simulator.account("main")
        main.fault(name)
        asking = asyncio.create_task(here.ask(main))
        await _asked(here)
        async with asyncio.timeout(30):
            await here.simulator.stop()
            await asyncio.gather(asking, return_exceptions=True)


async def test_a_client_that_leaves_frees_the_server() -> None:
    """An answer nobody waits for any more does not hold up a stop."""
    async with dependencies() as here:
        main = here.simulator.account("main")
        main.fault("hang")
        asking = asyncio.create_task(here.ask(main))
        await _asked(here)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        main.heal()
        assert (await here.ask(main)).json["code"] == 0
