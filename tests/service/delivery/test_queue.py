"""The channel status, as notifications come and go."""

from dataclasses import replace

import pytest

from daemon.alerts.channel_decisions import ChannelStatus
from daemon.service.delivery.queue import NotificationQueue
from daemon.types import Kind, Notice, NoticeKey, NotificationFacts, Outcome, Severity
from tests.values import T0

FACTS = NotificationFacts(Severity.WARNING, "k3f9", T0, T0, T0, None)
FIRING = Notice(NoticeKey("main", "low", 1, "telegram", Kind.FIRING, 1), T0, FACTS)
END = Notice(NoticeKey("main", "low", 1, "telegram", Kind.RESOLVED, 2), T0, FACTS)
EPISODE = ("low", 1)


def told(notifications: NotificationQueue) -> ChannelStatus | None:
    return notifications.channel_status("main").get(EPISODE, {}).get("telegram")


def queued(*notices: Notice) -> NotificationQueue:
    notifications = NotificationQueue(0)
    for notice in notices:
        notifications.queue(notice, 100)
    return notifications


def test_what_is_queued_waits_and_wakes_its_channel() -> None:
    """A new notification is seen by the owner (waiting) and by the worker (changed)."""
    notifications = queued(FIRING)
    assert told(notifications) == ChannelStatus(waiting=FIRING.key, announced_after=0)
    assert [entry.notice for entry in notifications.waiting("telegram")] == [FIRING]
    assert notifications.changed("telegram").is_set()
    assert notifications.knows(FIRING.key, "telegram")
    assert not notifications.knows(FIRING.key, "email")


def test_what_is_being_sent_cannot_be_superseded() -> None:
    """F7: a pass supersedes only what is queued."""
    notifications = queued(FIRING)
    notifications.sending([FIRING.key])
    notifications.supersede([FIRING.key])
    assert told(notifications) == ChannelStatus(in_flight=True, announced_after=0)
    assert notifications.waiting("telegram") == []
    assert [entry.notice for entry in notifications.open("telegram")] == [FIRING]


def test_what_was_superseded_was_never_told() -> None:
    """E2: after a held firing the channel knows nothing; superseding twice changes nothing."""
    notifications = queued(FIRING)
    notifications.supersede([FIRING.key])
    notifications.supersede([FIRING.key])
    assert told(notifications) == ChannelStatus()
    assert notifications.open("telegram") == []


def test_delivered_is_told() -> None:
    """The repeat clock starts at the delivery."""
    notifications = queued(FIRING)
    notifications.sending([FIRING.key])
    notifications.settle([FIRING.key], Outcome.DELIVERED, T0 + 5)
    assert told(notifications) == ChannelStatus(
        told_at=T0 + 5, last=FACTS, sure=True, announced_after=0
    )


def test_unknown_counts_as_told_and_is_tried_again() -> None:
    """Promise 2, 3: it may have arrived; its retry says so."""
    notifications = queued(FIRING)
    notifications.sending([FIRING.key])
    notifications.settle([FIRING.key], Outcome.UNKNOWN, T0 + 5)
    assert told(notifications) == ChannelStatus(
        told_at=T0 + 5,
        last=FACTS,
        waiting=FIRING.key,
        announced_after=0,
        doubtful=frozenset({FIRING.key}),
    )
    assert notifications.waiting("telegram")[0].maybe_repeat is True


@pytest.mark.parametrize("began", [True, False])
def test_later_is_tried_again_and_told_nothing(began: bool) -> None:
    """A failed attempt leaves the channel as it was; so does one that never began."""
    notifications = queued(FIRING)
    notifications.sending([FIRING.key])
    if began:
        notifications.settle([FIRING.key], Outcome.LATER, T0 + 5)
    else:
        notifications.unsend([FIRING.key])
    assert told(notifications) == ChannelStatus(waiting=FIRING.key, announced_after=0)


def test_a_channel_given_up_is_not_told() -> None:
    """F3: refused for good, told elsewhere."""
    notifications = queued(FIRING)
    notifications.sending([FIRING.key])
    notifications.settle([FIRING.key], Outcome.REFUSED, T0, give_up=True)
    assert told(notifications) == ChannelStatus(given_up=True, announced_after=0)
    assert notifications.open("telegram") == []


def test_what_was_told_is_forgotten_when_the_alert_and_its_news_are_over() -> None:
    """Memory: as long as the end waits, it is remembered; then the episode is gone."""
    notifications = queued(FIRING)
    notifications.sending([FIRING.key])
    notifications.settle([FIRING.key], Outcome.DELIVERED, T0)
    notifications.queue(END, 200)
    notifications.over("main", [EPISODE])
    assert told(notifications) == ChannelStatus(
        told_at=T0, last=FACTS, sure=True, ended=True, announced_after=0
    )
    notifications.sending([END.key])
    notifications.settle([END.key], Outcome.LATER, T0)
    assert told(notifications) == ChannelStatus(
        told_at=T0, last=FACTS, sure=True, ended=True, announced_after=0
    )
    notifications.sending([END.key])
    notifications.settle([END.key], Outcome.DELIVERED, T0)
    assert told(notifications) is None


def test_an_episode_of_which_nothing_waits_is_forgotten_at_once() -> None:
    """Nothing is kept for alerts that nobody was told of."""
    notifications = queued(FIRING)
    notifications.supersede([FIRING.key])
    notifications.over("main", [EPISODE])
    assert told(notifications) is None


def test_a5_a_clock_step_moves_what_was_told() -> None:
    """A5: repeats keep their distance; what was never told has no instant to move."""
    notifications = queued(FIRING)
    notifications.shift("main", -60_000)
    assert told(notifications) == ChannelStatus(waiting=FIRING.key, announced_after=0)
    notifications.remember(FIRING.key, ChannelStatus(told_at=T0))
    notifications.shift("main", -60_000)
    assert told(notifications) == ChannelStatus(told_at=T0 - 60_000)


def test_when_the_store_has_caught_up_nothing_is_unrecorded() -> None:
    """Promise 1's exception ends with the outage."""
    notifications = NotificationQueue(0)
    notifications.queue(FIRING, 100, recorded=False)
    assert notifications.waiting("telegram")[0].recorded is False
    notifications.mark_recorded()
    assert notifications.waiting("telegram")[0].recorded is True


def handed(
    notifications: NotificationQueue, notice: Notice, *channels: str, giving_up: bool = True
) -> list[str]:
    return [
        each.key.channel for each in notifications.reroute(notice, channels, giving_up=giving_up)
    ]


def test_f4_news_visits_a_channel_once() -> None:
    """News on its way to a channel is reserved there, even if others reroute it meanwhile."""
    notifications = queued(FIRING)
    assert handed(notifications, FIRING, "email", "sms") == ["email", "sms"]
    assert handed(notifications, FIRING, "email", "sms", "desk") == ["desk"]


def test_promise_3_an_end_follows_the_news_that_was_handed_over() -> None:
    """The end of a rerouted firing is rerouted as well, once."""
    notifications = queued(FIRING, END)
    assert handed(notifications, FIRING, "email") == ["email"]
    assert handed(notifications, END, "email") == ["email"]
    assert handed(notifications, END, "email") == []


def test_promise_2_what_everybody_gave_up_is_tried_again() -> None:
    """If no channel has it, it goes back to those that refused it earlier; otherwise nowhere."""
    notifications = queued(FIRING)
    email = replace(FIRING.key, channel="email")
    notifications.remember(email, ChannelStatus(given_up=True))
    assert handed(notifications, FIRING, "email", giving_up=False) == []
    assert handed(notifications, FIRING, "email") == ["email"]
    notifications.remember(email, ChannelStatus(told_at=T0, given_up=True))
    assert handed(notifications, FIRING, "email") == ["email"]
    notifications.remember(email, ChannelStatus(told_at=T0, last=FACTS, sure=True, given_up=True))
    assert handed(notifications, FIRING, "email") == []


def test_e6_a_hand_over_leaves_escalate_to_its_time_if_another_channel_has_the_news() -> None:
    """E6, F1: in doubt, and if a channel of `escalate` itself fails, all others are told."""
    call = replace(FIRING, key=replace(FIRING.key, channel="call"))

    def others(notice: Notice, phone: ChannelStatus) -> list[str]:
        notifications = queued(notice)
        notifications.remember(replace(FIRING.key, channel="phone"), phone)
        names = ("phone", "call", "boss", "sms")
        handed = notifications.reroute(notice, names, giving_up=True, later=("call", "boss"))
        return [each.key.channel for each in handed]

    sure, doubtful = ChannelStatus(told_at=T0, sure=True), ChannelStatus(told_at=T0)
    assert others(FIRING, sure) == ["sms"]
    assert others(FIRING, doubtful) == ["call", "boss", "sms"]
    assert others(call, sure) == ["boss", "sms"]


def test_an_end_does_not_overtake_the_news_that_is_reserved() -> None:
    """Promise 3: while a hand-over is being recorded, the end of it waits for it."""
    notifications = queued(FIRING)
    [there] = notifications.reroute(FIRING, ["email"], giving_up=True)
    notifications.queue(replace(END, key=replace(END.key, channel="email")), 200)
    assert notifications.waiting("email") == []
    notifications.queue(there, 300)
    assert {entry.notice.key.kind for entry in notifications.waiting("email")} == {
        Kind.FIRING,
        Kind.RESOLVED,
    }


def test_what_is_handed_back_may_be_a_repeat() -> None:
    """Promise 2: an unknown outcome is kept when the channel refuses the next attempt."""
    notifications = queued(END)
    for outcome in (Outcome.UNKNOWN, Outcome.REFUSED):
        notifications.sending([END.key])
        notifications.settle([END.key], outcome, T0, give_up=outcome is Outcome.REFUSED)
    notifications.queue(END, 300)
    assert notifications.waiting("telegram")[0].maybe_repeat is True


def test_a_clock_step_leaves_alone_what_is_over() -> None:
    """As the store does: no reminder of it will be due."""
    notifications = queued(FIRING)
    notifications.sending([FIRING.key])
    notifications.settle([FIRING.key], Outcome.DELIVERED, T0)
    notifications.queue(END, 200)
    notifications.over("main", [EPISODE])
    notifications.shift("main", -60_000)
    assert told(notifications) == ChannelStatus(
        told_at=T0, last=FACTS, sure=True, ended=True, announced_after=0
    )


def test_worse_is_news_of_the_firing() -> None:
    """E1: it is told and remembered like a repeat, with its value."""
    worse = Notice(replace(FIRING.key, kind=Kind.WORSE, seq=5), T0 + 9, replace(FACTS, at=T0 + 9))
    notifications = queued(worse)
    assert told(notifications) == ChannelStatus(waiting=worse.key, announced_after=9)
    notifications.sending([worse.key])
    notifications.settle([worse.key], Outcome.DELIVERED, T0 + 10)
    assert told(notifications) == ChannelStatus(
        told_at=T0 + 10, last=worse.facts, sure=True, announced_after=9
    )


def test_the_end_tells_nothing_of_the_value() -> None:
    """The value told last is that of the firing's news."""
    notifications = queued(END)
    notifications.sending([END.key])
    notifications.settle([END.key], Outcome.DELIVERED, T0)
    assert told(notifications) == ChannelStatus(ended=True)
