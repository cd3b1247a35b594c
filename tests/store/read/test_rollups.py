"""Rollups in the database equal those made from all rows, whatever came when."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from daemon.readings.rollups import ENDLESS, FieldRollup, HourRollup, hour_of
from daemon.store import Store, upgrade
from daemon.store.database.engine import parse, writing
from daemon.store.operations import MarkHours, StoreDownGap, WriteRollups
from daemon.store.read import rollups
from daemon.store.read.rollups import RollupsLeft, pending, roll_hours, stored, unseen
from daemon.store.rows import AccountIds, account_number, insert
from daemon.store.schema import accounts, gaps, misses, snapshots
from daemon.store.write.apply import apply
from daemon.store.write.imports import ImportedReading, Importer
from daemon.types import (
    HOUR,
    JUDGED,
    MINUTE,
    Balances,
    ClockStep,
    Millis,
    MissReason,
    Quality,
    Record,
    Unconfirmed,
)
from tests.store.records import ACCOUNT, read
from tests.values import T0, miss, reading

LATER = T0 + 10_000 * HOUR
REASONS = (MissReason.TIMEOUT, MissReason.NETWORK)

_names = (f"account {number}" for number in count())


@dataclass
class Recorder:
    """One account: its clock, its counter, and its upkeep, which may be cut off anywhere."""

    connection: Connection
    account: str
    now: Millis = T0
    seq: int = 1
    ids: AccountIds = field(default_factory=AccountIds)

    @property
    def number(self) -> int:
        return account_number(self.connection, self.account)

    def tick(self, minutes: int) -> tuple[int, Millis]:
        self.seq, self.now = self.seq + 1, self.now + minutes * MINUTE
        return self.seq, self.now

    def keep(self, operation: Any) -> None:
        apply(self.connection, self.ids, operation)

    def read(self, minutes: int, quality: Quality, margin: str) -> None:
        seq, now = self.tick(minutes)
        event: Any = replace(reading(seq, now, available_margin=margin), quality=quality)
        if quality is Quality.UNCONFIRMED:
            event = Unconfirmed(seq, now, reading(seq - 1, now, Quality.SUSPECT))
        self.keep(Record(self.account, event))

    def miss(self, minutes: int, reason: MissReason) -> None:
        seq, now = self.tick(minutes)
        self.keep(Record(self.account, miss(seq, now, reason)))

    def absent(self, minutes: int) -> None:
        begin, (seq, now) = self.now, self.tick(minutes)
        self.keep(StoreDownGap(self.account, seq, begin, now, 1))

    def set_clock(self, minutes: int) -> None:
        seq, _ = self.tick(minutes)
        self.keep(Record(self.account, ClockStep(seq, self.now, minutes * MINUTE)))

    def bring_in(self, hours: int, margin: str) -> None:
        at = T0 - hours * 20 * MINUTE
        importer = _Importer(self.connection)
        importer.add(self.account, [ImportedReading(at, 0, Balances(Decimal(margin)))])

    def mark(self, *, cut_off: bool = False) -> bool:
        found = unseen(self.connection, self.number)
        if found is not None and not cut_off:
            self.keep(MarkHours(self.account, found.hours, found.seq))
        return found is not None

    def roll(self, meanwhile: Sequence["Step"] = (), most: int = 3) -> bool:
        marks = pending(self.connection, self.number, self.now, most)
        rolled = roll_hours(self.connection, self.number, marks)
        for step in meanwhile:
            step(self)
        self.keep(WriteRollups(self.account, tuple(rolled), marks))
        return bool(marks)

    def catch_up(self) -> None:
        while self.mark() or self.roll():
            pass


class _Importer(Importer):
    """One that writes into the transaction of a test."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection.engine.url, connection.engine)
        self._connection = connection

    def _writing(self) -> Any:
        return _Kept(self._connection)


@dataclass
class _Kept:
    connection: Connection

    def __enter__(self) -> Connection:
        return self.connection

    def __exit__(self, *_: object) -> None:
        pass


Step = Callable[[Recorder], object]

minutes = st.integers(0, 70)
margins = st.decimals("0.001", "99999", places=17).map(str) | st.sampled_from(["1", "NaN"])
qualities = st.sampled_from(
    [Quality.OK, Quality.OK, Quality.SUSPECT, Quality.UNCONFIRMED, Quality.CONFIRMED]
)
inputs: st.SearchStrategy[Step] = st.one_of(
    st.builds(lambda *told: lambda it: it.read(*told), minutes, qualities, margins),
    st.builds(lambda *told: lambda it: it.read(*told), minutes, qualities, margins),
    st.builds(lambda *told: lambda it: it.miss(*told), minutes, st.sampled_from(REASONS)),
    st.builds(lambda *told: lambda it: it.absent(*told), minutes),
    st.builds(lambda *told: lambda it: it.set_clock(*told), st.integers(-200, 200)),
    st.builds(lambda *told: lambda it: it.bring_in(*told), st.integers(1, 20), margins),
)
upkeep: st.SearchStrategy[Step] = st.one_of(
    st.builds(lambda cut_off: lambda it: it.mark(cut_off=cut_off), st.booleans()),
    st.builds(lambda during: lambda it: it.roll(during), st.lists(inputs, max_size=3)),
)


def expected(it: Recorder) -> dict[Millis, HourRollup]:
    """The rollups made from all rows, the slow way."""
    s, m, g = snapshots.c, misses.c, gaps.c

    def rows(table: Any, *columns: Any) -> list[Any]:
        chosen = select(*columns).where(table.c.account_id == it.number).order_by(table.c.seq)
        return list(it.connection.execute(chosen))

    readings = rows(snapshots, s.seq, s.at, s.quality, s.available_margin, s.extra)
    missed = rows(misses, m.seq, m.at, m.reason)
    away = [(row.started_at, row.ended_at, None) for row in rows(gaps, g.started_at, g.ended_at)]
    spans = away + list(_failed([row for row in readings if row.seq > 0], missed))
    hours = {hour_of(row.at) for row in (*readings, *missed)}
    return {at: _hour(at, readings, missed, spans) for at in hours if at + HOUR <= it.now}


def _failed(own: list[Any], missed: list[Any]) -> Iterator[tuple[Millis, Millis, set[int]]]:
    """Spans of failed attempts, each with the readings at its ends."""
    for one in missed:
        before = [row for row in own if row.seq < one.seq][-1:]
        after = [row for row in own if row.seq > one.seq][:1]
        first = before[0].at if before else missed[0].at
        last = after[0].at if after else ENDLESS
        yield first, last, {row.seq for row in (*before, *after)}


def _hour(at: Millis, readings: list[Any], missed: list[Any], spans: list[Any]) -> HourRollup:
    hour = range(at, at + HOUR, MINUTE)
    within = sorted((row for row in readings if hour_of(row.at) == at), key=lambda row: row.at)
    judged = [row for row in within if Quality(row.quality) in JUDGED]
    counts = Counter(MissReason(row.reason) for row in missed if hour_of(row.at) == at)
    values = _values(judged)
    if not values and all(row.seq < 0 for row in judged):
        return HourRollup(at, misses=dict(counts))
    beside = {row.seq for row in within}
    gap = {
        minute
        for begin, end, ends in spans
        if ends is None or ends & beside
        for minute in hour
        if begin <= minute < end
    }
    fields = {}
    if values:
        figures = (values[0], values[-1], min(values), max(values))
        fields["available_margin"] = FieldRollup(len(values), *figures, _sum(values))
    since = {minute for minute in hour if minute >= judged[0].at}
    return HourRollup(at, fields, len(since - gap) * MINUTE, len(gap) * MINUTE, dict(counts))


def _values(judged: list[Any]) -> list[Decimal]:
    """The known margins of these rows, with all their digits."""
    found = ((row.extra or {}).get("available_margin", row.available_margin) for row in judged)
    values = (Decimal(each) for each in found if each is not None)
    return [value for value in values if not value.is_nan()]


def _sum(values: list[Decimal]) -> Decimal:
    """An exact sum, in whole units of the last place."""
    return Decimal(sum(int(value.scaleb(17)) for value in values)).scaleb(-17)


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    upgrade(url)
    found = writing(parse(url))
    yield found
    found.dispose()


@given(st.lists(inputs | upkeep, max_size=30))
@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_rollups_equal_those_made_from_all_rows(engine: Engine, steps: list[Step]) -> None:
    """Random histories, imports, clock steps and kills, and inputs that come while it is rolled."""
    with engine.begin() as connection:
        name = next(_names)
        insert(connection, accounts, name=name, exchange="coinw")
        it = Recorder(connection, name)
        for step in steps:
            step(it)
        it.now = LATER
        it.catch_up()
        found = {at: stored(connection, it.number, at) or HourRollup(at) for at in expected(it)}
        assert {at: _of_margin(each) for at, each in found.items()} == expected(it)
        assert rollups.pending(connection, it.number, LATER, 10) == {}


def _of_margin(found: HourRollup) -> HourRollup:
    kept = {name: each for name, each in found.fields.items() if name == "available_margin"}
    return replace(found, fields=kept)


@pytest.fixture
def recorder(engine: Engine) -> Iterator[Recorder]:
    with engine.begin() as connection:
        insert(connection, accounts, name=ACCOUNT, exchange="coinw")
        yield Recorder(connection, ACCOUNT)


def test_a_miss_rolls_the_hour_before_anew(recorder: Recorder) -> None:
    """The gap begins at the last reading, whose hour was rolled before the attempt failed."""
    recorder.read(59, Quality.OK, "1")
    recorder.now += HOUR
    recorder.catch_up()
    recorder.miss(0, MissReason.TIMEOUT)
    recorder.now += HOUR
    recorder.catch_up()
    found = stored(recorder.connection, recorder.number, T0)
    assert found is not None
    assert (found.gap, found.covered) == (MINUTE, 0)


def test_what_comes_while_an_hour_is_rolled_rolls_it_again(recorder: Recorder) -> None:
    """The mark has grown meanwhile, so it stays."""
    recorder.bring_in(1, "1")
    recorder.roll([lambda it: it.bring_in(2, "2")])
    recorder.roll()
    found = stored(recorder.connection, recorder.number, T0 - HOUR)
    assert found is not None
    assert found.fields["available_margin"].readings == 2


def test_an_hour_waits_for_its_end(store: Store) -> None:
    """It is rolled when it is over, and counted among what is left then."""
    store.submit(read(2, T0)).result(10)
    found = store.unseen_inputs(ACCOUNT)
    assert found is not None
    store.submit(MarkHours(ACCOUNT, found.hours, found.seq)).result(10)
    assert store.unseen_inputs(ACCOUNT) is None
    assert store.pending_hours(ACCOUNT, T0 + HOUR - 1, 10) == {}
    assert store.rollups_left(T0 + HOUR - 1) == RollupsLeft(0, 0)
    assert store.pending_hours(ACCOUNT, T0 + HOUR, 10) == {T0: 1}
    assert store.rollups_left(T0 + HOUR) == RollupsLeft(1, 0)


def test_what_is_far_apart_in_the_record_is_read_apart(store: Store) -> None:
    """An hour of before a clock step of a year: the inputs between are not read for it."""
    for seq in (2, 3, 20_000, 20_001):
        store.submit(read(seq, T0 + seq)).result(10)
    [found] = store.roll_hours(ACCOUNT, [T0])
    assert found.fields["available_margin"].readings == 4
