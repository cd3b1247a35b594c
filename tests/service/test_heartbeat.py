"""Heartbeat (SEMANTICS F9): when it is withheld, which messages count, and the sending loop."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from daemon.log import FailureLog, fields
from daemon.service.delivery.queue import NotificationQueue, QueuedNotification
from daemon.service.heartbeat import (
    BEAT,
    LOOK,
    PATIENCE,
    Attempts,
    Heartbeat,
    Pulse,
    Vitals,
    untaken_for,
    withheld,
)
from daemon.types import (
    HOUR,
    MINUTE,
    SECOND,
    Kind,
    Millis,
    Notice,
    NoticeKey,
    NotificationFacts,
    Outcome,
    Record,
    Severity,
)
from tests.fakes import ManualClock, settle
from tests.values import T0, miss, reading

NOW = 10 * HOUR
EVERY = 5 * SECOND
TIMEOUT = 10 * SECOND
WELL = Vitals({"main": Pulse(NOW - EVERY, EVERY)}, TIMEOUT, None, 0)


def pulse(ago: Millis | None, every: Millis = EVERY, pause: Millis = 0) -> Vitals:
    return replace(WELL, pulses={"main": Pulse(None if ago is None else NOW - ago, every, pause)})


def why(vitals: Vitals) -> str | None:
    found = withheld(vitals, NOW)
    return None if found is None else found.sentence


def test_f9_all_is_well() -> None:
    """F9: recent attempts, a database that writes, nothing that waits for long."""
    assert why(WELL) is None
    assert why(replace(WELL, untaken=PATIENCE)) is None
    assert why(replace(WELL, pulses={})) is None


@pytest.mark.parametrize(
    ("ago", "every", "pause"),
    [
        (15 * SECOND, EVERY, 0),
        (3 * MINUTE, MINUTE, 0),
        (12 * SECOND, 2 * SECOND, 0),
        (45 * SECOND, EVERY, 30 * SECOND),
        (5 * MINUTE + 15 * SECOND, EVERY, 5 * MINUTE),
    ],
)
def test_f9_an_attempt_may_be_so_old_and_no_older(
    ago: Millis, every: Millis, pause: Millis
) -> None:
    """F9: three intervals, or a pause, the slot after it, and a call without an answer."""
    assert why(pulse(ago, every, pause)) is None
    assert why(pulse(ago + 1, every, pause)) is not None


def test_f9_an_account_that_is_stuck_is_named() -> None:
    """F9: with how long it has been; one that was never read since the start is told as that."""
    assert why(pulse(HOUR)) == "no attempt to read main has been recorded for 1 h"
    assert why(pulse(None)) == "no attempt to read main has been recorded yet"
    late = {
        "main": Pulse(NOW - EVERY, EVERY),
        "grid": Pulse(NOW - HOUR, EVERY),
        "hedge": Pulse(None, EVERY),
    }
    assert why(replace(WELL, pulses=late)) == "no attempt to read grid, hedge has been recorded yet"


def test_f9_a_database_that_refuses_to_write_withholds_it() -> None:
    """F9: uncommitted records do not count."""
    assert why(replace(WELL, down="disk full")) == "the database refuses to write (disk full)"


def test_f9_a_message_that_no_channel_takes_withholds_it() -> None:
    """F9: over five minutes on all its channels."""
    vitals = replace(WELL, untaken=PATIENCE + SECOND)
    assert why(vitals) == "a message has waited 5 min 1 s, and no channel takes it"


# What waits.

FACTS = NotificationFacts(Severity.WARNING, "k3f9", T0, T0, T0, None)


def notice(
    channel: str = "telegram", kind: Kind = Kind.FIRING, seq: int = 1, **facts: Any
) -> Notice:
    return Notice(NoticeKey("main", "low", 1, channel, kind, seq), T0, replace(FACTS, **facts))


def waiting(*notices: Notice) -> NotificationQueue:
    """All queued at 0 by `elapsed`."""
    notifications = NotificationQueue(0)
    for each in notices:
        notifications.queue(each, 0)
    return notifications


def untaken(notifications: NotificationQueue, elapsed: Millis = HOUR) -> Millis:
    return untaken_for(notifications, T0 + elapsed, elapsed)


def test_f9_what_waits_counts_from_when_it_was_queued() -> None:
    """Being sent is waiting too; nothing open is no wait."""
    assert untaken(NotificationQueue(0)) == 0
    notifications = waiting(notice())
    assert untaken(notifications) == HOUR
    notifications.sending([notice().key])
    assert untaken(notifications) == HOUR
    notifications.settle([notice().key], Outcome.DELIVERED, HOUR)
    assert untaken(notifications) == 0


def test_f9_news_that_one_channel_has_waits_for_nobody() -> None:
    """F9: on all its channels; the dead one is told of by the living one."""
    notifications = waiting(notice(), notice("email"))
    assert untaken(notifications) == HOUR
    notifications.settle([notice("email").key], Outcome.DELIVERED, 0)
    assert untaken(notifications) == 0


def test_f9_a_repeat_that_nobody_has_waits_although_the_firing_was_told() -> None:
    """Each message counts, not each alert."""
    notifications = waiting(notice(), notice("email"))
    for channel in ("telegram", "email"):
        notifications.settle([notice(channel).key], Outcome.DELIVERED, 0)
    notifications.queue(notice(kind=Kind.REPEAT, seq=2), HOUR)
    notifications.queue(notice("email", Kind.REPEAT, 2), HOUR)
    assert untaken(notifications, HOUR + MINUTE) == MINUTE


def test_f9_what_a_channel_took_before_its_news_was_handed_on_stays_taken() -> None:
    """A third channel that is told in a dead one's stead may be dead as well."""
    notifications = waiting(notice(), notice("email"))
    notifications.settle([notice("email").key], Outcome.DELIVERED, 0)
    for handed in notifications.reroute(notice(), ["sms"], giving_up=False):
        notifications.queue(handed, 0)
    notifications.settle([notice().key], Outcome.REFUSED, 0, give_up=True)
    assert [entry.notice.key.channel for entry in notifications.open("sms")] == ["sms"]
    assert untaken(notifications) == 0


def test_f9_what_a_mute_window_holds_back_waits_from_its_end_on() -> None:
    """E2: a message is not late while a window holds it."""
    notifications = waiting(notice(kind=Kind.RESOLVED, not_before=T0 + HOUR))
    assert untaken(notifications, HOUR) == 0
    assert untaken(notifications, HOUR + MINUTE) == MINUTE


def test_f9_what_an_earlier_life_delivered_elsewhere_is_taken() -> None:
    """Promise 4: an earlier delivery counts; an untaken message waits from this start on."""
    notifications = waiting(notice("email"))
    notifications.settle([notice("email").key], Outcome.DELIVERED, 0)
    notifications.keep(QueuedNotification(notice(), 0, kept=True))
    assert untaken(notifications) == 0
    lonely = NotificationQueue(0)
    lonely.keep(QueuedNotification(notice(), HOUR, kept=True))
    assert untaken(lonely, HOUR + MINUTE) == MINUTE


async def test_f9_readings_and_misses_are_attempts() -> None:
    """F9: both prove that the account is read; earlier times are kept until then."""
    clock = ManualClock()
    attempts = Attempts(clock, {"main": 1, "grid": 2})
    attempts.judged(Record("main", reading(1)))
    assert attempts.at == {"main": clock.elapsed(), "grid": 2}
    await clock.advance(EVERY)
    attempts.judged(Record("grid", miss(1)))
    assert attempts.at == {"main": clock.elapsed() - EVERY, "grid": clock.elapsed()}


# The loop.


class Ward:
    """A monitor that answers as told, and what the daemon is like."""

    def __init__(self, answers: Sequence[str | None] = ()) -> None:
        self.clock = ManualClock()
        self.answers = list(answers)
        self.beats: list[Millis] = []
        self.down: str | None = None
        self.gate: asyncio.Event | None = None
        self.began = self.clock.elapsed()
        episodes = FailureLog(logging.getLogger("marginwatch"), self.clock)
        self.heartbeat = Heartbeat(self, self.vitals, self.clock, episodes, self.began + BEAT)

    def vitals(self) -> Vitals:
        return Vitals({}, TIMEOUT, self.down, 0)

    async def beat(self) -> str | None:
        self.beats.append(self.clock.elapsed() - self.began)
        if self.gate is not None:
            await self.gate.wait()
        return self.answers.pop(0) if self.answers else None

    async def live(self, *spans: Millis) -> None:
        """Let these pass one after the other; `down` is turned between them."""
        task = asyncio.create_task(self.heartbeat.run())
        for number, span in enumerate(spans):
            self.down = "disk full" if number % 2 else None
            await self.clock.advance(span)
        task.cancel()
        await settle()


async def test_f9_it_beats_once_a_minute_from_the_first_minute_on() -> None:
    """F9: at most once a minute; a daemon that restarts within a minute sends none."""
    ward = Ward()
    await ward.live(4 * MINUTE - 1)
    assert ward.beats == [MINUTE, 2 * MINUTE, 3 * MINUTE]


async def test_f9_it_goes_on_soon_after_all_is_well_again(caplog: pytest.LogCaptureFixture) -> None:
    """Both ends are logged once, however often it was looked at."""
    caplog.set_level(logging.INFO)
    ward = Ward()
    await ward.live(90 * SECOND, 40 * SECOND, LOOK)
    assert ward.beats == [MINUTE, 135 * SECOND]
    assert [record.message for record in caplog.records] == [
        "the heartbeat reaches its monitor",
        "the heartbeat is withheld: the database refuses to write (disk full)",
        "the heartbeat goes on",
    ]


async def test_a_monitor_that_cannot_be_reached_is_told_once_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its answer is logged once as a failure, with its end; it is not tried more often."""
    caplog.set_level(logging.INFO)
    ward = Ward(["it refuses connections", "it refuses connections", "it answers 503"])
    await ward.live(5 * MINUTE)
    assert ward.beats == [MINUTE, 2 * MINUTE, 3 * MINUTE, 4 * MINUTE, 5 * MINUTE]
    assert [(record.message, fields(record).get("reason")) for record in caplog.records] == [
        ("the heartbeat does not reach its monitor", "it refuses connections"),
        ("the heartbeat does not reach its monitor", "it answers 503"),
        ("the heartbeat reaches its monitor again", None),
        ("the heartbeat reaches its monitor", None),
    ]


async def test_a_monitor_that_hangs_is_not_fetched_twice_at_once() -> None:
    """The next one is due a minute after the last began, or as soon as that has ended."""
    ward = Ward()
    ward.gate = asyncio.Event()
    task = asyncio.create_task(ward.heartbeat.run())
    await ward.clock.advance(3 * MINUTE)
    assert ward.beats == [MINUTE]
    ward.gate.set()
    await ward.clock.advance(MINUTE)
    assert ward.beats == [MINUTE, 3 * MINUTE, 4 * MINUTE]
    task.cancel()
    await settle()
