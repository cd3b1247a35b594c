"""Reads the past, for commands and the page: a page of rows at a time, without holding a cursor.

Spans are half open: `since` belongs to them, `until` does not. Nothing here takes the lock,
migrates or writes.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from heapq import merge
from typing import Any, Self, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select

from daemon.alerts.channel_decisions import ChannelStatus
from daemon.errors import StoreError
from daemon.messages.report_data import Down, Posted, ReportedAlert, ReportSpan, Watched
from daemon.readings.gaps import Seen
from daemon.readings.rollups import FieldRollup
from daemon.store.bounded_extra import snapshot_rows
from daemon.store.codec import FIELDS, reading
from daemon.store.database import engine as engines
from daemon.store.database.migrate import check
from daemon.store.database.reader import Reader
from daemon.store.operations import UNSETTLED
from daemon.store.read import export, recorded, reports, rollups, status
from daemon.store.read.channel_status import status_at
from daemon.store.read.common import CommonReads
from daemon.store.read.gaps import GapCursor, GapReader
from daemon.store.read.missing_inputs import WIDTH, Hole, find_holes, merge_holes
from daemon.store.read.recorded import (
    PastAlert,
    PastEpoch,
    PastGap,
    PastMove,
    PastNotice,
    PastTransition,
)
from daemon.store.read.replay import ReadingStream, Replayed
from daemon.store.read.rollups import RolledHours, RollupsLeft
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
from daemon.types import Alert, Millis, Reading, Silence

T = TypeVar("T")

Made: TypeAlias = Callable[[Connection, Sequence[Row[Any]]], Sequence[T]]
"""Value made from a page of rows."""

PAGE = 1_000
"""Rows read at a time."""

END: Millis = LAST
"""Beyond every instant."""


class History(CommonReads):
    """Created by `open`; a context manager that closes itself."""

    def __init__(self, url: str) -> None:
        self._url = engines.parse(url)
        self._reader = Reader(self._url)

    @classmethod
    def open(cls, url: str) -> "History":
        """Raises StoreError when the database is missing, unreadable, or of another version."""
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
        """Names of all accounts ever recorded, in order of appearance."""
        return list(self._numbers())

    def readings(
        self, names: Collection[str], since: Millis, until: Millis
    ) -> Iterator[tuple[str, Reading]]:
        """Readings of these accounts in order of time: of any quality, imported ones included.

        Of one instant, in the order of the accounts' names.
        """
        numbers = self._numbers()
        return merge(
            *(
                self._readings_of(name, numbers[name], since, until)
                for name in sorted(names)
                if name in numbers
            ),
            key=lambda each: each[1].at,
        )

    def last_counters(self, names: Collection[str]) -> dict[str, int | None]:
        """The counter of each recorded account's last reading; None without a reading."""
        numbers = self._numbers()
        return {
            name: self._read(partial(export.last_counter, account_id=numbers[name]))
            for name in names
        }

    def recorded_range(
        self, name: str, since: Millis, until: Millis, after: int
    ) -> export.RecordedRange:
        """Readings of a recorded account with a counter above `after`, for `recorded`.

        The span is that of instants as recorded.
        """
        number = self._numbers()[name]
        return self._read(
            lambda connection: export.find_range(connection, number, since, until, after)
        )

    def recorded(self, span: export.RecordedRange) -> Iterator[Reading]:
        """The readings of one account in the order of recording, imported ones first."""
        yield from self._pages(span.rows(), snapshots.c.seq, _each(reading), span.after)

    def moves(self, since: Millis, until: Millis, after: int) -> Iterator[tuple[int, PastAlert]]:
        """Transitions in the span, numbered above `after`, each as an alert with that one alone."""
        yield from self._pages(
            export.move_rows(since, until), transitions.c.id, _each(export.move), after
        )

    def last_transition(self) -> int | None:
        """The number of the last transition; None without one."""
        return self._greatest(transitions.c.id)

    def last_notification(self) -> int | None:
        """The number of the last notification; None without one."""
        return self._greatest(notifications.c.id)

    def rollups(
        self, account: str, field: str, since: Millis, until: Millis
    ) -> list[tuple[Millis, FieldRollup]]:
        """Hourly rollups of a field whose hour begins within the span, in order."""
        number = self._numbers().get(account)
        if number is None:
            return []
        return self._read(
            lambda connection: rollups.field_rollups(connection, number, field, since, until)
        )

    def rolled_hours(self, account: str, since: Millis, until: Millis) -> RolledHours:
        """The hours of the span whose rollups hold all their readings."""
        number = self._numbers().get(account)
        if number is None:
            return RolledHours(since)
        return self._read(lambda connection: rollups.freshness(connection, number, since, until))

    def rollups_left(self, now: Millis) -> RollupsLeft:
        """Hours and inputs that are still to be rolled, over all accounts."""
        return self._read(lambda connection: rollups.left(connection, now))

    def inputs(self, account: str, after: int, until: int | None = None) -> Iterator[Replayed]:
        """Judged inputs with a counter above `after`, up to `until`, in the order of replay."""
        number = self._numbers().get(account)
        if number is None:
            return iter(())
        return self._stream(ReadingStream(number), after, LAST if until is None else until)

    def replayed(
        self, account: str, since: Millis, until: Millis, fields: Collection[str], look_back: Millis
    ) -> Iterator[Replayed]:
        """Inputs that a backtest of the span judges, in the order of replay, imported ones too.

        It begins with the last judged reading at or before `since - look_back` (SEMANTICS C1), else
        with the first input. Instants are given as recorded. The span is found by corrected
        instants: moved by the clock steps that followed (A5). Readings have only the named fields.
        """
        number = self._numbers().get(account)
        if number is None:
            return iter(())
        begin, end = self._read(
            lambda connection: AccountRows.of(connection, number).bounds(since - look_back, until)
        )
        return self._stream(
            ReadingStream(number, tuple(name for name in FIELDS if name in fields)), begin - 1, end
        )

    def steps(self, account: str) -> Steps:
        """The clock steps of an account's record, which correct its instants (A5)."""
        number = self._numbers().get(account)
        if number is None:
            return NO_STEPS
        return self._read(lambda connection: steps(connection, number))

    def first(self, account: str, since: Millis) -> int:
        """The counter from which inputs lie at or after `since`, by corrected instants (A5)."""
        number = self._numbers().get(account)
        if number is None:
            return LAST
        before = self._read(lambda connection: AccountRows.of(connection, number).end(since))
        return min(before, LAST - 1) + 1

    def warm(
        self, account: str, seq: int, since: Millis, fields: Collection[str] = FIELDS
    ) -> Iterator[Reading]:
        """The readings from which a daemon rebuilt its windows just before its input `seq`.

        It is `Store.recent` as it was then: the judged readings before `seq`, from the last one at
        or before `since`, without imported ones, moved only by the clock steps before `seq`.
        """
        number = self._numbers().get(account)
        if number is None:
            return
        stream = ReadingStream(number, tuple(name for name in FIELDS if name in fields))
        past_steps, begin = self._read(lambda connection: _warm(connection, number, seq - 1, since))
        after = begin - 1
        while after < seq - 1:
            page, after = self._read(partial(stream.judged, after=after, last=seq - 1))
            yield from (replace(each, at=each.at + past_steps.moved(each.seq)) for each in page)

    def extent(self, account: str, since: Millis, until: Millis) -> Extent | None:
        """The amount that `replayed` reads for a span, found at once; None for an empty span."""
        number = self._numbers().get(account)
        if number is None:
            return None
        return self._read(
            lambda connection: AccountRows.of(connection, number).extent_between(since, until)
        )

    def holes(self, account: str, after: int, until: int) -> Iterator[Hole]:
        """Missing inputs: counters above `after`, up to `until`, that should have a row."""
        number = self._numbers().get(account)
        if number is None or until <= after:
            return iter(())
        turns = {each.state[account].seq for each in self.epochs(0, END) if account in each.state}
        return merge_holes(self._lacking(number, turns, after, until))

    def transitions(self, account: str, after: int = 0) -> Iterator[PastTransition]:
        """The account's transitions above `after`, in the order of recording.

        The daemon's own transitions have no account.
        """
        number = self._numbers().get(account)
        if number is None and account:
            return
        yield from self._pages(
            recorded.transition_rows(number), transitions.c.id, _each(recorded.transition), after
        )

    def alerts(self, since: Millis, until: Millis) -> Iterator[PastAlert]:
        """Alerts that had not ended before `since`, in order of their beginnings."""
        within = and_(
            alerts.c.started_at < until,
            or_(alerts.c.ended_at.is_(None), alerts.c.ended_at >= since),
        )
        yield from self._pages(
            recorded.alert_rows().where(within), alerts.c.id, recorded.with_transitions
        )

    def last_alert(self, code: str) -> PastAlert | None:
        """The latest alert of that id, open or over; None if there is none."""
        chosen = recorded.alert_rows().where(alerts.c.code == code)
        found = self._last(chosen, alerts.c.id, 1, recorded.with_transitions)
        return found[0] if found else None

    def notifications(
        self, since: Millis, until: Millis, *, waiting: bool = False, after: int = 0
    ) -> Iterator[PastNotice]:
        """Notifications raised within the span, in order of recording; or only the waiting ones.

        They are numbered above `after`.
        """
        within = and_(notifications.c.at >= since, notifications.c.at < until)
        chosen = recorded.notice_rows().where(within)
        if waiting:
            chosen = chosen.where(notifications.c.state.in_(UNSETTLED))
        yield from self._pages(chosen, notifications.c.id, recorded.notices, after)

    def last_moves(
        self, account: str, rules: Collection[str], until: Millis, most: int
    ) -> list[PastMove]:
        """The last transitions of these rules at or before `until`, in the order of recording."""
        chosen = recorded.move_rows().where(
            accounts.c.name == account, alerts.c.rule.in_(rules), transitions.c.at <= until
        )
        return self._last(chosen, transitions.c.id, most, _each(recorded.move))

    def last_notifications(
        self, account: str, rules: Collection[str], until: Millis, most: int
    ) -> list[PastNotice]:
        """The last notifications queued for these rules, likewise."""
        chosen = recorded.notice_rows().where(accounts.c.name == account, alerts.c.rule.in_(rules))
        return self._last(
            chosen.where(notifications.c.at <= until), notifications.c.id, most, recorded.notices
        )

    def channel_status(
        self, account: str, rule: str, alert_seq: int, at: Millis
    ) -> dict[str, ChannelStatus]:
        """Channel status of one alert at an instant, by channel."""
        chosen = recorded.notice_rows().where(
            func.coalesce(accounts.c.name, "") == account,
            alerts.c.rule == rule,
            alerts.c.seq == alert_seq,
            notifications.c.at <= at,
        )
        _, found = self._page(chosen.order_by(notifications.c.id), recorded.notices)
        return status_at(found, at)

    def gaps(self, since: Millis, until: Millis) -> Iterator[PastGap]:
        """Recorded gaps that touch the span, without those made by misses (see `missing`)."""
        within = and_(gaps.c.ended_at >= since, gaps.c.started_at < until)
        return iter(self._page(recorded.gap_rows().where(within), _each(recorded.gap))[1])

    def missing(self, account: str, since: Millis) -> Iterator[Seen]:
        """Records from which `readings.gaps` derives the gaps of one account from `since` on."""
        number = self._numbers().get(account)
        return iter(()) if number is None else self._trail(number, since)

    def epochs(self, since: Millis, until: Millis) -> Iterator[PastEpoch]:
        """Epochs that touch the span, in order."""
        within = and_(
            epochs.c.started_at < until,
            or_(epochs.c.ended_at.is_(None), epochs.c.ended_at >= since),
        )
        yield from self._pages(select(epochs).where(within), epochs.c.id, _each(recorded.epoch))

    def last_epoch(self) -> PastEpoch | None:
        """The latest epoch; None before the first start of a daemon."""
        found = self._last(select(epochs), epochs.c.id, 1, _each(recorded.epoch))
        return found[0] if found else None

    def status(self, now: Millis) -> list[AccountStatus]:
        """The state of every account ever recorded; its counts are those of the last day."""
        return self._read(lambda connection: status.accounts_status(connection, now))

    def silences(self) -> list[Silence]:
        """All silences and acks ever made, oldest first."""
        return self._read(silences.every)

    def own_alerts(self) -> list[Alert]:
        """Open alerts about the daemon itself."""
        return self._read(status.own_alerts)

    def watched(self, account: str, span: ReportSpan, patience: Millis) -> Watched:
        """The record of an account in a span; gaps are the times longer than `patience`."""
        number = self._numbers().get(account)
        if number is None:
            return Watched(account, span.until)
        return self._read(
            lambda connection: reports.watched(connection, number, account, span, patience)
        )

    def episodes(self, span: ReportSpan) -> list[ReportedAlert]:
        """Alerts that fired in a span, or still lasted then."""
        return self._read(lambda connection: reports.episodes(connection, span))

    def posted(self, channels: Sequence[str], span: ReportSpan, now: Millis) -> list[Posted]:
        """Messages sent in a span, and those long waiting at `now`, by channel."""
        return self._read(lambda connection: reports.posted(connection, channels, span, now))

    def downs(self, span: ReportSpan, patience: Millis) -> list[Down]:
        """Times in the span when the daemon did not run for longer than `patience`."""
        return self._read(lambda connection: reports.downs(connection, span, patience))

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
        while after < last:
            page, after = self._read(partial(stream.page, after=after, last=last))
            yield from page

    def _trail(self, number: int, since: Millis) -> Iterator[Seen]:
        trail = GapReader(number, self._read(lambda connection: steps(connection, number)))
        place: GapCursor | None = self._read(lambda connection: trail.begin(connection, since))
        while place is not None:
            page, place = self._read(partial(trail.page, place=place))
            yield from page

    def _lacking(
        self, number: int, turns: Collection[int], after: int, until: int
    ) -> Iterator[Hole]:
        for begin in range(after + 1, until + 1, WIDTH):
            wanted = range(begin, min(begin + WIDTH, until + 1))
            yield from self._read(
                partial(find_holes, account_id=number, wanted=wanted, turns=turns)
            )

    def _greatest(self, key: ColumnElement[int]) -> int | None:
        return self._read(lambda connection: connection.execute(select(func.max(key))).scalar())

    def _numbers(self) -> dict[str, int]:
        chosen = select(accounts.c.name, accounts.c.id).order_by(accounts.c.id)
        rows = self._read(lambda connection: connection.execute(chosen).all())
        return {row.name: row.id for row in rows}

    def _pages(
        self, chosen: Select[Any], key: ColumnElement[int], made: Made[T], after: int = 0
    ) -> Iterator[T]:
        """Rows by an ascending key that is among the columns, each page in its own transaction."""
        while True:
            rows, found = self._page(chosen.where(key > after).order_by(key).limit(PAGE), made)
            yield from found
            if len(rows) < PAGE:
                return
            after = getattr(rows[-1], str(key.key))

    def _last(
        self, chosen: Select[Any], key: ColumnElement[int], most: int, made: Made[T]
    ) -> list[T]:
        """Values of the rows with the highest keys, by ascending keys."""
        _, found = self._page(chosen.order_by(key.desc()).limit(most), made)
        return list(found)[::-1]

    def _page(self, chosen: Select[Any], made: Made[T]) -> tuple[Sequence[Row[Any]], Sequence[T]]:
        """Rows and their values, in one transaction, so that a damaged row can be named."""

        def page(connection: Connection) -> tuple[Sequence[Row[Any]], Sequence[T]]:
            rows = connection.execute(chosen).all()
            return rows, made(connection, rows)

        return self._read(page)

    def _read(self, what: Callable[[Connection], T]) -> T:
        return self._reader.read(what)


def _each(one: Callable[[Row[Any]], T]) -> Made[T]:
    return lambda _, rows: [one(row) for row in rows]


def _warm(connection: Connection, account_id: int, until: int, since: Millis) -> tuple[Steps, int]:
    """The clock steps up to `until`, and the first own reading that windows need for `since`."""
    record = AccountRows.of(connection, account_id, until)
    return record.steps, max(record.begin(since) or 1, 1)
