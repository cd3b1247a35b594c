"""Reads for exports, on both databases: the order of recording, from any place on."""

from collections.abc import Callable, Iterator

import pytest

from daemon.store import History, Store
from daemon.store import history as history_module
from daemon.types import Record
from tests.store.records import ACCOUNT
from tests.values import T0, reading

Write = Callable[..., None]


@pytest.fixture
def history(store: Store, url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    """With pages of two rows, so that they have ends."""
    monkeypatch.setattr(history_module, "PAGE", 2)
    with History.open(url) as opened:
        yield opened


STEPS = [0, 100, 50, 60, 200]
"""Instants of the readings 2 to 6; the clock is set back before the fourth."""


@pytest.fixture
def five(write: Write) -> None:
    write(*(Record(ACCOUNT, reading(seq, T0 + at)) for seq, at in enumerate(STEPS, 2)))


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize(
    ("since", "until", "after", "found"),
    [
        (0, 1_000, 1, [2, 3, 4, 5, 6]),
        (0, 1_000, 3, [4, 5, 6]),
        (50, 100, 1, [4, 5]),
        (100, 1_000, 1, [3, 6]),
        (100, 1_000, 3, [6]),
        (0, 1_000, 6, []),
        (500, 1_000, 1, []),
    ],
)
def test_readings_come_as_recorded(
    history: History, since: int, until: int, after: int, found: list[int]
) -> None:
    """Counters above `after`, instants from `since` up to before `until`, each row once."""
    span = history.recorded_range(ACCOUNT, T0 + since, T0 + until, after)
    assert span.count == len(found)
    assert [each.seq for each in history.recorded(span)] == found


@pytest.mark.usefixtures("five")
def test_readings_recorded_meanwhile_are_left_for_the_next_export(
    history: History, write: Write
) -> None:
    """The range is fixed when it is made, so that the counter for the next one is known."""
    span = history.recorded_range(ACCOUNT, T0, T0 + 1_000, 4)
    found = history.recorded(span)
    first = next(found)
    write(Record(ACCOUNT, reading(7, T0 + 300)))
    assert [first.seq, *(each.seq for each in found)] == [5, 6]
    assert history.last_counters([ACCOUNT]) == {ACCOUNT: 7}


def test_nothing_recorded_has_no_last_counter(history: History) -> None:
    """None, and not zero."""
    assert history.last_counters([ACCOUNT]) == {ACCOUNT: None}
    assert history.last_transition() is None
    assert history.last_notification() is None
