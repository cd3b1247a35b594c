"""Who collects, and how the channels have fared: what `status` asks for."""

import os
from pathlib import Path

import pytest

from daemon.errors import StoreError
from daemon.store import History, Store
from daemon.store.deliveries import Deliveries
from daemon.store.holder import Holder, holder
from daemon.store.operations import Claim, Mark, MessageKey, Operation
from daemon.types import Attempted, Outcome
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
    """Nobody can tell, and nobody guesses."""
    (tmp_path / "watch.db.lock").symlink_to("watch.db.lock")
    with pytest.raises(StoreError, match="cannot be read"):
        holder(f"sqlite:///{tmp_path / 'watch.db'}")


def attempt(n: int, channel: str, outcome: Outcome | None, detail: str = "") -> list[Operation]:
    key = MessageKey(channel, T0 + n, n)
    claim = Claim(key, ())
    return [claim] if outcome is None else [claim, Mark(key, T0 + n + 5, Attempted(outcome, detail), {})]


def test_deliveries_count_the_failures_since_the_last_one(url: str) -> None:
    """An attempt without an outcome is none; a channel that never delivered has only failed."""
    tried = [
        *attempt(1, "a", Outcome.LATER, "first"),
        *attempt(2, "a", Outcome.DELIVERED),
        *attempt(3, "a", Outcome.LATER, "second"),
        *attempt(4, "a", Outcome.UNKNOWN, "third"),
        *attempt(5, "a", None),
        *attempt(6, "b", Outcome.REFUSED, "gone"),
        *attempt(7, "c", Outcome.DELIVERED),
    ]
    store = Store.open(url)
    for operation in (epoch(), *tried):
        store.submit(operation).result(10)
    store.close()
    with History.open(url) as history:
        assert history.deliveries() == [
            Deliveries("a", T0 + 7, 2, "third", T0 + 8),
            Deliveries("b", None, 1, "gone", T0 + 11),
            Deliveries("c", T0 + 12, 0, ""),
        ]
