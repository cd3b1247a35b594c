"""What is written as one."""

from dataclasses import dataclass

from daemon.types.alerts import Alert, Transition
from daemon.types.inputs import GapReason, Input
from daemon.types.notifications import Notice, NoticeKey
from daemon.types.time import Millis


@dataclass(frozen=True, slots=True)
class Gap:
    """A span without readings that no miss tells of: downtime, suspend. `seq` is that of the input
    that ended it.
    """

    account: str
    seq: int
    started_at: Millis
    ended_at: Millis
    reason: GapReason
    missed: int = 0
    """Readings that should have been there."""


@dataclass(frozen=True, slots=True)
class Record:
    """Everything one input of one account causes; commits as a whole or not at all (promise 1)."""

    account: str
    event: Input
    alerts: tuple[Alert, ...] = ()
    """Those whose recorded state this input changed."""
    transitions: tuple[Transition, ...] = ()
    notices: tuple[Notice, ...] = ()
    superseded: tuple[NoticeKey, ...] = ()
    """Queued notifications that this input made pointless."""
    contradicts: int | None = None
    """The first of the suspect readings that this one contradicts; with it all those up to this one
    (SEMANTICS B5).
    """
    gap: Gap | None = None
    """A suspend that this input ends."""
