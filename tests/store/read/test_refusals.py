"""Recent refusals of the exchange (daemon/store/read/refusals.py)."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from daemon.store import History, Store
from daemon.store.read.refusals import MOST, RefusalHistory
from daemon.types import (
    MINUTE,
    SECOND,
    ClockStep,
    Millis,
    Miss,
    MissReason,
    Reading,
    Record,
    Source,
)
from tests.store.records import ACCOUNT, epoch, read
from tests.values import T0, miss, reading

Write = Callable[..., None]
REFUSED = {MissReason.RATE_LIMITED, MissReason.BLOCKED}
LIMITED, BLOCKED, TIMEOUT = MissReason.RATE_LIMITED, MissReason.BLOCKED, MissReason.TIMEOUT


@pytest.fixture
def history(store: Store, url: str) -> Iterator[History]:
    with History.open(url) as opened:
        yield opened


def missed(seq: int, reason: MissReason) -> Record:
    return Record(ACCOUNT, _miss(seq, reason))


def _miss(seq: int, reason: MissReason, moved: Millis = 0) -> Miss:
    return miss(seq, T0 + seq * SECOND + moved, reason)


def told(seq: int, ahead: Millis | None, source: Source = Source.REST) -> Record:
    one = reading(seq, T0 + seq * SECOND)
    there = None if ahead is None else one.at + ahead
    return Record(ACCOUNT, replace(one, exchange_at=there, source=source))


def treated(history: History) -> RefusalHistory:
    return history.refusal_histories(REFUSED)[ACCOUNT]


def test_b2_refusals_since_the_last_answer(history: History, write: Write, store: Store) -> None:
    """B2: earlier ones are over; a push is no answer; of other misses only the last counts."""
    write(
        epoch(),
        missed(2, BLOCKED),
        read(3),
        missed(4, LIMITED),
        missed(5, TIMEOUT),
        missed(6, BLOCKED),
    )
    write(told(7, None, Source.WS), missed(8, TIMEOUT), missed(9, TIMEOUT))
    expected = (_miss(4, LIMITED), _miss(6, BLOCKED), _miss(9, TIMEOUT))
    assert treated(history).refusals == expected
    assert store.refusal_histories(REFUSED)[ACCOUNT].refusals == expected
    write(read(10))
    assert treated(history).refusals == ()


def test_b2_a_long_refusal_is_not_read_whole(history: History, write: Write) -> None:
    """B2: the last hundred are of more than ten minutes, whatever the interval."""
    write(epoch(), *(missed(seq, BLOCKED) for seq in range(2, MOST + 20)))
    assert [each.seq for each in treated(history).refusals] == list(range(20, MOST + 20))


def test_a5_refusals_move_with_the_clock(history: History, write: Write) -> None:
    """A5: their instants are as they are meant now."""
    write(
        epoch(), missed(2, BLOCKED), Record(ACCOUNT, ClockStep(3, T0 + 3 * SECOND + MINUTE, MINUTE))
    )
    assert treated(history).refusals == (_miss(2, BLOCKED, MINUTE),)


def test_b2_when_there_were_too_many_calls(history: History, write: Write, store: Store) -> None:
    """B2: for each account, whatever was answered since."""
    write(epoch(ACCOUNT, "other"), missed(2, LIMITED), missed(3, BLOCKED), read(4))
    write(Record("other", _miss(9, LIMITED)), Record("other", reading(10, T0 + 10 * SECOND)))
    assert history.last_rate_limited(0) == {ACCOUNT: T0 + 2 * SECOND, "other": T0 + 9 * SECOND}
    assert store.last_rate_limited(T0 + 9 * SECOND) == {"other": T0 + 9 * SECOND}
    assert history.last_rate_limited(T0 + 9 * SECOND + 1) == {}


@pytest.mark.parametrize(
    ("answers", "ahead"),
    [
        ([], None),
        ([told(2, None)], None),
        ([told(2, -100), told(3, -40), told(4, -900)], -40),
        ([told(2, 40_000), told(3, 39_990)], 40_000),
        ([told(2, 500), told(3, -50, Source.CONFIRM), told(4, 9_000, Source.WS)], 500),
        ([told(seq, 5_000) for seq in range(2, 5)] + [told(seq, -5) for seq in range(5, 15)], -5),
        ([told(2, -40), told(3, -1_040), told(4, -2_040)], -40),
        ([told(seq, -1_000 * seq) for seq in range(2, 20)], None),
    ],
    ids=[
        "nothing",
        "no-time",
        "the-quickest",
        "ahead",
        "not-by-push",
        "the-last-ten",
        "standing-still",
        "for-long",
    ],
)
def test_the_exchanges_clock(
    history: History, write: Write, answers: list[Record], ahead: Millis | None
) -> None:
    """The answer that took the least time tells most; a time that stands still tells nothing."""
    write(epoch(), *answers)
    assert treated(history).ahead == ahead
    assert all(isinstance(each.event, Reading) for each in answers)
