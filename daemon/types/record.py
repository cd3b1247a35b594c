"""What is written as one."""

from dataclasses import dataclass

from daemon.types.alerts import Alert, Transition
from daemon.types.inputs import Input
from daemon.types.telling import Notice, NoticeKey


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
    """The first of the suspect readings that this one contradicts; with it all those up to this one (SEMANTICS B5)."""
