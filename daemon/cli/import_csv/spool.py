"""Readings of a file that wait to be imported, sorted by account, time and order in the file.

They are kept in a temporary SQLite database without a name: in memory while small, on disk beyond,
gone when closed. It is not marginwatch's own database. Where it cannot be kept, every method raises
MarginwatchError.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from operator import attrgetter

from daemon.cli.import_csv.lines import CsvLine
from daemon.errors import MarginwatchError
from daemon.readings.fields import SENT
from daemon.types import Balances, Millis, Quality

_amounts = attrgetter(*SENT)

ROW = ", ".join("?" * (4 + len(SENT)))


class Spool:
    """Sorts lines; end it by `close`."""

    def __init__(self) -> None:
        self._lines = sqlite3.connect("", isolation_level=None)
        with _kept():
            self._lines.execute("PRAGMA journal_mode = OFF")
            # Never committed: a transaction per line takes three times as long.
            self._lines.execute("BEGIN")
            self._lines.execute(
                f"CREATE TABLE line (account, at, number, quality, {', '.join(SENT)})"
            )

    def close(self) -> None:
        self._lines.close()

    def put(self, line: CsvLine) -> None:
        amounts = [None if value is None else str(value) for value in _amounts(line.balances)]
        row = (line.account, line.at, line.number, line.quality.value, *amounts)
        with _kept():
            self._lines.execute(f"INSERT INTO line VALUES ({ROW})", row)  # noqa: S608 -- marks

    def sort(self) -> None:
        """Sort the lines: to be called after all are put and before any is stored.

        Nothing after this call needs more room.
        """
        with _kept():
            self._lines.execute("CREATE INDEX in_order ON line (account, at)")

    def accounts(self) -> list[str]:
        """The accounts, in the order of their first lines."""
        with _kept():
            found = self._lines.execute(
                "SELECT account FROM line GROUP BY account ORDER BY min(rowid)"
            )
            return [account for (account,) in found]

    def crowded(self, most: int) -> tuple[str, Millis] | None:
        """An account and an instant that has more lines than `most`."""
        crowds = "SELECT account, at FROM line GROUP BY account, at HAVING count(*) > ? LIMIT 1"
        with _kept():
            found: tuple[str, Millis] | None = self._lines.execute(crowds, (most,)).fetchone()
            return found

    def lines(self, account: str) -> Iterator[CsvLine]:
        """The lines of one account, by time, and in the order of the file within one instant."""
        columns = ", ".join(SENT)
        ours = (
            f"SELECT at, number, quality, {columns}"  # noqa: S608 -- columns
            " FROM line WHERE account = ? ORDER BY at, rowid"
        )
        for at, number, quality, *amounts in self._lines.execute(ours, (account,)):
            balances = Balances(*(None if text is None else Decimal(text) for text in amounts))
            yield CsvLine(account, at, balances, Quality(quality), number)


@contextmanager
def _kept() -> Iterator[None]:
    """Turn a failure of the temporary database inside the block into a sentence."""
    try:
        yield
    except sqlite3.Error as error:
        raise MarginwatchError(
            f"the file cannot be sorted, so nothing was imported ({error}): free space where"
            " temporary files are, or let SQLITE_TMPDIR name a directory with room",
        ) from None
