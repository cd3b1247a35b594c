"""The interface of what can be exported: columns, rows, and where the next export begins."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from daemon.cli.output.tables import Row
from daemon.cli.record_access import OpenRecord
from daemon.types import Millis


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows that one export selects."""

    account: str
    """Pattern of accounts."""
    since: Millis
    until: Millis
    after: str | None
    """The text of --after."""
    now: Millis


class Listing(ABC):
    """Rows of one kind, read while they are written. It is used once."""

    columns: Sequence[str]
    total: int | None = None
    """The number of rows; None where counting them takes as long as writing them."""

    def __init__(self, record: OpenRecord, selection: Selection) -> None:
        """Raises UsageError for a selection that names what there is not."""
        self.record = record
        self.selection = selection

    @abstractmethod
    def rows(self) -> Iterator[Row]:
        """The rows, in the order of recording."""

    @abstractmethod
    def next_option(self) -> tuple[str, str] | None:
        """After the last row, the option that selects what is recorded later; None for all."""
