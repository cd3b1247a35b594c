"""The whole daemon at two exchanges: what one complains of is no business of the other (Strict
7).
"""

from dataclasses import replace
from pathlib import Path

from daemon.app import App
from daemon.config import Config
from daemon.simulator import Simulator
from daemon.types import MINUTE, SECOND, Miss, MissReason, Reading
from tests.end_to_end.inside import Lookout, configured, exchange, life

EVERY = 400


def joined(*configs: Config) -> Config:
    """The accounts of all of them in one."""
    accounts = [account for each in configs for account in each.accounts]
    return replace(configs[0], accounts=tuple(accounts))


def host(exchange: Simulator) -> str:
    return exchange.rest_url.removeprefix("http://")


def halved(app: App) -> dict[str, bool]:
    return {name: 0 < left <= 5 * MINUTE for name, left in app.carry_over().halved_for.items()}


async def test_strict_7_one_exchange_complains(tmp_path: Path) -> None:
    """Strict 7: only its own limits are halved, also after a restart."""
    lookout = Lookout()
    async with exchange() as calm, exchange() as busy:
        here, there = [calm.account("a"), calm.account("b")], [busy.account("c")]
        there[0].fault("code_29001", 1)
        both = joined(
            *(configured(tmp_path, at, of, every=EVERY) for at, of in ((calm, here), (busy, there)))
        )
        async with life(both, lookout) as app:
            await lookout.until(
                lambda: bool(lookout.brought.get("c")) and len(lookout.brought.get("a", [])) > 1
            )
            first, paces = halved(app), app._accounts.intervals()
        again = Lookout()
        async with life(both, again) as app:
            await again.until(lambda: bool(again.brought.get("b")))
            second = halved(app)
    (miss,) = lookout.brought["c"]
    assert isinstance(miss, Miss)
    assert miss.reason is MissReason.RATE_LIMITED
    assert {type(each) for name in "ab" for each in lookout.brought[name]} == {Reading}
    assert (first, second) == ({host(busy): True}, {host(busy): True})
    assert (paces["a"], paces["b"], paces["c"] > 2 * EVERY) == (440, 440, True)
    assert all(
        each.at >= miss.at + 10 * SECOND for each in again.brought.get("c", ())
    )  # it is left alone for a while
