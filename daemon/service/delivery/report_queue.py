"""Queue of reports that wait for channels. Knows no channel, no text and no database."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from daemon.messages.report_data import ReportData
from daemon.store.operations import ReportKey
from daemon.types import Millis, Outcome


@dataclass(slots=True)
class QueuedReport:
    """One report for one channel. `queued_at` is of `Clock.elapsed`."""

    key: ReportKey
    facts: ReportData
    queued_at: Millis
    picture: bytes = b""
    """Its chart as PNG; empty if there is none."""
    maybe_repeat: bool = False
    """An earlier attempt has an unknown outcome."""
    recorded: bool = True
    """False while the database has not recorded that it is due."""
    kept: bool = False
    """It was due before this instance began."""


class ReportQueue:
    """Filled by `Reports`, emptied by the channel workers.

    `wake` is called with the channel that has a new report.
    """

    def __init__(self, wake: Callable[[str], object] = lambda _channel: None) -> None:
        self._wake = wake
        self._waiting: dict[str, dict[str, QueuedReport]] = defaultdict(dict)

    def put(self, queued_report: QueuedReport) -> None:
        """Queue a report; it replaces an earlier one of the same name."""
        self._waiting[queued_report.key.channel][queued_report.key.name] = queued_report
        self._wake(queued_report.key.channel)

    def holds(self, key: ReportKey) -> bool:
        found = self._waiting[key.channel].get(key.name)
        return found is not None and found.key == key

    def next(self, channel: str) -> QueuedReport | None:
        """The report that has waited longest for the channel."""
        return min(
            self._waiting[channel].values(),
            key=lambda queued_report: queued_report.queued_at,
            default=None,
        )

    def settle(self, queued_report: QueuedReport, outcome: Outcome) -> None:
        """Record the end of an attempt; an undelivered report stays queued."""
        queued_report.maybe_repeat |= outcome is Outcome.UNKNOWN
        if outcome is Outcome.DELIVERED and self.holds(queued_report.key):
            del self._waiting[queued_report.key.channel][queued_report.key.name]

    def channels(self) -> list[str]:
        """Channels that a report waits for."""
        return [channel for channel, queued_reports in self._waiting.items() if queued_reports]
