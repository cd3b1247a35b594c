"""The private WebSocket: login, subscriptions, pings, pushes, error frames, the idle cut."""

import json
from decimal import Decimal

import aiohttp
import pytest

from daemon.simulator import SimulatedBalances, by_time
from daemon.simulator.sockets import IDLE, MALFORMED, NOT_JSON, PONG, ClientFrame, parse_frame
from daemon.types import SECOND
from tests.exchanges.simulated import dependencies, login, sub, until
from tests.fakes import settle

ACK = {"biz": "futures", "data": {"result": True}, "channel": "subscribe", "type": "assets"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ping", NOT_JSON),
        ("[" * 100_000, NOT_JSON),
        ("[]", MALFORMED),
        ('{"event":"SUB","params":{"biz":"futures","type":"assets"}}', MALFORMED),
        ('{"event":"sub","params":[]}', MALFORMED),
        ('{"params":{}}', MALFORMED),
        ('{"event":"ping"}', ClientFrame("ping", {})),
    ],
)
def test_error_frames(text: str, expected: ClientFrame | str) -> None:
    """Invalid JSON and malformed frames get error frames as captured; events are case-sensitive."""
    assert expected == parse_frame(text)


async def test_login_with_the_secret() -> None:
    """The secret goes in `passphrase`; the reply says so under `data.result`."""
    async with dependencies() as here, here.socket() as socket:
        main = here.simulator.account("main")
        await socket.send_json(login(main))
        assert await socket.receive_json() == {"data": {"result": True}, "channel": "login"}


@pytest.mark.parametrize("passphrase", ["wrong", "other-secret"])
async def test_login_is_refused(passphrase: str) -> None:
    """A wrong secret gets code 1003; the socket stays open but cannot subscribe."""
    async with dependencies() as here, here.socket() as socket:
        main = here.simulator.account("main")
        here.simulator.account("other")
        await socket.send_json(login(main, passphrase))
        reply = await socket.receive_json()
        await socket.send_json(sub("assets"))
        refused = await socket.receive_json()
    assert (reply["channel"], reply["data"]["result"], reply["data"]["errorCode"]) == (
        "login",
        False,
        1003,
    )
    assert (refused["channel"], refused["data"]["result"]) == ("subscribe", False)


async def test_ping_is_answered_without_a_login() -> None:
    """The documented heartbeat."""
    async with dependencies() as here, here.socket() as socket:
        await socket.send_json({"event": "ping"})
        assert await socket.receive_str() == PONG


async def test_subscribe_and_hear_changes_only() -> None:
    """The ack comes, no snapshot follows, and then each change once, the entry twice."""
    async with dependencies() as here, here.socket() as socket:
        main = here.simulator.account("main", user_id="1162061")
        main.set(available_margin="50")
        await socket.send_json(login(main))
        await socket.receive_json()
        await socket.send_json(sub("assets"))
        assert await socket.receive_json() == ACK
        main.set(available_margin="90")
        push = json.loads(await socket.receive_str(), parse_float=Decimal)
    first, second = push["data"]
    assert ("assets", first, 1162061, 90) == (
        push["type"],
        second,
        first["userId"],
        first["availableMargin"],
    )
    assert "time" not in push


@pytest.mark.parametrize(("kind", "biz"), [("deep", "futures"), ("assets", "FUTURES")])
async def test_unknown_subscriptions_are_refused(kind: str, biz: str) -> None:
    """A bad type or biz earns code 1007 in the shape of a refused subscription."""
    async with dependencies() as here:
        main = here.simulator.account("main")
        async with here.socket(main) as socket:
            await socket.send_json(sub(kind, biz))
            refused = await socket.receive_json()
    assert refused["data"] == {"result": False, "errorCode": 1007, "errorMsg": "Invalid parameter"}


async def test_unsub_ends_the_pushes_without_an_answer() -> None:
    """Nothing answers an unsub; what changes afterwards is not heard."""
    async with dependencies() as here:
        main = here.simulator.account("main")
        async with here.socket(main) as socket:
            await socket.send_json(sub("assets", event="unsub"))
            await socket.send_json({"event": "ping"})
            assert await socket.receive_str() == PONG
            main.set(available_margin="90")
            await socket.send_json({"event": "ping"})
            assert await socket.receive_str() == PONG
    assert [entry.said for entry in here.simulator.log] == ["login", "sub", "unsub", "ping", "ping"]


async def test_a_moving_story_is_pushed_as_it_moves() -> None:
    """The server looks for changes by itself, once per tick."""
    story = by_time(
        [
            (0, SimulatedBalances()),
            (SECOND, SimulatedBalances("1", "1")),
            (2 * SECOND, SimulatedBalances("2", "2")),
        ]
    )
    async with dependencies() as here:
        main = here.simulator.account("main", story=story)
        async with here.socket(main) as socket:
            await here.clock.advance(2 * SECOND)
            heard = [(await socket.receive_json())["data"][0]["availableMargin"] for _ in range(2)]
    assert heard == [1, 2]


async def test_a_push_is_told_before_the_answer_that_shows_the_same() -> None:
    """B7: a request that finds a change lets its push go first."""
    async with dependencies(tick=10 * SECOND) as here:
        main = here.simulator.account(
            "main", story=by_time([(0, SimulatedBalances()), (SECOND, SimulatedBalances("1", "1"))])
        )
        async with here.socket(main) as socket:
            await here.clock.advance(SECOND)
            await here.ask(main)
            assert (await socket.receive_json())["data"][0]["available"] == 1
    assert [entry.said for entry in here.simulator.log][-2:] == ["push", "balances"]


async def test_every_socket_of_an_account_hears_it_and_no_other() -> None:
    """Two sockets of one account hear the push, that of another account does not."""
    async with dependencies() as here:
        main, context = here.simulator.account("main"), here.simulator.account("desk")
        async with (
            here.socket(main) as one,
            here.socket(main) as two,
            here.socket(context) as other,
        ):
            main.set(available_margin="90")
            pushes = [(await socket.receive_json())["type"] for socket in (one, two)]
            await other.send_json({"event": "ping"})
            assert (pushes, await other.receive_str()) == (["assets", "assets"], PONG)


async def test_a_login_for_another_account_leaves_the_first() -> None:
    """One socket stands for one account at a time."""
    async with dependencies() as here:
        main, context = here.simulator.account("main"), here.simulator.account("desk")
        async with here.socket(main) as socket:
            await socket.send_json(login(context))
            await socket.receive_json()
            assert (set(), 1) == (main.sockets, len(context.sockets))


async def test_a_silent_connection_is_cut() -> None:
    """Sixty seconds without a word end a connection without a close frame."""
    async with dependencies() as here, here.socket() as socket:
        await here.clock.advance(IDLE - SECOND)
        await socket.send_json({"event": "ping"})
        assert await socket.receive_str() == PONG
        await here.clock.advance(IDLE - SECOND)
        assert not socket.closed
        await here.clock.advance(SECOND)
        message = await socket.receive()
    assert (message.type, socket.close_code) == (aiohttp.WSMsgType.CLOSED, 1006)


async def test_a_dropped_connection_may_come_back() -> None:
    """`drop` ends the connection; a new login hears changes again."""
    async with dependencies() as here:
        main = here.simulator.account("main")
        async with here.socket(main) as socket:
            main.drop()
            assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSED
        await until(lambda: not main.sockets)
        async with here.socket(main) as again:
            main.set(available_margin="1")
            assert (await again.receive_json())["type"] == "assets"


async def test_a_denied_subscription_hears_nothing() -> None:
    """A subscription that a fault refused takes no effect."""
    async with dependencies() as here:
        main = here.simulator.account("main")
        main.fault("ws_sub_refused", times=1)
        async with here.socket(main) as socket:
            main.set(available_margin="1")
            await settle()
            await socket.send_json({"event": "ping"})
            assert await socket.receive_str() == PONG


async def test_no_secret_enters_the_log() -> None:
    """Promise 9: the log of logins and requests holds neither key nor secret."""
    async with dependencies() as here:
        main = here.simulator.account("main", api_key="AKEY", secret_key="SECRET")
        async with here.socket(main):
            await here.ask(main)
        assert not any(word in repr(here.simulator.log) for word in ("AKEY", "SECRET"))
