"""Connections to the exchange: one that dies silently, and an IPv6 address in brackets."""

import logging
import socket
from dataclasses import replace
from decimal import Decimal
from itertools import cycle
from pathlib import Path

import pytest

from daemon.config import Config
from daemon.simulator import SimulatedAccount, Simulator
from daemon.simulator.account import SOCKET_PATH
from daemon.types import SECOND, Miss, MissReason, Reading, Source
from tests.end_to_end.inside import LeapingClock, Lookout, configured, exchange, life, lines
from tests.end_to_end.wires import wire
from tests.exchanges.simulated import until


def through(config: Config, place: str) -> Config:
    """The same, by way of what listens at `place`."""
    rest, ws = f"http://{place}", f"ws://{place}{SOCKET_PATH}"
    return replace(
        config, accounts=tuple(replace(each, rest_url=rest, ws_url=ws) for each in config.accounts)
    )


def subscribed(there: Simulator, times: int) -> bool:
    return sum(entry.said == "sub" for entry in there.log) == times


def pushed(lookout: Lookout, margin: int) -> bool:
    readings = [
        each
        for each in lookout.brought.get("main", ())
        if isinstance(each, Reading) and each.source is Source.WS
    ]
    return any(each.balances.available_margin == margin for each in readings)


def last(lookout: Lookout) -> Decimal | None:
    event = next(reversed(lookout.brought.get("main", ())), None)
    return event.balances.available_margin if isinstance(event, Reading) else None


async def until_pushed(account: SimulatedAccount, lookout: Lookout) -> None:
    """Set margins until one is pushed. If an answer tells it first, the push is no news."""
    for margin in cycle((80, 70)):
        account.set(available_margin=str(margin))
        await lookout.until(lambda margin=margin: last(lookout) == margin)  # type: ignore[misc]
        if pushed(lookout, margin):
            return


def misses(lookout: Lookout) -> list[MissReason]:
    return [each.reason for each in lookout.brought.get("main", ()) if isinstance(each, Miss)]


async def test_a3_a_connection_that_dies_unheard(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A3, B2, B7: dead connections are timeouts and lost pongs, one line each; they recover."""
    caplog.set_level(logging.INFO)
    lookout, clock = Lookout(), LeapingClock()
    async with exchange(clock) as there, wire(there.port) as it:
        there.limit = 1_000
        main = there.account("main")
        config = through(
            configured(tmp_path, there, [main], every=SECOND, timeout=900), f"127.0.0.1:{it.port}"
        )
        async with life(config, lookout, clock):
            await until(lambda: subscribed(there, 1))
            it.cut()
            for leap in (0, 15, 10):  # the ping is due, then its pong
                clock.leap(leap * SECOND)
                seen = len(misses(lookout))
                await lookout.until(lambda seen=seen: len(misses(lookout)) > seen)  # type: ignore[misc]
            it.mend()
            clock.leap(30 * SECOND)
            await until(lambda: subscribed(there, 2))
            await until_pushed(main, lookout)
        answered = sum(entry.said == "balances" for entry in there.log)
    assert set(misses(lookout)) == {MissReason.TIMEOUT}
    rest = [
        each
        for each in lookout.brought.get("main", ())
        if isinstance(each, Miss) or each.source is Source.REST
    ]
    assert answered == len(rest) - len(misses(lookout))
    place = f"127.0.0.1:{it.port}"
    told = lines(caplog.records, ["main"])["main"]
    assert sorted((level, said) for level, said, _ in told) == [
        ("INFO", "balances are pushed again"),
        ("INFO", "readings are back"),
        ("WARNING", f"{place} did not answer within 0.9s: check the network"),
        (
            "WARNING",
            (
                f"no pushes from the exchange, polling goes on: {place} answered no ping within"
                " 10s: reconnecting"
            ),
        ),
    ]


async def test_an_exchange_that_has_ipv6_only(tmp_path: Path) -> None:
    """Balances are read and pushed at an address in brackets."""
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")
    lookout, clock = Lookout(), LeapingClock()
    async with exchange(clock) as there, wire(there.port, "::1") as it:
        main = there.account("main")
        main.set(available_margin="90")
        async with life(
            through(configured(tmp_path, there, [main], every=SECOND), f"[::1]:{it.port}"),
            lookout,
            clock,
        ):
            await until(lambda: subscribed(there, 1))
            await until_pushed(main, lookout)
    assert misses(lookout) == []


def has_ipv6() -> bool:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True
