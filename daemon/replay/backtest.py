"""The messages that a rule set would have sent over recorded inputs. Pure.

    inputs of each account ──► ReplaySession ──► records, merged by time ──► Joiner ──► messages

It streams: only notices waiting to be joined are kept, so a year takes no more memory than a day.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from heapq import merge

from daemon.messages.compose import compose, pair
from daemon.messages.section import MessageItem, RenderContext
from daemon.replay.assumed_delivery import is_urgent, leaves_at, shift_notice
from daemon.replay.session import ReplaySession, has_effect
from daemon.types import ClockStep, Input, Message, Millis, Notice, Record


@dataclass(frozen=True, slots=True)
class ReplayedMessage:
    """One message to one channel."""

    channel: str
    at: Millis
    notices: tuple[Notice, ...]
    message: Message


def replay_account(session: ReplaySession, inputs: Iterable[Input], first: int) -> Iterator[Record]:
    """Replay one account; yields a record for each input that changes something.

    Inputs before the counter `first` only fill windows. Counters are compared, not instants,
    because a later clock step may move an instant across the limit.
    """
    events = iter(inputs)
    for event in events:
        if event.seq >= first:
            yield from _telling(session.play(event))
            break
        session.warm(event)
    for event in events:
        yield from _telling(session.play(event))


def _telling(record: Record) -> tuple[Record, ...]:
    return (record,) if has_effect(record) else ()


def merge_records(accounts: Iterable[Iterator[Record]]) -> Iterator[Record]:
    """Merge the records of all accounts by time."""
    return merge(*accounts, key=lambda record: record.event.at)


@dataclass(slots=True)
class Joiner:
    """Joins notices for a channel within its `group_wait`, as live delivery does (SEMANTICS F5)."""

    group_waits: Mapping[str, Millis]
    """Time that news waits to be joined, by channel."""
    zone: tzinfo | None
    _waiting: dict[str, list[Notice]] = field(default_factory=dict)

    def next(self, record: Record) -> Iterator[ReplayedMessage]:
        """Messages due before the record, and messages that it sends at once."""
        yield from self.until(record.event.at)
        yield from self.take(record)

    def rest(self) -> Iterator[ReplayedMessage]:
        """Messages that still wait at the end of the record."""
        yield from self.until(END)

    def take(self, record: Record) -> Iterator[ReplayedMessage]:
        """Queue the notices of a record; an urgent one sends all that waits for its channel."""
        if isinstance(record.event, ClockStep):
            self._shift(record.account, record.event.by)
        for key in record.superseded:
            self._keep(
                key.channel,
                [each for each in self._waiting.get(key.channel, ()) if each.key != key],
            )
        for notice in record.notices:
            self._waiting.setdefault(notice.key.channel, []).append(notice)
        at = record.event.at
        for channel in dict.fromkeys(
            notice.key.channel for notice in record.notices if is_urgent(notice, at)
        ):
            yield from self._send(channel, at)

    def until(self, at: Millis) -> Iterator[ReplayedMessage]:
        """Messages due before `at`, by time."""
        due = [
            (when, channel) for channel in list(self._waiting) if (when := self._due(channel)) < at
        ]
        for when, channel in sorted(due):
            yield from self._send(channel, when)
            # Notices held by their own `not_before` follow.
            while channel in self._waiting and (later := self._due(channel)) < at:
                yield from self._send(channel, later)

    def _keep(self, channel: str, notices: list[Notice]) -> None:
        if notices:
            self._waiting[channel] = notices
        else:
            self._waiting.pop(channel, None)

    def _shift(self, account: str, by: Millis) -> None:
        for channel, notices in self._waiting.items():
            self._waiting[channel] = [
                shift_notice(each, by) if each.key.account == account else each for each in notices
            ]

    def _due(self, channel: str) -> Millis:
        return min(map(leaves_at, self._waiting[channel])) + self.group_waits.get(channel, 0)

    def _send(self, channel: str, at: Millis) -> Iterator[ReplayedMessage]:
        held = [notice for notice in self._waiting[channel] if leaves_at(notice) > at]
        ready = [notice for notice in self._waiting[channel] if leaves_at(notice) <= at]
        self._keep(channel, held)
        items, sending = (
            pair(MessageItem(notice) for notice in ready),
            RenderContext(at, self.zone, self.group_waits.get(channel, 0)),
        )
        while items:
            composed_message = compose(items, sending)
            notices = tuple(
                each
                for item in composed_message.told
                for each in (item.notice, item.ended)
                if each is not None
            )
            yield ReplayedMessage(channel, at, notices, composed_message.message)
            items = [item for item in items if item not in composed_message.told]


END: Millis = 2**62
"""An instant later than any other."""


def add_messages(records: Iterable[Record], joiner: Joiner) -> Iterator[Record | ReplayedMessage]:
    """The records in order, with every message at its time."""
    for record in records:
        yield from joiner.until(record.event.at)
        yield record
        yield from joiner.take(record)
    yield from joiner.rest()
