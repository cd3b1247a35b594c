"""Channel status in a replay, where every message arrives: replaces the notification queue. Pure.

News waits for the channel's `group_wait`, as in the live daemon. A reminder that falls due
meanwhile is merged into it; worse news follows it. A delivered message counts from the time of its
decision, so the wait delays no reminder. A critical alert of another account, which releases
waiting news of the channel, is not visible here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from daemon.alerts.channel_decisions import UNTOLD, ChannelStatus, Episode, ToldBy
from daemon.types import NEWS, ClockStep, Kind, Millis, Notice, NoticeKey, Record, Severity


class AssumedDelivery:
    """Delivery for one account. `group_waits` are by channel; a missing channel has none."""

    def __init__(self, group_waits: Mapping[str, Millis]) -> None:
        self._group_waits = group_waits
        self._told: dict[Episode, dict[str, ChannelStatus]] = {}
        self._waiting: dict[str, list[Notice]] = {}

    def told(self, now: Millis) -> ToldBy:
        """Channel status at the input judged now; news due before it has arrived."""
        for channel in [
            channel
            for channel, notices in self._waiting.items()
            if self._due(channel, notices) < now
        ]:
            self._arrive(channel)
        return self._told

    def adopt(self, record: Record) -> None:
        """Take over the result of an input: queue its news and forget ended alerts."""
        if isinstance(record.event, ClockStep):
            self._shift(record.event.by)
        self._supersede(record.superseded)
        for notice in record.notices:
            self._queue(notice)
        for channel in dict.fromkeys(
            each.key.channel for each in record.notices if is_urgent(each, record.event.at)
        ):
            self._arrive(channel)
        for alert in record.alerts:
            if alert.ended_at is not None:
                self._told.pop((alert.rule, alert.seq), None)

    def _queue(self, notice: Notice) -> None:
        self._waiting.setdefault(notice.key.channel, []).append(notice)
        if notice.key.kind in NEWS:
            known = replace(self._known(notice.key), waiting=notice.key)
            self._set(notice.key, known.announced(notice.facts))
        elif notice.key.kind is Kind.ACK:
            self._tell(notice.key, acked=True)

    def _due(self, channel: str, notices: Iterable[Notice]) -> Millis:
        return min(map(leaves_at, notices)) + self._group_waits.get(channel, 0)

    def _arrive(self, channel: str) -> None:
        for notice in self._waiting.pop(channel):
            if notice.key.kind in NEWS and (notice.key.rule, notice.key.alert_seq) in self._told:
                self._tell(
                    notice.key, told_at=notice.at, last=notice.facts, sure=True, waiting=None
                )

    def _supersede(self, keys: Iterable[NoticeKey]) -> None:
        for key in keys:
            self._waiting[key.channel] = [
                each for each in self._waiting[key.channel] if each.key != key
            ]
            if not self._waiting[key.channel]:
                del self._waiting[key.channel]
            self._set(key, self._known(key).superseded())

    def _tell(self, key: NoticeKey, **changes: object) -> None:
        self._set(key, replace(self._known(key), **changes))  # type: ignore[arg-type]

    def _known(self, key: NoticeKey) -> ChannelStatus:
        return self._told.get((key.rule, key.alert_seq), {}).get(key.channel, UNTOLD)

    def _set(self, key: NoticeKey, status: ChannelStatus) -> None:
        self._told.setdefault((key.rule, key.alert_seq), {})[key.channel] = status

    def _shift(self, by: Millis) -> None:
        self._waiting = {
            channel: [shift_notice(each, by) for each in notices]
            for channel, notices in self._waiting.items()
        }
        for channels in self._told.values():
            for channel, told in channels.items():
                if told.told_at is not None:
                    channels[channel] = replace(told, told_at=told.told_at + by)


def leaves_at(notice: Notice) -> Millis:
    """When a notice may leave: at once, or when the mute window ends for a held end."""
    return notice.at if notice.facts.not_before is None else max(notice.at, notice.facts.not_before)


def is_urgent(notice: Notice, at: Millis) -> bool:
    """Whether a notice is critical: it never waits and releases waiting news (SEMANTICS F5)."""
    return notice.facts.severity is Severity.CRITICAL and leaves_at(notice) <= at


def shift_notice(notice: Notice, by: Millis) -> Notice:
    """Move a waiting notice by a step of the clock (SEMANTICS A5)."""
    return replace(notice, at=notice.at + by)
