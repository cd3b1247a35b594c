"""The past, for commands and the page: read by the page of rows, never holding a cursor, beside
whoever writes.

Spans are half open: `since` belongs to them, `until` does not. Nothing here takes the lock,
migrates or writes.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from heapq import merge
from itertools import chain
from typing import Any, Self, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_, select

from daemon.errors import StoreError
from daemon.messages.report_data import Down, Posted, ReportedAlert, ReportSpan, Watched
from daemon.readings.gaps import Seen
from daemon.store.bounded_extra import snapshot_rows
from daemon.store.codec import FIELDS, reading
from daemon.store.database import engine as engines
from daemon.store.database.migrate import check
from daemon.store.operations import UNSETTLED, RecordCall
from daemon.store.read import recorded, recovery, reports, status
from daemon.store.read import refusals as exchange
from daemon.store.read.channel_health import Deliveries, deliveries
from daemon.store.read.gaps import GapCursor, GapReader
from daemon.store.read.missing_inputs import WIDTH, Hole, joined, lacking
from daemon.store.read.reader import Reader
from daemon.store.read.recorded import (
    PastAlert,
    PastEpoch,
    PastGap,
    PastMove,
    PastNotice,
    PastTransition,
)
from daemon.store.read.recovery import RecordedCall
from daemon.store.read.refusals import RefusalHistory
from daemon.store.read.replay import ReadingStream, Replayed
from daemon.store.read.status import AccountStatus
from daemon.store.read.time_index import FIRST, LAST, NO_STEPS, AccountRows, Extent, Steps, steps
from daemon.store.schema import (
    accounts,
    alerts,
    epochs,
    gaps,
    notifications,
    snapshots,
    transitions,
)
from daemon.store.write import silences
from daemon.types import Alert, Millis, MissReason, Reading, Silence

T = TypeVar("T")

Made: TypeAlias = Callable[[Connection, Sequence[Row[Any]]], Sequence[T]]
"""What a page of rows stands for."""

PAGE = 1_000
"""Rows read at a time."""

END: Millis = LAST
"""Beyond every instant."""


class History:
    """Made by `open`; a context manager that closes itself."""

    def __init__(self, url: str) -> None:
        self._url = engines.parse(url)
        self._reader = Reader(self._url)

    @classmethod
    def open(cls, url: str) -> "History":
        """Raises StoreError where the database is missing, unreadable, or of another version."""
        history = cls(url)
        try:
            history._read(lambda connection: check(connection, history._url))
        except StoreError:
            history.close()
            raise
        return history

    def close(self) -> None:
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def accounts(self) -> list[str]:
        """The names of all that were ever recorded, in their order of appearance."""
        return list(self._numbers())

    def readings(
        self, names: Collection[str], since: Millis, until: Millis
    ) -> Iterator[tuple[str, Reading]]:
        """The readings of these accounts, whatever their quality, imported ones included, in the
        order of time.
        """
        numbers = self._numbers()
        return merge(
            *(
                self._readings_of(name, numbers[name], since, until)
                for name in names
                if name in numbers
            ),
            key=lambda each: each[1].at,
        )

    def inputs(self, account: str, after: int, until: int | None = None) -> Iterator[Replayed]:
        """What was judged with a counter beyond `after`, up to and with `until`, in the order of
        replay.
        """
        number = self._numbers().get(account)
        return (
            iter(())
            if number is None
            else self._stream(ReadingStream(number), after, LAST if until is None else until)
        )

    def replayed(
        self, account: str, since: Millis, until: Millis, fields: Collection[str], look_back: Millis
    ) -> Iterator[Replayed]:
        """What a backtest of the span judges, in the order of replay: imported readings and misses
        among it.

        It begins with the last judged reading at or before `since - look_back` (SEMANTICS C1), else
        with the first input there is. Instants come as they were recorded; where the span lies is
        asked of them as they are meant now, moved by the clock steps that followed (A5). Readings
        have only the fields that are named, and no others.
        """
        number = self._numbers().get(account)
        if number is None:
            return iter(())
        begin, end = self._read(
            lambda connection: _bounds(connection, number, since - look_back, until)
        )
        return self._stream(
            ReadingStream(number, tuple(name for name in FIELDS if name in fields)), begin - 1, end
        )

    def steps(self, account: str) -> Steps:
        """The steps of our clock in an account's record, which say how its instants are meant now
        (A5).
        """
        number = self._numbers().get(account)
        return (
            NO_STEPS if number is None else self._read(lambda connection: steps(connection, number))
        )

    def first(self, account: str, since: Millis) -> int:
        """The counter from which on inputs lie at or after `since`, as instants are meant now
        (A5).
        """
        number = self._numbers().get(account)
        return (
            LAST
            if number is None
            else self._read(lambda connection: _first(connection, number, since))
        )

    def warm(
        self, account: str, seq: int, since: Millis, fields: Collection[str] = FIELDS
    ) -> Iterator[Reading]:
        """What a daemon's windows were rebuilt from, just before its input `seq`: `Store.recent` as
        it was then.

        The judged readings before `seq`, from the last one at or before `since` on, without
        imported ones, their instants moved by the clock steps before `seq` alone.
        """
        number = self._numbers().get(account)
        if number is None:
            return
        stream = ReadingStream(number, tuple(name for name in FIELDS if name in fields))
        past_steps, begin = self._read(lambda connection: _warm(connection, number, seq - 1, since))
        for page in self._judged(stream, begin - 1, seq - 1):
            yield from (replace(each, at=each.at + past_steps.moved(each.seq)) for each in page)

    def extent(self, account: str, since: Millis, until: Millis) -> Extent | None:
        """How much `replayed` has to read for a span, told at once; None where there is nothing."""
        number = self._numbers().get(account)
        return (
            None
            if number is None
            else self._read(lambda connection: _extent(connection, number, since, until))
        )

    def holes(self, account: str, after: int, until: int) -> Iterator[Hole]:
        """What should have been recorded with a counter beyond `after`, up to and with `until`, and
        is not there.
        """
        number = self._numbers().get(account)
        if number is None or until <= after:
            return iter(())
        turns = {each.state[account].seq for each in self.epochs(0, END) if account in each.state}
        return joined(self._lacking(number, turns, after, until))

    def transitions(self, account: str, after: int = 0) -> Iterator[PastTransition]:
        """The account's, in the order in which they were recorded; those beyond the transition
        `after`.

        The daemon itself has no name.
        """
        number = self._numbers().get(account)
        if number is None and account:
            return
        yield from self._pages(
            recorded.transition_rows(number), transitions.c.id, _each(recorded.transition), after
        )

    def alerts(self, since: Millis, until: Millis) -> Iterator[PastAlert]:
        """The alerts that were not over before `since`, in the order of their beginnings."""
        within = and_(
            alerts.c.started_at < until,
            or_(alerts.c.ended_at.is_(None), alerts.c.ended_at >= since),
        )
        yield from self._pages(
            recorded.alert_rows().where(within), alerts.c.id, recorded.with_transitions
        )

    def notifications(
        self, since: Millis, until: Millis, *, waiting: bool = False
    ) -> Iterator[PastNotice]:
        """Those that were raised within the span, in the order of recording; or of them those that
        still wait.
        """
        within = and_(notifications.c.at >= since, notifications.c.at < until)
        chosen = recorded.notice_rows().where(within)
        if waiting:
            chosen = chosen.where(notifications.c.state.in_(UNSETTLED))
        yield from self._pages(chosen, notifications.c.id, recorded.notices)

    def last_moves(
        self, account: str, rules: Collection[str], until: Millis, most: int
    ) -> list[PastMove]:
        """The last transitions of these rules at or before `until`, in the order in which they were
        recorded.
        """
        chosen = recorded.move_rows().where(
            accounts.c.name == account, alerts.c.rule.in_(rules), transitions.c.at <= until
        )
        return self._last(chosen, transitions.c.id, most, _each(recorded.move))

    def last_notifications(
        self, account: str, rules: Collection[str], until: Millis, most: int
    ) -> list[PastNotice]:
        """Likewise, those that were queued."""
        chosen = recorded.notice_rows().where(accounts.c.name == account, alerts.c.rule.in_(rules))
        return self._last(
            chosen.where(notifications.c.at <= until), notifications.c.id, most, recorded.notices
        )

    def gaps(self, since: Millis, until: Millis) -> Iterator[PastGap]:
        """The recorded gaps that touch the span, without those that misses make (see `missing`)."""
        within = and_(gaps.c.ended_at >= since, gaps.c.started_at < until)
        return iter(self._page(recorded.gap_rows().where(within), _each(recorded.gap))[1])

    def missing(self, account: str, since: Millis) -> Iterator[Seen]:
        """What `readings.gaps` makes the gaps of one account of, those that touch `since` or are
        later among them.
        """
        number = self._numbers().get(account)
        return iter(()) if number is None else chain.from_iterable(self._trail(number, since))

    def epochs(self, since: Millis, until: Millis) -> Iterator[PastEpoch]:
        """Those that touch the span, in their order."""
        within = and_(
            epochs.c.started_at < until,
            or_(epochs.c.ended_at.is_(None), epochs.c.ended_at >= since),
        )
        yield from self._pages(select(epochs).where(within), epochs.c.id, _each(recorded.epoch))

    def last_epoch(self) -> PastEpoch | None:
        """The one that began last; None where no daemon has begun yet."""
        _, found = self._page(
            select(epochs).order_by(epochs.c.id.desc()).limit(1), _each(recorded.epoch)
        )
        return found[0] if found else None

    def status(self, now: Millis) -> list[AccountStatus]:
        """How every account that was ever recorded stands; its counts are those of the last day."""
        return self._read(lambda connection: status.accounts_status(connection, now))

    def silences(self) -> list[Silence]:
        """All that ever were, and the acks, oldest first."""
        return self._read(silences.every)

    def own_alerts(self) -> list[Alert]:
        """The open alerts about the daemon itself."""
        return self._read(status.own_alerts)

    def deliveries(self) -> list[Deliveries]:
        """By channel, how attempts to deliver have ended of late."""
        return self._read(deliveries)

    def watched(self, account: str, span: ReportSpan, patience: Millis) -> Watched:
        """What the record holds of a span of an account; its gaps are the times that are longer
        than `patience`.
        """
        number = self._numbers().get(account)
        if number is None:
            return Watched(account, span.until)
        return self._read(
            lambda connection: reports.watched(connection, number, account, span, patience)
        )

    def episodes(self, span: ReportSpan) -> list[ReportedAlert]:
        """What fired in a span, or since before it."""
        return self._read(lambda connection: reports.episodes(connection, span))

    def posted(self, channels: Sequence[str], span: ReportSpan, now: Millis) -> list[Posted]:
        """By channel, what was sent in a span, and what has waited for long by `now`."""
        return self._read(lambda connection: reports.posted(connection, channels, span, now))

    def downs(self, span: ReportSpan, patience: Millis) -> list[Down]:
        """When the daemon did not run for longer than `patience`, if that touches the span."""
        return self._read(lambda connection: reports.downs(connection, span, patience))

    def user_ids(self) -> dict[str, str]:
        """By the name of every account ever recorded: its user id, empty where that is not
        known.
        """
        return self._read(recovery.user_ids)

    def calls(self, since: Millis) -> list[RecordedCall]:
        """Calls to the exchange that left a reading or a miss, oldest first."""
        return self._read(lambda connection: recovery.calls(connection, since))

    def treatments(self, refusals: Collection[MissReason]) -> dict[str, RefusalHistory]:
        """By account, how the exchange has treated us of late."""
        return self._read(lambda connection: exchange.treatments(connection, refusals))

    def limited(self, since: Millis) -> dict[str, Millis]:
        """By account, when the exchange last said that there were too many calls; without those it
        did not since.
        """
        return self._read(lambda connection: exchange.limited(connection, since))

    def external_calls(self, since: Millis) -> list[RecordCall]:
        """Calls to the exchange that commands booked."""
        return self._read(lambda connection: recovery.external_calls(connection, since))

    def _readings_of(
        self, name: str, number: int, since: Millis, until: Millis
    ) -> Iterator[tuple[str, Reading]]:
        table = snapshots.c
        chosen = (
            snapshot_rows()
            .where(table.account_id == number, table.at < until)
            .order_by(table.at, table.seq)
        )
        at, seq = since, FIRST
        while True:
            beyond = and_(table.at >= at, or_(table.at > at, table.seq > seq))
            rows, found = self._page(chosen.where(beyond).limit(PAGE), _each(reading))
            yield from ((name, each) for each in found)
            if len(rows) < PAGE:
                return
            at, seq = rows[-1].at, rows[-1].seq

    def _stream(self, stream: ReadingStream, after: int, last: int) -> Iterator[Replayed]:
        return chain.from_iterable(self._inputs(stream, after, last))

    def _inputs(self, stream: ReadingStream, after: int, last: int) -> Iterator[list[Replayed]]:
        while after < last:
            at = after
            page, after = self._read(lambda connection: stream.page(connection, at, last))  # noqa: B023 -- called at once
            yield page

    def _trail(self, number: int, since: Millis) -> Iterator[list[Seen]]:
        trail = GapReader(number, self._read(lambda connection: steps(connection, number)))
        place: GapCursor | None = self._read(lambda connection: trail.begin(connection, since))
        while place is not None:
            at = place
            page, place = self._read(lambda connection: trail.page(connection, at))  # noqa: B023 -- called at once
            yield page

    def _lacking(
        self, number: int, turns: Collection[int], after: int, until: int
    ) -> Iterator[Hole]:
        for begin in range(after + 1, until + 1, WIDTH):
            wanted = range(begin, min(begin + WIDTH, until + 1))
            yield from self._read(lambda connection: lacking(connection, number, wanted, turns))  # noqa: B023 -- at once

    def _judged(self, stream: ReadingStream, after: int, last: int) -> Iterator[list[Reading]]:
        while after < last:
            at = after
            page, after = self._read(lambda connection: stream.judged(connection, at, last))  # noqa: B023 -- as above
            yield page

    def _numbers(self) -> dict[str, int]:
        rows = self._rows(select(accounts.c.name, accounts.c.id).order_by(accounts.c.id))
        return {row.name: row.id for row in rows}

    def _pages(
        self, chosen: Select[Any], key: ColumnElement[int], made: Made[T], after: int = 0
    ) -> Iterator[T]:
        """By an ascending key that is among the columns, each page in a transaction of its own."""
        while True:
            rows, found = self._page(chosen.where(key > after).order_by(key).limit(PAGE), made)
            yield from found
            if len(rows) < PAGE:
                return
            after = getattr(rows[-1], str(key.key))

    def _last(
        self, chosen: Select[Any], key: ColumnElement[int], most: int, made: Made[T]
    ) -> list[T]:
        """What is made of the rows with the highest keys, by ascending keys."""
        _, found = self._page(chosen.order_by(key.desc()).limit(most), made)
        return list(found)[::-1]

    def _page(self, chosen: Select[Any], made: Made[T]) -> tuple[Sequence[Row[Any]], Sequence[T]]:
        """Rows and what is made of them, within one transaction, so that a damaged row can be
        named.
        """

        def page(connection: Connection) -> tuple[Sequence[Row[Any]], Sequence[T]]:
            rows = connection.execute(chosen).all()
            return rows, made(connection, rows)

        return self._read(page)

    def _rows(self, chosen: Select[Any]) -> Sequence[Row[Any]]:
        return self._read(lambda connection: connection.execute(chosen).all())

    def _read(self, what: Callable[[Connection], T]) -> T:
        return self._reader.read(what)


def _each(one: Callable[[Row[Any]], T]) -> Made[T]:
    return lambda _, rows: [one(row) for row in rows]


def _bounds(connection: Connection, account_id: int, begin: Millis, end: Millis) -> tuple[int, int]:
    """The counters of the first and the last input of a replay that needs readings from `begin`
    on.
    """
    record = AccountRows(connection, account_id, steps(connection, account_id))
    first = record.begin(begin)
    return (FIRST + 1 if first is None else first), record.end(end)


def _first(connection: Connection, account_id: int, since: Millis) -> int:
    return (
        min(AccountRows(connection, account_id, steps(connection, account_id)).end(since), LAST - 1)
        + 1
    )


def _extent(connection: Connection, account_id: int, since: Millis, until: Millis) -> Extent | None:
    first, last = _bounds(connection, account_id, since, until)
    return AccountRows(connection, account_id, steps(connection, account_id)).extent(
        first - 1, last
    )


def _warm(connection: Connection, account_id: int, until: int, since: Millis) -> tuple[Steps, int]:
    """The clock steps up to `until`, and the first of our own readings that windows reaching to
    `since` need.
    """
    record = AccountRows(connection, account_id, steps(connection, account_id, until), until)
    return record.steps, max(record.begin(since) or 1, 1)
