"""What may be written: every change of the database is one of these values.

Each carries natural keys only (account names, counters, instants), never a number that the database
gave, and each is idempotent: applied twice it leaves what it leaves applied once. That is what
makes it harmless to try again after a commit whose outcome nobody knows. Nothing here knows SQL.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

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
    Silence,
)


class Written(StrEnum):
    """What became of an operation that was accepted."""

    COMMITTED = "committed"
    """It is on disk."""
    DEFERRED = "deferred"
    """The store refuses writes; the operation waits in memory, in order, until it works again."""


@dataclass(frozen=True, slots=True)
class Unwritten:
    """What a closed store did not record, in operations."""

    lost: int = 0
    """They are not recorded, and never will be."""
    unknown: int = 0
    """Their commit was sent, and the database did not answer: they may be recorded."""

    def __bool__(self) -> bool:
        return bool(self.lost or self.unknown)


class CommitFailed(Exception):  # noqa: N818 -- it names an event, and callers read it as one
    """A commit failed for no known reason, so that its outcome is unknown: reload the recorded
    state, compare `seq`.
    """


class Rejected(CommitFailed):
    """This operation alone failed, and nothing of it is recorded: it does not fit what the database
    holds.
    """


class StaleSilences(Rejected):
    """Somebody asked for silence, or lifted it, after this was decided: decide anew."""


class NoticeState(StrEnum):
    """Where a notification stands; `queued` and `sending` are the open ones."""

    QUEUED = "queued"
    SENDING = "sending"
    DELIVERED = "delivered"
    REFUSED = "refused"
    SUPERSEDED = "superseded"


UNSETTLED = (NoticeState.QUEUED.value, NoticeState.SENDING.value)
"""Of what still waits, as it is stored."""


TEST = -1
"""The `n` of a message by which `check --notify` tries a channel; those of the daemon's own begin
at 0.
"""


@dataclass(frozen=True, slots=True)
class MessageKey:
    """What makes a message the one it is: `n` tells apart those that one channel begins at one
    instant.
    """

    channel: str
    at: Millis
    n: int = 0


@dataclass(frozen=True, slots=True)
class ReportKey:
    """What makes a report the one it is: on each of its channels it is one of its own."""

    name: str
    due_at: Millis
    channel: str


@dataclass(frozen=True, slots=True)
class StartEpoch:
    """A start or a reload: from here on `rules` are in force, and replay can begin from `state`.

    An epoch that is still open is closed: at `at` when `reason` is "reload", else, left open by a
    crash, at the last instant that was recorded in it.
    """

    at: Millis
    reason: str
    """`start` or `reload`."""
    version: str
    """Of marginwatch."""
    rules: object
    """With the mute windows, as JSON, without secrets."""
    accounts: Mapping[str, str]
    """By name: the exchange. Accounts that are new are added; none is ever removed."""
    records: tuple[Record, ...] = ()
    """One per account, its event a `ConfigChange`."""
    state: Mapping[str, AccountState] = field(default_factory=dict)
    """By account: its state after that record."""
    gaps: tuple[Gap, ...] = ()
    """The time before, in which nobody ran."""


@dataclass(frozen=True, slots=True)
class EndEpoch:
    """An orderly stop."""

    at: Millis
    reason: str = "stop"


@dataclass(frozen=True, slots=True)
class Claim:
    """Before the call: these notifications are being sent in one message, with one attempt whose
    outcome is unknown.

    Claiming again what a crash left `sending` is how it is sent again.
    """

    message: MessageKey
    keys: tuple[NoticeKey, ...]
    text: Message | None = None
    """What is sent, where it should be remembered."""
    report: ReportKey | None = None
    """What it is instead of notifications."""


@dataclass(frozen=True, slots=True)
class RecordWithClaims:
    """A record of which people may be told, with the first attempts at that (SEMANTICS F7).

    It is `StaleSilences` where the silences are not those by which it was decided. Where it waits,
    as the store refuses writes, the record alone does: what is told meanwhile was not recorded, and
    says so.
    """

    record: Record
    silences: tuple[Silence, ...] = ()
    """All that were held to last at its instant."""
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordAttempt:
    """After the call: how the attempt ended, and where each of its notifications stands now."""

    message: MessageKey
    at: Millis
    attempted: AttemptResult
    states: Mapping[NoticeKey, NoticeState]
    notices: tuple[Notice, ...] = ()
    """New ones for other channels, where this one refused for good or has failed too long
    (SEMANTICS F3, F4).
    """
    told: Mapping[NoticeKey, Millis] = field(default_factory=dict)
    """How long after the beginning of its alert each was told: no step of the clock that is
    recorded meanwhile changes that. At `at` where nothing else is said.
    """
    report: ReportKey | None = None
    """What the message was; what it did not deliver waits again, unless it was superseded
    meanwhile.
    """


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Instead of the call: it is not made. If its claim is recorded, what it names waits again as
    if it were not.
    """

    message: MessageKey
    at: Millis


@dataclass(frozen=True, slots=True)
class Reroute:
    """Other channels are told in the stead of one that failed, without a further attempt of its
    own.
    """

    at: Millis
    notices: tuple[Notice, ...]
    refused: tuple[NoticeKey, ...] = ()
    """What the failing channel gives up for good; without them it goes on trying."""


@dataclass(frozen=True, slots=True)
class Supersede:
    """These queued notifications have become pointless: a later message tells the same facts."""

    at: Millis
    keys: tuple[NoticeKey, ...]


@dataclass(frozen=True, slots=True)
class ScheduleReports:
    """These reports are due, and wait for their channels from here on."""

    at: Millis
    reports: tuple[ReportKey, ...]
    superseded: tuple[ReportKey, ...] = ()
    """Those that nobody needs any more: a later one is due, or nobody asks for them."""


@dataclass(frozen=True, slots=True)
class SetUserId:
    """The exchange told whose key the account has."""

    account: str
    user_id: str


@dataclass(frozen=True, slots=True)
class RecordCall:
    """A call to the exchange outside the daemon: it occupies its place in the budget. Kept for a
    minute.
    """

    at: Millis
    endpoint: str
    user: str = ""
    """The exchange's user id, or the account's name where that is not known."""
    n: int = 0
    """Tells apart the calls of one instant."""
    host: str = ""
    """Where it went; empty where that is not known."""

    @property
    def column(self) -> str:
        """Host and endpoint, as they stand in one column."""
        return f"{self.host}/{self.endpoint}" if self.host else self.endpoint


@dataclass(frozen=True, slots=True)
class StoreDownGap:
    """Readings and misses that were judged but never stored, since the store was down for too
    long.
    """

    account: str
    seq: int
    """Of the last one."""
    started_at: Millis
    ended_at: Millis
    missed: int
    alerts: tuple[Alert, ...] = ()
    """As the last of them left the alerts."""


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
)
