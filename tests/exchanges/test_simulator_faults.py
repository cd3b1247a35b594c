"""The table of faults: each strikes over real HTTP or a socket, and the next answer is good."""

import asyncio
import gzip
import json

import pytest

from daemon.exchanges.common.compression import unpack
from daemon.simulator import FAULTS, SOCKET_FAULTS, RestFault, SocketFault
from daemon.simulator.balances import SimulatedBalances, rest_fields
from daemon.simulator.faults import LIMITED, READING, TIMEOUT, find_fault, success
from daemon.simulator.socket_faults import Moment
from daemon.simulator.wire import MIB, Reply, whole
from daemon.types import MissReason
from tests.exchanges.simulated import dependencies, login, sub, until

FIELDS = rest_fields(
    SimulatedBalances("499.71964459000003", "495.07556766", "4.64407693", "0.14311", "0"),
    1742374984772,
    "1162061",
)
ANSWERED = [fault for fault in FAULTS.values() if fault.manner is whole]


def _ids(fault: RestFault | SocketFault) -> str:
    return fault.name


@pytest.mark.parametrize("fault", ANSWERED, ids=_ids)
async def test_an_answer_comes_as_the_table_has_it_and_the_next_is_well(fault: RestFault) -> None:
    """Status and content type are the fault's; after it the account answers as before."""
    async with dependencies() as here:
        main = here.simulator.account("main", user_id="1162061")
        main.fault(fault, times=1)
        struck, well = await here.ask(main), await here.ask(main)
        entries = here.simulator.log
    expected = fault.altered(FIELDS)
    assert (expected.status, expected.content_type) == (
        struck.status,
        struck.headers["Content-Type"],
    )
    assert (well.status, well.json["code"]) == (200, 0)
    assert [fault.name, "balances"] == [entry.said for entry in entries]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=_ids)
async def test_the_log_tells_balances_only_where_they_can_be_read(fault: RestFault) -> None:
    """A fault's entry has the account's five values exactly when any reader must get these."""
    async with dependencies() as here:
        main = here.simulator.account("main")
        main.fault(fault, times=1)
        asking = asyncio.create_task(here.ask(main))
        await until(lambda: here.simulator.log)
        entry = here.simulator.log[
            0
        ]  # this client asks again by itself when a connection is dropped
        await here.simulator.stop()
        await asyncio.gather(asking, return_exceptions=True)
    assert (
        main.current.balances() if fault.means == READING and fault.true else None
    ) == entry.balances


def test_a3_every_reason_of_a_miss_has_a_fault() -> None:
    """A3: each reason that an exchange can give is in the table, and so are unusual readings."""
    ours = {MissReason.STORE_DOWN}
    assert {None, *MissReason} - ours == set().union(*(fault.means for fault in FAULTS.values()))


@pytest.mark.parametrize(
    "fault", [fault for fault in ANSWERED if fault.means == READING and fault.true], ids=_ids
)
def test_unusual_readings_are_json_with_all_values(fault: RestFault) -> None:
    """A fault that means a reading keeps all values."""
    data = json.loads(unpack(fault.altered(FIELDS).body, "").decode("utf-8-sig"))["data"]
    entry = data[0] if isinstance(data, list) else data
    assert [float(FIELDS[name]) for name in list(FIELDS)[:5]] == [
        float(entry[name]) for name in list(FIELDS)[:5]
    ]


def test_the_gateway_refuses_in_its_own_words() -> None:
    """6003 speaks in `message`, 29001 in `msg` without data, as documented."""
    refused = json.loads(FAULTS["code_6003"].altered(FIELDS).body)
    assert refused == {
        "code": 6003,
        "message": "require more permission",
        "retry": False,
        "success": False,
    }
    assert Reply(b'{"code":29001,"msg":"API access frequently"}') == FAULTS["code_29001"].altered(
        FIELDS
    )
    assert FAULTS["code_29001"].means == LIMITED


async def test_a_redirect_leads_to_another_host_that_would_see_the_follower() -> None:
    """The redirect names another host, which is this server, so a key that travels is noticed."""
    async with dependencies() as here:
        main = here.simulator.account("main")
        main.fault("redirect", times=1)
        struck = await here.ask(main)
        async with here.session.get(struck.headers["Location"]):
            pass
        assert [entry.host.split(":")[0] for entry in here.simulator.log] == [
            "127.0.0.1",
            "localhost",
        ]


async def test_a_small_body_may_unpack_to_thirty_mebibytes() -> None:
    """The packed answer is small on the wire and huge for who unpacks it without a bound."""
    assert len(FAULTS["gzip_bomb"].altered(FIELDS).body) < MIB // 10
    async with dependencies() as here:
        main = here.simulator.account("main")
        main.fault("gzip_bomb", times=1)
        assert len(gzip.decompress((await here.ask(main)).body)) > 30 * MIB


def test_success_is_code_zero() -> None:
    """The regular answer is the documented envelope."""
    assert {name: json.loads(success(FIELDS).body)[name] for name in ("code", "msg")} == {
        "code": 0,
        "msg": "",
    }


def test_names_are_unique_and_found() -> None:
    """Each fault is found by its name, and no name means two."""
    assert not FAULTS.keys() & SOCKET_FAULTS.keys()
    assert all(find_fault(name) is fault for name, fault in {**FAULTS, **SOCKET_FAULTS}.items())


def test_a3_what_never_ends_is_a_timeout() -> None:
    """A3: hanging, stalling and dripping answers end by the reader's patience."""
    assert {"hang", "stall", "drip"} == {
        fault.name for fault in FAULTS.values() if fault.means == TIMEOUT
    }


@pytest.mark.parametrize("fault", SOCKET_FAULTS.values(), ids=_ids)
async def test_a_socket_fault_strikes_at_its_moment(fault: SocketFault) -> None:
    """The frames of the table are what arrives, up to the drop."""
    async with dependencies() as here, here.socket() as socket:
        main = here.simulator.account("main")
        main.fault(fault, times=1)
        asked = {
            Moment.LOGIN: login(main),
            Moment.SUB: sub("assets"),
            Moment.PING: {"event": "ping"},
        }
        for moment in (Moment.LOGIN, Moment.SUB, Moment.PING):
            if (
                fault.on in (moment, Moment.PUSH)
                or moment is Moment.LOGIN
                or fault.on is Moment.PING
            ):
                await socket.send_json(asked[moment])
            if fault.on is moment:
                break
            await socket.receive()
        if fault.on is Moment.PUSH:
            main.set(al_freeze="500")
        await socket.send_str("the end")  # earns an error frame, unless the connection is gone
        heard = []
        while (message := await socket.receive()).data not in (
            None,
            '{"result":false,"errorCode":1001,"errorMsg":"Rate Limit"}',
        ):
            heard.append(message.data)
        struck = [entry.said for entry in here.simulator.log]
    assert fault.name in struck
    expected = [frame for frame in fault.frames("regular") if frame is not None]
    assert len(expected) == len(heard)
