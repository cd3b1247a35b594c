"""What channels know in a replay, where every message arrives at once: the stand-in for the live ledger. Pure."""

from dataclasses import replace

from daemon.alerts.dispatch import Episode, Told, ToldBy
from daemon.types import ClockStep, Kind, Record

_ENDS = frozenset({Kind.RESOLVED, Kind.RETIRED})


class Delivered:
    """Of one account."""

    def __init__(self) -> None:
        self._told: dict[Episode, dict[str, Told]] = {}

    def told(self) -> ToldBy:
        return self._told

    def adopt(self, record: Record) -> None:
        """What an input came to: its news has arrived, what has ended is forgotten."""
        if isinstance(record.event, ClockStep):
            self._shift(record.event.by)
        for notice in record.notices:
            if notice.key.kind not in _ENDS:
                episode = (notice.key.rule, notice.key.alert_seq)
                arrived = Told(told_at=notice.at, last=notice.facts, sure=True)
                self._told.setdefault(episode, {})[notice.key.channel] = arrived
        for alert in record.alerts:
            if alert.ended_at is not None:
                self._told.pop((alert.rule, alert.seq), None)

    def _shift(self, by: int) -> None:
        for channels in self._told.values():
            for channel, told in channels.items():
                if told.told_at is not None:
                    channels[channel] = replace(told, told_at=told.told_at + by)
