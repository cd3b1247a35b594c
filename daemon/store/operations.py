"""The operations of the store: every change of the database is one of these values.

Each carries only natural keys (account names, counters, instants), never a number from the
database. Each is idempotent: applied twice it has the effect of once. So a commit of unknown
outcome can safely be tried again. Nothing here knows SQL.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from daemon.readings.rollups import HourRollup
from daemon.types import (
    AccountState,
    Alert,
    AttemptResult,
    Gap,
    Message,
    Millis,
    Notice,
    NoticeKey,
    Record,
    RecordedValue,
    Silence,
)


class Written(StrEnum):
    """The result of an accepted operation."""

    COMMITTED = "committed"
    """The operation is on disk."""
    DEFERRED = "deferred"
    """The store refuses writes; the operation waits in memory, in order, until it works again."""


@dataclass(frozen=True, slots=True)
class Unwritten:
    """Counts of operations that a closed store did not record."""

    lost: int = 0
    """Operations not recorded for good."""
    unknown: int = 0
    """Operations whose commit was sent without an answer: they may be recorded."""

    def __bool__(self) -> bool:
        return bool(self.lost or self.unknown)


class CommitFailed(Exception):  # noqa: N818 -- it names an event, and callers read it as one
    """A commit failed and its outcome is unknown: reload the recorded state, compare `seq`."""


class Rejected(CommitFailed):
    """This operation alone failed and nothing of it is recorded: it does not fit the database."""


class StaleSilences(Rejected):
    """The silences changed after this was decided: decide again."""


class NoticeState(StrEnum):
    """The state of a notification; `queued` and `sending` are the open ones."""

    QUEUED = "queued"
    SENDING = "sending"
    DELIVERED = "delivered"
    REFUSED = "refused"
    SUPERSEDED = "superseded"


UNSETTLED = (NoticeState.QUEUED.value, NoticeState.SENDING.value)
"""Stored values of the open states."""


TEST = -1
"""The `n` of a test message of `check --notify`; the daemon's own begin at 0."""


@dataclass(frozen=True, slots=True)
class MessageKey:
    """The identity of a message; `n` numbers those that a channel begins at one instant."""

    channel: str
    at: Millis
    n: int = 0


@dataclass(frozen=True, slots=True)
class ReportKey:
    """The identity of a report; on each of its channels it is a separate one."""

    name: str
    due_at: Millis
    channel: str


@dataclass(frozen=True, slots=True)
class StartEpoch:
    """A start or a reload: from here on `rules` are in force, and replay can begin from `state`.

    An open epoch is closed: at `at` when `reason` is "reload". If a crash left it open, it ends at
    the last instant recorded in it.
    """

    at: Millis
    reason: str
    """`start` or `reload`."""
    version: str
    """Version of marginwatch."""
    rules: object
    """The rules and mute windows, as JSON, without secrets."""
    accounts: Mapping[str, str]
    """The exchange of each account, by name. New accounts are added; none is ever removed."""
    records: tuple[Record, ...] = ()
    """One record per account, its event a `ConfigChange`."""
    state: Mapping[str, AccountState] = field(default_factory=dict)
    """The state of each account after that record."""
    gaps: tuple[Gap, ...] = ()
    """The time before, in which no daemon ran."""


@dataclass(frozen=True, slots=True)
class EndEpoch:
    """An orderly stop."""

    at: Millis
    reason: str = "stop"


@dataclass(frozen=True, slots=True)
class Claim:
    """Before the call: these notifications are being sent in one message, outcome unknown.

    To send again after a crash, a notification left `sending` is claimed again.
    """

    message: MessageKey
    keys: tuple[NoticeKey, ...]
    text: Message | None = None
    """The sent text, if it should be remembered."""
    report: ReportKey | None = None
    """The report, instead of notifications."""


@dataclass(frozen=True, slots=True)
class RecordWithClaims:
    """A record that causes notifications, with the first attempts to send them (SEMANTICS F7).

    It is `StaleSilences` when the silences differ from those used to decide. When the store refuses
    writes, only the record waits: messages sent meanwhile were not recorded, and say so.
    """

    record: Record
    silences: tuple[Silence, ...] = ()
    """The silences used to decide: those in force at its instant."""
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordAttempt:
    """After the call: its outcome, and the new state of each of its notifications."""

    message: MessageKey
    at: Millis
    attempted: AttemptResult
    states: Mapping[NoticeKey, NoticeState]
    notices: tuple[Notice, ...] = ()
    """New notifications of other channels, when this one refused or failed too long (F3, F4)."""
    told: Mapping[NoticeKey, Millis] = field(default_factory=dict)
    """The alert's age when each was sent, which clock steps do not change. By default at `at`."""
    report: ReportKey | None = None
    """The report sent. Undelivered, it waits again, unless it was superseded meanwhile."""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Instead of the call: it is not made. A recorded claim is undone."""

    message: MessageKey
    at: Millis


@dataclass(frozen=True, slots=True)
class Reroute:
    """Other channels are notified instead of one that failed, which makes no further attempt."""

    at: Millis
    notices: tuple[Notice, ...]
    refused: tuple[NoticeKey, ...] = ()
    """Notifications that the failing channel gives up; it goes on trying the others."""


@dataclass(frozen=True, slots=True)
class Supersede:
    """These queued notifications are obsolete: a later message contains the same facts."""

    at: Millis
    keys: tuple[NoticeKey, ...]


@dataclass(frozen=True, slots=True)
class ScheduleReports:
    """These reports are due, and wait for their channels from now on."""

    at: Millis
    reports: tuple[ReportKey, ...]
    superseded: tuple[ReportKey, ...] = ()
    """Obsolete reports: a later one is due, or none is configured."""


@dataclass(frozen=True, slots=True)
class SetUserId:
    """The exchange gave the user id of the account's key."""

    account: str
    user_id: str


@dataclass(frozen=True, slots=True)
class RecordCall:
    """A call to the exchange outside the daemon, which counts in the budget. Kept for a minute."""

    at: Millis
    endpoint: str
    user: str = ""
    """The exchange's user id, or the account's name while unknown."""
    n: int = 0
    """A number that distinguishes calls of one instant."""
    host: str = ""
    """The called host; "" when unknown."""

    @property
    def column(self) -> str:
        """Host and endpoint as one column holds them."""
        return f"{self.host}/{self.endpoint}" if self.host else self.endpoint


@dataclass(frozen=True, slots=True)
class StoreDownGap:
    """Readings and misses judged but never stored: the store was down for too long."""

    account: str
    seq: int
    """The counter of the last one."""
    started_at: Millis
    ended_at: Millis
    missed: int
    alerts: tuple[Alert, ...] = ()
    """The alerts after the last of them."""
    values: tuple[RecordedValue, ...] = ()
    """Values of rules that they changed, as they are after the last of them."""


@dataclass(frozen=True, slots=True)
class MarkHours:
    """Hours of an account whose rollups are to be made anew; inputs up to `seq` were looked at."""

    account: str
    hours: frozenset[Millis]
    seq: int


@dataclass(frozen=True, slots=True)
class WriteRollups:
    """Rollups of these hours, in place of any former ones."""

    account: str
    rollups: tuple[HourRollup, ...]
    marks: Mapping[Millis, int]
    """The mark of each hour before its readings were read: one marked since stays marked."""


Upkeep: TypeAlias = MarkHours | WriteRollups
"""Operations derived from what is recorded: each has a transaction of its own, and none waits."""

UPKEEP = (MarkHours, WriteRollups)

Operation: TypeAlias = (
    Record
    | RecordWithClaims
    | StartEpoch
    | EndEpoch
    | Claim
    | RecordAttempt
    | Withdraw
    | Reroute
    | Supersede
    | ScheduleReports
    | SetUserId
    | RecordCall
    | StoreDownGap
    | Upkeep
)
