"""Every way in which an answer can fail, through the whole daemon: its reason, its calls, its line,
and then on.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest

from daemon.config import BudgetLimits, Config
from daemon.readings.fields import CORE
from daemon.simulator import FAULTS, LoggedRequest, SimulatedAccount
from daemon.types import MINUTE, SECOND, Balances, Limit, Millis, Miss, MissReason, Reading
from tests.end_to_end.inside import LeapingClock, Line, Lookout, configured, exchange, life, lines
from tests.service.lives import rows

EVERY: Millis = SECOND
PLENTY = Limit(100_000, SECOND)

PAUSES: Mapping[MissReason | None, Sequence[int]] = {
    MissReason.RATE_LIMITED: (10, 30, 60),
    MissReason.BLOCKED: (30, 60),
    MissReason.AUTH: (30,),
    MissReason.PERMISSION: (30,),
    MissReason.WRONG_USER: (30,),
}
"""B2: the seconds to the next attempt after the first such miss, the second, and so on; others wait
for a slot only.
"""

HANGING = [name for name, fault in FAULTS.items() if MissReason.TIMEOUT in fault.means]
OTHERS = [name for name in FAULTS if name not in HANGING]
NAMELESS = ("user_missing", "user_null")
LIMITED = {name for name, fault in FAULTS.items() if fault.means == {MissReason.RATE_LIMITED}}
SOON = {name for name, fault in FAULTS.items() if not fault.means & PAUSES.keys()} | LIMITED

ATTEMPTS = """
    SELECT name, seq, reason, detail FROM misses JOIN accounts ON accounts.id = account_id
    UNION ALL SELECT name, seq, NULL, NULL FROM snapshots JOIN accounts ON accounts.id = account_id
    ORDER BY name, seq
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call: the exchange's note, the judged input, the record (None twice for a reading)."""

    noted: LoggedRequest
    judged: Reading | Miss
    reason: MissReason | None
    detail: str | None


def by_account(entries: Iterable[LoggedRequest]) -> Mapping[str, Sequence[LoggedRequest]]:
    found: defaultdict[str, list[LoggedRequest]] = defaultdict(list)
    for entry in entries:
        found[entry.account].append(entry)
    return found


def on_record(folder: Path) -> Mapping[str, Sequence[tuple[MissReason | None, str | None]]]:
    found: defaultdict[str, list[tuple[MissReason | None, str | None]]] = defaultdict(list)
    for name, _, reason, detail in rows(folder / "marginwatch.db", ATTEMPTS):
        found[str(name)].append(
            (None, None) if reason is None else (MissReason(str(reason)), str(detail))
        )
    return found


def paired(
    noted: Sequence[LoggedRequest],
    judged: Sequence[Reading | Miss],
    stored: Sequence[tuple[MissReason | None, str | None]],
) -> Sequence[Attempt]:
    """Each call is one input and one row, in the same order: ValueError where one is missing."""
    return [
        Attempt(call, event, *row) for call, event, row in zip(noted, judged, stored, strict=True)
    ]


async def stricken(
    config: Config, accounts: Sequence[SimulatedAccount], lookout: Lookout, clock: LeapingClock
) -> None:
    """Run a daemon whose accounts each meet the fault they are named after, to its end."""
    for account in accounts:
        account.set(available_margin="500")
        account.fault(account.name)
    names = {account.name for account in config.accounts}
    async with life(config, lookout, clock):
        await lookout.until(lambda: tried(lookout, names, 1))
        clock.leap(10 * SECOND)
        await lookout.until(lambda: tried(lookout, names & SOON, 2))
        clock.leap(30 * SECOND)
        await lookout.until(lambda: tried(lookout, names, 2) and tried(lookout, names & LIMITED, 3))
        for account in accounts:
            account.heal()
        clock.leap(60 * SECOND)
        await lookout.until(
            lambda: all(isinstance(brought[-1], Reading) for brought in lookout.brought.values())
        )


def known(config: Config, accounts: Sequence[SimulatedAccount]) -> Config:
    """With user ids: `foreign_user` is a stranger only where we know whose account it is."""
    named = zip(config.accounts, accounts, strict=True)
    return replace(
        config, accounts=tuple(replace(each, user_id=told.keys.user_id) for each, told in named)
    )


def tried(lookout: Lookout, names: Iterable[str], times: int) -> bool:
    return all(len(lookout.brought.get(name, ())) >= times for name in names)


def meant(name: str, attempt: Attempt) -> bool:
    """Whether the record of a call matches the exchange: its fault, or the exact balances."""
    said = {name: FAULTS[name].means, "balances": {None}}
    told, judged = attempt.noted.balances, attempt.judged
    made_up = told is not None and not (
        isinstance(judged, Reading) and shown(judged.balances) == told
    )
    return attempt.reason in said.get(attempt.noted.said, ()) and not made_up


def shown(balances: Balances) -> Balances:
    """Without what some of the faults add to what the account shows."""
    return replace(balances, cross_un_pnl=None)


def too_soon(attempts: Sequence[Attempt]) -> bool:
    """Whether a call left before the pause that the misses before it ask for was over."""
    misses: Counter[MissReason | None] = Counter()
    for last, following in pairwise(attempts):
        pauses = PAUSES.get(last.reason, (0,))
        pause = pauses[min(misses[last.reason], len(pauses) - 1)]
        misses[last.reason] += 1
        if following.noted.elapsed - last.noted.elapsed < pause * SECOND:
            return True
    return False


def resent(attempts: Sequence[Attempt]) -> bool:
    """Whether two calls had one signature."""
    return len({attempt.noted.timestamp for attempt in attempts}) < len(attempts)


def lacking(reading: Reading) -> str:
    """Missing fields of these faults' answers, as the log names them."""
    names = [name for name in CORE if getattr(reading.balances, name) is None]
    return ", ".join([*names, "time"] if reading.exchange_at is None else names)


def missing(name: str, attempts: Sequence[Attempt]) -> Iterator[Line]:
    """The log lines about missing fields (B3a): one, and one for its end."""
    found = [lacking(each.judged) for each in attempts if isinstance(each.judged, Reading)]
    if name in NAMELESS:
        found = ["user_id" if each.noted.said == name else "" for each in attempts]
    if lacks := [each for each in found if each]:
        said = (
            f"answers of the exchange are without {lacks[0]}: rules that need it cannot be judged,"
            " all others are"
        )
        yield "WARNING", said, None
        yield "INFO", "answers of the exchange are complete again", len(lacks)


def episode(name: str, attempts: Sequence[Attempt]) -> Iterator[Line]:
    """The log lines of a failure: the first miss with its recorded text, and the end."""
    yield from missing(name, attempts)
    missed = [attempt.detail for attempt in attempts if attempt.detail is not None]
    if missed:
        yield "WARNING", missed[0], None
        yield "INFO", "readings are back", len(missed)


@pytest.mark.parametrize(
    ("names", "patience"), [(OTHERS, MINUTE), (HANGING, 900)], ids=["others", "hanging"]
)
async def test_a3_every_fault_of_an_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, names: Sequence[str], patience: Millis
) -> None:
    """A3, B1, B2: each fault is recorded and logged once; pauses hold; readings come back."""
    caplog.set_level(logging.DEBUG)
    lookout, clock = Lookout(), LeapingClock()
    async with exchange(clock) as there:
        there.limit = 1_000
        accounts = [
            there.account(name, f"planted-key-{name}", f"planted-secret-{name}") for name in names
        ]
        config = configured(
            tmp_path,
            there,
            accounts,
            every=EVERY,
            timeout=patience,
            budget=BudgetLimits(*[PLENTY] * 3),
        )
        began = clock.elapsed()
        await stricken(known(config, accounts), accounts, lookout, clock)
        slots = (clock.elapsed() - began - clock.leapt) // EVERY + 1
        noted, stored = by_account(there.log), on_record(tmp_path)
    days = {name: paired(noted[name], lookout.brought[name], stored[name]) for name in names}
    assert {
        (name, each) for name, day in days.items() for each in day if not meant(name, each)
    } == set()
    assert [
        name for name, day in days.items() if too_soon(day) or resent(day) or len(day) > slots + 1
    ] == []
    assert lines(caplog.records, names) == {
        name: list(episode(name, day)) for name, day in days.items()
    }
    assert not any(
        record.exc_info for record in caplog.records if record.name.startswith("marginwatch")
    )
    assert "planted" not in caplog.text
