"""Promise 6 in the small: the recorded inputs, fed again through the same functions, give the
recorded transitions.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from daemon.alerts.engine import step
from daemon.alerts.ids import alert_code
from daemon.rules.evaluation.evaluator import Evaluator, Verdict
from daemon.types import (
    JUDGED,
    AccountState,
    Balances,
    ClockStep,
    ConfigChange,
    Input,
    Miss,
    MissReason,
    Quality,
    Reading,
    Source,
    Transition,
    Unconfirmed,
)
from tests.service.judging.test_account_owner import RULES, day
from tests.service.lives import KILL, Life, play, rows

FIELDS = "available_margin, available_usdt, almighty_gold, al_margin, al_freeze"


def inputs(path: Path) -> Iterator[Input]:
    """Everything that was recorded of the only account, in the order of its counter."""
    found: list[Input] = []
    for seq, at, source, quality, *amounts in rows(
        path, f"SELECT seq, at, source, quality, {FIELDS} FROM snapshots"
    ):
        balances = Balances(*(Decimal(repr(amount)) for amount in amounts))
        read = Reading(
            _int(seq), _int(at), Source(str(source)), Quality(str(quality)), None, balances
        )
        unconfirmed = read.quality is Quality.UNCONFIRMED
        found.append(
            Unconfirmed(read.seq, read.at, replace(read, quality=Quality.SUSPECT))
            if unconfirmed
            else read
        )
    for seq, at in rows(path, "SELECT seq, at FROM misses"):
        found.append(Miss(_int(seq), _int(at), MissReason.TIMEOUT, ""))
    for seq, at, by in rows(
        path, "SELECT seq, ended_at, step_ms FROM gaps WHERE reason = 'clock_step'"
    ):
        found.append(ClockStep(_int(seq), _int(at), _int(by)))
    for (state,) in rows(path, "SELECT state FROM epochs"):
        held = json.loads(str(state))["main"]
        found.append(ConfigChange(held["seq"], held["at"]))
    yield from sorted(found, key=lambda event: event.seq)


def _int(value: Any) -> int:
    return int(value)


def replay(path: Path) -> list[Transition]:
    state, evaluator, seen = AccountState("main"), Evaluator(RULES), list[Transition]()
    rules, codes = {one.name: one for one in RULES}, set[str]()
    for event in inputs(path):
        verdicts: dict[str, Verdict] = {}
        if isinstance(event, Unconfirmed) or (
            isinstance(event, Reading) and event.quality in JUDGED
        ):
            verdicts = dict(evaluator.read(event))
        elif isinstance(event, Miss):
            verdicts = dict(evaluator.miss(event))
        elif isinstance(event, ClockStep):
            evaluator.shift(event.by)
        outcome = step(state, event, verdicts, rules, partial(alert_code, taken=codes))
        state = outcome.state
        codes |= {alert.code for alert in outcome.changed}
        seen += outcome.transitions
    return seen


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(3))
async def test_promise_6_replay_equals_live(tmp_path: Path, seed: int) -> None:
    """Promise 6, A1: with misses, suspects and restarts, every transition is the same."""
    path = tmp_path / "m.db"
    rounds = list(day(seed, 150, ("main",)))
    await play(
        partial(Life, f"sqlite:///{path}", ["main"], RULES),
        rounds,
        500,
        lambda n: KILL if n % 31 == 7 else "",
    )
    recorded = rows(
        path,
        "SELECT rule, seq, at, from_state, to_state, reason, value FROM transitions"
        " JOIN alerts ON alerts.id = alert_id ORDER BY transitions.id",
    )
    replayed = replay(path)
    assert [(t.rule, t.alert_seq, t.at, t.from_state, t.to_state, t.reason) for t in replayed] == [
        row[:6] for row in recorded
    ]
    assert [None if t.value is None else float(t.value) for t in replayed] == [
        row[6] for row in recorded
    ]
    assert len(recorded) > 20
    assert rows(path, "SELECT count(*) > 1 FROM snapshots WHERE quality = 'unconfirmed'") == [(1,)]
