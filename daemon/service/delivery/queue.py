"""Queue of open notifications of all channels, and what each channel was told.

It is filled from the store at a start, by account owners when an input is committed, and by channel
workers when an attempt ends. All run in one event loop: a value that an owner reads holds until it
awaits. The queue knows no channel, no text and no database.
"""

import asyncio
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from daemon.alerts.channel_decisions import ChannelStatus, Episode
from daemon.types import (
    ENDS,
    NEWS,
    AccountState,
    ClockStep,
    Kind,
    Late,
    Millis,
    Notice,
    NoticeKey,
    NotificationFacts,
    Outcome,
    Record,
    Severity,
)

_GIVEN_UP: Mapping[bool, Mapping[str, object]] = {
    True: {"in_flight": False, "given_up": True},
    False: {"end_given_up": True},
}
"""Changes of the channel status after a permanent refusal, by whether it was about the firing."""


@dataclass(slots=True)
class QueuedNotification:
    """One open notification. `queued_at` is of `Clock.elapsed`."""

    notice: Notice
    queued_at: Millis
    sending: bool = False
    recorded: bool = True
    """False while its record could not be stored."""
    maybe_repeat: bool = False
    """An earlier attempt has an unknown outcome."""
    handed_over: bool = False
    """Other channels got it instead of this one."""
    kept: bool = False
    """An earlier instance left it."""

    @property
    def critical(self) -> bool:
        return self.notice.facts.severity is Severity.CRITICAL

    def held_for(self, now: Millis, elapsed: Millis) -> Millis:
        """How much longer a mute window holds it back; 0 if it may leave. `now` is wall time.

        At most as long as the window was when this was decided: setting the clock far back must not
        hold a message for ever.
        """
        return max(0, self._leaves_in(now, elapsed))

    def waited(self, now: Millis, elapsed: Millis) -> Millis:
        """How long it has been free to leave."""
        return min(elapsed - self.queued_at, max(0, -self._leaves_in(now, elapsed)))

    def _leaves_in(self, now: Millis, elapsed: Millis) -> Millis:
        until = self.notice.facts.not_before
        if until is None:
            return self.queued_at - elapsed
        return min(until - now, self.queued_at + until - self.notice.at - elapsed)


class NotificationQueue:
    """Open notifications and channel status. `offset`: see `clock_monitor.offset`."""

    def __init__(self, offset: Millis) -> None:
        self._offset = offset
        self._offsets: dict[str, Millis] = {}
        """By account: the offset at the last clock step that was judged there."""
        self._open: dict[str, dict[NoticeKey, QueuedNotification]] = defaultdict(dict)
        self._status: dict[str, dict[Episode, dict[str, ChannelStatus]]] = defaultdict(dict)
        self._over: dict[str, set[Episode]] = defaultdict(set)
        self._begun: dict[str, dict[Episode, Millis]] = defaultdict(dict)
        """When each alert began, as recorded; the store counts delivery times from it."""
        self._changed: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._taken: set[NoticeKey] = set()
        """News that one channel has while another one's is still open; keys without a channel."""

    def set_offset(self, account: str, offset: Millis) -> None:
        """Use a new clock offset for the account, after a clock step."""
        self._offsets[account] = offset

    def instant(self, account: str, elapsed: Millis) -> Millis:
        """Wall time in the account's terms: without a clock step that it has not judged yet."""
        return elapsed + self._offsets.get(account, self._offset)

    def since_alert_began(self, key: NoticeKey, elapsed: Millis) -> Millis:
        """Time since the alert began. A clock step moves both instants and changes nothing."""
        begun = self._begun[key.account].get(_episode(key), self._facts(key).since)
        return self.instant(key.account, elapsed) - begun

    def channel_status(self, account: str) -> Mapping[Episode, Mapping[str, ChannelStatus]]:
        """Channel status of the account's open alerts."""
        return self._status[account]

    def knows(self, key: NoticeKey, channel: str) -> bool:
        """Whether `channel` has, or will get, the news of `key`: the firing, or the end."""
        status = self._known(replace(key, channel=channel))
        firing = status.sure or status.waiting is not None or (status.knows and not status.given_up)
        end = status.ended and not status.end_given_up
        return end or (key.kind in NEWS and firing)

    def was_delivered(self, key: NoticeKey, channel: str) -> bool:
        """Whether the news of `key` was delivered to `channel` for certain."""
        there = replace(key, channel=channel)
        if key.kind in NEWS:
            return self._known(there).sure
        waits = any(
            _episode(each) == _episode(key) and each.account == key.account
            for each in self._open[channel]
        )
        return self._known(there).ended and not self._known(there).end_given_up and not waits

    def reroute(
        self,
        notice: Notice,
        channels: Sequence[str],
        *,
        giving_up: bool,
        later: Container[str] = (),
    ) -> list[Notice]:
        """The same news for each of `channels` that lacks it; reserves it there.

        A notification visits a channel once. If all channels gave it up, and so does the last one
        now, it visits them again. An ACK is not rerouted: others need not know that somebody saw
        the alert. `later` are the channels of `escalate`: see `_without_later`.
        """
        if notice.key.kind is Kind.ACK:
            return []
        channels = self._without_later(notice.key, channels, later)
        facts = replace(notice.facts, late=Late.HANDED_OVER, handed_over_by=notice.key.channel)
        fresh = [channel for channel in channels if not self._visited(notice.key, channel)]
        if (
            giving_up
            and not fresh
            and not any(self.knows(notice.key, channel) for channel in channels)
        ):
            fresh = list(channels)
        handed = [
            Notice(replace(notice.key, channel=channel), notice.at, facts) for channel in fresh
        ]
        for each in handed:
            self._expect(each.key)
        return handed

    def _without_later(
        self, key: NoticeKey, channels: Sequence[str], later: Container[str]
    ) -> Sequence[str]:
        """Leave `later` channels to their own time if any other has the news for certain (E6).

        But if one of them fails, its news goes to all: whoever had it did not acknowledge it.
        """
        others = [name for name in channels if name not in later]
        sure = any(self.was_delivered(key, name) for name in others)
        return others if sure and key.channel not in later else channels

    def _visited(self, key: NoticeKey, channel: str) -> bool:
        status = self._known(replace(key, channel=channel))
        return self.knows(key, channel) or (status.given_up if key.kind in NEWS else status.ended)

    def waiting(self, channel: str) -> list[QueuedNotification]:
        """Queued notifications, oldest first; no end before the news of its firing."""
        return [
            entry
            for entry in self._open[channel].values()
            if not entry.sending and not self._awaits_firing(entry)
        ]

    def ready(self, channel: str, now: Millis, elapsed: Millis) -> list[QueuedNotification]:
        """Queued notifications that may leave at `now` (wall time).

        If a mute window holds the end of an alert, its earlier news waits too: it is then told as
        over (E2).
        """
        waiting = self.waiting(channel)
        held = {entry.notice.episode for entry in waiting if entry.held_for(now, elapsed)}
        return [entry for entry in waiting if entry.notice.episode not in held] if held else waiting

    def held_for(self, channel: str, now: Millis, elapsed: Millis) -> Millis | None:
        """Time until the next mute window ends that holds something back; None without one."""
        spans = (entry.held_for(now, elapsed) for entry in self.waiting(channel))
        return min((span for span in spans if span), default=None)

    def taken_elsewhere(self, entry: QueuedNotification) -> bool:
        """Whether another channel has this news, as far as known after a restart."""
        key = entry.notice.key
        if replace(key, channel="") in self._taken:
            return True
        status = self._status[key.account].get(_episode(key), {}) if entry.kept else {}
        return any(self.was_delivered(key, channel) for channel in status if channel != key.channel)

    def open(self, channel: str) -> list[QueuedNotification]:
        """Notifications that are queued or being sent."""
        return list(self._open[channel].values())

    def is_clear(self, channel: str, keys: Iterable[NoticeKey]) -> bool:
        """Whether the channel is empty, and none of these episodes awaits news there."""
        return not self._open[channel] and all(self._known(key).waiting is None for key in keys)

    def channels(self) -> list[str]:
        """Channels with open notifications."""
        return [channel for channel, entries in self._open.items() if entries]

    def changed(self, channel: str) -> asyncio.Event:
        """The event that is set whenever something new is queued there."""
        return self._changed[channel]

    def remember(self, key: NoticeKey, status: ChannelStatus, begun: Millis | None = None) -> None:
        """Take over the recorded channel status of one episode, and when its alert began."""
        if begun is not None:
            self._begun[key.account][_episode(key)] = begun
        self._status[key.account].setdefault(_episode(key), {})[key.channel] = status

    def adopt(self, record: Record, now: Millis, *, recorded: bool = True) -> None:
        """Queue the notifications of a record that is committed, or waits for the store."""
        if isinstance(record.event, ClockStep):
            self.shift(record.account, record.event.by)
        self._begun[record.account].update(
            {(alert.rule, alert.seq): alert.started_at for alert in record.alerts}
        )
        self.supersede(record.superseded)
        for notice in record.notices:
            self.queue(notice, now, recorded=recorded)
        self.over(
            record.account,
            [(alert.rule, alert.seq) for alert in record.alerts if alert.ended_at is not None],
        )

    def queue(self, notice: Notice, now: Millis, *, recorded: bool = True) -> None:
        self.keep(QueuedNotification(notice, now, recorded=recorded))

    def keep(self, entry: QueuedNotification) -> None:
        """Queue an entry: a new one, or one that an earlier instance left."""
        key = entry.notice.key
        self._open[key.channel][key] = entry
        self._expect(key)
        if key.kind in NEWS:
            self._set(key, self._known(key).announced(entry.notice.facts))
        entry.maybe_repeat = key in self._known(key).doubtful
        self._changed[key.channel].set()

    def supersede(self, keys: Iterable[NoticeKey]) -> None:
        """Drop queued notifications; one being sent cannot be called back (SEMANTICS F7)."""
        for key in keys:
            entry = self._open[key.channel].get(key)
            if entry is not None and not entry.sending:
                self._set(key, self._known(key).superseded())
                self._close(key)

    def is_unheard_end(self, key: NoticeKey) -> bool:
        """Whether this is the end of an alert that the channel was never told of."""
        status = self._known(key)
        return key.kind in ENDS and status.told_at is None and status.waiting is None

    def was_told(self, key: NoticeKey) -> bool:
        """Whether the channel was told that the alert fires, as far as known."""
        return self._known(key).told_at is not None

    def gave_up(self, key: NoticeKey) -> bool:
        """Whether the channel refused the news of the firing, which went to others."""
        return self._known(key).given_up

    def sending(self, keys: Iterable[NoticeKey]) -> None:
        for key in keys:
            self._open[key.channel][key].sending = True
            if key.kind in NEWS:
                self._tell(key, waiting=None, in_flight=True)

    def unsend(self, keys: Iterable[NoticeKey]) -> None:
        """Queue them again: the attempt never began. Settled ones stay settled."""
        for key in keys:
            if key in self._open[key.channel]:
                self._requeue(key)

    def settle(
        self, keys: Iterable[NoticeKey], outcome: Outcome, elapsed: Millis, *, give_up: bool = False
    ) -> None:
        """Record the end of an attempt. `give_up`: refused, and sent to other channels instead."""
        for key in keys:
            at = self.instant(key.account, elapsed)
            if outcome is Outcome.DELIVERED:
                self._delivered(key, at)
            elif give_up:
                self._close(key, **({} if key.kind is Kind.ACK else _GIVEN_UP[key.kind in NEWS]))
            elif outcome is Outcome.UNKNOWN:
                self._open[key.channel][key].maybe_repeat = True
                self._tell(key, doubtful=self._known(key).doubtful | {key})
                self._requeue(key, told_at=at, last=self._facts(key))
            else:
                self._requeue(key)

    def _delivered(self, key: NoticeKey, at: Millis) -> None:
        if any(other.notice.key != key for other in self._same_news(key)):
            self._taken.add(replace(key, channel=""))
        sure = {"doubtful": self._known(key).doubtful - {key}}
        news = {"in_flight": False, "sure": True, "told_at": at, "last": self._facts(key)}
        self._close(key, **sure, **(news if key.kind in NEWS else {}))

    def resume(self, state: AccountState) -> None:
        """Take over the open alerts; forget others of which nothing waits."""
        live = {(alert.rule, alert.seq): alert.started_at for alert in state.alerts.values()}
        self._begun[state.account].update(live)
        self.over(
            state.account,
            [episode for episode in self._status[state.account] if episode not in live],
        )

    def over(self, account: str, episodes: Iterable[Episode]) -> None:
        """Mark alerts as ended; their status is dropped once nothing of them waits."""
        for episode in episodes:
            self._over[account].add(episode)
            self._forget(account, episode)

    def shift(self, account: str, by: Millis) -> None:
        """Shift delivery times of open alerts after a clock step, so that repeats keep distance."""
        for episode, channels in self._status[account].items():
            for channel, status in channels.items():
                if status.told_at is not None and episode not in self._over[account]:
                    channels[channel] = replace(status, told_at=status.told_at + by)
        for changed in self._changed.values():
            changed.set()  # mute windows end by the wall clock

    def mark_recorded(self) -> None:
        """Mark everything as recorded: the store writes again and has caught up."""
        for entries in self._open.values():
            for entry in entries.values():
                entry.recorded = True

    def _expect(self, key: NoticeKey) -> None:
        if key.kind in NEWS:
            self._tell(key, waiting=key, given_up=False)
        elif key.kind is Kind.ACK:
            self._tell(key, acked=True)
        else:
            self._tell(key, ended=True, end_given_up=False)

    def _requeue(self, key: NoticeKey, **changes: object) -> None:
        self._open[key.channel][key].sending = False
        if key.kind in NEWS:
            self._tell(key, waiting=key, in_flight=False, **changes)

    def _close(self, key: NoticeKey, **changes: object) -> None:
        self._open[key.channel].pop(key, None)
        if not self._same_news(key):
            self._taken.discard(replace(key, channel=""))
        self._tell(key, **changes)
        self._forget(key.account, _episode(key))

    def _same_news(self, key: NoticeKey) -> list[QueuedNotification]:
        """Open notifications of the same news, on any channel."""
        keys = (replace(key, channel=channel) for channel in self._open)
        return [self._open[each.channel][each] for each in keys if each in self._open[each.channel]]

    def _awaits_firing(self, entry: QueuedNotification) -> bool:
        """Whether the news of the firing is reserved for the channel but not queued there yet."""
        awaited = self._known(entry.notice.key).waiting
        return awaited is not None and awaited not in self._open[awaited.channel]

    def _facts(self, key: NoticeKey) -> NotificationFacts:
        return self._open[key.channel][key].notice.facts

    def _known(self, key: NoticeKey) -> ChannelStatus:
        return self._status[key.account].get(_episode(key), {}).get(key.channel, ChannelStatus())

    def _tell(self, key: NoticeKey, **changes: object) -> None:
        self._set(key, replace(self._known(key), **changes))  # type: ignore[arg-type]

    def _set(self, key: NoticeKey, status: ChannelStatus) -> None:
        self._status[key.account].setdefault(_episode(key), {})[key.channel] = status

    def _forget(self, account: str, episode: Episode) -> None:
        if episode not in self._over[account]:
            return
        if not any(
            k.account == account and _episode(k) == episode
            for entries in self._open.values()
            for k in entries
        ):
            self._status[account].pop(episode, None)
            self._begun[account].pop(episode, None)
            self._over[account].discard(episode)


def _episode(key: NoticeKey) -> Episode:
    return key.rule, key.alert_seq
