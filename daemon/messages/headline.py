"""Headlines: what happened to an alert, in one line that is understood at 3 am. Pure."""

from datetime import tzinfo

from daemon.alerts.notification_facts import FIRING_NOW
from daemon.alerts.system_rules import KINDS
from daemon.readings.fields import AGE, SIGNS
from daemon.text.numbers import format_duration, format_instant, format_rounded
from daemon.text.printable import printable
from daemon.types import (
    ENDS,
    NEWS,
    DecidingComparison,
    FlapRange,
    Kind,
    Late,
    Millis,
    Notice,
    NoticeKey,
    NotificationFacts,
    Severity,
    base,
)

LONGEST = 60
"""Maximum length of the judged expression in a headline."""

_CLEARED = "cleared"
_MISSING, _BACK = "missing", "back"
"""Reasons of ends that do not mean that the trouble is over (SEMANTICS D4)."""


def alert_name(key: NoticeKey) -> str:
    """Rule and account. An alert of the daemon itself names no account."""
    return printable(f"{base(key.rule)} · {key.account}" if key.account else base(key.rule))


def first_word(kind: Kind, facts: NotificationFacts) -> str:
    """First word: the severity, or the kind of end."""
    if kind in (Kind.RETIRED, Kind.ACK):
        return kind.upper()
    if kind is not Kind.RESOLVED:
        return facts.severity.upper()
    if facts.swings is not None:
        return "CALM"
    return {_MISSING: "NOT JUDGED", _BACK: "BACK"}.get(facts.reason, "RESOLVED")


def news_text(notice: Notice, now: Millis, zone: tzinfo | None) -> str:
    """Headline of a notice, without its first word and its name."""
    facts = notice.facts
    firing_for = format_duration(facts.at - (facts.fired_at or facts.since))
    match notice.key.kind:
        case Kind.RESOLVED:
            return _end(facts, firing_for)
        case Kind.RETIRED:
            return "no longer watched: its rule or account was changed or removed"
        case Kind.REPEAT:
            return _still(notice, firing_for)
        case Kind.WORSE:
            return _worse(facts)
        case Kind.ACK:
            said = facts.detail if len(facts.detail) <= 2 * LONGEST else ""
            return f"somebody knows, no more reminders{f' ({said})' if said else ''}"
        case _:
            return _late(facts, now, zone) or trouble_text(notice)


def title_values(notice: Notice) -> tuple[str, ...]:
    """Texts for a title, from the longest to the shortest."""
    told = _short(notice)
    if notice.facts.unconfirmed:
        return (*(f"{each}, unconfirmed" for each in told if each), *told)
    return told


def _short(notice: Notice) -> tuple[str, ...]:
    kind, facts = notice.key.kind, notice.facts
    if kind is Kind.RESOLVED and facts.reason in (_MISSING, _BACK):
        return ("readings are back" if facts.reason == _BACK else "no readings", "")
    if facts.swings is not None and kind is not Kind.RESOLVED:
        return (trouble_text(notice), _times(facts.swings, facts), "flapping")
    if is_signal(facts.judged):
        return (trouble_text(notice), "")
    if facts.judged is None:
        return ("",)
    told: list[str] = []
    if kind is Kind.WORSE:
        told = [_worse(facts)]
    elif kind is Kind.FIRING and not facts.late:
        told = [trouble_text(notice)]
    return (*told, comparison_text(facts.judged), value_text(facts.judged))


def start_and_end(end: Notice, now: Millis, zone: tzinfo | None) -> str:
    """Headline of an end that also tells the firing.

    The times come from the end: an earlier notice may be from before the clock was set.
    """
    facts = end.facts
    begun = "flapping since" if facts.swings is not None else "fired"
    return (
        f"{begun} {format_instant(facts.fired_at or facts.since, now, zone)}, {end_text(end)}"
        f" {format_instant(facts.at, now, zone)}"
    )


def end_text(end: Notice) -> str:
    """Words for the end of an alert, before its time."""
    if end.key.kind is not Kind.RESOLVED:
        return "watched no longer since"
    if end.facts.swings is not None:
        return "calm since"
    return {_MISSING: "no longer judged since", _BACK: "readings back"}.get(
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
    known = facts.reason != _MISSING and not (
        facts.swings is not None and facts.detail == FIRING_NOW
    )
    return notice.key.kind is Kind.ACK or (notice.key.kind in ENDS and known)


def trouble_text(notice: Notice) -> str:
    """Words for the trouble."""
    facts = notice.facts
    if facts.swings is not None:
        return _times(facts.swings, facts) + _range(facts.swings, facts.judged, ", between")
    if facts.reason == _BACK:
        news = "it fires"
        if facts.judged is not None:
            news = f"{'low' if facts.judged.falling else 'high'}: {comparison_text(facts.judged)}"
        return f"readings are back, and {news}"
    if is_signal(facts.judged):
        return system_sentence(notice)
    if facts.summary:
        return facts.summary
    if is_silence(facts.judged):
        return f"no readings for {value_text(facts.judged)}"
    return comparison_text(facts.judged) or "firing"


def system_sentence(notice: Notice) -> str:
    """Sentence of a system rule: the alert's own if it is short, else that of the rule."""
    kind, detail = KINDS.get(base(notice.key.rule)), notice.facts.detail
    if detail and len(detail) <= 2 * LONGEST:
        return detail
    return kind.sentence if kind is not None else "firing"


def is_signal(told: DecidingComparison | None) -> bool:
    """Check for a signal of system rules, whose name means nothing to people."""
    return told is not None and told.field in SIGNS


def is_silence(told: DecidingComparison | None) -> bool:
    """Check whether the comparison is about missing readings."""
    if told is None or told.value is None or told.falling:
        return False
    return told.field == AGE and told.value.is_finite()


def comparison_text(told: DecidingComparison | None) -> str:
    if told is None:
        return ""
    field = told.field if len(told.field) <= LONGEST else told.field[: LONGEST - 1] + "…"
    return f"{field} {value_text(told)}"


def value_text(told: DecidingComparison | None) -> str:
    if told is None or told.value is None:
        return "unknown"
    return format_rounded(told.value, told, told.threshold)


def _end(facts: NotificationFacts, lasted: str) -> str:
    if facts.swings is not None:
        now = f", {comparison_text(facts.judged)}" if facts.judged is not None else ""
        return f"no longer flapping: {facts.detail}{now}"
    if facts.reason == _MISSING:
        return "no longer judged: no readings"
    return "readings are back" if facts.reason == _BACK else f"over after {lasted}"


def _still(notice: Notice, lasted: str) -> str:
    facts = notice.facts
    if facts.swings is not None:
        return f"still flapping: {facts.swings.count} times" + _range(
            facts.swings, facts.judged, ", between"
        )
    if is_silence(facts.judged):
        return f"still no readings, for {value_text(facts.judged)}"
    still = f"still firing, for {lasted}"
    return f"{still}: {system_sentence(notice)}" if is_signal(facts.judged) else still


def _worse(facts: NotificationFacts) -> str:
    if facts.swings is not None:
        return f"still flapping: {facts.swings.count} times" + _range(
            facts.swings, facts.judged, ", now between"
        )
    now = (
        f"no readings for {value_text(facts.judged)}"
        if is_silence(facts.judged)
        else comparison_text(facts.judged)
    )
    if facts.told is None:
        return f"worse: {now}"
    limit = facts.judged.threshold if facts.judged is not None else None
    return f"worse: {now}, last told {format_rounded(facts.told, facts.judged, limit)}"


def _late(facts: NotificationFacts, now: Millis, zone: tzinfo | None) -> str:
    """Headline of news that is told later than it happened; empty if it is not."""
    start = format_instant(facts.fired_at or facts.since, now, zone)
    matter = "flapping" if facts.swings is not None else "firing"
    match facts.late:
        case Late.MUTED:
            return f"{matter} since {start}, muted until now"
        case Late.FLAPPING:
            return f"still firing, since {start}, but no longer flapping"
        case Late.NEW_CHANNEL:
            return f"still {matter}, since {start}"
        case _:
            return ""


def _times(swings: FlapRange, facts: NotificationFacts) -> str:
    return f"flapping: {swings.count} times in {format_duration(facts.at - facts.since)}"


def _range(swings: FlapRange, told: DecidingComparison | None, words: str) -> str:
    """Ends of the range, after `words`; a single value gets `at`."""
    limit = None if told is None else told.threshold
    known = dict.fromkeys(
        format_rounded(value, told, limit)
        for value in (swings.low, swings.high)
        if value is not None
    )
    words = words if len(known) > 1 else words.replace("between", "at")
    return f"{words} {' and '.join(known)}" if known else ""
