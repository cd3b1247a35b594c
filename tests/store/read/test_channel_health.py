"""Health of channels by the record, as `status` shows it."""

from collections.abc import Sequence

from daemon.store import History, Store
from daemon.store.operations import TEST, Claim, MessageKey, Operation, RecordAttempt, Withdraw
from daemon.store.read.channel_health import Deliveries, Streak
from daemon.types import AttemptResult, Outcome
from tests.store.records import epoch
from tests.values import T0


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
