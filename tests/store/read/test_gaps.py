"""The records from which gaps are derived (daemon/store/read/gaps.py)."""

from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon import types
from daemon.readings.gaps import ListedGap, gaps
from daemon.store import History, Store
from daemon.store.operations import Operation
from daemon.store.read import gaps as missing_module
from daemon.types import SECOND, ClockStep, GapReason, Miss, MissReason, Record
from tests.store.records import ACCOUNT, epoch, read
from tests.values import T0, ending, miss

Write = Callable[..., None]
END = T0 + 10**6


@pytest.fixture
def history(store: Store, url: str) -> Iterator[History]:
    with History.open(url) as opened:
        yield opened


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missing_module, "PAGE", 2)


def at(seq: int) -> int:
    return T0 + seq * SECOND


def missed(seq: int, reason: MissReason = MissReason.TIMEOUT) -> Record:
    return Record(ACCOUNT, miss(seq, at(seq), reason))


def away(seq: int, since: int, until: int, reason: GapReason = GapReason.SUSPENDED) -> Record:
    return ending(types.Gap(ACCOUNT, seq, at(since), at(until), reason, 1))


def gap_rows(history: History, since: int = 0) -> list[tuple[str, int, int | None, int]]:
    """The gaps, in seconds after the beginning."""
    return [
        (each.reason.value, _s(each.started_at), _s(each.ended_at), each.missed)
        for each in _gaps(history, since)
    ]


def _gaps(history: History, since: int) -> list[ListedGap]:
    return list(gaps(history.missing(ACCOUNT, since)))


def _s(instant: int | None) -> int:
    return -1 if instant is None else (instant - T0) // SECOND


def test_a3_a_ledger_is_made_of_the_record(
    history: History, write: Write, small_pages: None
) -> None:
    """A3: misses, downtime, suspend and clock steps, in order; a lasting one has no end."""
    write(
        epoch(),
        read(2),
        *(missed(seq) for seq in range(3, 8)),
        missed(8, MissReason.BLOCKED),
        read(9),
        read(10),
    )
    write(
        away(12, 10, 12, GapReason.DAEMON_DOWN),
        read(13),
        Record(ACCOUNT, ClockStep(14, at(14), -SECOND)),
        read(15),
    )
    write(read(20), away(20, 16, 20), missed(21), away(22, 21, 22), missed(22))
    assert gap_rows(history) == [
        ("timeout", 1, 7, 5),
        ("blocked", 7, 8, 1),
        ("daemon_down", 9, 11, 1),
        ("clock_step", 14, 14, 0),
        ("suspended", 16, 20, 1),
        ("timeout", 20, 21, 1),
        ("suspended", 21, 22, 1),
        ("timeout", 22, -1, 1),
    ]


def test_a_gap_that_reaches_into_the_span_is_whole(history: History, write: Write) -> None:
    """However long before the span it began, and nothing that was over before it is read."""
    write(
        epoch(),
        read(2),
        missed(3),
        read(4),
        *(missed(seq) for seq in range(5, 30)),
        read(30),
        missed(31),
        read(32),
    )
    assert gap_rows(history, at(20)) == [("timeout", 4, 30, 25), ("timeout", 30, 32, 1)]
    assert gap_rows(history, at(31)) == [("timeout", 30, 32, 1)]
    assert gap_rows(history, END) == []


def test_an_account_without_a_record_has_no_gaps(history: History, write: Write) -> None:
    """Nor has one that was never read, until its first attempt fails."""
    write(epoch())
    assert list(history.missing("ghost", 0)) == []
    assert gap_rows(history) == []
    write(missed(2))
    assert gap_rows(history) == [("timeout", 2, -1, 1)]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kinds=st.lists(
        st.sampled_from(["read", "read", "read", "timeout", "network", "nap"]), max_size=25
    )
)
def test_a3_few_readings_tell_as_much_as_all(
    kinds: Sequence[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A3: the gaps are those of the whole record, whatever a page holds."""
    url = f"sqlite:///{tmp_path_factory.mktemp('trail')}/m.db"
    store = Store.open(url)
    whole: list[int | Miss | ListedGap] = []
    operations: list[Operation] = [epoch()]
    for seq, kind in enumerate(kinds, 2):
        instant = at(seq)
        if kind in ("timeout", "network"):
            one = miss(seq, instant, MissReason(kind))
            operations.append(Record(ACCOUNT, one))
            whole.append(one)
            continue
        operations.append(read(seq))
        if kind == "nap":
            operations.append(away(seq, seq - 1, seq))
            whole.append(ListedGap(GapReason.SUSPENDED, instant - SECOND, instant, 1))
        whole.append(instant)
    for each in operations:
        store.submit(each)
    store.close()
    for size in (2, 3, missing_module.PAGE):
        with pytest.MonkeyPatch.context() as patched, History.open(url) as history:
            patched.setattr(missing_module, "PAGE", size)
            assert _gaps(history, 0) == list(gaps(whole))
