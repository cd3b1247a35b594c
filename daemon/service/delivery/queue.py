"""The open notifications of all channels, and what each channel was told: the outbox's memory.

It is filled from the store at a start, by the account owners when an input is committed, and by the
couriers when an attempt ends. All of them run in one event loop, so that what an owner reads here
is true until it awaits. It holds no channel, no text and no database.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from daemon.alerts.dispatch import ChannelStatus, Episode
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
"""What a refusal for good does to what a channel knows, by whether it was news of the firing."""


@dataclass(slots=True)
class QueuedNotification:
    """One open notification. `queued_at` is of `Clock.elapsed`."""

    notice: Notice
    queued_at: Millis
    sending: bool = False
    recorded: bool = True
    """False while what caused it could not be stored."""
    maybe_repeat: bool = False
    """An attempt without an outcome went before."""
    handed_over: bool = False
    """Other channels were told in this one's stead."""
    kept: bool = False
    """An earlier life of the daemon left it."""

    @property
    def critical(self) -> bool:
        return self.notice.facts.severity is Severity.CRITICAL

    def held_for(self, now: Millis, elapsed: Millis) -> Millis:
        """How much longer a mute window holds it back; 0 where it may leave. `now` is wall time.

        No longer than the window lasted when this was decided: a clock that was set far back holds
        nothing for ever.
        """
        return max(0, self._leaves_in(now, elapsed))

    def waited(self, now: Millis, elapsed: Millis) -> Millis:
        """How long it could have left, and did not."""
        return min(elapsed - self.queued_at, max(0, -self._leaves_in(now, elapsed)))

    def _leaves_in(self, now: Millis, elapsed: Millis) -> Millis:
        until = self.notice.facts.not_before
        if until is None:
            return self.queued_at - elapsed
        return min(until - now, self.queued_at + until - self.notice.at - elapsed)


class NotificationQueue:
    """`offset` is the wall clock's as this life began: see `watchdog.offset`."""

    def __init__(self, offset: Millis) -> None:
        self._offset = offset
        self._offsets: dict[str, Millis] = {}
        """By account, as of the last step of the clock that was judged there."""
        self._open: dict[str, dict[NoticeKey, QueuedNotification]] = defaultdict(dict)
        self._told: dict[str, dict[Episode, dict[str, ChannelStatus]]] = defaultdict(dict)
        self._over: dict[str, set[Episode]] = defaultdict(set)
        self._begun: dict[str, dict[Episode, Millis]] = defaultdict(dict)
        """When each alert began, as recorded: the mark by which instants are told to the store."""
        self._changed: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._taken: set[NoticeKey] = set()
        """News that one channel has, and for which another one's is still open; without a
        channel.
        """

    def dated(self, account: str, offset: Millis) -> None:
        """What is told of the account from here on is told by a clock that was set."""
        self._offsets[account] = offset

    def instant(self, account: str, elapsed: Millis) -> Millis:
        """Wall time as the account's instants are meant: without a step that it has yet to judge,
        and to shift by.
        """
        return elapsed + self._offsets.get(account, self._offset)

    def lasted(self, key: NoticeKey, elapsed: Millis) -> Millis:
        """How long after the beginning of its alert that was: a step of the clock moves both, and
        changes nothing.
        """
        begun = self._begun[key.account].get(_episode(key), self._facts(key).since)
        return self.instant(key.account, elapsed) - begun

    def told(self, account: str) -> Mapping[Episode, Mapping[str, ChannelStatus]]:
        """What each channel knows of the account's open alerts."""
        return self._told[account]

    def knows(self, key: NoticeKey, channel: str) -> bool:
        """Whether `channel` has, or is about to have, the news that `key` is about: of the firing,
        or of the end.
        """
        told = self._known(replace(key, channel=channel))
        firing = told.sure or told.waiting is not None or (told.knows and not told.given_up)
        end = told.ended and not told.end_given_up
        return end or (key.kind in NEWS and firing)

    def heard(self, key: NoticeKey, channel: str) -> bool:
        """Whether the news that `key` is about was delivered to `channel`, beyond doubt."""
        there = replace(key, channel=channel)
        if key.kind in NEWS:
            return self._known(there).sure
        waits = any(
            _episode(each) == _episode(key) and each.account == key.account
            for each in self._open[channel]
        )
        return self._known(there).ended and not self._known(there).end_given_up and not waits

    def elsewhere(
        self, notice: Notice, channels: Sequence[str], *, giving_up: bool
    ) -> list[Notice]:
        """The same news for each of `channels` that does not have it, reserved for it from here on.

        A notification visits a channel once, unless all that it visited gave it up, and so does the
        last one now. That somebody knows of an alert need not be told by others.
        """
        if notice.key.kind is Kind.ACK:
            return []
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

    def _visited(self, key: NoticeKey, channel: str) -> bool:
        told = self._known(replace(key, channel=channel))
        return self.knows(key, channel) or (told.given_up if key.kind in NEWS else told.ended)

    def waiting(self, channel: str) -> list[QueuedNotification]:
        """What is queued there, oldest first; an end only when the news of its firing is here, if
        that is to come.
        """
        return [
            entry
            for entry in self._open[channel].values()
            if not entry.sending and not self._early(entry)
        ]

    def ready(self, channel: str, now: Millis, elapsed: Millis) -> list[QueuedNotification]:
        """What waits there and may leave at `now` (wall time).

        Of an alert whose end is held by a mute window nothing leaves before: it is over, and told
        as that (E2).
        """
        waiting = self.waiting(channel)
        held = {entry.notice.episode for entry in waiting if entry.held_for(now, elapsed)}
        return [entry for entry in waiting if entry.notice.episode not in held] if held else waiting

    def held_for(self, channel: str, now: Millis, elapsed: Millis) -> Millis | None:
        """How long until the next mute window ends that holds something back there; None where none
        does.
        """
        spans = (entry.held_for(now, elapsed) for entry in self.waiting(channel))
        return min((span for span in spans if span), default=None)

    def taken(self, entry: QueuedNotification) -> bool:
        """Whether another channel has these news; of those that an earlier life left, as far as it
        is known.
        """
        key = entry.notice.key
        if replace(key, channel="") in self._taken:
            return True
        told = self._told[key.account].get(_episode(key), {}) if entry.kept else {}
        return any(self.heard(key, channel) for channel in told if channel != key.channel)

    def open(self, channel: str) -> list[QueuedNotification]:
        """What is queued or on its way there."""
        return list(self._open[channel].values())

    def is_clear(self, channel: str, keys: Iterable[NoticeKey]) -> bool:
        """Whether nothing is open there, and nothing is to come of what these are about."""
        return not self._open[channel] and all(self._known(key).waiting is None for key in keys)

    def channels(self) -> list[str]:
        """Those for which something is open."""
        return [channel for channel, entries in self._open.items() if entries]

    def changed(self, channel: str) -> asyncio.Event:
        """Set whenever something new is queued there."""
        return self._changed[channel]

    def remember(self, key: NoticeKey, told: ChannelStatus, begun: Millis | None = None) -> None:
        """What the store recorded of an earlier life of the daemon, and when the alert began."""
        if begun is not None:
            self._begun[key.account][_episode(key)] = begun
        self._told[key.account].setdefault(_episode(key), {})[key.channel] = told

    def adopt(self, record: Record, now: Millis, *, recorded: bool = True) -> None:
        """What an input came to has been committed (or waits for the store): its news is open from
        here on.
        """
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
        """Put it where it waits: new, or as an earlier life of the daemon left it."""
        key = entry.notice.key
        self._open[key.channel][key] = entry
        self._expect(key)
        entry.maybe_repeat = key in self._known(key).doubtful
        self._changed[key.channel].set()

    def supersede(self, keys: Iterable[NoticeKey]) -> None:
        """Forget what waits; what is being sent cannot be called back (SEMANTICS F7)."""
        for key in keys:
            entry = self._open[key.channel].get(key)
            if entry is not None and not entry.sending:
                self._close(key, waiting=None)

    def unheard(self, key: NoticeKey) -> bool:
        """Whether this is the end of something that its channel was never told of."""
        told = self._known(key)
        return key.kind in ENDS and told.told_at is None and told.waiting is None

    def gave_up(self, key: NoticeKey) -> bool:
        """Whether the channel refused the news of the firing, which went to others in its stead."""
        return self._known(key).given_up

    def sending(self, keys: Iterable[NoticeKey]) -> None:
        for key in keys:
            self._open[key.channel][key].sending = True
            if key.kind in NEWS:
                self._tell(key, waiting=None, in_flight=True)

    def unsend(self, keys: Iterable[NoticeKey]) -> None:
        """The attempt never began: back into the queue as if nothing had been tried; what is
        settled stays so.
        """
        for key in keys:
            if key in self._open[key.channel]:
                self._requeue(key)

    def settle(
        self, keys: Iterable[NoticeKey], outcome: Outcome, elapsed: Millis, *, give_up: bool = False
    ) -> None:
        """An attempt ended. `give_up`: refused, and told to other channels instead."""
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
        """These alerts are open; what was told of others is kept only while something of it
        waits.
        """
        live = {(alert.rule, alert.seq): alert.started_at for alert in state.alerts.values()}
        self._begun[state.account].update(live)
        self.over(
            state.account, [episode for episode in self._told[state.account] if episode not in live]
        )

    def over(self, account: str, episodes: Iterable[Episode]) -> None:
        """These alerts have ended: what was told of them is forgotten once nothing of them waits
        any more.
        """
        for episode in episodes:
            self._over[account].add(episode)
            self._forget(account, episode)

    def shift(self, account: str, by: Millis) -> None:
        """The wall clock was set: what was told of open alerts moves with it, so that repeats keep
        their distance.
        """
        for episode, channels in self._told[account].items():
            for channel, told in channels.items():
                if told.told_at is not None and episode not in self._over[account]:
                    channels[channel] = replace(told, told_at=told.told_at + by)
        for changed in self._changed.values():
            changed.set()  # what a mute window holds back, leaves by the wall clock

    def stored(self) -> None:
        """The store writes again and has caught up: nothing open is unrecorded any more."""
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
        """What is open of it, for whichever channel."""
        keys = (replace(key, channel=channel) for channel in self._open)
        return [self._open[each.channel][each] for each in keys if each in self._open[each.channel]]

    def _early(self, entry: QueuedNotification) -> bool:
        """Whether the news of the firing is reserved for the channel, and not yet queued there."""
        awaited = self._known(entry.notice.key).waiting
        return awaited is not None and awaited not in self._open[awaited.channel]

    def _facts(self, key: NoticeKey) -> NotificationFacts:
        return self._open[key.channel][key].notice.facts

    def _known(self, key: NoticeKey) -> ChannelStatus:
        return self._told[key.account].get(_episode(key), {}).get(key.channel, ChannelStatus())

    def _tell(self, key: NoticeKey, **changes: object) -> None:
        told = replace(self._known(key), **changes)  # type: ignore[arg-type]
        self._told[key.account].setdefault(_episode(key), {})[key.channel] = told

    def _forget(self, account: str, episode: Episode) -> None:
        if episode not in self._over[account]:
            return
        if not any(
            k.account == account and _episode(k) == episode
            for entries in self._open.values()
            for k in entries
        ):
            self._told[account].pop(episode, None)
            self._begun[account].pop(episode, None)
            self._over[account].discard(episode)


def _episode(key: NoticeKey) -> Episode:
    return key.rule, key.alert_seq
