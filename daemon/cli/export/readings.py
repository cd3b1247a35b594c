"""Readings for `export`, with the columns and cells of `history --format csv`."""

from collections.abc import Iterator
from heapq import merge

from daemon.cli.export.listing import Listing, Selection
from daemon.cli.export.position import format_counters, parse_counters
from daemon.cli.output import times
from daemon.cli.output.tables import Row, exact
from daemon.cli.record_access import OpenRecord
from daemon.cli.show.history_rows import COLUMNS
from daemon.readings.fields import SENT, VALUES
from daemon.types import Reading


class ReadingListing(Listing):
    """Each account in the order of its counter, several accounts merged by time."""

    columns = (*COLUMNS, *SENT)

    def __init__(self, record: OpenRecord, selection: Selection) -> None:
        super().__init__(record, selection)
        history = record.history
        names = record.matching(selection.account)
        self._counters = parse_counters(selection.after, history.last_counters(names))
        span = selection.since, selection.until
        self._ranges = {
            name: history.recorded_range(name, *span, after)
            for name, after in self._counters.items()
        }
        self.total = sum(each.count for each in self._ranges.values())

    def rows(self) -> Iterator[Row]:
        zone = self.record.zone
        streams = (self._account(name) for name in sorted(self._ranges))
        for account, reading in merge(*streams, key=lambda each: each[1].at):
            self._counters[account] = reading.seq
            yield {
                "account": account,
                "at": times.format_iso(reading.at, zone),
                "seq": reading.seq,
                "source": reading.source.value,
                "quality": reading.quality.value,
                **{name: exact(VALUES[name](reading.balances)) for name in SENT},
            }

    def _account(self, name: str) -> Iterator[tuple[str, Reading]]:
        return ((name, each) for each in self.record.history.recorded(self._ranges[name]))

    def next_option(self) -> tuple[str, str] | None:
        after = format_counters(self._counters)
        return ("--after", after) if after else None
