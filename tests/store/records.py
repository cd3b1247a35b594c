"""Rows for the tests of the store: an epoch, and records that cause something."""

from decimal import Decimal

from daemon.store.operations import StartEpoch
from daemon.types import (
    AccountState,
    Alert,
    ConfigChange,
    Input,
    Kind,
    Millis,
    Notice,
    NoticeKey,
    NotificationFacts,
    Record,
    Severity,
    State,
    Transition,
)
from tests.values import T0, judged, reading

ACCOUNT = "main"


def epoch(*names: str, at: Millis = T0, seq: int = 1, reason: str = "start") -> StartEpoch:
    """A start or reload whose `ConfigChange` has the counter `seq` in every account."""
    accounts = names or (ACCOUNT,)
    return StartEpoch(
        at=at,
        reason=reason,
        version="0.1.0",
        rules={"rules": [{"name": "low", "when": "available_margin < 100"}]},
        accounts=dict.fromkeys(accounts, "coinw"),
        records=tuple(Record(name, ConfigChange(seq, at)) for name in accounts),
        state={name: AccountState(name, seq, at) for name in accounts},
    )


def read(
    seq: int, at: Millis | None = None, account: str = ACCOUNT, available_margin: str = "500"
) -> Record:
    at = T0 + seq * 1_000 if at is None else at
    return Record(account, reading(seq, at, available_margin=available_margin))


def alert(
    seq: int = 2, state: State = State.FIRING, rule: str = "low", ended_at: Millis | None = None
) -> Alert:
    return Alert(
        rule=rule,
        seq=seq,
        code="k7m2",
        severity=Severity.WARNING,
        state=state,
        meaning="available_margin < 100",
        started_at=T0 + seq * 1_000,
        fired_at=T0 + seq * 1_000,
        ended_at=ended_at,
        judged=judged("90"),
        worst=Decimal("89.99999999999999999999999999"),
    )


def transition(
    alert_seq: int = 2, at: Millis = T0 + 2_000, value: str = "90", to: State = State.FIRING
) -> Transition:
    start = State.OK if to is State.FIRING else State.FIRING
    return Transition("low", alert_seq, at, start, to, "when", Decimal(value))


def key(
    channel: str = "phone", kind: Kind = Kind.FIRING, seq: int = 2, alert_seq: int = 2
) -> NoticeKey:
    return NoticeKey(ACCOUNT, "low", alert_seq, channel, kind, seq)


def notice(of: NoticeKey | None = None, handed_over_by: str = "") -> Notice:
    of = of or key()
    facts = NotificationFacts(
        severity=Severity.WARNING,
        code="k7m2",
        since=T0,
        fired_at=T0,
        at=T0 + of.seq * 1_000,
        judged=judged("90"),
        changes={"available_margin": Decimal("-0.1234567890123456789")},
        handed_over_by=handed_over_by,
    )
    return Notice(of, T0 + of.seq * 1_000, facts)


def fires(
    seq: int = 2, channels: tuple[str, ...] = ("phone",), event: Input | None = None
) -> Record:
    """A reading at which `low` fires and is told."""
    told = tuple(notice(key(channel, seq=seq, alert_seq=seq)) for channel in channels)
    began = transition(seq, T0 + seq * 1_000)
    return Record(ACCOUNT, event or reading(seq, T0 + seq * 1_000), (alert(seq),), (began,), told)


def clears(seq: int, alert_seq: int = 2) -> Record:
    """A reading at which it ends."""
    at = T0 + seq * 1_000
    ended = alert(alert_seq, State.RESOLVED, ended_at=at)
    return Record(
        ACCOUNT, reading(seq, at), (ended,), (transition(alert_seq, at, "120", State.RESOLVED),)
    )
