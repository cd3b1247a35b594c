"""Every way in which the exchange can fail, through the whole daemon: a miss with its reason, or a reading; then on."""

import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.config import Budget, Config
from daemon.exchanges.simulator import FAULTS, SimulatedAccount, Simulator
from daemon.types import MINUTE, SECOND, Limit, Miss, MissReason, Reading
from tests.end_to_end.inside import LeapingClock, Lookout, configured, exchange, life

PLENTY = Limit(100_000, SECOND)
LONGEST_PAUSE = 2 * MINUTE
"""Of the first pauses after any refusal."""


def reason(event: Reading | Miss) -> MissReason | None:
    return event.reason if isinstance(event, Miss) else None


async def stricken(there: Simulator, folder: Path, lookout: Lookout) -> None:
    """A life in which every account meets a fault of its own from its first call on, and then its end."""
    accounts = [there.account(name, f"planted-key-{name}", f"planted-secret-{name}") for name in FAULTS]
    for account in accounts:
        account.fault(account.name)
    budget = Budget(PLENTY, PLENTY, PLENTY)
    config = configured(folder, there, accounts, every=2_000, timeout=3_000, budget=budget)
    clock = LeapingClock()
    async with life(known(config, accounts), lookout, clock):
        await lookout.until(lambda: lookout.brought.keys() == FAULTS.keys())
        for account in accounts:
            account.heal()
        clock.leapt = LONGEST_PAUSE
        before = {name: len(brought) for name, brought in lookout.brought.items()}
        await lookout.until(lambda: all(back(lookout, name, since) for name, since in before.items()))


def known(config: Config, accounts: list[SimulatedAccount]) -> Config:
    """With user ids: `foreign_user` is a stranger only where we know whose account it is."""
    named = zip(config.accounts, accounts, strict=True)
    return replace(config, accounts=tuple(replace(each, user_id=told.keys.user_id) for each, told in named))


def back(lookout: Lookout, name: str, since: int) -> bool:
    return any(isinstance(event, Reading) for event in lookout.brought[name][since:])


async def test_a3_every_fault_is_a_miss_with_its_reason_and_the_next_answer_a_reading(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A3, B1, B2: all faults of the exchange at once; none is resent, none stops the readings that follow it."""
    lookout = Lookout()
    with caplog.at_level(logging.DEBUG):
        async with exchange() as there:
            await stricken(there, tmp_path, lookout)
            asked = Counter(entry.account for entry in there.log)
            signed = Counter((entry.account, entry.timestamp) for entry in there.log)
    wrong = {
        name: brought[0] for name, brought in lookout.brought.items() if reason(brought[0]) not in FAULTS[name].means
    }
    assert wrong == {}
    assert asked == {name: len(brought) for name, brought in lookout.brought.items()}
    assert set(signed.values()) == {1}
    ours = [record for record in caplog.records if record.name.startswith("marginwatch")]
    assert [record for record in ours if record.exc_info] == []
    assert "planted" not in caplog.text
