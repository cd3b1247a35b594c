"""Words of headlines: what happened to an alert, in one word that is understood at 3 am. Pure."""

from datetime import tzinfo

from daemon.alerts.notification_facts import FIRING_NOW
from daemon.readings.fields import AGE, SIGNS
from daemon.text.numbers import format_duration, format_instant, format_rounded, is_duration
from daemon.text.printable import printable
from daemon.types import (
    ENDS,
    NEWS,
    DecidingComparison,
    Kind,
    Millis,
    Notice,
    NoticeKey,
    NotificationFacts,
    Severity,
    base,
)

LONGEST = 60
"""Maximum length of the judged expression in a headline."""

LATE = "LATE"
"""First word of a title of which all is over, and was told late."""

_CLEARED = "cleared"
MISSING, BACK = "missing", "back"
"""Reasons of ends that do not mean that the trouble is over (SEMANTICS D4)."""


def rule_name(key: NoticeKey) -> str:
    return printable(base(key.rule))


def account_name(key: NoticeKey) -> str:
    """Account, as in a title; alerts of the daemon itself are about marginwatch."""
    return printable(key.account) or "marginwatch"


def news_word(notice: Notice) -> str:
    """First word: what happened; of a new firing its severity."""
    kind, facts = notice.key.kind, notice.facts
    match kind:
        case Kind.RESOLVED:
            return _end_word(facts)
        case Kind.REPEAT:
            return "STILL"
        case Kind.FIRING:
            return _firing_word(facts)
        case _:
            return kind.upper()


def _end_word(facts: NotificationFacts) -> str:
    if facts.swings is not None:
        return "CALM"
    return {MISSING: "BLIND", BACK: "BACK"}.get(facts.reason, "OVER")


def _firing_word(facts: NotificationFacts) -> str:
    if facts.swings is not None:
        return "FLAPPING"
    return "BLIND" if is_silence(facts.judged) else facts.severity.upper()


def start_and_end(end: Notice, now: Millis, zone: tzinfo | None) -> str:
    """Text of an end that also tells the firing.

    The times come from the end: an earlier notice may be from before the clock was set.
    """
    facts = end.facts
    begun = "flapping since" if facts.swings is not None else "fired"
    start = format_instant(facts.fired_at or facts.since, now, zone)
    ended = f"{end_text(end)} {format_instant(facts.at, now, zone)}"
    return f"{rule_name(end.key)} {begun} {start}, {ended}"


def end_text(end: Notice) -> str:
    """Words for the end of an alert, before its time."""
    if end.key.kind is not Kind.RESOLVED:
        return "watched no longer since"
    if end.facts.swings is not None:
        return "calm since"
    return {MISSING: "no longer judged since", BACK: "readings back"}.get(
        end.facts.reason, _CLEARED
    )


def is_cleared(end: Notice) -> bool:
    """Check whether the trouble is over as far as readings tell, not only no longer watched."""
    return end_text(end) == _CLEARED


def news_severity(notice: Notice) -> Severity:
    """Severity of the news; an end or an acknowledgement is `info`."""
    return notice.facts.severity if notice.key.kind in NEWS else Severity.INFO


def is_good(notice: Notice) -> bool:
    """Check for an acknowledgement, or an end after which nothing is known to be wrong."""
    facts = notice.facts
    known = facts.reason != MISSING and not (
        facts.swings is not None and facts.detail == FIRING_NOW
    )
    return notice.key.kind is Kind.ACK or (notice.key.kind in ENDS and known)


def is_signal(told: DecidingComparison | None) -> bool:
    """Check for a signal of system rules, whose name means nothing to people."""
    return told is not None and told.field in SIGNS


def is_silence(told: DecidingComparison | None) -> bool:
    """Check whether the comparison is about missing readings."""
    return told is not None and told.value is not None and told.field == AGE and not told.falling


def comparison_text(told: DecidingComparison, unit: str = "") -> str:
    field = told.field if len(told.field) <= LONGEST else told.field[: LONGEST - 1] + "…"
    return f"{field} {value_text(told, unit)}"


def value_text(told: DecidingComparison, unit: str = "") -> str:
    if told.value is None:
        return "unknown"
    return with_unit(format_rounded(told.value, told, told.threshold), told, unit)


def with_unit(text: str, told: DecidingComparison | None, unit: str) -> str:
    """Value with the unit of its rule; durations and percentages have their own."""
    own = told is not None and (is_duration(told) or told.percentage or told.ratio)
    return f"{text} {unit}" if unit and not own else text


def limit_text(told: DecidingComparison | None) -> str:
    """Words for the limit, as the value stands to it now: `below 50`. Empty if it says nothing."""
    if told is None or told.value is None or told.threshold is None or told.value.is_nan():
        return ""
    if is_signal(told) or is_silence(told):
        return ""
    limit = format_rounded(told.threshold, told, told.value)
    if told.value == told.threshold:
        return f"limit {limit}" if told.directed else ""
    if limit == value_text(told):  # durations, which have no more digits
        return ""
    if not told.directed:
        return f"not {limit}"
    return f"{'below' if told.value < told.threshold else 'above'} {limit}"


def lasted(facts: NotificationFacts) -> str:
    """Time for which it has fired, or had fired at its end."""
    return format_duration(facts.at - (facts.fired_at or facts.since))
