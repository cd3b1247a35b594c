"""Records of notifications: an alert on two channels, and attempts with chosen outcomes."""

from collections.abc import Iterable, Sequence

from daemon.store import Store
from daemon.store.operations import (
    TEST,
    Claim,
    MessageKey,
    NoticeState,
    Operation,
    RecordAttempt,
    Written,
)
from daemon.types import (
    SECOND,
    Alert,
    AttemptResult,
    Kind,
    Message,
    Millis,
    Notice,
    NoticeKey,
    NotificationFacts,
    Outcome,
    Record,
    Severity,
    State,
    Transition,
)
from tests.fakes import NOON
from tests.values import judged, reading

AT = NOON + 5 * SECOND
_STATES = {Outcome.DELIVERED: NoticeState.DELIVERED, Outcome.REFUSED: NoticeState.REFUSED}


def key(channel: str, account: str = "main") -> NoticeKey:
    return NoticeKey(account, "low", 2, channel, Kind.FIRING, 2)


def notice(
    channel: str, account: str = "main", *, not_before: Millis | None = None, by: str = ""
) -> Notice:
    facts = NotificationFacts(
        Severity.WARNING, "ab3d", AT, AT, AT, judged("90"), not_before=not_before, handed_over_by=by
    )
    return Notice(key(channel, account), AT, facts)


def fires(*notices: Notice, account: str = "main") -> Record:
    alert = Alert(
        "low", 2, "ab3d", Severity.WARNING, State.FIRING, "when x", AT, AT, None, judged("90")
    )
    change = Transition("low", 2, AT, State.OK, State.FIRING, "condition", judged("90").value)
    return Record(account, reading(2, AT, available_margin="90"), (alert,), (change,), notices)


def attempt(
    channel: str, second: int, outcome: Outcome | None, detail: str = "", *, test: bool = False
) -> Sequence[Operation]:
    """An attempt to send the notification of `main`, or a test, with an outcome or still open."""
    told = () if test else (key(channel),)
    message = MessageKey(channel, AT + second * SECOND, TEST if test else second)
    claim = Claim(message, told, Message("title", "body", Severity.WARNING))
    if outcome is None:
        return (claim,)
    states = dict.fromkeys(told, _STATES.get(outcome, NoticeState.QUEUED))
    return claim, RecordAttempt(message, message.at, AttemptResult(outcome, detail), states)


def written(store: Store, *operations: Iterable[Operation]) -> None:
    for several in operations:
        for operation in several:
            assert store.submit(operation).result() is Written.COMMITTED
