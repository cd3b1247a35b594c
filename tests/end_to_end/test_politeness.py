"""Promise 8: all calls of the host together stay inside the exchange's limits, whoever makes them."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.config import Account, Config
from daemon.exchanges.simulator import Simulator
from daemon.types import SECOND
from tests.cli.calls import call
from tests.end_to_end.inside import Lookout, configured, exchange, life

EAGER = 400
"""The shortest interval there is: eight accounts ask for twenty calls a second, four times what the host may."""


def eager(folder: Path, there: Simulator, count: int) -> Config:
    return configured(folder, there, [there.account(f"a{n}") for n in range(count)], every=EAGER)


def written(folder: Path, config: Config) -> Path:
    """The same as a file, for commands that run beside the daemon."""
    tables = [_table(account) for account in config.accounts]
    path = folder / "rules.toml"
    path.write_text("\n".join(['[daemon]\ndatabase = "sqlite:///marginwatch.db"', *tables]), encoding="utf-8")
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
    return len(lookout.brought) == accounts and all(len(brought) >= times for brought in lookout.brought.values())


def complaints(there: Simulator) -> list[str]:
    """What the exchange said instead of balances."""
    return [entry.said for entry in there.log if entry.said != "balances"]


def per_user(there: Simulator) -> int:
    """The most calls of any one user within two seconds."""
    return max(there.busiest(2 * SECOND, user) for user in {entry.user_id for entry in there.log})


def spread(counts: Sequence[int]) -> int:
    return max(counts) - min(counts)


async def test_b3_eager_accounts_share_the_budget_evenly_also_across_a_restart(tmp_path: Path) -> None:
    """B3, promise 8: two lives and a `check --online` between them never exceed what host and users may call."""
    async with exchange() as there:
        config = eager(tmp_path, there, 8)
        before, after = Lookout(), Lookout()
        async with life(config, before):
            await before.until(lambda: read(before, 4, 8))
        checked = await asyncio.to_thread(call, "check", "--online", "--config", written(tmp_path, config))
        async with life(config, after):
            await after.until(lambda: read(after, 5, 8))
    assert (checked.exit_code, complaints(there)) == (0, [])
    assert there.busiest(10 * SECOND) <= config.budget.host.count
    assert per_user(there) <= config.budget.assets.count
    assert spread([len(brought) for brought in after.brought.values()]) <= 1
