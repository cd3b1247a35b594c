"""Answers that are odd, and connections that end when they like: the daemon as people run it reads
on, and warns.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from daemon.config import BudgetLimits
from daemon.types import SECOND, Limit
from tests.end_to_end.dropping import dropping
from tests.end_to_end.inside import Lookout, configured, exchange, life
from tests.end_to_end.running import ACCOUNT, HIGH, Stage, stage
from tests.exchanges.simulated import until
from tests.service.lives import rows

SHOWN = "SELECT available_margin, almighty_gold FROM snapshots ORDER BY seq DESC LIMIT 1"
COUNTED = """
    SELECT name, (SELECT count(*) FROM misses WHERE account_id = id AND reason <> 'daemon_down'),
    (SELECT count(*) FROM snapshots WHERE account_id = id) FROM accounts
"""


async def test_a5_a_field_that_no_rule_names_keeps_no_alert_from_firing(tmp_path: Path) -> None:
    """A5, B3a: a fall to 20 is told although another field is missing, which is logged."""
    async with stage(tmp_path) as it:
        await it.start()
        await it.until(lambda: it.asked("main"))
        it.accounts["main"].set(available_margin="20")
        it.accounts["main"].fault("coupon_null")
        await it.until(lambda: it.receiver.heard)
        assert it.receiver.heard[0].title.startswith("WARNING main: available_margin 20 (below ")
        assert rows(it.database, SHOWN) == [(20, None)]
        await told_of_what_is_unknown(it)
        it.accounts["main"].heal()
        it.show("main", HIGH)
        await it.until(lambda: it.receiver.heard[-1].title.startswith("OVER"))
        assert await it.stop() == 0
        said = it.said()
    assert (
        said.count(
            "answers of the exchange are without almighty_gold: rules that need it cannot be"
            " judged, all others are"
        )
        == 1
    )
    assert said.count("answers of the exchange are complete again") == 1


async def told_of_what_is_unknown(it: Stage) -> None:
    """Commands that read the record show the field as unknown, never as zero."""
    words: Sequence[Sequence[str]] = (
        ("status",),
        ("alerts",),
        ("history", "--since", "1h"),
        ("explain", "low", "--at", "now"),
        ("backtest", "--verify"),
        ("check", "--online"),
    )
    found = [await it.command(*each) for each in words]
    assert {(each, status) for each, (status, _) in zip(words, found, strict=True)} == {
        (each, int(each == ("status",)))  # an alert fires
        for each in words
    }
    assert "not sent: almighty_gold" in found[-1][1]
    _, printed = await it.command("history", "--since", "1h", "--format", "json")
    assert json.loads(printed)[-1]["almighty_gold"] is None


@pytest.mark.parametrize("fault", ["json_as_html", "json_bom", "json_unpacked"])
async def test_a4_what_a_header_says_of_the_body_delays_no_alert(
    tmp_path: Path, fault: str
) -> None:
    """A4, B3a: a fall to 20 is told whatever the answer is said to be; nothing is a miss."""
    async with stage(tmp_path) as it:
        it.accounts["main"].set(available_margin="20")
        it.accounts["main"].fault(fault)
        await it.start()
        await it.until(lambda: it.receiver.heard)
        assert it.receiver.heard[0].title.startswith("WARNING main: available_margin 20 (below ")
        assert await it.stop() == 0
        assert counted(it)["main"][0] == 0


def counted(it: Stage) -> Mapping[str, tuple[int, int]]:
    """By account, how many misses and readings are on record."""
    return {
        str(name): (int(str(misses)), int(str(readings)))
        for name, misses, readings in rows(it.database, COUNTED)
    }


CALLS = 12


async def test_a13_kept_connections_that_the_other_side_drops_lose_no_calls(tmp_path: Path) -> None:
    """A13, B1: closed idle connections lose no call; a reset one loses the first call only."""
    async with stage(tmp_path) as it, AsyncExitStack() as undo:
        port = int(it.simulator.rest_url.rsplit(":", 1)[1])
        closing = await undo.enter_async_context(dropping(port, 1.0))
        crossing = await undo.enter_async_context(dropping(port, 0.9, crossing=True))
        resetting = await undo.enter_async_context(dropping(port, resets=True))
        keeping = await undo.enter_async_context(dropping(port))
        fronts = {"closing": (closing, "1s"), "crossing": (crossing, "1s")}
        fronts |= {"resetting": (resetting, "400ms"), "keeping": (keeping, "400ms")}
        with it.config.open("a") as file:
            for name, (front, every) in fronts.items():
                it.accounts[name] = it.simulator.account(name, f"{name}-key", f"{name}-secret")
                it.show(name, HIGH)
                written = ACCOUNT.format(name=name, rest_url=f"http://127.0.0.1:{front.port}")
                file.write(f'{written}every = "{every}"\n')
        await it.start()
        await it.until(lambda: all(len(it.asked(name)) >= CALLS for name in fronts))
        assert await it.stop() == 0
        found, calls = counted(it), {name: len(it.asked(name)) for name in fronts}
    assert [found[name][0] for name in ("closing", "crossing", "keeping")] == [0, 0, 0], found
    assert found["resetting"][0] <= 1
    assert closing.connections > calls["closing"] // 2
    assert keeping.connections < calls["keeping"]


async def test_c6_an_exchange_that_answers_slowly_is_told_once_and_its_end_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """C6: in plain words, as the exchange's doing."""
    caplog.set_level(logging.INFO)
    lookout = Lookout()
    late = "main is read less often than every 400ms, because the exchange takes longer to answer"
    async with exchange() as there:
        there.limit = 1_000
        main = there.account("main")
        main.fault("hang")
        config = configured(
            tmp_path,
            there,
            [main],
            every=400,
            timeout=3_000,
            budget=BudgetLimits(*[Limit(1_000, SECOND)] * 3),
        )
        async with life(config, lookout):
            await lookout.until(lambda: len(lookout.brought.get("main", ())) == 2)
            main.heal()
            await until(lambda: "main is read at every interval again" in caplog.text)
    assert [record.getMessage().startswith(late) for record in caplog.records].count(True) == 1
    assert [
        record.getMessage().endswith("every interval again") for record in caplog.records
    ].count(True) == 1
