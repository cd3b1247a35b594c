"""CoinW's client against the simulated exchange: every fault and its regular answers."""

import asyncio
from dataclasses import fields
from decimal import Decimal

import pytest

from daemon.exchanges import ExchangeAccount, ExchangeDependencies, coinw
from daemon.simulator import FAULTS, RestFault, SimulatedAccount
from daemon.types import SECOND, Answer, Balances, MissReason, NoAnswer
from tests.exchanges.simulated import World, dependencies
from tests.fakes import budget


def client(there: World, account: SimulatedAccount, fault: RestFault | None = None) -> coinw.CoinW:
    """The account's client; short of breath only where the fault is to keep it waiting."""
    patience = 300 if fault and MissReason.TIMEOUT in fault.means else 60 * SECOND
    keys, url = account.keys, there.simulator.rest_url
    known = ExchangeAccount(
        "main", keys.api_key, keys.secret_key, url, timeout=patience, user_id=keys.user_id
    )
    return coinw.connect(known, ExchangeDependencies(there.calls, budget(there.clock), there.clock))


@pytest.mark.parametrize("name", sorted(FAULTS.keys() - {"slow"}))
async def test_a3_every_fault_is_what_it_means(name: str) -> None:
    """A3, B1: each fault gives its reason after one call, in a sentence without secrets."""
    fault = FAULTS[name]
    async with dependencies() as there:
        account = there.simulator.account("main", "the-api-key", "the-secret-key")
        account.fault(fault)
        found = await client(there, account, fault).read()
        asked = len(there.simulator.log)
    reason = found.reason if isinstance(found, NoAnswer) else None
    assert (reason in fault.means, asked) == (True, 1), found
    said = repr(found)
    assert ("the-api-key" in said, "the-secret-key" in said, "\\n" in said) == (False, False, False)


async def test_what_is_told_is_what_is_read() -> None:
    """Promise 7: the balances arrive as the exchange sent them."""
    async with dependencies() as there:
        account = there.simulator.account("main")
        account.set(available_margin="996660.6064387699998485", al_freeze="0.0")
        found = await client(there, account).read()
        told = there.simulator.log[-1].balances
    assert isinstance(found, Answer)
    assert (found.balances, found.user_id) == (told, account.keys.user_id)
    assert found.balances.available_margin == Decimal("996660.6064387699998485")


async def test_a_slow_answer_is_read() -> None:
    """An answer that takes its time, but less than `timeout`, is an answer."""
    async with dependencies() as there:
        account = there.simulator.account("main")
        account.fault("slow")
        call = asyncio.create_task(client(there, account).read())
        while not call.done():
            await there.clock.advance(SECOND)
    assert isinstance(call.result(), Answer)


@pytest.mark.parametrize("fault", ["fields_null", "data_empty", "data_null", "code_missing"])
async def test_a_miss_is_never_a_number(fault: str) -> None:
    """Promise 5: an answer without any amount gives no balances at all."""
    async with dependencies() as there:
        account = there.simulator.account("main")
        account.fault(fault)
        found = await client(there, account).read()
    assert not {field.name for field in fields(Balances)} & set(dir(found))
    assert isinstance(found, NoAnswer)


async def test_a3_a_wrong_secret_is_auth() -> None:
    """A3: the exchange refuses another secret's signature, and the sentence says where to look."""
    async with dependencies() as there:
        account = there.simulator.account("main")
        known = ExchangeAccount("main", account.keys.api_key, "another", there.simulator.rest_url)
        found = await coinw.connect(
            known, ExchangeDependencies(there.calls, budget(there.clock), there.clock)
        ).read()
    assert isinstance(found, NoAnswer)
    assert (found.reason, "check api_key and secret_key" in found.detail) == (MissReason.AUTH, True)
