"""The whole daemon beside the built-in exchange's push stream, over real sockets (SEMANTICS B7)."""

import logging
import sqlite3
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from daemon.alerts.system_rules import DAEMON
from daemon.clock import SystemClock
from daemon.config import BudgetLimits, Config, System, system_rules
from daemon.simulator import SimulatedAccount, Simulator, slow
from daemon.types import MINUTE, SECOND, Limit, Millis, Quality, Reading, Source
from tests.cli.calls import call, write
from tests.end_to_end.inside import Lookout, configured, exchange, life
from tests.exchanges.simulated import until
from tests.fakes import ScriptedNotifier
from tests.values import rule

PLENTY = BudgetLimits(*[Limit(100_000, SECOND)] * 3)

SELDOM: Millis = 10 * MINUTE
"""An interval that no test waits for: beyond its first call nothing is read at a slot."""


class SteppingClock(SystemClock):
    """The machine's clock, whose wall time a test sets."""

    by: Millis = 0

    def now(self) -> Millis:
        return super().now() + self.by


def pushing(
    there: Simulator, folder: Path, *accounts: SimulatedAccount, every: Millis = SELDOM, **keys: Any
) -> Config:
    config = configured(folder, there, accounts, every=every, ws_url=there.ws_url, **keys)
    return replace(config, rules=(rule("low", clear_when="available_margin > 120"),))


def listening(account: SimulatedAccount) -> bool:
    return any(socket.subscribed for socket in account.sockets)


def readings(lookout: Lookout, source: Source, name: str = "main") -> list[Reading]:
    brought = (each for each in lookout.brought.get(name, []) if isinstance(each, Reading))
    return [each for each in brought if each.source is source]


def asked(there: Simulator) -> int:
    return sum(entry.said == "balances" for entry in there.log)


def margin(found: Reading) -> Decimal | None:
    return found.balances.available_margin


async def test_b7_a_push_is_judged_at_once_and_a_login_is_followed_by_a_reading(
    tmp_path: Path,
) -> None:
    """B7: the alert leaves without a poll; the reading has the pushed values only."""
    lookout, way = Lookout(), ScriptedNotifier()
    async with exchange() as there:
        main = there.account("main")
        main.set(available_margin="500")
        async with life(pushing(there, tmp_path, main), lookout, way=way):
            await lookout.until(lambda: len(readings(lookout, Source.REST)) == 2)
            main.set(available_margin="90")
            await lookout.until(lambda: len(way.sent) == 1)
        assert way.sent[0].title == "WARNING main: available_margin 90 (below 100)"
        assert asked(there) == 2
    (pushed,) = readings(lookout, Source.WS)
    assert pushed.balances == replace(main.current.balances(), cross_un_pnl=None)
    with closing(sqlite3.connect(tmp_path / "marginwatch.db")) as connection:
        kept = connection.execute(
            "SELECT source, quality, exchange_at, cross_un_pnl FROM snapshots WHERE seq = 4"
        )
        assert list(kept) == [("ws", "ok", None, None)]


async def test_b7_a_lost_connection_costs_latency_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """B7: it reconnects, balances are read once more, and the log has one line for each."""
    caplog.set_level(logging.INFO)
    lookout = Lookout()
    async with exchange() as there:
        main = there.account("main")
        main.set(available_margin="500")
        async with life(pushing(there, tmp_path, main), lookout):
            await lookout.until(lambda: len(readings(lookout, Source.REST)) == 2)
            main.fault("ws_drop", times=1)
            main.set(available_margin="400")
            await lookout.until(lambda: len(readings(lookout, Source.REST)) == 3)
            main.set(available_margin="300")
            await lookout.until(lambda: len(readings(lookout, Source.WS)) == 1)
    assert [margin(each) for each in readings(lookout, Source.REST)] == [500, 500, 400]
    told = [record.message for record in caplog.records if "push" in record.message]
    assert told == [
        (
            f"no pushes from the exchange, polling goes on: 127.0.0.1:{there.port} closed its push"
            " stream: reconnecting"
        ),
        "balances are pushed again",
    ]


async def test_b7_a_stale_answer_judges_nothing_and_replay_agrees(tmp_path: Path) -> None:
    """B7, promise 6: an answer that a push overtook ends no alert, and is requested again."""
    lookout = Lookout()
    async with exchange() as there:
        main = there.account("main")
        main.set(available_margin="500")
        main.fault(slow(300), times=1)
        async with life(pushing(there, tmp_path, main, user_id=main.keys.user_id), lookout):
            await until(
                lambda: listening(main) and any(entry.said == "slow" for entry in there.log)
            )
            main.set(available_margin="90")
            await lookout.until(lambda: len(readings(lookout, Source.REST)) == 2)
    found = [each for each in lookout.brought["main"] if isinstance(each, Reading)]
    assert [(each.source, each.quality, margin(each)) for each in found] == [
        (Source.WS, Quality.OK, Decimal(90)),
        (Source.REST, Quality.STALE, Decimal(500)),
        (Source.REST, Quality.OK, Decimal(90)),
    ]
    verified = call("backtest", "--verify", "--config", write(tmp_path))
    assert (verified.exit_code, "no difference" in verified.stdout) == (0, True)
    with closing(sqlite3.connect(tmp_path / "marginwatch.db")) as connection:
        assert list(connection.execute("SELECT to_state FROM transitions")) == [("firing",)]


async def test_b7_a_field_that_contradicts_readings_is_taken_from_them_alone(
    tmp_path: Path,
) -> None:
    """B7: after three contradictions in a row the field is ignored, and one alert says so."""
    lookout, way, clock = Lookout(), ScriptedNotifier(), SteppingClock()
    async with exchange() as there:
        main = there.account("main")
        main.set(available_margin="500", al_margin="10")
        main.fault("ws_margin_wrong")
        config = pushing(there, tmp_path, main, every=400)
        telling = replace(config, daemon_rules=system_rules(System(), ["push-contradicted"]))
        async with life(telling, lookout, clock, way):
            await lookout.until(lambda: listening(main))
            for count in (1, 2, 3, 4):
                main.set(available_margin=str(500 - count))
                seen = len(readings(lookout, Source.REST)) + 2
                await lookout.until(
                    lambda count=count, seen=seen: (  # type: ignore[misc]
                        len(readings(lookout, Source.WS)) == count
                        and len(readings(lookout, Source.REST)) >= seen
                    )
                )
            clock.by = SECOND  # whoever watches the daemon looks at once where the clock was set
            await lookout.until(lambda: len(way.sent) == 1)
    pushed = [each.balances.al_margin for each in readings(lookout, Source.WS)]
    assert pushed == [710, 710, 710, None]
    assert all(each.balances.al_margin == 10 for each in readings(lookout, Source.REST))
    assert "pushes contradict readings in al_margin of main" in way.sent[0].body
    assert "push-contradicted" in DAEMON


async def test_s3_an_exchange_that_repeats_itself_does_not_fill_the_record(tmp_path: Path) -> None:
    """S3: pushes without a change are neither judged nor stored; the next change is."""
    lookout, way = Lookout(), ScriptedNotifier()
    async with exchange() as there:
        main = there.account("main")
        main.set(available_margin="500")
        async with life(pushing(there, tmp_path, main), lookout, way=way):
            await lookout.until(
                lambda: len(readings(lookout, Source.REST)) == 2 and listening(main)
            )
            for _ in range(300):
                main.push()
            main.set(available_margin="90")
            await lookout.until(lambda: len(way.sent) == 1)
    with closing(sqlite3.connect(tmp_path / "marginwatch.db")) as database:
        found = database.execute(
            "SELECT available_margin FROM snapshots WHERE source = 'ws'"
        ).fetchall()
    assert found == [(90,)]
