"""Episodes that the engine remembers come back from the record (SEMANTICS E4)."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from daemon.store import Store
from daemon.types import DAY, AccountState, ClockStep, FlapEpisode, FlapRange, Record, State
from tests.store.records import ACCOUNT, alert, clears, epoch, fires, read
from tests.values import T0

Write = Callable[..., None]
WORST = alert().worst
MEANING = alert().meaning


def over(seq: int, alert_seq: int) -> Record:
    """Its end, with the counter of the input that ended it."""
    record = clears(seq, alert_seq)
    return replace(record, alerts=tuple(replace(each, ended_seq=seq) for each in record.alerts))


def swing(at: int, high: str = "120") -> FlapEpisode:
    return FlapEpisode(at, WORST, Decimal(high), MEANING, alert().judged)


def test_e4_the_episodes_of_a_rule_come_back_with_their_ranges(store: Store, write: Write) -> None:
    """Ended and open ones, oldest first; the range is that of all values they were judged by."""
    write(fires(2), over(3, 2), fires(4))
    assert store.load(ACCOUNT).fired == {"low": (swing(T0 + 2_000), swing(T0 + 4_000, "90"))}


def test_a5_episodes_move_with_the_clock(store: Store, write: Write) -> None:
    """An ended one by the steps since its end; an open one was moved where it is recorded."""
    write(fires(2), over(3, 2), Record(ACCOUNT, ClockStep(4, T0 + 64_000, 60_000)))
    assert store.load(ACCOUNT).fired == {"low": (swing(T0 + 62_000),)}


def test_e4_episodes_of_more_than_a_day_ago_are_forgotten(store: Store, write: Write) -> None:
    """No span of `flapping` is longer."""
    write(fires(2), over(3, 2), read(4, T0 + 2_000 + DAY))
    assert len(store.load(ACCOUNT).fired["low"]) == 1
    write(read(5, T0 + 2_001 + DAY))
    assert store.load(ACCOUNT).fired == {}


def test_e4_an_alert_about_flapping_is_no_episode(store: Store, write: Write) -> None:
    """Nor is a pending that came to nothing."""
    flapping = replace(alert(2), rule="low:flapping", swings=FlapRange(7, None, None))
    pending = replace(alert(3, State.PENDING), fired_at=None)
    write(read(2), Record(ACCOUNT, read(3).event, (flapping, pending)))
    assert store.load(ACCOUNT).fired == {}


def test_d4_how_long_readings_were_missing_is_no_value_of_a_rule(
    store: Store, write: Write
) -> None:
    """The episode counts all the same."""
    record = fires(2)
    write(replace(record, alerts=(replace(record.alerts[0], missing=True),)))
    assert store.load(ACCOUNT).fired == {"low": (FlapEpisode(T0 + 2_000, meaning=MEANING),)}


def test_d4_since_when_readings_are_expected_is_the_epochs_word(store: Store, write: Write) -> None:
    """A5: moved by the steps since."""
    begun = epoch(at=T0 + 9_000, seq=9, reason="reload")
    state = {ACCOUNT: AccountState(ACCOUNT, 9, T0 + 9_000, since=T0)}
    write(replace(begun, state=state), Record(ACCOUNT, ClockStep(10, T0 + 20_000, 10_000)))
    assert store.load(ACCOUNT).since == T0 + 10_000
