"""How a span went: all that a report can tell. Pure values; instants are those that are meant now
(SEMANTICS A5).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from daemon.types import Millis, MissReason, Severity


class ReportSpan(NamedTuple):
    """Half open: `since` belongs to it, `until` does not."""

    since: Millis
    until: Millis

    @property
    def lasted(self) -> Millis:
        return self.until - self.since

    def overlap(self, other: "ReportSpan") -> Millis:
        """How much of it lies in the other one."""
        return max(0, min(self.until, other.until) - max(self.since, other.since))


class Seen(NamedTuple):
    """A field in one reading, exactly as the exchange sent it."""

    value: Decimal
    at: Millis


@dataclass(frozen=True, slots=True)
class FieldSummary:
    """How a field went. What is lowest or highest more than once, is so the first time."""

    low: Seen
    high: Seen
    last: Seen


@dataclass(frozen=True, slots=True)
class Watched:
    """What an account's record holds of the span."""

    account: str
    since: Millis
    """From when on it was watched: the beginning of the span, unless its record began later."""
    readings: int = 0
    """Those that were judged."""
    courses: Mapping[str, FieldSummary] = field(default_factory=dict)
    """By field; without those that no reading had."""
    misses: Mapping[MissReason, int] = field(default_factory=dict)
    """How many attempts to read failed, by reason."""
    gaps: tuple[ReportSpan, ...] = ()
    """The times without readings that are long enough to be told, in their order."""


@dataclass(frozen=True, slots=True)
class ReportedAlert:
    """An alert that fired before or in the span, and was not over when that began."""

    account: str
    """Empty where it is about the daemon itself."""
    rule: str
    severity: Severity
    since: Millis
    until: Millis | None
    """None where it still fires."""


@dataclass(frozen=True, slots=True)
class Posted:
    """How a channel fared."""

    channel: str
    delivered: int = 0
    """Messages whose attempt began in the span."""
    failed: int = 0
    """Attempts of the span that did not deliver, as far as their outcome is known."""
    waiting: int = 0
    """Notifications that wait now, and are no longer expected to leave at any moment."""
    waiting_since: Millis | None = None


@dataclass(frozen=True, slots=True)
class Down:
    """A time in which the daemon did not run."""

    stretch: ReportSpan
    killed: bool
    """It was not stopped, but ended without a word: killed, or the machine with it."""


@dataclass(frozen=True, slots=True)
class ReportData:
    """Of one report."""

    name: str
    span: ReportSpan
    """From when the one before was due until this one is."""
    accounts: tuple[Watched, ...] = ()
    """Those that are configured."""
    episodes: tuple[ReportedAlert, ...] = ()
    channels: tuple[Posted, ...] = ()
    downs: tuple[Down, ...] = ()
    next_at: Millis | None = None
    """When the next one is due."""
    unreadable: str = ""
    """Why the record could not be read; then nothing else is known."""
