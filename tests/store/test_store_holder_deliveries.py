"""The collecting daemon and the health of channels, as `status` shows them."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from daemon.errors import StoreError
from daemon.store import History, Store
from daemon.store.database.lock_holder import Holder, holder
from daemon.store.operations import TEST, Claim, MessageKey, Operation, RecordAttempt, Withdraw
from daemon.store.read.channel_health import Deliveries, Streak
from daemon.types import AttemptResult, Outcome
from tests.store.records import epoch
from tests.values import T0


def test_the_lock_tells_who_collects(url: str) -> None:
    """While a store is open, and not a moment longer."""
    store = Store.open(url)
    store.submit(epoch()).result(10)
    try:
        assert holder(url) == Holder(str(os.getpid()))
    finally:
        store.close()
    assert holder(url) is None


def test_asking_takes_nothing_away(url: str) -> None:
    """A daemon can start right after, and asking while it runs does not end its lock."""
    Store.open(url).close()
    assert holder(url) is None
    store = Store.open(url)
    assert holder(url) == holder(url) == Holder(str(os.getpid()))
    store.close()


def test_a_database_that_never_was_collected_into_has_no_holder(tmp_path: Path) -> None:
    """No lock file, no daemon."""
    assert holder(f"sqlite:///{tmp_path / 'none.db'}") is None


def test_a_lock_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    """The holder is unknown, and not guessed."""
    (tmp_path / "watch.db.lock").symlink_to("watch.db.lock")
    with pytest.raises(StoreError, match="cannot be read"):
        holder(f"sqlite:///{tmp_path / 'watch.db'}")


def attempt(
    n: int, channel: str, outcome: Outcome | None, detail: str = "", *, test: bool = False
) -> list[Operation]:
    key = MessageKey(channel, T0 + n, TEST if test else n)
    claim = Claim(key, ())
    return (
        [claim]
        if outcome is None
        else [claim, RecordAttempt(key, T0 + n + 5, AttemptResult(outcome, detail), {})]
    )


def test_s6_the_pause_that_a_service_asked_for_is_on_record(url: str) -> None:
    """S6: the pause of the last attempt; a later one without a pause ends it."""
    asked, key = AttemptResult(Outcome.LATER, "busy", retry_after=7_000), MessageKey("a", T0, 0)
    (first,) = deliveries(url, [Claim(key, ()), RecordAttempt(key, T0 + 5, asked, {})])
    assert first.own is not None
    assert first.own.retry_after == 7_000


def withdrawn(n: int, channel: str) -> list[Operation]:
    key = MessageKey(channel, T0 + n, n)
    return [Claim(key, ()), Withdraw(key, T0 + n)]


def test_deliveries_count_the_failures_since_the_last_one(url: str) -> None:
    """Attempts of unknown outcome or never made do not count; a new channel has only failures."""
    tried = [
        *attempt(1, "a", Outcome.LATER, "first"),
        *attempt(2, "a", Outcome.DELIVERED),
        *attempt(3, "a", Outcome.LATER, "second"),
        *attempt(4, "a", Outcome.UNKNOWN, "third"),
        *attempt(5, "a", None),
        *attempt(6, "b", Outcome.REFUSED, "gone"),
        *attempt(7, "c", Outcome.DELIVERED),
        *withdrawn(8, "c"),
    ]
    a, b = (
        Streak(2, T0 + 8, T0 + 9, Outcome.UNKNOWN, "third"),
        Streak(1, T0 + 11, T0 + 11, Outcome.REFUSED, "gone"),
    )
    assert deliveries(url, tried) == [
        Deliveries(
            "a",
            T0 + 7,
            tested=False,
            failing=a,
            own=a,
            begun=(T0 + 1, T0 + 2, T0 + 3, T0 + 4, T0 + 5),
        ),
        Deliveries("b", None, tested=False, failing=b, own=b, begun=(T0 + 6,)),
        Deliveries("c", T0 + 12, tested=False, failing=None, own=None, begun=(T0 + 7,)),
    ]


def test_f3_a_test_that_arrived_ends_a_streak_and_one_that_failed_is_none_of_the_daemons(
    url: str,
) -> None:
    """F3: the daemon counts its own attempts since the channel last worked."""
    tried = [
        *attempt(1, "a", Outcome.REFUSED),
        *attempt(2, "a", Outcome.DELIVERED, test=True),
        *attempt(3, "a", Outcome.LATER, "a test", test=True),
        *attempt(4, "b", Outcome.LATER, "busy"),
        *attempt(5, "b", Outcome.UNKNOWN, "a test", test=True),
    ]
    a, b = (
        Streak(1, T0 + 8, T0 + 8, Outcome.LATER, "a test"),
        Streak(2, T0 + 9, T0 + 10, Outcome.UNKNOWN, "a test"),
    )
    own = Streak(1, T0 + 9, T0 + 9, Outcome.LATER, "busy")
    assert deliveries(url, tried) == [
        Deliveries("a", T0 + 7, tested=True, failing=a, own=None, begun=(T0 + 1,)),
        Deliveries("b", None, tested=False, failing=b, own=own, begun=(T0 + 4,)),
    ]


def deliveries(url: str, tried: Sequence[Operation]) -> list[Deliveries]:
    store = Store.open(url)
    for operation in (epoch(), *tried):
        store.submit(operation).result(10)
    store.close()
    with History.open(url) as history:
        return history.deliveries()


def test_f3_a_test_counts_that_arrived_after_the_message(url: str) -> None:
    """F3: on that channel, and later; whatever the clock says meanwhile."""
    refused = MessageKey("a", T0 + 3, 3)
    store = Store.open(url)

    def tried(n: int, channel: str, outcome: Outcome, *, test: bool) -> bool:
        for operation in attempt(n, channel, outcome, test=test):
            store.submit(operation).result(10)
        return store.tested(refused)

    store.submit(epoch()).result(10)
    for n, channel, outcome, test, found in (
        (2, "a", Outcome.DELIVERED, True, False),
        (3, "a", Outcome.REFUSED, False, False),
        (4, "b", Outcome.DELIVERED, True, False),
        (5, "a", Outcome.DELIVERED, False, False),
        (6, "a", Outcome.UNKNOWN, True, False),
        (1, "a", Outcome.DELIVERED, True, True),
    ):
        assert tried(n, channel, outcome, test=test) is found, n
    store.close()
