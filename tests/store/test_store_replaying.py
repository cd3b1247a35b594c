"""Reading the past for replay (daemon/store/read/replay.py, time_index.py, missing_inputs.py)."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.recorded import LIVES, record
from daemon.store import History, Store
from daemon.store import history as history_module
from daemon.store.codec import FIELDS
from daemon.store.operations import StoreDownGap
from daemon.store.read import missing_inputs as holes_module
from daemon.store.read import replay as streaming_module
from daemon.store.read.missing_inputs import Hole
from daemon.store.read.recorded import PastTransition
from daemon.store.read.replay import Replayed
from daemon.store.read.time_index import Extent
from daemon.types import (
    JUDGED,
    Alert,
    Balances,
    Check,
    ClockStep,
    Gap,
    GapReason,
    Millis,
    Miss,
    Quality,
    Reading,
    Record,
    Severity,
    Source,
    State,
    Transition,
    TransitionReason,
    Unconfirmed,
)
from tests.store.records import ACCOUNT, clears, epoch, fires, read, transition
from tests.values import T0, ending, miss, reading

Write = Callable[..., None]
END = T0 + 10_000_000
EVERYTHING = Balances(
    Decimal("996660.6064387699998485"),
    Decimal("0.1"),
    Decimal("1E-30"),
    Decimal("NaN"),
    None,
    Decimal("-0.00000001"),
)


@pytest.fixture
def history(store: Store, url: str) -> Iterator[History]:
    with History.open(url) as opened:
        yield opened


@pytest.fixture(params=[3, 5_000])
def pages(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same test with pages that end everywhere, and with one that holds all."""
    monkeypatch.setattr(streaming_module, "PAGE", request.param)
    monkeypatch.setattr(history_module, "PAGE", request.param)
    monkeypatch.setattr(holes_module, "WIDTH", request.param)


def imported(seq: int, at: Millis) -> Reading:
    return replace(reading(seq, at), source=Source.IMPORT, exchange_at=None)


FIRST = 3
"""The first reading of our own: imported ones have instants of its clock."""

SUSPECT = reading(6, T0 + 5_000, Quality.SUSPECT, available_margin="0")
RECORDED: Sequence[Replayed] = [
    imported(-3, T0 - 60_000),
    imported(-2, T0 - 30_000),
    imported(-1, T0 - 30_000),
    ClockStep(2, T0 + 1_000, 50_000),
    reading(3, T0 + 2_000, available_margin="996660.6064387699998485"),
    miss(4, T0 + 3_000),
    miss(5, T0 + 4_000),
    SUSPECT,
    Unconfirmed(7, T0 + 8_000, SUSPECT),
    ClockStep(8, T0 + 4_000, -5_000),
    reading(9, T0 + 5_000),
    reading(10, T0 + 6_000, Quality.STALE),
    ClockStep(11, T0 + 100_000, 93_000),
    ClockStep(12, T0 + 99_000, -1_000),
    miss(13, T0 + 99_500),
    replace(
        reading(14, T0 + 101_000), balances=EVERYTHING, extra={"note": "x", "al_freeze": "theirs"}
    ),
    Reading(15, T0 + 102_000, Source.WS, Quality.CONFIRMED, None, Balances(), {"more": [1, "1.5"]}),
]
"""Clock steps back and forth, with everything else in between."""


def meant(each: Replayed) -> Millis:
    """Its corrected instant, by a plain sum of later clock steps: the reference for the search."""
    seq = each.seq if each.seq > 0 else FIRST
    return each.at + sum(
        step.by for step in RECORDED if isinstance(step, ClockStep) and step.seq > seq
    )


@pytest.fixture
def recorded(write: Write) -> None:
    write(*(Record(ACCOUNT, each) for each in RECORDED))
    write(ending(Gap(ACCOUNT, 9, T0 + 4_000, T0 + 5_000, GapReason.DAEMON_DOWN)))


def test_a1_inputs_come_back_exactly_and_in_order(
    history: History, recorded: None, pages: None
) -> None:
    """Any mixture, across pages, with all digits and unknown fields."""
    found = list(history.inputs(ACCOUNT, after=-10))
    assert [each.seq for each in found] == [each.seq for each in RECORDED]
    assert found[:15] == list(RECORDED[:15])
    assert isinstance(found[15], Reading)
    assert isinstance(found[16], Reading)
    assert str(found[15].balances.available_margin) == "996660.6064387699998485"
    assert found[15].balances.almighty_gold == Decimal("1E-30")
    assert found[15].balances.al_margin is not None
    assert found[15].balances.al_margin.is_nan()
    assert found[15].extra == {"note": "x", "al_freeze": "theirs"}
    assert found[16] == RECORDED[16]


def test_what_is_read_is_what_a_constructor_makes(history: History, write: Write) -> None:
    """Readings built by the page equal others: comparison, hash, copy and pickle."""
    one = reading(2, T0 + 500)
    write(Record(ACCOUNT, one))
    found = next(each for each in history.inputs(ACCOUNT, after=1) if isinstance(each, Reading))
    assert found == one
    assert hash(found.balances) == hash(one.balances)
    assert replace(found, seq=7) == replace(one, seq=7)
    assert pickle.loads(pickle.dumps(found.balances)) == found.balances


def test_only_the_fields_of_the_rules_are_read(
    history: History, recorded: None, pages: None
) -> None:
    """Other fields are unknown; the named ones keep their digits."""
    found = list(
        history.replayed(ACCOUNT, 0, END, {"available_margin", "al_margin", "no_field"}, 0)
    )
    readings = [each for each in found if isinstance(each, Reading)]
    assert {each.balances.available_usdt for each in readings} == {None}
    amounts = {each.balances.available_margin for each in readings}
    assert amounts == {Decimal("996660.6064387699998485"), Decimal(500), Decimal(0), None}
    assert [dict(each.extra) for each in readings] == [{}] * len(readings)
    unconfirmed = next(each for each in found if isinstance(each, Unconfirmed))
    assert unconfirmed.reading.balances == Balances(Decimal(0), None, None, Decimal(0))


def test_a_replay_of_no_fields_still_has_every_input(
    history: History, recorded: None, pages: None
) -> None:
    """A rule on `age` alone names none."""
    assert [each.seq for each in history.replayed(ACCOUNT, 0, END, (), 0)] == [
        each.seq for each in RECORDED
    ]


def test_c1_a_replay_begins_and_ends_where_its_span_does(history: History, recorded: None) -> None:
    """It begins with the last judged reading before, by corrected instants, like a full scan."""
    instants = sorted({meant(each) + more for each in RECORDED for more in (-1, 0, 1)})
    for since in instants:
        for until in (since, since + 3_000, END):
            assert replayed(history, since, until, 2_000) == scanned(since - 2_000, until), (
                since,
                until,
            )


def test_a5_the_first_input_of_a_span_is_found_by_what_instants_mean_now(
    history: History, recorded: None
) -> None:
    """Compared with a scan, around every instant there is."""
    for since in sorted({meant(each) + more for each in RECORDED for more in (-1, 0, 1)}):
        late = [each.seq for each in RECORDED if meant(each) >= since]
        found = history.first(ACCOUNT, since)
        assert [each.seq for each in RECORDED if each.seq >= found] == late, since
    assert history.first("ghost", 0) > 0


def test_a5_the_steps_say_how_every_instant_is_meant(history: History, recorded: None) -> None:
    """Corrected instants are for showing the past by the present clock."""
    steps = history.steps(ACCOUNT)
    assert [each.at + steps.moved(each.seq) for each in RECORDED] == [
        meant(each) for each in RECORDED
    ]
    assert history.steps("ghost").moved(1) == 0


def replayed(history: History, since: Millis, until: Millis, look_back: Millis) -> list[int]:
    return [each.seq for each in history.replayed(ACCOUNT, since, until, FIELDS, look_back)]


def scanned(begin: Millis, until: Millis) -> list[int]:
    """The result that `replayed` promises, found by looking at every input."""
    early = [each.seq for each in RECORDED if judged(each) and meant(each) <= begin]
    first = max(early, default=-100)
    late = [each.seq for each in RECORDED if meant(each) >= until]
    return [each.seq for each in RECORDED if first <= each.seq < min(late, default=100)]


def judged(each: Replayed) -> bool:
    return isinstance(each, Unconfirmed) or (isinstance(each, Reading) and each.quality in JUDGED)


def test_an_account_without_a_record_has_nothing(history: History) -> None:
    """Nor has one that nobody knows."""
    for name in (ACCOUNT, "ghost"):
        assert list(history.replayed(name, 0, END, FIELDS, 0)) == []
        assert list(history.warm(name, 5, 0)) == []
        assert history.extent(name, 0, END) is None
        assert list(history.transitions(name)) == []
    assert list(history.holes("ghost", 0, 5)) == []


def test_windows_are_warmed_as_the_daemon_warmed_them(
    history: History, store: Store, write: Write, pages: None
) -> None:
    """At every input and for several windows, `warm` gives what `recent` gave then."""
    lengths = (0, 1_500, 5_000, 200_000)
    then: dict[tuple[int, Millis], list[Reading]] = {}
    for each in RECORDED[:15]:
        write(Record(ACCOUNT, each))
        if each.seq > 0:
            for length in lengths:
                pages_of = store.recent(ACCOUNT, each.at - length)
                then[each.seq + 1, each.at - length] = [one for page in pages_of for one in page]
    assert then == {(seq, since): list(history.warm(ACCOUNT, seq, since)) for seq, since in then}


def test_windows_are_warmed_with_the_fields_that_are_named(
    history: History, recorded: None
) -> None:
    """The fields are those of a replay."""
    found = list(history.warm(ACCOUNT, 5, T0, ("al_freeze",)))
    assert [each.balances for each in found] == [Balances(al_freeze=Decimal(0))]


def test_live_windows_know_no_imported_readings(
    history: History, store: Store, write: Write
) -> None:
    """Neither they nor the recorded state, however late the imported readings are."""
    write(Record(ACCOUNT, imported(-1, T0 + 500)))
    assert list(store.recent(ACCOUNT, 0)) == []
    state = store.load(ACCOUNT)
    assert (state.seq, state.at, state.judged_at) == (1, T0, None)
    write(read(2))
    assert [one.seq for page in store.recent(ACCOUNT, T0 + 600) for one in page] == [2]
    assert store.load(ACCOUNT).judged_at == T0 + 2_000


def test_transitions_come_in_the_order_of_recording(
    history: History, write: Write, pages: None
) -> None:
    """One account's with alert codes, from any of them on; the daemon's by the empty name."""
    own = Alert("disk-full", 1, "zzz2", Severity.WARNING, State.FIRING, "", T0)
    full = Transition("disk-full", 1, T0, State.OK, State.FIRING, "when", None)
    write(epoch("other", at=T0 + 1, reason="reload"))
    write(fires(2), Record("", Check(1, T0), (own,), (full,)), clears(3), fires(4), clears(5, 4))
    found = list(history.transitions(ACCOUNT))
    ended = (T0 + 3_000, "120", State.RESOLVED)
    assert [each.transition for each in found[:2]] == [transition(2), transition(2, *ended)]
    assert [(each.code, each.transition.alert_seq) for each in found] == [
        ("k7m2", seq) for seq in (2, 2, 4, 4)
    ]
    assert list(history.transitions(ACCOUNT, found[1].id)) == found[2:]
    assert [each.id for each in found] == sorted(each.id for each in found)
    assert list(history.transitions("other")) == []
    assert [replace(each, id=0) for each in history.transitions("")] == [
        PastTransition(0, "zzz2", full)
    ]


def test_the_extent_of_a_span_is_told_at_once(history: History, recorded: None) -> None:
    """Its first and last instants as they are meant, and about how many inputs there are."""
    assert history.extent(ACCOUNT, 0, END) == Extent(meant(RECORDED[0]), T0 + 102_000, 18)
    assert history.extent(ACCOUNT, T0 + 99_500, T0 + 101_500) == Extent(
        meant(RECORDED[10]), T0 + 101_000, 6
    )
    assert history.extent(ACCOUNT, 0, meant(RECORDED[0])) is None


def test_holes_are_counters_that_nothing_has(history: History, write: Write, pages: None) -> None:
    """No reading, miss, clock step or configuration change; a gap shows if the store was down."""
    write(*(read(seq) for seq in (2, 3, 7)), Record(ACCOUNT, ClockStep(4, T0 + 3_500, 500)))
    write(epoch(at=T0 + 8_000, seq=8, reason="reload"), Record(ACCOUNT, miss(9, T0 + 9_000)))
    write(StoreDownGap(ACCOUNT, 19, T0 + 9_000, T0 + 19_000, 10), read(20))
    write(ending(Gap(ACCOUNT, 23, T0 + 20_000, T0 + 23_000, GapReason.DAEMON_DOWN)))
    assert list(history.holes(ACCOUNT, 0, 23)) == [
        Hole(5, 6),
        Hole(10, 19, store_down=True),
        Hole(21, 23),
    ]
    assert list(history.holes(ACCOUNT, 5, 12)) == [Hole(6, 6), Hole(10, 12)]
    assert list(history.holes(ACCOUNT, 6, 9)) == []


def test_the_record_of_the_benchmark_is_one_that_a_daemon_could_have_made(tmp_path: Path) -> None:
    """It has all kinds of input; instants go back only by the step, and no counter is missing."""
    with History.open(record(tmp_path / "year.db", 3_000)) as history:
        found = list(history.inputs(ACCOUNT, 0))
        turns = [each.state[ACCOUNT].seq for each in history.epochs(0, END)]
        assert list(history.holes(ACCOUNT, 0, found[-1].seq)) == []
    assert {Reading, Miss, ClockStep} == set(map(type, found))
    assert sum(isinstance(each, Reading) for each in found) == 3_000
    assert len(turns) == LIVES
    backwards = [late for early, late in pairwise(found) if late.at < early.at]
    assert all(isinstance(each, ClockStep) for each in backwards)


def test_reasons_of_transitions_are_ours_or_stay_as_they_were_recorded(
    history: History, write: Write
) -> None:
    """A reason that only another version knows is shown by its own text."""
    ours = replace(transition(), reason=TransitionReason.HELD)
    theirs = replace(transition(at=T0 + 3_000), reason="of_another_version")
    write(replace(fires(2), transitions=(ours, theirs)))
    reasons = [each.transition.reason for each in history.transitions(ACCOUNT)]
    assert reasons == ["held", "of_another_version"]
    assert reasons[0] is TransitionReason.HELD
