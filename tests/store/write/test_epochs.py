"""Starts, reloads and stops."""

from collections.abc import Callable

from daemon.store import History, Store
from daemon.store.operations import (
    Claim,
    EndEpoch,
    MessageKey,
    NoticeState,
    RecordAttempt,
    Rejected,
    StartEpoch,
)
from daemon.store.read.recorded import PastEpoch
from daemon.types import AccountState, AttemptResult, Outcome, Record
from tests.store.records import ACCOUNT, epoch, fires, key, read
from tests.values import T0, miss

Write = Callable[..., None]


def spans(url: str) -> list[tuple[int, int | None, str, str | None]]:
    with History.open(url) as history:
        return [
            (
                each.started_at - T0,
                None if each.ended_at is None else each.ended_at - T0,
                each.reason,
                each.end_reason,
            )
            for each in history.epochs(0, T0 * 2)
        ]


def test_an_epoch_names_rules_and_states(store: Store, url: str) -> None:
    """Promise 6: replay starts from the state that an epoch recorded, under its rules."""
    with History.open(url) as history:
        [found] = history.epochs(T0, T0 + 1)
    rules = {"rules": [{"name": "low", "when": "available_margin < 100"}]}
    state = {ACCOUNT: AccountState(ACCOUNT, 1, T0)}
    assert found == PastEpoch(T0, None, "start", None, "0.1.0", rules, state)


def test_a_reload_ends_the_epoch_before(write: Write, url: str) -> None:
    """One epoch follows the other without a gap."""
    write(epoch(at=T0 + 5_000, seq=2, reason="reload"))
    assert spans(url) == [(0, 5_000, "start", "reload"), (5_000, None, "reload", None)]


def test_a_stop_ends_the_epoch(write: Write, url: str) -> None:
    """An orderly stop is told from a crash."""
    write(EndEpoch(T0 + 5_000), epoch(at=T0 + 9_000, seq=2))
    assert spans(url) == [(0, 5_000, "start", "stop"), (9_000, None, "start", None)]


def test_a_crash_ends_where_the_record_ends(write: Write, url: str) -> None:
    """An epoch left open ends at its last recorded input: from there on the daemon was down."""
    write(read(2), Record(ACCOUNT, miss(3, T0 + 3_000)), epoch(at=T0 + 60_000, seq=4))
    assert spans(url) == [(0, 3_000, "start", "crash"), (60_000, None, "start", None)]


def test_a_crash_before_any_input_ends_at_once(write: Write, url: str) -> None:
    """An epoch without inputs has no length."""
    write(epoch(at=T0 + 60_000, seq=2))
    assert spans(url)[0] == (0, 0, "start", "crash")


def test_new_accounts_are_added_and_none_is_removed(store: Store, write: Write) -> None:
    """An account that left keeps its record; one that came back goes on with it."""
    write(
        epoch("other", at=T0 + 1, reason="reload"), epoch("main", at=T0 + 2, seq=2, reason="reload")
    )
    assert list(store.user_ids()) == ["main", "other"]


def test_an_epoch_commits_as_a_whole(store: Store, url: str) -> None:
    """Promise 1: if one of its records does not fit, the epoch is not written."""
    bad = Record("ghost", fires(2).event)
    whole = epoch(at=T0 + 5_000, seq=2, reason="reload")
    failing = StartEpoch(
        whole.at, whole.reason, whole.version, whole.rules, whole.accounts, (bad,), whole.state
    )
    assert isinstance(store.submit(failing).exception(10), Rejected)
    assert spans(url) == [(0, None, "start", None)]


def test_promise_3_an_attempt_that_a_crash_cut_off_is_never_forgotten(
    store: Store, write: Write
) -> None:
    """It may have arrived: that is still known after a failed attempt and another restart."""
    first, second = MessageKey("phone", T0 + 3_000), MessageKey("phone", T0 + 5_000)
    write(fires(2), Claim(first, (key(),)), epoch(at=T0 + 4_000, seq=3))
    later = RecordAttempt(
        second, T0 + 6_000, AttemptResult(Outcome.LATER), {key(): NoticeState.QUEUED}
    )
    write(Claim(second, (key(),)), later, epoch(at=T0 + 7_000, seq=4))
    [kept] = store.open_notices()
    assert (kept.told_at, kept.maybe_repeat) == (T0 + 3_000, True)


def test_promise_3_an_attempt_that_a_reload_cut_off_is_never_forgotten(
    store: Store, write: Write
) -> None:
    """Its supervisor is gone and cannot mark it: it waits again, and may have arrived."""
    write(
        fires(2),
        Claim(MessageKey("phone", T0 + 3_000), (key(),)),
        epoch(at=T0 + 4_000, seq=3, reason="reload"),
    )
    [kept] = store.open_notices()
    assert (kept.state, kept.told_at, kept.maybe_repeat) == (NoticeState.QUEUED, T0 + 3_000, True)
