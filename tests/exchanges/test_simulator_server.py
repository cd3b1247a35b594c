"""The simulated exchange as a whole: addresses, accounts, outages, and what it counts."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from daemon.simulator import SimulatedBalances, Simulator, by_time
from daemon.types import SECOND
from tests.exchanges.simulated import dependencies, login
from tests.fakes import ManualClock


async def test_it_listens_on_loopback_only() -> None:
    """Both addresses are plain, on 127.0.0.1, on the same port."""
    async with dependencies() as here:
        port = here.simulator.port
        expected = (f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/perpum")
        assert expected == (here.simulator.rest_url, here.simulator.ws_url)


async def test_an_outage_ends_on_the_same_port_and_the_story_went_on() -> None:
    """After a stop the port refuses; after a start there it answers what the story has come to."""
    async with dependencies() as here:
        main = here.simulator.account(
            "main", story=by_time([(0, SimulatedBalances()), (SECOND, SimulatedBalances("1", "1"))])
        )
        assert (await here.ask(main)).json["data"]["availableMargin"] == 0
        await here.simulator.stop()
        with pytest.raises(aiohttp.ClientConnectorError):
            await here.ask(main)
        await here.clock.advance(SECOND)
        await here.simulator.start(here.simulator.port)
        assert (await here.ask(main)).json["data"]["availableMargin"] == 1


async def test_accounts_are_made_up_from_their_names() -> None:
    """Keys and user ids that are not given are distinct."""
    simulator = Simulator(ManualClock())
    main, context = simulator.account("main"), simulator.account("desk")
    assert (main.keys.api_key, context.keys.secret_key) == ("main-key", "desk-secret")
    assert (main.keys.user_id, context.keys.user_id) == ("1162061", "1162062")


@pytest.mark.parametrize(("name", "api_key"), [("main", "other"), ("other", "main-key")])
def test_names_and_keys_are_taken_once(name: str, api_key: str) -> None:
    """A second account of the same name or key is refused in one sentence."""
    simulator = Simulator(ManualClock())
    simulator.account("main")
    with pytest.raises(ValueError, match="belongs to another one"):
        simulator.account(name, api_key=api_key)


async def test_it_counts_what_it_was_asked() -> None:
    """Refusals and faults count, of one user or of all; sockets do not."""
    async with dependencies() as here:
        main, context = here.simulator.account("main"), here.simulator.account("desk")
        main.fault("http_500", times=1)
        async with here.socket(main):
            for account in (main, main, context):
                await here.ask(account)
                await here.clock.advance(4 * SECOND)
            await here.ask(main, sign="AAAA")
        counted = here.simulator
        assert (
            counted.busiest(),
            counted.busiest(user_id=main.keys.user_id),
            counted.busiest(2 * SECOND),
            counted.busiest(60 * SECOND),
        ) == (3, 2, 1, 4)


async def test_a_journal_survives_the_process(tmp_path: Path) -> None:
    """An answer is in the file before the client has it."""
    async with dependencies(log_path=tmp_path / "asked.jsonl") as here:
        await here.ask(here.simulator.account("main"))
        assert '"said": "balances"' in (tmp_path / "asked.jsonl").read_text()


async def test_handshakes_can_be_refused() -> None:
    """A socket is refused with the status told, and accepted afterwards."""
    async with dependencies() as here:
        here.simulator.socket_status = 403
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await here.session.ws_connect(here.simulator.ws_url)
        here.simulator.socket_status = None
        async with here.socket() as socket:
            await socket.send_json(login(here.simulator.account("main")))
            assert (await socket.receive_json())["channel"] == "login"


async def test_a_stop_ends_sockets_and_leaves_nothing_running() -> None:
    """Stopping drops the sockets; stopping twice is harmless."""
    async with dependencies() as here:
        main = here.simulator.account("main")
        async with here.socket(main) as socket:
            await here.simulator.stop()
            assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSED
        await here.simulator.stop()
        assert set() == main.sockets
    assert {asyncio.current_task()} == asyncio.all_tasks()
