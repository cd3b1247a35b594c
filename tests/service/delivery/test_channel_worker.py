"""Channel workers: SEMANTICS F1, F2, F3, F5, F7, with a scripted notifier and a manual clock."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any, TypeAlias

import pytest

from daemon.alerts.channel_decisions import ChannelStatus
from daemon.notifiers import Traits
from daemon.service.clock_monitor import offset
from daemon.service.delivery.backoff import recorded_failure
from daemon.service.delivery.channel_state import LISTEN
from daemon.service.delivery.channel_worker import ChannelWorker
from daemon.service.delivery.context import ChannelPolicy, DeliveryContext
from daemon.service.delivery.queue import NotificationQueue, QueuedNotification
from daemon.store.operations import (
    Claim,
    CommitFailed,
    MessageKey,
    NoticeState,
    Operation,
    RecordAttempt,
    Reroute,
    Supersede,
    Withdraw,
)
from daemon.types import (
    HOUR,
    MINUTE,
    SECOND,
    AttemptResult,
    Kind,
    Late,
    Limit,
    Message,
    Millis,
    Notice,
    NoticeKey,
    NotificationFacts,
    Outcome,
    Severity,
    Silence,
)
from tests.fakes import NOON, ListJournal, ManualClock, RecordingWatcher, ScriptedNotifier
from tests.values import T0, judged

LATER, REFUSED, UNKNOWN = (
    AttemptResult(outcome) for outcome in (Outcome.LATER, Outcome.REFUSED, Outcome.UNKNOWN)
)
FAILS = AttemptResult(Outcome.LATER, "no such host")


def notice(
    rule: str = "low", severity: Severity = Severity.WARNING, kind: Kind = Kind.FIRING, seq: int = 1
) -> Notice:
    facts = NotificationFacts(severity, "k3f9", T0, T0, T0, judged("90"))
    return Notice(NoticeKey("main", rule, 1, "telegram", kind, seq), T0, facts)


Absence: TypeAlias = tuple[Millis, Millis] | None


@dataclass
class Bench:
    clock: ManualClock
    notifications: NotificationQueue
    async_store: ListJournal
    observer: RecordingWatcher
    workers: dict[str, ChannelWorker]
    ways: dict[str, ScriptedNotifier]
    tasks: list[asyncio.Task[None]]

    def queue(self, *notices: Notice) -> None:
        for one in notices:
            self.notifications.queue(one, self.clock.elapsed())


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = make()
    yield made
    await end(made)


async def end(bench: Bench) -> None:
    for task in bench.tasks:
        task.cancel()
    await asyncio.gather(*bench.tasks, return_exceptions=True)


def make(
    *names: str,
    fallbacks: Mapping[str, str] | None = None,
    absent: Absence = None,
    escalates_to: Sequence[str] = (),
) -> Bench:
    names = names or ("telegram", "email")
    clock, async_store, observer = ManualClock(), ListJournal(), RecordingWatcher()
    notifications = NotificationQueue(offset(clock))
    context = DeliveryContext(
        async_store,
        notifications,
        clock,
        UTC,
        lambda: 1.0,
        observer,
        absent,
        escalations={"low": frozenset(escalates_to)},
    )
    ways = {name: ScriptedNotifier() for name in names}
    channels = {
        name: ChannelPolicy(
            name,
            SECOND,
            tuple(other for other in names if other != name),
            **_stead(name, fallbacks or {}),
        )
        for name in names
    }
    workers = {
        name: ChannelWorker(channel, ways[name], context) for name, channel in channels.items()
    }
    tasks = [asyncio.create_task(worker.run()) for worker in workers.values()]
    return Bench(clock, notifications, async_store, observer, workers, ways, tasks)


def _stead(name: str, fallbacks: Mapping[str, str]) -> dict[str, Any]:
    return {"fallback": fallbacks[name], "patience": 2 * MINUTE} if name in fallbacks else {}


async def test_promise_2_the_attempt_is_recorded_before_the_call(bench: Bench) -> None:
    """F7: claim, call, mark, in this order; an attempt in flight has a claim and no mark."""
    gate = bench.ways["telegram"].gate = asyncio.Event()
    bench.queue(notice())
    await bench.clock.advance(SECOND)
    assert [type(operation) for operation in bench.async_store.operations] == [Claim]
    gate.set()
    await bench.clock.advance(0)
    claim, mark = bench.async_store.operations
    assert isinstance(claim, Claim)
    assert isinstance(mark, RecordAttempt)
    assert mark.message == claim.message
    assert mark.states == {notice().key: NoticeState.DELIVERED}
    assert bench.notifications.open("telegram") == []


async def test_f5_what_fires_together_is_one_message(bench: Bench) -> None:
    """F5: within `group_wait`; the claim names each notification."""
    bench.queue(notice("a"), notice("b"))
    await bench.clock.advance(SECOND - 1)
    assert bench.ways["telegram"].sent == []
    bench.queue(notice("c"))
    await bench.clock.advance(1)
    assert len(bench.ways["telegram"].sent) == 1
    assert [
        len(claim.keys) for claim in bench.async_store.operations if isinstance(claim, Claim)
    ] == [3]


async def test_f5_a_critical_never_waits(bench: Bench) -> None:
    """F5: a critical leaves at once and comes first."""
    bench.queue(notice("mild"), notice("grave", Severity.CRITICAL))
    await bench.clock.advance(0)
    assert bench.ways["telegram"].sent[0].title.startswith("CRITICAL main: ")
    assert "\ngrave · alert" in bench.ways["telegram"].sent[0].body


async def test_f5_more_headlines_than_fit_are_more_messages(bench: Bench) -> None:
    """F5: never a cut headline; title and text together keep to what the service takes."""
    bench.ways["telegram"].traits = Traits(room=860)
    bench.queue(*(notice(f"rule-{n}") for n in range(30)))
    await bench.clock.advance(SECOND)
    assert [
        len(claim.keys) for claim in bench.async_store.operations if isinstance(claim, Claim)
    ] == [
        10,
        10,
        10,
    ]
    assert all(
        len(message.title) + len(message.body) < 800 for message in bench.ways["telegram"].sent
    )


async def test_f2_later_is_tried_again_with_backoff(bench: Bench) -> None:
    """F2: at 2, 4 and 8 s with full jitter at its most; then it is delivered, once."""
    bench.ways["telegram"].script = [LATER, LATER, LATER]
    bench.queue(notice())
    for wait, calls in ((1, 1), (1, 1), (1, 2), (4, 3), (7, 3), (1, 4), (999, 4)):
        await bench.clock.advance(wait * SECOND)
        assert len(bench.ways["telegram"].sent) == calls
    assert bench.notifications.channel_status("main")["low", 1]["telegram"].told_at is not None


async def test_f1_an_attempt_without_outcome_is_told_as_a_possible_repeat(bench: Bench) -> None:
    """F1: unknown counts as told, and is tried again with a word about it."""
    bench.ways["telegram"].script = [UNKNOWN]
    bench.queue(notice())
    await bench.clock.advance(SECOND)
    told = bench.notifications.channel_status("main")["low", 1]["telegram"]
    assert (told.knows, told.waiting) == (True, notice().key)
    await bench.clock.advance(2 * SECOND)
    first, second = bench.ways["telegram"].sent
    assert "may be a repeat" not in first.body
    assert "may be a repeat" in second.body


async def test_f2_a_dead_channel_delays_nothing_else(bench: Bench) -> None:
    """F2: one hangs for ever, the other delivers."""
    bench.ways["telegram"].gate = asyncio.Event()
    bench.queue(notice(), replace(notice(), key=replace(notice().key, channel="email")))
    await bench.clock.advance(SECOND)
    bench.queue(notice("other"))
    await bench.clock.advance(MINUTE)
    assert len(bench.ways["email"].sent) == 1
    assert len(bench.ways["telegram"].sent) == 1


async def test_f3_what_is_refused_goes_to_all_others_at_once(bench: Bench) -> None:
    """F3: the channel is parked; present and later news goes elsewhere, with the reason."""
    bench.ways["telegram"].script = [REFUSED]
    bench.queue(notice())
    await bench.clock.advance(2 * SECOND)
    assert "the channel telegram cannot be reached" in bench.ways["email"].sent[0].body
    assert bench.notifications.channel_status("main")["low", 1]["telegram"] == ChannelStatus(
        given_up=True, announced_after=0
    )
    bench.queue(notice("another"))
    await bench.clock.advance(2 * SECOND)
    assert len(bench.ways["telegram"].sent) == 1
    assert len(bench.ways["email"].sent) == 2
    assert next(
        operation for operation in bench.async_store.operations if isinstance(operation, Reroute)
    ).refused == (notice("another").key,)


async def test_f3_a_channel_that_knows_already_is_not_told_twice(bench: Bench) -> None:
    """F4: each notification visits a channel once."""
    bench.ways["telegram"].script = [REFUSED]
    bench.queue(notice(), replace(notice(), key=replace(notice().key, channel="email")))
    await bench.clock.advance(5 * SECOND)
    assert len(bench.ways["email"].sent) == 1


async def test_f3_a_channel_alone_is_tried_on_and_on() -> None:
    """Promise 2: where nobody else can be told, a refusal is no reason to stop trying."""
    bench = make("telegram")
    bench.ways["telegram"].script = [REFUSED] * 3
    bench.queue(notice())
    await bench.clock.advance(MINUTE)
    assert len(bench.ways["telegram"].sent) == 4
    assert bench.notifications.open("telegram") == []
    for task in bench.tasks:
        task.cancel()


async def test_f4_what_a_channel_cannot_deliver_goes_to_its_fallback_alone() -> None:
    """F4: `fallback_after` the first failure, waiting and new messages go there at once."""
    bench = make("telegram", "email", "sms", fallbacks={"telegram": "sms"})
    bench.ways["telegram"].script = [FAILS] * 99
    bench.queue(notice())
    await bench.clock.advance(2 * MINUTE)
    assert bench.ways["sms"].sent == []
    await bench.clock.advance(2 * SECOND)
    (told,) = bench.ways["sms"].sent
    assert "the channel telegram cannot be reached since 11:00:01 (no such host)" in told.body
    bench.queue(notice("new"))
    await bench.clock.advance(SECOND)
    (new,) = bench.ways["sms"].sent[1:]
    assert new.title == "WARNING main: available_margin 90 (below 100, at 11:00:00)"
    assert "\nnew · alert" in new.body
    assert bench.ways["email"].sent == []
    await end(bench)


async def test_f4_mutual_fallbacks_that_both_fail_tell_the_rest() -> None:
    """F4, promise 2: a notification visits a channel once; if both fail, the others get it."""
    bench = make("telegram", "email", "sms", fallbacks={"telegram": "email", "email": "telegram"})
    for name in ("telegram", "email"):
        bench.ways[name].script = [FAILS] * 99
    bench.queue(notice())
    await bench.clock.advance(5 * MINUTE)
    assert len(bench.ways["sms"].sent) == 1
    assert [
        entry.handed_over
        for name in ("telegram", "email")
        for entry in bench.notifications.open(name)
    ] == [True, True]
    await bench.clock.advance(HOUR)
    assert len(bench.ways["sms"].sent) == 1
    await end(bench)


async def test_f4_a_fallback_hears_only_one_account_of_what_it_was_never_told() -> None:
    """F4: the end tells the firing too, which the channel itself had delivered."""
    bench = make("telegram", "email", "sms", fallbacks={"telegram": "sms"})
    bench.queue(notice())
    await bench.clock.advance(2 * SECOND)
    bench.ways["telegram"].script = [FAILS] * 99
    bench.queue(ended())
    await bench.clock.advance(3 * MINUTE)
    (told,) = bench.ways["sms"].sent
    assert told.title.startswith("LATE main: low is over, ")
    await end(bench)


async def test_f3_a_refusal_goes_to_the_fallback_at_once() -> None:
    """F3: and to nobody else, unless that refuses too."""
    bench = make("telegram", "email", "sms", fallbacks={"telegram": "sms"})
    bench.ways["telegram"].script = [REFUSED]
    bench.queue(notice())
    await bench.clock.advance(3 * SECOND)
    assert (len(bench.ways["sms"].sent), bench.ways["email"].sent) == (1, [])
    bench.ways["sms"].script = [REFUSED]
    bench.queue(notice("other"))
    await bench.clock.advance(5 * SECOND)
    assert len(bench.ways["email"].sent) == 1
    await end(bench)


async def test_f5_a_services_own_pace_is_kept_by_joining(bench: Bench) -> None:
    """F5: at the rate limit messages are joined, criticals as well."""
    bench.ways["telegram"].traits = Traits(pace=(Limit(1, SECOND), Limit(3, 10 * SECOND)))
    for number in range(40):
        bench.queue(notice(f"rule-{number}", Severity.CRITICAL))
        await bench.clock.advance(250)
    sent = [
        claim.message.at - NOON
        for claim in bench.async_store.operations
        if isinstance(claim, Claim)
    ]
    assert sent == [0, 1_000, 2_000, 10_000]
    await bench.clock.advance(10 * SECOND)
    keys = [
        key
        for claim in bench.async_store.operations
        if isinstance(claim, Claim)
        for key in claim.keys
    ]
    assert len(keys) == len(set(keys)) == 40


async def test_f6_what_waited_says_why(bench: Bench) -> None:
    """F6: the outage's start, end and answer; not on messages that came later."""
    bench.ways["telegram"].traits = Traits(room=1_000)
    bench.ways["telegram"].script = [FAILS] * 9
    bench.queue(*(notice(f"rule-{n}") for n in range(16)))
    await bench.clock.advance(25 * MINUTE)
    first, second = bench.ways["telegram"].sent[-2:]
    assert ": telegram could not be reached since 11:00:01 (no such host)" in first.body
    assert ": telegram could not be reached from 11:00:01 until 11:" in second.body
    bench.queue(notice("new"))
    await bench.clock.advance(2 * SECOND)
    assert "could not be reached" not in bench.ways["telegram"].sent[-1].body


@pytest.mark.parametrize(("lasted", "said"), [(30 * MINUTE, True), (40 * SECOND, False)])
async def test_f6_what_waited_while_nobody_ran_says_so(lasted: Millis, said: bool) -> None:
    """F6: from when to when; a restart in between is no reason, and not of what came later."""
    bench = make("telegram", absent=(NOON - lasted, NOON))
    raised = replace(notice(), at=NOON - HOUR)
    bench.notifications.keep(QueuedNotification(raised, bench.clock.elapsed(), kept=True))
    await bench.clock.advance(SECOND)
    bench.queue(notice("new"))
    await bench.clock.advance(2 * SECOND)
    first, second = bench.ways["telegram"].sent
    assert (": marginwatch did not run from 10:30:00 to 11:00:00" in first.body) is said
    assert "did not run" not in second.body
    await end(bench)


async def test_f1_after_ten_minutes_what_waits_goes_to_the_others_too(bench: Bench) -> None:
    """F1: `later` for ten minutes: all others are told, and the channel itself is still tried."""
    bench.ways["telegram"].script = [LATER] * 12
    bench.queue(notice())
    await bench.clock.advance(10 * MINUTE)
    assert bench.ways["email"].sent == []
    await bench.clock.advance(6 * MINUTE)
    assert len(bench.ways["email"].sent) == 1
    await bench.clock.advance(30 * MINUTE)
    assert bench.notifications.open("telegram") == []
    assert len(bench.ways["email"].sent) == 1


async def test_promise_3_fired_and_ended_while_unreachable_is_one_account(bench: Bench) -> None:
    """Promise 3: one line with both instants, and both notifications are delivered."""
    bench.ways["telegram"].script = [LATER]
    bench.queue(notice())
    await bench.clock.advance(SECOND)
    end = notice(kind=Kind.RESOLVED, seq=2)
    bench.queue(replace(end, at=T0 + 3 * SECOND, facts=replace(end.facts, at=T0 + 3 * SECOND)))
    await bench.clock.advance(5 * SECOND)
    assert bench.ways["telegram"].sent[1].title.startswith("OVER main: ")
    assert bench.notifications.open("telegram") == []


async def test_a_claim_that_cannot_be_committed_is_no_attempt(bench: Bench) -> None:
    """Promise 2: without a recorded claim nothing is sent; a second later it is tried again."""
    bench.async_store.answers = [CommitFailed()]
    bench.queue(notice())
    await bench.clock.advance(SECOND)
    assert bench.ways["telegram"].sent == []
    await bench.clock.advance(SECOND)
    assert len(bench.ways["telegram"].sent) == 1


async def test_what_happened_is_marked_however_often_it_takes(bench: Bench) -> None:
    """A mark that fails is written again: a delivery is not forgotten."""
    bench.queue(notice())
    gate = bench.ways["telegram"].gate = asyncio.Event()
    await bench.clock.advance(SECOND)
    bench.async_store.answers = [CommitFailed(), CommitFailed()]
    gate.set()
    await bench.clock.advance(SECOND)
    assert [type(operation) for operation in bench.async_store.operations] == [Claim, RecordAttempt]


async def test_on_stopping_what_is_due_is_tried_once(bench: Bench) -> None:
    """The rest stays queued; a channel that fails is not tried again."""
    bench.ways["telegram"].script = [LATER]
    bench.queue(notice())
    for worker in bench.workers.values():
        worker.stop()
    await bench.clock.advance(0)
    assert all(task.done() for task in bench.tasks)
    assert len(bench.ways["telegram"].sent) == 1
    assert [entry.notice for entry in bench.notifications.waiting("telegram")] == [notice()]


async def test_on_stopping_a_failing_channel_is_left_alone(bench: Bench) -> None:
    """Its messages wait for the next start."""
    bench.ways["telegram"].script = [LATER]
    bench.queue(notice())
    await bench.clock.advance(SECOND)
    bench.workers["telegram"].stop()
    await bench.clock.advance(0)
    assert len(bench.ways["telegram"].sent) == 1


async def test_every_attempt_is_watched(bench: Bench) -> None:
    """The log and `demo` hear of each."""
    bench.ways["telegram"].script = [LATER]
    bench.queue(notice())
    await bench.clock.advance(5 * SECOND)
    assert bench.observer.attempts == [
        ("telegram", LATER),
        ("telegram", AttemptResult(Outcome.DELIVERED)),
    ]


class BrokenWay(ScriptedNotifier):
    """Breaks once, as no notifier should."""

    async def send(self, message: Message) -> AttemptResult:
        if not self.sent:
            self.sent.append(message)
            raise ZeroDivisionError
        return await super().send(message)


async def test_promise_2_a_way_that_breaks_loses_nothing(bench: Bench) -> None:
    """A notifier that raises may have delivered: the outcome is unknown, and the retry says so."""
    context = bench.workers["telegram"]._context
    broken = BrokenWay()
    worker = ChannelWorker(ChannelPolicy("broken", 0), broken, context)
    bench.tasks.append(asyncio.create_task(worker.run()))
    bench.queue(replace(notice(), key=replace(notice().key, channel="broken")))
    await bench.clock.advance(5 * SECOND)
    assert len(broken.sent) == 2
    assert "may be a repeat" in broken.sent[1].body


async def test_promise_2_a_fault_of_ours_keeps_nothing_from_being_tried_again(bench: Bench) -> None:
    """An error in the middle of a pass puts the news back into the queue before it is told."""
    bench.async_store.answers = [ZeroDivisionError()]
    worker = bench.workers["telegram"]
    bench.queue(notice())
    with pytest.raises(ZeroDivisionError):
        await worker.attempt()
    assert [entry.notice for entry in bench.notifications.waiting("telegram")] == [notice()]


def ended(rule: str = "low") -> Notice:
    return notice(rule, kind=Kind.RESOLVED, seq=2)


async def test_promise_3_the_end_that_comes_while_a_refusal_is_awaited_is_passed_on(
    bench: Bench,
) -> None:
    """F3: the others get the firing instead of the refusing channel, and its end as well."""
    bench.ways["telegram"].script = [REFUSED]
    gate = bench.ways["telegram"].gate = asyncio.Event()
    bench.queue(notice())
    await bench.clock.advance(SECOND)
    bench.queue(ended())
    gate.set()
    await bench.clock.advance(5 * SECOND)
    assert [message.title.split()[0] for message in bench.ways["email"].sent][-1] in {
        "OVER",
        "RESOLVED",
    }
    assert bench.notifications.channels() == []


async def test_promise_3_begin_and_end_of_an_alert_are_never_torn_apart(bench: Bench) -> None:
    """Promise 3: more waits than fits, and still what fired and ended is one account of both."""
    bench.ways["telegram"].traits = Traits(room=1_000)
    bench.queue(*(notice(f"rule-{n}") for n in range(20)), *(ended(f"rule-{n}") for n in range(20)))
    await bench.clock.advance(5 * SECOND)
    assert [message.title.split()[0] for message in bench.ways["telegram"].sent] == [
        "OVER",
        "OVER",
    ]


async def test_f1_after_ten_minutes_all_that_waits_goes_to_the_others(bench: Bench) -> None:
    """F1: all of it, not only one message's worth; later news goes at once."""
    bench.ways["telegram"].script = [LATER] * 99
    bench.ways["telegram"].traits = bench.ways["email"].traits = Traits(room=1_000)
    bench.queue(*(notice(f"rule-{n}") for n in range(20)))
    await bench.clock.advance(10 * MINUTE + 2 * SECOND)
    assert len(bench.ways["email"].sent) == 3
    bench.queue(notice("new"))
    await bench.clock.advance(SECOND)
    assert "\nnew · alert" in bench.ways["email"].sent[3].body


async def test_promise_2_where_all_channels_refuse_all_are_tried_on() -> None:
    """F3 parks a channel for the others' sake: with none left, nothing may be lost."""
    bench = make()
    for way in bench.ways.values():
        way.script = [REFUSED] * 6
    bench.queue(notice(), replace(notice(), key=replace(notice().key, channel="email")))
    await bench.clock.advance(10 * MINUTE)
    assert bench.ways["email"].script == []
    bench.queue(notice("new"))
    await bench.clock.advance(MINUTE)
    assert "\nnew · alert" in bench.ways["email"].sent[-1].body
    assert bench.notifications.channels() == []
    for task in bench.tasks:
        task.cancel()


async def test_a_claim_nobody_knows_of_is_withdrawn(bench: Bench) -> None:
    """Promise 3: if it was recorded after all, it must not look like an attempt that was made."""
    bench.async_store.answers = [CommitFailed()]
    bench.queue(notice())
    await bench.clock.advance(SECOND)
    (withdrawn,) = bench.async_store.operations
    assert withdrawn == Withdraw(MessageKey("telegram", NOON + SECOND), NOON + SECOND)
    assert bench.ways["telegram"].sent == []


async def test_strict_1_a_stop_that_waits_for_no_commit_withdraws_its_claim() -> None:
    """Strict 1: a worker cancelled during its claim's commit sends nothing, and withdraws it."""
    bench = make("telegram")
    bench.async_store.hangs = asyncio.Event()
    bench.queue(notice(severity=Severity.CRITICAL))
    await bench.clock.advance(0)
    await end(bench)
    claim, withdrawn = bench.async_store.operations
    assert isinstance(claim, Claim)
    assert withdrawn == Withdraw(claim.message, NOON)
    assert bench.ways["telegram"].sent == []


class SlowJournal(ListJournal):
    """Takes three seconds for what it must write."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock

    async def insist(self, operation: Operation) -> None:
        await self._clock.sleep(3 * SECOND)
        await super().insist(operation)


async def test_what_was_told_is_known_as_it_is_recorded(bench: Bench) -> None:
    """Promise 4: repeats count from the same instant before and after a restart."""
    async_store = SlowJournal(bench.clock)
    context = replace(bench.workers["telegram"]._context, async_store=async_store)
    bench.tasks.append(
        asyncio.create_task(
            ChannelWorker(ChannelPolicy("slow", 0), ScriptedNotifier(), context).run()
        )
    )
    bench.queue(replace(notice(), key=replace(notice().key, channel="slow")))
    await bench.clock.advance(9 * SECOND)
    mark = async_store.operations[-1]
    assert isinstance(mark, RecordAttempt)
    assert bench.notifications.channel_status("main")["low", 1]["slow"].told_at == mark.at


def held(until: Millis, rule: str = "low") -> Notice:
    """An end that a mute window holds back until then."""
    end = ended(rule)
    return replace(end, at=NOON, facts=replace(end.facts, not_before=until))


async def test_e2_the_end_inside_a_mute_window_leaves_when_it_ends(bench: Bench) -> None:
    """E2: it waits in the queue, and wakes its channel by itself."""
    bench.queue(held(bench.clock.now() + HOUR))
    await bench.clock.advance(HOUR - 1)
    assert bench.ways["telegram"].sent == []
    await bench.clock.advance(SECOND)
    assert len(bench.ways["telegram"].sent) == 1


async def test_e2_what_is_held_delays_and_hurries_nothing(bench: Bench) -> None:
    """F1, F2: other news leaves as usual; a held one is neither rerouted nor a reason to try."""
    bench.ways["telegram"].script = [LATER]
    bench.queue(held(bench.clock.now() + HOUR), notice("other"))
    await bench.clock.advance(20 * MINUTE)
    assert [message.body.splitlines()[2].split()[0] for message in bench.ways["telegram"].sent] == [
        "other",
        "other",
    ]
    assert bench.ways["email"].sent == []


async def test_e2_a_firing_waits_for_its_end_that_is_held(bench: Bench) -> None:
    """Promise 3: an alert that is over when the window ends is told in one message."""
    bench.ways["telegram"].script = [LATER]
    bench.queue(notice())
    await bench.clock.advance(SECOND)
    bench.queue(held(bench.clock.now() + HOUR))
    await bench.clock.advance(HOUR - MINUTE)
    assert len(bench.ways["telegram"].sent) == 1
    await bench.clock.advance(2 * MINUTE)
    assert bench.ways["telegram"].sent[1].title.startswith("OVER main: ")
    assert bench.notifications.channels() == []


async def test_e2_a_stop_sends_nothing_that_is_held(bench: Bench) -> None:
    """The next start holds it for as long as is left."""
    bench.queue(held(bench.clock.now() + HOUR))
    for worker in bench.workers.values():
        worker.stop()
    await bench.clock.advance(SECOND)
    assert bench.ways["telegram"].sent == []


async def test_e2_a_mute_window_ends_by_the_clock_on_the_wall(bench: Bench) -> None:
    """A5: if the clock is set forward beyond its end, held messages leave at once."""
    bench.queue(held(bench.clock.now() + HOUR))
    await bench.clock.advance(SECOND)
    bench.clock.step(HOUR)
    bench.notifications.shift("main", HOUR)
    await bench.clock.advance(SECOND)
    assert len(bench.ways["telegram"].sent) == 1


async def test_promise_2_a_clock_set_far_back_holds_nothing_for_ever(bench: Bench) -> None:
    """A window holds an end no longer than it lasted when that was decided."""
    bench.queue(held(bench.clock.now() + HOUR))
    bench.clock.step(-1_000 * HOUR)
    bench.notifications.shift("main", -1_000 * HOUR)
    await bench.clock.advance(HOUR - SECOND)
    assert bench.ways["telegram"].sent == []
    await bench.clock.advance(2 * SECOND)
    assert len(bench.ways["telegram"].sent) == 1


async def test_f1_a_streak_of_an_earlier_life_goes_on(bench: Bench) -> None:
    """F1: a start tries at once; if that fails, the outage goes on, and others are told."""
    worker = bench.workers["telegram"]
    worker.state.health = recorded_failure(bench.clock.elapsed() - HOUR, "no answer")
    bench.ways["telegram"].script = [LATER] * 9
    bench.queue(notice())
    await bench.clock.advance(SECOND - 1)
    assert bench.ways["email"].sent == []
    await bench.clock.advance(3 * SECOND)
    assert len(bench.ways["email"].sent) == 1


async def test_f3_a_test_that_got_through_un_parks_a_channel(bench: Bench) -> None:
    """F3: new messages go there again; the tests of a working channel are not looked up."""
    bench.ways["telegram"].script = [REFUSED]
    bench.queue(notice("a"))
    await bench.clock.advance(5 * SECOND)
    bench.queue(notice("b"))
    await bench.clock.advance(5 * SECOND)
    assert [len(way.sent) for way in bench.ways.values()] == [1, 2]
    bench.async_store.mended = {"telegram"}
    bench.queue(notice("c"))
    await bench.clock.advance(5 * SECOND)
    assert [len(way.sent) for way in bench.ways.values()] == [2, 2]
    asked = bench.async_store.asked
    await bench.clock.advance(MINUTE)
    assert bench.async_store.asked == asked


async def test_f3_nobody_can_tell_whether_a_test_got_through(bench: Bench) -> None:
    """F3: the channel stays parked until somebody can."""
    bench.ways["telegram"].script = [REFUSED]
    bench.async_store.unreadable, bench.async_store.mended = True, {"telegram"}
    bench.queue(notice("a"))
    await bench.clock.advance(MINUTE)
    assert bench.workers["telegram"].state.is_parked
    bench.async_store.unreadable = False
    await bench.clock.advance(LISTEN)
    assert not bench.workers["telegram"].state.is_parked


async def test_f3_where_all_refused_a_test_through_one_frees_the_others_of_theirs() -> None:
    """F3: the others are parked from then on, and hand over to the one that works."""
    bench = make("one", "two")
    bench.ways["one"].script = bench.ways["two"].script = [REFUSED] * 99
    first = replace(notice(), key=replace(notice().key, channel="one"))
    bench.queue(first, replace(first, key=replace(first.key, channel="two")))
    await bench.clock.advance(MINUTE)
    assert not any(worker.state.is_parked for worker in bench.workers.values())
    bench.ways["one"].script, bench.async_store.mended = [], {"one"}
    await bench.clock.advance(6 * MINUTE)
    assert bench.workers["two"].state.is_parked
    assert bench.notifications.open("one") == bench.notifications.open("two") == []
    await end(bench)


async def test_f2_what_waits_leaves_soon_after_a_test_got_through(bench: Bench) -> None:
    """F2: within LISTEN, unless the service itself asked for a longer pause."""
    bench.ways["telegram"].script = [LATER] * 8
    bench.queue(notice())
    await bench.clock.advance(5 * MINUTE)
    tried = len(bench.ways["telegram"].sent)
    await bench.clock.advance(MINUTE)
    assert len(bench.ways["telegram"].sent) == tried
    bench.async_store.mended = {"telegram"}
    await bench.clock.advance(LISTEN)
    assert len(bench.ways["telegram"].sent) == tried + 1


async def test_a_failing_channel_reads_the_record_seldom_however_often_it_is_woken(
    bench: Bench,
) -> None:
    """F2, S1: once in LISTEN; each read would hold up the alerts of channels that work."""
    bench.ways["telegram"].script = [LATER] * 99
    bench.queue(notice())
    await bench.clock.advance(SECOND)
    before = bench.async_store.asked
    for number in range(20):
        bench.queue(notice(f"r{number}"))
        await bench.clock.advance(SECOND)
    assert bench.async_store.asked - before <= 3
    await bench.clock.advance(MINUTE)
    assert bench.async_store.asked > before


async def test_s6_a_service_that_asks_for_days_is_tried_within_the_hour(bench: Bench) -> None:
    """S6: a warning waits an hour; with a critical it is 15 minutes in all."""
    sent, endless = bench.ways["telegram"].sent, replace(LATER, retry_after=999_999 * SECOND)
    bench.ways["telegram"].script = [endless] * 3
    bench.queue(notice())
    await bench.clock.advance(HOUR)
    assert len(sent) == 1
    await bench.clock.advance(2 * SECOND)
    assert len(sent) == 2
    bench.queue(notice("grave", Severity.CRITICAL))
    await bench.clock.advance(14 * MINUTE)
    assert len(sent) == 2
    await bench.clock.advance(MINUTE)
    assert len(sent) == 3
    bench.queue(notice("later", seq=2))
    await bench.clock.advance(15 * MINUTE)
    assert len(sent) == 4
    assert bench.notifications.open("telegram") == []


async def test_f2_a_test_overrides_no_pause_that_the_service_asked_for(bench: Bench) -> None:
    """F2: Telegram's `retry_after` is obeyed whatever a test met."""
    bench.ways["telegram"].script = [replace(LATER, retry_after=MINUTE)]
    bench.queue(notice())
    await bench.clock.advance(SECOND)
    bench.async_store.mended = {"telegram"}
    await bench.clock.advance(59 * SECOND)
    assert len(bench.ways["telegram"].sent) == 1
    await bench.clock.advance(SECOND)
    assert len(bench.ways["telegram"].sent) == 2


def escalated(**changes: Any) -> Notice:
    told = notice(**changes)
    facts = replace(told.facts, late=Late.ESCALATED, unacknowledged=15 * MINUTE)
    return replace(told, key=replace(told.key, channel="call"), facts=facts)


ACK = Silence(1, True, "low", "main", notice().facts.code, T0, None, "on it")


async def test_e6_an_acknowledgement_takes_back_an_escalation_that_has_not_left() -> None:
    """E6: before the next try, not only with the account's next input."""
    bench = make("call", "phone", escalates_to=["call"])
    bench.ways["call"].script = [LATER]
    bench.queue(escalated())
    await bench.clock.advance(SECOND)
    bench.async_store.hushed = [ACK]
    await bench.clock.advance(MINUTE)
    assert len(bench.ways["call"].sent) == 1
    assert told(bench) == {"call": ChannelStatus()}
    assert bench.async_store.operations[-1] == Supersede(NOON + 3 * SECOND, (escalated().key,))
    await end(bench)


async def test_e6_an_acknowledgement_keeps_what_escalate_was_told_already() -> None:
    """E6, E2: a possible repeat of the firing, and the news that it got worse."""
    bench = make("call", "phone", escalates_to=["call"])
    bench.ways["call"].script = [UNKNOWN]
    bench.queue(escalated())
    await bench.clock.advance(SECOND)
    bench.async_store.hushed = [ACK]
    await bench.clock.advance(MINUTE)
    assert "may be a repeat" in bench.ways["call"].sent[-1].body
    bench.queue(escalated(kind=Kind.WORSE, seq=2))
    await bench.clock.advance(MINUTE)
    assert len(bench.ways["call"].sent) == 3
    await end(bench)


@pytest.mark.parametrize("outcome", [FAILS, REFUSED])
@pytest.mark.parametrize("kind", [Kind.FIRING, Kind.WORSE])
async def test_e6_an_acknowledged_alert_is_handed_over_to_no_channel_of_escalate(
    outcome: AttemptResult, kind: Kind
) -> None:
    """E6, F1, F3: mail is dead or refuses; of the others, only those are told that may be."""
    bench = make("phone", "mail", "call", "sms", escalates_to=["call"])
    bench.ways["mail"].script = [FAILS] * 3 + [outcome] * 500
    for name in ("phone", "mail"):
        first = notice(kind=kind)
        bench.queue(replace(first, key=replace(first.key, channel=name)))
    await bench.clock.advance(5 * SECOND)
    bench.async_store.hushed = [ACK]
    await bench.clock.advance(12 * MINUTE)
    sent = {name: len(way.sent) for name, way in bench.ways.items() if name != "mail"}
    assert sent == {"phone": 1, "call": 0, "sms": 1}
    await end(bench)


def told(bench: Bench) -> dict[str, ChannelStatus]:
    return dict(bench.notifications.channel_status("main")["low", 1])
