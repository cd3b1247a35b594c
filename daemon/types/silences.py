"""Silences and acknowledgements, which hold notifications back."""

from dataclasses import dataclass

from daemon.types.time import Millis


@dataclass(frozen=True, slots=True)
class Silence:
    """Silence: no news for a while (SEMANTICS E2); as an `ack`, no more reminders (E1)."""

    id: int
    ack: bool
    rule: str
    """Glob of rules; for an ack or a silence of one alert, the alert's own rule."""
    account: str
    """Glob of accounts; `*` includes the daemon's own alerts."""
    code: str
    """Code of the only alert it is about; empty if it is about all that the globs match."""
    started_at: Millis
    ended_at: Millis | None
    """End; None if it lasts as long as the alert does."""
    comment: str = ""

    def holds(self, at: Millis) -> bool:
        return self.started_at <= at and (self.ended_at is None or at < self.ended_at)
