"""Promise 8: all calls of the host together stay inside the exchange's limits, whoever makes
them.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from daemon.cli.check.keys import recorded_calls
from daemon.clock import SystemClock
from daemon.config import Account, BudgetLimits, Config
from daemon.simulator import Simulator
from daemon.types import SECOND, Limit
from tests.cli.calls import CHANNEL, call
from tests.end_to_end.inside import PATIENCE, Lookout, configured, exchange, life

EAGER = 400
"""The shortest interval there is: eight accounts ask for twenty calls a second, four times what the
host may.
"""
STRETCHED = 1_632
"""What is left of that once all have answered."""


def eager(folder: Path, there: Simulator, count: int) -> Config:
    return configured(folder, there, [there.account(f"a{n}") for n in range(count)], every=EAGER)


def written(folder: Path, config: Config) -> Path:
    """The same as a file, for commands that run beside the daemon."""
    tables = [_table(account) for account in config.accounts]
    path = folder / "rules.toml"
    path.write_text(
        "\n".join(['[daemon]\ndatabase = "sqlite:///marginwatch.db"', *tables, CHANNEL]),
        encoding="utf-8",
    )
    path.chmod(0o600)
    return path


def _table(account: Account) -> str:
    keys = {
        "name": account.name,
        "api_key": account.api_key.reveal(),
        "secret_key": account.secret_key.reveal(),
        "rest_url": account.rest_url,
        "ws_url": "",
        "every": f"{account.every}ms",
    }
    return "\n".join(["[[accounts]]", *(f'{key} = "{value}"' for key, value in keys.items())])


def read(lookout: Lookout, times: int, accounts: int) -> bool:
    return len(lookout.brought) == accounts and all(
        len(brought) >= times for brought in lookout.brought.values()
    )


def complaints(there: Simulator) -> list[str]:
    """Errors that the exchange sent instead of balances."""
    return [entry.said for entry in there.log if entry.said != "balances"]


async def asked(there: Simulator) -> None:
    """Returns once a request has arrived."""
    async with asyncio.timeout(PATIENCE):
        while not there.log:  # noqa: ASYNC110 -- the exchange rings no bell
            await asyncio.sleep(0)


def per_user(there: Simulator) -> int:
    """The most calls of any one user within two seconds."""
    return max(there.busiest(2 * SECOND, user) for user in {entry.user_id for entry in there.log})


def spread(counts: Sequence[int]) -> int:
    return max(counts) - min(counts)


async def test_b3_eager_accounts_share_the_budget_evenly_also_across_a_restart(
    tmp_path: Path,
) -> None:
    """B3, promise 8: a restart and `check --online` keep the limits of host and users."""
    async with exchange() as there:
        config = eager(tmp_path, there, 8)
        before, after = Lookout(), Lookout()
        async with life(config, before) as app:
            await before.until(lambda: read(before, 4, 8))
            paced = set(app._accounts.intervals().values())
        checked = await check_online(written(tmp_path, config))
        async with life(config, after):
            await after.until(lambda: read(after, 5, 8))
    assert (checked, complaints(there)) == (0, [])
    assert there.busiest(10 * SECOND) <= config.budget.host.count
    assert per_user(there) <= config.budget.assets.count
    assert paced == {STRETCHED}
    assert spread([len(brought) for brought in after.brought.values()]) <= 2


async def test_b3_a_call_that_a_stop_cuts_off_still_counts_in_the_next_life(tmp_path: Path) -> None:
    """B3, promise 8: the exchange has counted a request whose answer nobody waited for."""
    lookout = Lookout()
    async with exchange() as there:
        account = there.account("main")
        config = configured(
            tmp_path, there, [account], every=EAGER, budget=BudgetLimits(host=Limit(1, 3 * SECOND))
        )
        account.fault("hang")
        async with life(config, Lookout()):
            await asked(there)
        account.heal()
        async with life(config, lookout):
            await lookout.until(lambda: read(lookout, 1, 1))
        assert there.busiest(3 * SECOND) == 1


async def test_b3_a_configured_user_has_one_allowance_across_a_restart(tmp_path: Path) -> None:
    """B3, promise 8: earlier calls count for a configured user, also in `check --online`."""
    before, after = Lookout(), Lookout()
    async with exchange() as there:
        account = there.account("main")
        keys = {
            "user_id": account.keys.user_id,
            "budget": BudgetLimits(assets=Limit(1, 3 * SECOND)),
        }
        config = configured(tmp_path, there, [account], every=EAGER, **keys)
        async with life(config, before):
            await before.until(lambda: read(before, 1, 1))
        found = recorded_calls(config, SystemClock().now())
        async with life(config, after):
            await after.until(lambda: read(after, 1, 1))
        assert there.busiest(3 * SECOND) == 1
    assert {call.user for call in found.calls} == {account.keys.user_id}


@pytest.mark.parametrize("count", [1, 8], ids=["the-user-s-limit", "the-host-s-limit"])
async def test_b3_a_check_beside_an_eager_daemon_is_made_room_for(
    tmp_path: Path, count: int
) -> None:
    """B3, promise 8: commands announce their calls; with the daemon they keep the limits."""
    lookout = Lookout()
    async with exchange() as there:
        config = eager(tmp_path, there, count)
        async with life(config, lookout):
            await lookout.until(lambda: read(lookout, 4, count))
            checked = await check_online(written(tmp_path, config))
            seen = len(lookout.brought["a0"])
            await lookout.until(lambda: read(lookout, seen + 2, count))
    assert (checked, complaints(there)) == (0, [])
    assert there.busiest(10 * SECOND) <= config.budget.host.count
    assert per_user(there) <= config.budget.assets.count


async def check_online(path: Path) -> int:
    """Its exit status."""
    checked = await asyncio.to_thread(
        partial(call, clock=SystemClock()), "check", "--online", "--config", path
    )
    return checked.exit_code
