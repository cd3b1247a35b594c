"""Readings of a file that wait to be imported, sorted by account and time in the order of the file.

They lie in a temporary database that SQLite keeps in memory while it is small and on disk beyond,
that has no name, and that is gone when it is closed. It has nothing to do with marginwatch's own.
Where it cannot be kept, every method raises MarginwatchError.
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
    """Ended by `close`."""

    def __init__(self) -> None:
        self._lines = sqlite3.connect("", isolation_level=None)
        with _kept():
            self._lines.execute("PRAGMA journal_mode = OFF")
            self._lines.execute("BEGIN")  # for good: a transaction a line takes three times as long
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
        """To be called when all lines are there, and before any is stored: what follows needs no
        more room.
        """
        with _kept():
            self._lines.execute("CREATE INDEX in_order ON line (account, at)")

    def accounts(self) -> list[str]:
        """In the order of their first lines."""
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
        """Those of one account, in the order of time, and of the file within one instant."""
        columns = ", ".join(SENT)
        ours = (
            f"SELECT at, number, quality, {columns} FROM line WHERE account = ? ORDER BY at, rowid"  # noqa: S608 -- columns
        )
        for at, number, quality, *amounts in self._lines.execute(ours, (account,)):
            balances = Balances(*(None if text is None else Decimal(text) for text in amounts))
            yield CsvLine(account, at, balances, Quality(quality), number)


@contextmanager
def _kept() -> Iterator[None]:
    """Within, a temporary database that cannot be kept becomes a sentence."""
    try:
        yield
    except sqlite3.Error as error:
        raise MarginwatchError(
            f"the file cannot be sorted, so nothing was imported ({error}): free space where"
            " temporary files are, or let SQLITE_TMPDIR name a directory with room",
        ) from None
