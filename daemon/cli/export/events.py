"""Alerts, notifications and gaps for `export`, with the columns of their own commands."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from daemon.cli.export.listing import Listing, Selection
from daemon.cli.export.position import parse_counter
from daemon.cli.output import times
from daemon.cli.output.tables import Row
from daemon.cli.output.times import DisplayClock
from daemon.cli.record_access import OpenRecord
from daemon.cli.show import alert_rows, gap_rows, notification_rows
from daemon.errors import UsageError

SEQ = "seq"
"""The column of the order of recording, which `--after` takes."""


class AlertListing(Listing):
    """Transitions of alerts: an alert itself changes as long as it is open, a transition never."""

    columns = (SEQ, *alert_rows.COLUMNS)

    def __init__(self, record: OpenRecord, selection: Selection) -> None:
        super().__init__(record, selection)
        record.must_know(selection.account)
        self._after = _counter(selection, record.history.last_transition())

    def rows(self) -> Iterator[Row]:
        chosen = self.selection
        found = self.record.history.moves(chosen.since, chosen.until, self._after)
        for seq, past in found:
            self._after = seq
            if fnmatchcase(past.account, chosen.account):
                (row,) = alert_rows.transition_rows([past], self.record.zone)
                yield {SEQ: seq, **row}

    def next_option(self) -> tuple[str, str] | None:
        return _after_option(self._after)


class NotificationListing(Listing):
    """Notifications. The next export begins before the first one that still waits."""

    columns = (SEQ, *notification_rows.COLUMNS)

    def __init__(self, record: OpenRecord, selection: Selection) -> None:
        super().__init__(record, selection)
        record.must_know(selection.account)
        self._after = _counter(selection, record.history.last_notification())
        self._waits = False

    def rows(self) -> Iterator[Row]:
        chosen, history = self.selection, self.record.history
        clock = DisplayClock(chosen.now, self.record.zone)
        reasons = notification_rows.wait_reasons(self.record, chosen.now)
        for past in history.notifications(chosen.since, chosen.until, after=self._after):
            self._waits = self._waits or past.is_waiting
            if not self._waits:
                self._after = past.id
            key = past.notice.key
            if fnmatchcase(key.account, chosen.account):
                row = notification_rows.notification_row(past, reasons.get(key), clock)
                yield {SEQ: past.id, **row}

    def next_option(self) -> tuple[str, str] | None:
        return _after_option(self._after)


class GapListing(Listing):
    """Gaps, which are derived: they have no counter. They are few, so they are sorted in memory."""

    columns = gap_rows.COLUMNS

    def __init__(self, record: OpenRecord, selection: Selection) -> None:
        super().__init__(record, selection)
        if selection.after is not None:
            raise UsageError("gaps have no seq, so --after cannot be used: write --since TIME")
        self._next = min(selection.now, selection.until)

    def rows(self) -> Iterator[Row]:
        chosen = self.selection
        span = chosen.since, chosen.until
        for account, gap in gap_rows.find_gaps(self.record, chosen.account, span, chosen.now):
            if gap.ended_at is None:
                self._next = min(self._next, gap.started_at)
            yield gap_rows.gap_row(account, gap, self.record)

    def next_option(self) -> tuple[str, str] | None:
        return "--since", times.format_iso(self._next, self.record.zone)


def _counter(selection: Selection, last: int | None) -> int:
    return 0 if selection.after is None else parse_counter(selection.after, last)


def _after_option(after: int) -> tuple[str, str] | None:
    return ("--after", str(after)) if after else None
