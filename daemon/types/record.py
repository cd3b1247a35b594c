"""Records: all that is written in one transaction."""

from dataclasses import dataclass

from daemon.types.alerts import Alert, RecordedValue, Transition
from daemon.types.inputs import GapReason, Input
from daemon.types.notifications import Notice, NoticeKey
from daemon.types.time import Millis


@dataclass(frozen=True, slots=True)
class Gap:
    """Span without readings that is not a miss: downtime, suspend.

    `seq` is the counter of the input that ended it.
    """

    account: str
    seq: int
    started_at: Millis
    ended_at: Millis
    reason: GapReason
    missed: int = 0
    """Number of readings that should have been there."""


@dataclass(frozen=True, slots=True)
class Record:
    """All that one input of one account causes; committed as a whole or not at all (promise 1)."""

    account: str
    event: Input
    alerts: tuple[Alert, ...] = ()
    """Alerts whose recorded state this input changed."""
    transitions: tuple[Transition, ...] = ()
    notices: tuple[Notice, ...] = ()
    superseded: tuple[NoticeKey, ...] = ()
    """Queued notifications that this input makes pointless."""
    contradicts: int | None = None
    """Counter of the first suspect reading that this input contradicts (SEMANTICS B5).

    All suspects from that one up to this input are contradicted with it.
    """
    gap: Gap | None = None
    """Suspend that this input ends."""
    values: tuple[RecordedValue, ...] = ()
    """Values of rules that this input changed."""
