"""Messages that leave at once (SEMANTICS F7): claimed with their record; scripted notifier."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC
from typing import Any

import pytest

from daemon.notifiers import Pictures, Traits
from daemon.service.clock_monitor import offset
from daemon.service.delivery.backoff import Health
from daemon.service.delivery.channel_worker import HOLD, ChannelWorker
from daemon.service.delivery.context import ChannelPolicy, DeliveryContext
from daemon.service.delivery.immediate import EagerClaims, book
from daemon.service.delivery.queue import NotificationQueue
from daemon.store.operations import Claim, NoticeState, RecordAttempt, Reroute, Withdraw
from daemon.types import (
    MINUTE,
    SECOND,
    AttemptResult,
    Kind,
    Limit,
    Notice,
    NoticeKey,
    NotificationFacts,
    Outcome,
    Record,
    Severity,
)
from tests.fakes import ListJournal, ManualClock, RecordingWatcher, ScriptedNotifier
from tests.values import T0, judged, reading

CHANNEL = "phone"


def notice(
    rule: str = "low", kind: Kind = Kind.FIRING, channel: str = CHANNEL, **facts: Any
) -> Notice:
    told = NotificationFacts(Severity.CRITICAL, "k3f9", T0, T0, T0, judged("90"))
    return Notice(NoticeKey("main", rule, 1, channel, kind, 1), T0, replace(told, **facts))


@dataclass
class Bench:
    """One running worker, and the owner's calls."""

    way: ScriptedNotifier = field(default_factory=ScriptedNotifier)
    clock: ManualClock = field(default_factory=ManualClock)
    async_store: ListJournal = field(default_factory=ListJournal)

    def __post_init__(self) -> None:
        self.notifications = NotificationQueue(offset(self.clock))
        self.observer = RecordingWatcher()
        context = DeliveryContext(
            self.async_store, self.notifications, self.clock, UTC, lambda: 1.0, self.observer
        )
        self.worker = ChannelWorker(ChannelPolicy(CHANNEL, SECOND, ("mail",)), self.way, context)
        self.task = asyncio.create_task(self.worker.run())

    def book(self, *notices: Notice) -> EagerClaims:
        return book({CHANNEL: self.worker}, notices)

    def adopt(self, *notices: Notice) -> None:
        self.notifications.adopt(
            Record("main", reading(1, T0), notices=notices), self.clock.elapsed()
        )

    async def leave(self, *notices: Notice) -> Claim:
        """The usual course: booked, committed, adopted, sent."""
        eager_claims = self.book(*notices)
        (claim,) = eager_claims.claims
        self.adopt(*notices)
        eager_claims.leave()
        await self.clock.advance(0)
        return claim

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    await made.clock.advance(0)
    yield made
    await made.end()


async def test_f7_what_is_claimed_with_its_cause_is_sent_without_another_claim(
    bench: Bench,
) -> None:
    """F7: the worker only records the outcome; the text is the claimed one."""
    claim = await bench.leave(notice())
    (mark,) = bench.async_store.operations
    assert isinstance(mark, RecordAttempt)
    assert (mark.message, mark.states) == (claim.message, {notice().key: NoticeState.DELIVERED})
    assert (bench.way.sent, bench.notifications.open(CHANNEL)) == ([claim.text], [])
    assert bench.observer.attempts == [(CHANNEL, AttemptResult(Outcome.DELIVERED))]


async def test_all_that_one_record_tells_a_channel_is_one_message(bench: Bench) -> None:
    """F5: joined as in the outbox, the most severe first; what goes to other channels is theirs."""
    mail = notice(channel="mail")
    eager_claims = bench.book(notice(), notice("margin", severity=Severity.WARNING), mail)
    (claim,) = eager_claims.claims
    assert [key.rule for key in claim.keys] == ["low", "margin"]


async def test_nothing_leaves_while_a_commit_decides_what_does(bench: Bench) -> None:
    """Other messages wait for the commit, and follow."""
    eager_claims, later = bench.book(notice()), notice("other")
    bench.adopt(later)
    await bench.clock.advance(HOLD - 1)
    assert bench.way.sent == []
    bench.adopt(notice())
    eager_claims.leave()
    await bench.clock.advance(0)
    assert len(bench.way.sent) == 2
    assert bench.notifications.open(CHANNEL) == []


async def test_f2_nothing_waits_for_a_commit_that_hangs(bench: Bench) -> None:
    """F2, Strict 1: recorded messages leave after a second; the reserved one is overtaken."""
    eager_claims, other = bench.book(notice()), notice("other")
    (booked,) = eager_claims.claims
    assert eager_claims.overtaken() == []
    bench.adopt(other)
    await bench.clock.advance(HOLD)
    assert [type(operation) for operation in bench.async_store.operations] == [Claim, RecordAttempt]
    third = bench.book(notice("third"))
    assert eager_claims.overtaken() == [booked]
    bench.adopt(notice())
    eager_claims.leave()
    await bench.clock.advance(0)
    assert len(bench.way.sent) == 1
    third.release()
    await bench.clock.advance(0)
    (claim,) = (
        operation for operation in bench.async_store.operations[2:] if isinstance(operation, Claim)
    )
    assert claim.keys == (notice().key,)


async def test_a_late_commit_of_what_nobody_waited_for_leaves_as_it_was_booked(
    bench: Bench,
) -> None:
    """If the channel stayed free, the reserved message is still the next one."""
    eager_claims = bench.book(notice())
    await bench.clock.advance(MINUTE)
    bench.adopt(notice())
    eager_claims.leave()
    await bench.clock.advance(0)
    assert [type(operation) for operation in bench.async_store.operations] == [RecordAttempt]


async def test_what_was_not_recorded_goes_the_usual_way(bench: Bench) -> None:
    """After a release the worker takes the queued news: the record was written after all."""
    eager_claims = bench.book(notice())
    eager_claims.release()
    bench.adopt(notice())
    await bench.clock.advance(0)
    assert [type(operation) for operation in bench.async_store.operations] == [Claim, RecordAttempt]


async def test_a_failed_attempt_is_tried_again(bench: Bench) -> None:
    """F1: as every other one; what it told half, its retry says that it may be a repeat."""
    bench.way.script = [AttemptResult(Outcome.UNKNOWN)]
    await bench.leave(notice())
    await bench.clock.advance(MINUTE)
    assert [type(operation) for operation in bench.async_store.operations] == [
        RecordAttempt,
        Claim,
        RecordAttempt,
    ]
    assert "may be a repeat" in bench.way.sent[1].body


async def test_a_refusal_goes_to_the_others(bench: Bench) -> None:
    """F3: the channel is parked, and others are told in its stead."""
    bench.way.script = [AttemptResult(Outcome.REFUSED, "no such chat")]
    await bench.leave(notice())
    (mark,) = bench.async_store.operations
    assert isinstance(mark, RecordAttempt)
    assert [each.key.channel for each in mark.notices] == ["mail"]
    assert bench.book(notice("other")).claims == ()


async def test_what_is_claimed_leaves_before_a_stop(bench: Bench) -> None:
    """A recorded attempt must be made."""
    eager_claims = bench.book(notice())
    bench.adopt(notice())
    eager_claims.leave()
    bench.worker.stop()
    await bench.task
    assert len(bench.way.sent) == 1
    assert bench.book(notice("other")).claims == ()


async def test_strict_1_what_is_claimed_and_cut_off_is_withdrawn(bench: Bench) -> None:
    """Strict 1: if the worker ends before its turn, as after a failed start, it withdraws."""
    eager_claims = bench.book(notice())
    (claim,) = eager_claims.claims
    bench.adopt(notice())
    eager_claims.leave()
    await bench.end()
    assert bench.async_store.operations == [Withdraw(claim.message, bench.clock.now())]
    assert (bench.way.sent, [entry.sending for entry in bench.notifications.open(CHANNEL)]) == (
        [],
        [False],
    )


async def test_strict_1_what_is_withdrawn_when_the_worker_breaks_is_claimed_anew(
    bench: Bench,
) -> None:
    """Strict 1: a worker that broke restarts, and must not send by a withdrawn claim."""
    eager_claims = bench.book(notice())
    bench.adopt(notice())
    eager_claims.leave()
    await bench.end()
    await bench.worker.run()
    assert [type(operation) for operation in bench.async_store.operations] == [
        Withdraw,
        Claim,
        RecordAttempt,
    ]
    assert len(bench.way.sent) == 1


@pytest.mark.parametrize("how", ["stopped", "cancelled"])
async def test_strict_1_what_is_committed_after_the_end_is_overtaken(
    bench: Bench, how: str
) -> None:
    """Strict 1: nobody sends it any more; the owner of its account withdraws it."""
    eager_claims = bench.book(notice())
    claims = list(eager_claims.claims)
    if how == "stopped":
        bench.worker.stop()
    else:
        bench.task.cancel()
    await bench.clock.advance(0)
    assert eager_claims.overtaken() == claims
    assert eager_claims.claims == ()


async def test_strict_1_what_is_parked_meanwhile_is_overtaken(bench: Bench) -> None:
    """Strict 1, F3: a refusal during a slow commit reroutes the reserved message."""
    eager_claims, other = bench.book(notice()), notice("other")
    claims = list(eager_claims.claims)
    bench.way.script = [AttemptResult(Outcome.REFUSED, "no such chat")]
    bench.adopt(other)
    await bench.clock.advance(HOLD)
    assert eager_claims.overtaken() == claims
    bench.adopt(notice())
    eager_claims.leave()
    await bench.clock.advance(SECOND)
    assert len(bench.way.sent) == 1
    assert [type(operation) for operation in bench.async_store.operations] == [
        Claim,
        RecordAttempt,
        Reroute,
    ]


@pytest.mark.parametrize(
    "news",
    [
        pytest.param(notice(severity=Severity.WARNING), id="it may be joined with more"),
        pytest.param(notice(not_before=T0 + MINUTE), id="a mute window holds it"),
    ],
)
async def test_what_need_not_leave_at_once_is_not_booked(bench: Bench, news: Notice) -> None:
    """It waits in the queue."""
    assert bench.book(news).claims == ()


async def test_f4_an_end_does_not_overtake_its_beginning(bench: Bench) -> None:
    """An end waits for a firing that is reserved for the channel: both are one message."""
    assert bench.notifications.reroute(notice(channel="mail"), (CHANNEL,), giving_up=False) != []
    assert bench.book(notice(kind=Kind.RESOLVED)).claims == ()


async def test_a_channel_where_something_waits_is_not_free(bench: Bench) -> None:
    """F5: it is joined with the queued messages."""
    bench.adopt(notice("other", severity=Severity.WARNING))
    assert bench.book(notice()).claims == ()


async def test_a_channel_on_its_way_is_not_free(bench: Bench) -> None:
    """At most one attempt is in flight."""
    bench.way.gate = asyncio.Event()
    await bench.leave(notice())
    assert bench.book(notice("other")).claims == ()
    bench.way.gate.set()
    await bench.clock.advance(0)
    assert bench.book(notice("other")).claims != ()
    assert bench.book(notice("third")).claims == ()


async def test_a_channel_that_fails_is_not_free(bench: Bench) -> None:
    """F2: its backoff decides when it is tried."""
    bench.worker.state.health = Health(streak=1, failing_since=0, tried_at=0, retry_at=MINUTE)
    assert bench.book(notice()).claims == ()


@pytest.mark.parametrize(
    "traits",
    [
        pytest.param(Traits(pace=(Limit(1, SECOND),)), id="its pace"),
        pytest.param(Traits(pictures=Pictures.WITH, html=True), id="a chart that may come with it"),
        pytest.param(Traits(room=150), id="no room for all of it"),
    ],
)
async def test_what_a_channel_has_to_wait_for(bench: Bench, traits: Traits) -> None:
    """Its service's pace, a picture, or a second message: the usual way sees to it."""
    bench.way.traits = traits
    news = [
        notice(f"a-rule-with-quite-a-long-name-{number}")
        for number in range(3 if traits.room == 150 else 1)
    ]
    if traits.pace:
        await bench.leave(notice())
    assert bench.book(*news).claims == ()
