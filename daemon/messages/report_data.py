"""Data of a report. Pure values; instants are those of the corrected clock (SEMANTICS A5)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from daemon.alerts.mutes import MutedRules
from daemon.types import Millis, MissReason, Severity, Silence


class ReportSpan(NamedTuple):
    """Half-open span: `since` is inside, `until` is not."""

    since: Millis
    until: Millis

    @property
    def lasted(self) -> Millis:
        return self.until - self.since

    def overlap(self, other: "ReportSpan") -> Millis:
        """Length of the overlap with another span."""
        return max(0, min(self.until, other.until) - max(self.since, other.since))


class Seen(NamedTuple):
    """Value of a field in one reading, exactly as the exchange sent it."""

    value: Decimal
    at: Millis


@dataclass(frozen=True, slots=True)
class FieldSummary:
    """Summary of a field. Equal lows or highs count at their first time."""

    low: Seen
    high: Seen
    last: Seen


@dataclass(frozen=True, slots=True)
class Watched:
    """Record of an account within the span."""

    account: str
    since: Millis
    """Begin of the span, or of the account's record if that began later."""
    readings: int = 0
    """Number of judged readings."""
    courses: Mapping[str, FieldSummary] = field(default_factory=dict)
    """Summaries by field, without fields that no reading had."""
    misses: Mapping[MissReason, int] = field(default_factory=dict)
    """Number of failed attempts to read, by reason."""
    gaps: tuple[ReportSpan, ...] = ()
    """Gaps that are long enough to be told, in order."""


@dataclass(frozen=True, slots=True)
class ReportedAlert:
    """Alert that fired before or in the span, and was not over when the span began."""

    account: str
    """Account; empty for an alert of the daemon itself."""
    rule: str
    severity: Severity
    since: Millis
    until: Millis | None
    """End; None if it still fires."""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Posted:
    """Delivery of one channel."""

    channel: str
    delivered: int = 0
    """Messages whose attempt began in the span."""
    failed: int = 0
    """Attempts in the span that did not deliver, as far as their outcome is known."""
    waiting: int = 0
    """Notifications that wait now and are not about to be sent."""
    waiting_since: Millis | None = None


@dataclass(frozen=True, slots=True)
class Down:
    """Span in which the daemon did not run."""

    stretch: ReportSpan
    killed: bool
    """True if it was not stopped in order: it was killed, or the machine failed."""


@dataclass(frozen=True, slots=True)
class ReportData:
    """Data of one report."""

    name: str
    span: ReportSpan
    """Span from the time at which the previous report was due until this one is due."""
    accounts: tuple[Watched, ...] = ()
    """Configured accounts."""
    episodes: tuple[ReportedAlert, ...] = ()
    channels: tuple[Posted, ...] = ()
    downs: tuple[Down, ...] = ()
    next_at: Millis | None = None
    """Time at which the next report is due."""
    unreadable: str = ""
    """Reason why the record could not be read; then nothing else is known."""
    silences: tuple[Silence, ...] = ()
    """Silences and acknowledgements that stand when the report is made."""
    muted: tuple[MutedRules, ...] = ()
    """Rules that mute windows hold back when the report is made."""
