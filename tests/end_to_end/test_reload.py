"""The running daemon reads its configuration anew on SIGHUP, as `systemctl reload` asks for it."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.end_to_end.running import ACCOUNT, HIGH, RULE, STOPS_WITHIN, Stage, send, stage
from tests.service.lives import rows

SAME = """
[[rules]]
name = "same"
when = "available_margin < 100"
"""
ALERTS = "SELECT rule, state, code, started_at FROM alerts ORDER BY id"
STATES = "SELECT rule, state FROM alerts ORDER BY id"
TOLD = """
    SELECT rule, channel, kind, notifications.state
    FROM notifications JOIN alerts ON alerts.id = alert_id
    ORDER BY notifications.id
"""
EPOCHS = "SELECT reason, end_reason FROM epochs ORDER BY id"


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path, rules=RULE + SAME) as it:
        yield it


def rewrite(it: Stage, *changes: tuple[str, str]) -> None:
    written = it.config.read_text()
    for old, new in changes:
        assert old in written
        written = written.replace(old, new)
    it.config.write_text(written)


def readies(it: Stage) -> list[str]:
    return [told for told in it.manager.told if told.startswith("READY=1")]


async def reload(it: Stage, *changes: tuple[str, str]) -> str:
    """Change the file, and ask the daemon to read it; what the manager hears at the end."""
    rewrite(it, *changes)
    heard = len(readies(it))
    send(it.life.process, signal.SIGHUP)
    await it.until(lambda: len(readies(it)) > heard)
    return readies(it)[-1]


def titled(it: Stage, word: str) -> list[str]:
    """The titles that were heard so far and begin with the word."""
    return [message.title for message in it.receiver.heard if message.title.startswith(f"{word} ")]


def told(it: Stage, *expected: tuple[str, str, str]) -> Callable[[], bool]:
    """Whether exactly these were delivered: (rule, channel, kind), in whatever order."""
    return lambda: (
        sorted(rows(it.database, TOLD)) == sorted((*each, "delivered") for each in expected)
    )


async def test_d5_a_changed_condition_retires_its_alert_and_another_rule_goes_on(it: Stage) -> None:
    """D5: retired once; the new condition is judged; the other alert keeps id and beginning."""
    it.show("main", "90")
    await it.start()
    await it.until(told(it, ("low", "desk", "firing"), ("same", "desk", "firing")))
    before = rows(it.database, ALERTS)
    assert (
        await reload(it, ('available_margin < 100"\nclear', 'available_margin < 95"\nclear'))
        == "READY=1\nSTATUS=reloaded"
    )
    expected = [
        ("low", "desk", "firing"),
        ("same", "desk", "firing"),
        ("low", "desk", "retired"),
        ("low", "desk", "firing"),
    ]
    await it.until(told(it, *expected))
    assert rows(it.database, STATES) == [("low", "retired"), ("same", "firing"), ("low", "firing")]
    assert rows(it.database, ALERTS)[1] == before[1]
    assert len(titled(it, "RETIRED")) == 1
    assert it.life.process.returncode is None
    assert await it.stop(within=STOPS_WITHIN) == 0
    assert rows(it.database, EPOCHS) == [("start", "reload"), ("reload", "stop")]
    assert it.manager.told[1].startswith("RELOADING=1\nMONOTONIC_USEC=")


async def test_a_file_with_mistakes_changes_nothing(it: Stage) -> None:
    """Mistakes are logged with their place and no secret; the corrected file is accepted."""
    await it.start()
    refused = await reload(
        it,
        ('every = "400ms"', 'every = "40ms"'),
        ("available_margin < 100", "available_magin < 100"),
    )
    assert refused.startswith("READY=1\nSTATUS=the configuration was not reloaded")
    said = it.said()
    assert "daemon.every: " in said
    assert 'rules "low" (line 18).when: ' in said
    assert [word for word in ("main-key", "main-secret", "Traceback") if word in said] == []
    it.show("main", "90")
    await it.until(told(it, ("low", "desk", "firing"), ("same", "desk", "firing")))
    assert rows(it.database, EPOCHS) == [("start", None)]
    mended = (
        ('every = "40ms"', 'every = "400ms"'),
        ("available_magin < 100", "available_margin < 100"),
    )
    assert await reload(it, *mended) == "READY=1\nSTATUS=reloaded"
    assert await it.stop(within=STOPS_WITHIN) == 0
    assert told(it, ("low", "desk", "firing"), ("same", "desk", "firing"))()


async def test_the_log_follows_the_time_zone_of_the_file(it: Stage) -> None:
    """From the line on that says that it is in force; the time has its offset."""
    await it.start()
    await reload(it, ('timezone = "UTC"', 'timezone = "Asia/Hong_Kong"'))
    written = (it.folder / "stderr").read_text()
    offsets = re.findall(
        r"^[\d-]+ [\d:]+([+-]\d{4}) (started|reloading|reloaded)", written, re.MULTILINE
    )
    assert offsets == [("+0000", "started"), ("+0000", "reloading"), ("+0800", "reloaded")]


async def test_d5_the_alert_of_a_removed_account_is_retired(tmp_path: Path) -> None:
    """D5: retired once for its recipients; the account is polled no more, others are."""
    async with stage(tmp_path, ("main", "other")) as it:
        it.show("other", "90")
        await it.start()
        await it.until(told(it, ("low", "desk", "firing")))
        await reload(it, (ACCOUNT.format(name="other", rest_url=it.simulator.rest_url), ""))
        await it.until(told(it, ("low", "desk", "firing"), ("low", "desk", "retired")))
        asked, heard = len(it.asked("other")), len(it.asked("main"))
        await it.until(lambda: len(it.asked("main")) >= heard + 3)
        assert len(it.asked("other")) == asked
        assert len(titled(it, "RETIRED")) == 1


async def test_e5_a_new_channel_hears_what_still_fires_and_the_end(it: Stage) -> None:
    """E5: a renamed channel is new; notifications of the removed one stay as they were."""
    it.show("main", "90")
    await it.start()
    await it.until(told(it, ("low", "desk", "firing"), ("same", "desk", "firing")))
    await reload(it, ('name = "desk"', 'name = "phone"'))
    expected = [
        (rule, channel, "firing") for rule in ("low", "same") for channel in ("desk", "phone")
    ]
    await it.until(told(it, *expected))
    assert re.search(r"\(since [\d:]+, below \d+\)", it.receiver.heard[-1].body)
    it.show("main", HIGH)
    await it.until(told(it, *expected, ("low", "phone", "resolved"), ("same", "phone", "resolved")))


async def test_e5_the_end_for_a_removed_channel_goes_to_those_that_are_there(it: Stage) -> None:
    """E5, D5: a channel that never heard of the alert is told begin and end as one."""
    it.show("main", "90")
    await it.start()
    await it.until(told(it, ("low", "desk", "firing"), ("same", "desk", "firing")))
    await reload(it, ('name = "desk"', 'name = "phone"'), (RULE + SAME, ""))
    firing = [("low", "desk", "firing"), ("same", "desk", "firing")]
    await it.until(told(it, *firing, ("low", "phone", "retired"), ("same", "phone", "retired")))
    assert len(titled(it, "RETIRED")) == 1
    assert it.receiver.heard[-1].body.count("watched no longer since") == 2


async def test_promise_2_a_message_that_a_reload_cut_off_is_told_again_as_such(
    tmp_path: Path,
) -> None:
    """Promise 2: a hanging receiver delays no reload; its message is repeated and says so."""
    async with stage(tmp_path) as it:
        it.receiver.meanwhile = asyncio.Event().wait
        it.show("main", "90")
        await it.start()
        await it.until(lambda: it.receiver.heard)
        await reload(it)
        it.receiver.meanwhile = None
        await it.until(told(it, ("low", "desk", "firing")))
        assert not it.receiver.heard[0].news[0].maybe_repeat
        assert it.receiver.heard[-1].news[0].maybe_repeat
        assert await it.stop(within=STOPS_WITHIN) == 0


async def test_several_signals_end_in_one_state_and_a_stop_among_them_is_obeyed(it: Stage) -> None:
    """After many reloads the file is in force, nothing is repeated, and SIGTERM works."""
    it.show("main", "90")
    await it.start()
    await it.until(told(it, ("low", "desk", "firing"), ("same", "desk", "firing")))
    for _ in range(10):
        send(it.life.process, signal.SIGHUP)
    await it.until(lambda: len(readies(it)) >= 2)
    send(it.life.process, signal.SIGHUP)
    assert await it.stop(within=2 * STOPS_WITHIN) == 0
    assert told(it, ("low", "desk", "firing"), ("same", "desk", "firing"))()
    assert rows(it.database, STATES) == [("low", "firing"), ("same", "firing")]
    assert 2 <= len(rows(it.database, EPOCHS)) <= 12
    assert "Traceback" not in it.said()


async def test_a_new_database_that_cannot_be_used_leaves_the_old_one_in_use(it: Stage) -> None:
    """The daemon that cannot begin with the new file begins again with what it had."""
    await it.start()
    await reload(
        it,
        ('database = "sqlite:///marginwatch.db"', 'database = "sqlite:///nowhere/marginwatch.db"'),
    )
    assert "the old one is in force" in readies(it)[-1]
    assert "there is no directory" in it.said()
    it.show("main", "90")
    await it.until(told(it, ("low", "desk", "firing"), ("same", "desk", "firing")))
