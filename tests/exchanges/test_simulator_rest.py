"""The REST side over real HTTP: signature, refusals, limit, time, and the log."""

from decimal import Decimal
from email.utils import parsedate_to_datetime

import pytest

from daemon.simulator import SimulatedBalances, by_request
from daemon.simulator.rest import Meter, signature
from daemon.types import SECOND
from tests.exchanges.simulated import ASSETS, dependencies
from tests.fakes import NOON

SAMPLE = SimulatedBalances("499.71964459000003", "495.07556766", "4.64407693", "0.14311", "0")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (ASSETS, "RyJXdCZMDFV6l7bXKApHFcpwkrC7ZnQ2mCXYCD9vVMo="),
        (
            "/v1/perpum/account/almightyGoldInfo?type=1",
            "1/rbUQBFaEI+wDaeWmuqo8fcqKriz3VFV23wmVtpmhQ=",
        ),
    ],
)
def test_signature_vectors(target: str, expected: str) -> None:
    """The test vectors of the fact sheet."""
    assert expected == signature("test_secret", "1701944491793", "GET", target)


async def test_the_answer_is_the_official_sample() -> None:
    """Balances come digit for digit, in the documented envelope."""
    async with dependencies() as here:
        main = here.simulator.account("main", user_id="1162061", story=by_request([SAMPLE]))
        answered = await here.ask(main)
    expected = (
        '{"code":0,"data":{"alFreeze":0,"alMargin":0.14311,"almightyGold":4.64407693,'
        f'"availableMargin":499.71964459000003,"availableUsdt":495.07556766,"time":{NOON},"userId":1162061}},"msg":""}}'
    )
    assert (200, expected) == (answered.status, answered.body.decode())
    assert answered.headers["Content-Type"] == "application/json"


async def test_the_log_is_what_was_answered() -> None:
    """Each answer is logged with its five values, the exchange's time and the signed timestamp."""
    async with dependencies() as here:
        main = here.simulator.account(
            "main", story=by_request([SAMPLE, SimulatedBalances("1", "1")])
        )
        await here.ask(main)
        await here.clock.advance(SECOND)
        await here.ask(main)
        entries = here.simulator.log
    assert [SAMPLE.balances(), SimulatedBalances("1", "1").balances()] == [
        entry.balances for entry in entries
    ]
    assert [entry.exchange_at for entry in entries] == [NOON, NOON + SECOND]
    assert [str(NOON), str(NOON + SECOND)] == [entry.timestamp for entry in entries]
    assert {("main", "1162061", ASSETS, "balances", "127.0.0.1")} == {
        (entry.account, entry.user_id, entry.path, entry.said, entry.ip) for entry in entries
    }


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"api_key": "nobody"}, 6000),
        ({"sign": "AAAA"}, 6001),
        ({"timestamp": "1701944491793"}, 6001),
        ({"timestamp": "1701944491"}, 9016),
        ({"sign": ""}, 402),
    ],
)
async def test_requests_that_are_not_the_owners_are_refused(
    headers: dict[str, str], code: int
) -> None:
    """Unknown key, wrong signature or timestamp, missing headers: HTTP 200 with a code."""
    async with dependencies() as here:
        main = here.simulator.account("main")
        answered = await here.ask(main, **headers)
        (entry,) = here.simulator.log
    assert (200, code) == (answered.status, answered.json["code"])
    assert (f"code {code}", None) == (entry.said, entry.balances)


async def test_a_wrong_signature_is_told_before_any_fault() -> None:
    """No fault hands balances to who cannot sign."""
    async with dependencies() as here:
        main = here.simulator.account("main")
        main.fault("strings")
        assert (await here.ask(main, sign="AAAA")).json["code"] == 6001


async def test_the_query_is_signed_as_sent() -> None:
    """A query is part of the signed text."""
    async with dependencies() as here:
        main = here.simulator.account("main")
        assert (await here.ask(main, ASSETS + "?quote=USDT")).json["code"] == 0


async def test_other_paths_do_not_exist() -> None:
    """Invented paths get the documented 404."""
    async with dependencies() as here:
        main = here.simulator.account("main")
        answered = await here.ask(main, "/v1/perpum/account/balance")
        (entry,) = here.simulator.log
    assert (answered.status, answered.json) == (
        404,
        {"code": 404, "msg": "Requested address does not exist"},
    )
    assert (entry.account, entry.said) == ("main", "code 404")


async def test_more_than_five_requests_in_two_seconds_are_refused() -> None:
    """The sixth request gets 29001 with HTTP 200; two seconds later all is well."""
    async with dependencies() as here:
        main = here.simulator.account("main")
        codes = [(await here.ask(main)).json["code"] for _ in range(6)]
        await here.clock.advance(2 * SECOND)
        assert [*codes, (await here.ask(main)).json["code"]] == [0, 0, 0, 0, 0, 29001, 0]


async def test_the_limit_is_one_per_user() -> None:
    """Two keys of one user share the limit, another user has one of its own."""
    async with dependencies() as here:
        here.simulator.limit = 2
        one, two, other = (
            here.simulator.account(name, user_id=user) for name, user in ("a1", "b1", "c2")
        )
        codes = [(await here.ask(account)).json["code"] for account in (one, two, one, other)]
    assert codes == [0, 0, 29001, 0]


def test_the_window_slides_and_counts_refusals() -> None:
    """An instant exactly two seconds old is free again; who keeps asking stays refused."""
    meter = Meter(limit=1)
    assert [meter.admits("7", at) for at in (0, 1_999, 3_998, 5_998)] == [True, False, False, True]


async def test_the_exchange_has_a_clock_of_its_own() -> None:
    """`skew` moves `time` and the Date header; a stopped time stays where it was."""
    async with dependencies() as here:
        main = here.simulator.account("main")
        here.simulator.skew = 40 * SECOND
        answered = await here.ask(main)
        date = parsedate_to_datetime(answered.headers["Date"]).timestamp() * SECOND
        assert (answered.json["data"]["time"], date) == (NOON + 40_000, NOON + 40_000)
        main.time_stopped_at = NOON
        await here.clock.advance(SECOND)
        assert (await here.ask(main)).json["data"]["time"] == NOON


async def test_cross_un_pnl_is_sent_when_set() -> None:
    """The undocumented field appears once it has a value, and is logged."""
    async with dependencies() as here:
        main = here.simulator.account("main")
        main.set(cross_un_pnl="-12.5")
        assert (await here.ask(main)).json["data"]["crossUnPnl"] == Decimal("-12.5")
        assert here.simulator.log[-1].balances == main.current.balances()
