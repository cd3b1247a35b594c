"""What each channel was told, as notifications come and go."""

from dataclasses import replace

import pytest

from daemon.alerts.dispatch import ChannelStatus
from daemon.service.delivery.queue import NotificationQueue
from daemon.types import Kind, Notice, NoticeKey, NotificationFacts, Outcome, Severity
from tests.values import T0

FACTS = NotificationFacts(Severity.WARNING, "k3f9", T0, T0, T0, None)
FIRING = Notice(NoticeKey("main", "low", 1, "telegram", Kind.FIRING, 1), T0, FACTS)
END = Notice(NoticeKey("main", "low", 1, "telegram", Kind.RESOLVED, 2), T0, FACTS)
EPISODE = ("low", 1)


def told(ledger: NotificationQueue) -> ChannelStatus | None:
    return ledger.told("main").get(EPISODE, {}).get("telegram")


def queued(*notices: Notice) -> NotificationQueue:
    ledger = NotificationQueue(0)
    for notice in notices:
        ledger.queue(notice, 100)
    return ledger


def test_what_is_queued_waits_and_wakes_its_channel() -> None:
    """A new notification is seen by the owner (waiting) and by the courier (changed)."""
    ledger = queued(FIRING)
    assert told(ledger) == ChannelStatus(waiting=FIRING.key)
    assert [entry.notice for entry in ledger.waiting("telegram")] == [FIRING]
    assert ledger.changed("telegram").is_set()
    assert ledger.knows(FIRING.key, "telegram")
    assert not ledger.knows(FIRING.key, "email")


def test_what_is_being_sent_cannot_be_superseded() -> None:
    """F7: a pass supersedes only what is queued."""
    ledger = queued(FIRING)
    ledger.sending([FIRING.key])
    ledger.supersede([FIRING.key])
    assert told(ledger) == ChannelStatus(in_flight=True)
    assert ledger.waiting("telegram") == []
    assert [entry.notice for entry in ledger.open("telegram")] == [FIRING]


def test_what_was_superseded_was_never_told() -> None:
    """E2: a held firing leaves the channel knowing nothing; superseding twice is superseding
    once.
    """
    ledger = queued(FIRING)
    ledger.supersede([FIRING.key])
    ledger.supersede([FIRING.key])
    assert told(ledger) == ChannelStatus()
    assert ledger.open("telegram") == []


def test_delivered_is_told() -> None:
    """The repeat clock starts at the delivery."""
    ledger = queued(FIRING)
    ledger.sending([FIRING.key])
    ledger.settle([FIRING.key], Outcome.DELIVERED, T0 + 5)
    assert told(ledger) == ChannelStatus(told_at=T0 + 5, last=FACTS, sure=True)


def test_unknown_counts_as_told_and_is_tried_again() -> None:
    """Promise 2, 3: it may have arrived; its retry says so."""
    ledger = queued(FIRING)
    ledger.sending([FIRING.key])
    ledger.settle([FIRING.key], Outcome.UNKNOWN, T0 + 5)
    assert told(ledger) == ChannelStatus(
        told_at=T0 + 5, last=FACTS, waiting=FIRING.key, doubtful=frozenset({FIRING.key})
    )
    assert ledger.waiting("telegram")[0].maybe_repeat is True


@pytest.mark.parametrize("began", [True, False])
def test_later_is_tried_again_and_told_nothing(began: bool) -> None:
    """A failed attempt leaves the channel as it was; so does one that never began."""
    ledger = queued(FIRING)
    ledger.sending([FIRING.key])
    if began:
        ledger.settle([FIRING.key], Outcome.LATER, T0 + 5)
    else:
        ledger.unsend([FIRING.key])
    assert told(ledger) == ChannelStatus(waiting=FIRING.key)


def test_a_channel_given_up_is_not_told() -> None:
    """F3: refused for good, told elsewhere."""
    ledger = queued(FIRING)
    ledger.sending([FIRING.key])
    ledger.settle([FIRING.key], Outcome.REFUSED, T0, give_up=True)
    assert told(ledger) == ChannelStatus(given_up=True)
    assert ledger.open("telegram") == []


def test_what_was_told_is_forgotten_when_the_alert_and_its_news_are_over() -> None:
    """Memory: as long as the end waits, it is remembered; then the episode is gone."""
    ledger = queued(FIRING)
    ledger.sending([FIRING.key])
    ledger.settle([FIRING.key], Outcome.DELIVERED, T0)
    ledger.queue(END, 200)
    ledger.over("main", [EPISODE])
    assert told(ledger) == ChannelStatus(told_at=T0, last=FACTS, sure=True, ended=True)
    ledger.sending([END.key])
    ledger.settle([END.key], Outcome.LATER, T0)
    assert told(ledger) == ChannelStatus(told_at=T0, last=FACTS, sure=True, ended=True)
    ledger.sending([END.key])
    ledger.settle([END.key], Outcome.DELIVERED, T0)
    assert told(ledger) is None


def test_an_episode_of_which_nothing_waits_is_forgotten_at_once() -> None:
    """Nothing is kept for alerts that nobody was told of."""
    ledger = queued(FIRING)
    ledger.supersede([FIRING.key])
    ledger.over("main", [EPISODE])
    assert told(ledger) is None


def test_a5_a_clock_step_moves_what_was_told() -> None:
    """A5: repeats keep their distance; what was never told has no instant to move."""
    ledger = queued(FIRING)
    ledger.shift("main", -60_000)
    assert told(ledger) == ChannelStatus(waiting=FIRING.key)
    ledger.remember(FIRING.key, ChannelStatus(told_at=T0))
    ledger.shift("main", -60_000)
    assert told(ledger) == ChannelStatus(told_at=T0 - 60_000)


def test_when_the_store_has_caught_up_nothing_is_unrecorded() -> None:
    """Promise 1's exception ends with the outage."""
    ledger = NotificationQueue(0)
    ledger.queue(FIRING, 100, recorded=False)
    assert ledger.waiting("telegram")[0].recorded is False
    ledger.stored()
    assert ledger.waiting("telegram")[0].recorded is True


def handed(
    ledger: NotificationQueue, notice: Notice, *channels: str, giving_up: bool = True
) -> list[str]:
    return [each.key.channel for each in ledger.elsewhere(notice, channels, giving_up=giving_up)]


def test_f4_news_visits_a_channel_once() -> None:
    """What is on its way to a channel is reserved for it, whoever else wants to hand it over
    meanwhile.
    """
    ledger = queued(FIRING)
    assert handed(ledger, FIRING, "email", "sms") == ["email", "sms"]
    assert handed(ledger, FIRING, "email", "sms", "desk") == ["desk"]


def test_promise_3_an_end_follows_the_news_that_was_handed_over() -> None:
    """Who was told of a firing in another's stead has no end of its own: it is handed over as well,
    once.
    """
    ledger = queued(FIRING, END)
    assert handed(ledger, FIRING, "email") == ["email"]
    assert handed(ledger, END, "email") == ["email"]
    assert handed(ledger, END, "email") == []


def test_promise_2_what_everybody_gave_up_is_tried_again() -> None:
    """Where no other channel has it, it goes back to those that refused it in an earlier life; else
    nowhere.
    """
    ledger = queued(FIRING)
    email = replace(FIRING.key, channel="email")
    ledger.remember(email, ChannelStatus(given_up=True))
    assert handed(ledger, FIRING, "email", giving_up=False) == []
    assert handed(ledger, FIRING, "email") == ["email"]
    ledger.remember(email, ChannelStatus(told_at=T0, given_up=True))
    assert handed(ledger, FIRING, "email") == ["email"]
    ledger.remember(email, ChannelStatus(told_at=T0, last=FACTS, sure=True, given_up=True))
    assert handed(ledger, FIRING, "email") == []


def test_an_end_does_not_overtake_the_news_that_is_reserved() -> None:
    """Promise 3: while a hand-over is being recorded, the end of it waits for it."""
    ledger = queued(FIRING)
    [there] = ledger.elsewhere(FIRING, ["email"], giving_up=True)
    ledger.queue(replace(END, key=replace(END.key, channel="email")), 200)
    assert ledger.waiting("email") == []
    ledger.queue(there, 300)
    assert {entry.notice.key.kind for entry in ledger.waiting("email")} == {
        Kind.FIRING,
        Kind.RESOLVED,
    }


def test_what_is_handed_back_may_be_a_repeat() -> None:
    """Promise 2: an attempt without an outcome is not forgotten when the channel refuses the next
    one.
    """
    ledger = queued(END)
    for outcome in (Outcome.UNKNOWN, Outcome.REFUSED):
        ledger.sending([END.key])
        ledger.settle([END.key], outcome, T0, give_up=outcome is Outcome.REFUSED)
    ledger.queue(END, 300)
    assert ledger.waiting("telegram")[0].maybe_repeat is True


def test_a_clock_step_leaves_alone_what_is_over() -> None:
    """As the store does: no reminder of it will be due."""
    ledger = queued(FIRING)
    ledger.sending([FIRING.key])
    ledger.settle([FIRING.key], Outcome.DELIVERED, T0)
    ledger.queue(END, 200)
    ledger.over("main", [EPISODE])
    ledger.shift("main", -60_000)
    assert told(ledger) == ChannelStatus(told_at=T0, last=FACTS, sure=True, ended=True)


def test_worse_is_news_of_the_firing() -> None:
    """E1: it is told and remembered like a repeat, with the value it told."""
    worse = Notice(replace(FIRING.key, kind=Kind.WORSE, seq=5), T0 + 9, replace(FACTS, at=T0 + 9))
    ledger = queued(worse)
    assert told(ledger) == ChannelStatus(waiting=worse.key)
    ledger.sending([worse.key])
    ledger.settle([worse.key], Outcome.DELIVERED, T0 + 10)
    assert told(ledger) == ChannelStatus(told_at=T0 + 10, last=worse.facts, sure=True)


def test_the_end_tells_nothing_of_the_value() -> None:
    """What a channel was last told is what the news of the firing said."""
    ledger = queued(END)
    ledger.sending([END.key])
    ledger.settle([END.key], Outcome.DELIVERED, T0)
    assert told(ledger) == ChannelStatus(ended=True)
