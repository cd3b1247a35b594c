"""Texts of news: what happened, with value and limit, from the longest to the shortest. Pure.

    subject (least important part, ..., most important part)

A title takes the first text that fits; the headline in the body is the longest.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from daemon.alerts.system_rules import KINDS
from daemon.messages.title_words import (
    BACK,
    LONGEST,
    MISSING,
    comparison_text,
    is_signal,
    is_silence,
    lasted,
    limit_text,
    rule_name,
    value_text,
    with_unit,
)
from daemon.readings.fields import AGE
from daemon.text.numbers import format_duration, format_rounded
from daemon.types import (
    ENDS,
    NEWS,
    FlapRange,
    Kind,
    Late,
    Millis,
    Notice,
    NotificationFacts,
    base,
)

Moment: TypeAlias = Callable[[Millis], str]
"""The words for an instant."""


@dataclass(frozen=True, slots=True)
class NewsText:
    """Text of news: a subject, and what is to be known beside it."""

    subject: str
    parts: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.subject} ({', '.join(self.parts)})" if self.parts else self.subject

    def without(self, told: "NewsText") -> str:
        """Text of what another text of the same news does not tell; empty if it tells all."""
        parts = [part for part in self.parts if part not in told.parts]
        if self.subject == told.subject:
            return ", ".join(parts)
        return str(NewsText(self.subject.removeprefix(f"{told.subject}: "), tuple(parts)))


def news_texts(
    notice: Notice, moment: Moment, *, value_at: Millis | None = None
) -> Sequence[NewsText]:
    """Texts of a notice. If its value is old, they tell the instant of it, `value_at`.

    A text without that instant, or without "unconfirmed", comes last.
    """
    marks = [f"at {moment(value_at)}"] if value_at is not None else []
    if notice.facts.unconfirmed:
        marks.append("unconfirmed")
    texts = list(_texts(notice, moment, marks))
    return sorted(texts, key=lambda text: not set(marks) <= set(text.parts))


def _texts(notice: Notice, moment: Moment, marks: Sequence[str]) -> Iterator[NewsText]:
    if notice.key.kind in ENDS:
        return _end(notice, marks)
    if notice.facts.swings is not None:
        return _flapping(notice, notice.facts.swings, moment, marks)
    return _news(notice, moment, marks)


def _news(notice: Notice, moment: Moment, marks: Sequence[str]) -> Iterator[NewsText]:
    parts = list(_parts(notice, moment))
    limit = limit_text(notice.facts.judged) if notice.key.kind in NEWS else ""
    limited = [*parts, *([limit] if limit else []), *marks]
    first, *others = _subjects(notice)
    # A rule's own words name the limit, if it matters to whom they are for.
    yield from _choices([first], [*parts, *marks] if first == own_words(notice.facts) else limited)
    yield from _choices(others, limited)


def names_rule(notice: Notice) -> bool:
    """Check whether the longest text has the rule's name in it."""
    told = notice.facts.swings is not None or notice.key.kind in ENDS
    return told or _subjects(notice)[0] == _fires(notice)


def tells_value(notice: Notice) -> bool:
    """Check whether the texts tell a value that the last reading has."""
    facts = notice.facts
    if facts.judged is None or facts.judged.field == AGE or is_signal(facts.judged):
        return False
    ended = notice.key.kind is Kind.RETIRED or facts.reason == MISSING
    return facts.swings is None and not ended


def over_texts(end: Notice) -> Sequence[NewsText]:
    """Texts of an alert of which only the end is told, long after it."""
    rule = f"{rule_name(end.key)} is over"
    subjects = [f"{rule}, {each}" for each in _values(end)[:1]]
    return list(_choices([*subjects, rule, "over"], [lasted(end.facts)]))


def own_words(facts: NotificationFacts) -> str:
    """Words of the rule for titles; empty if it has none."""
    return facts.title or facts.summary


def _choices(subjects: Iterable[str], parts: Sequence[str]) -> Iterator[NewsText]:
    """Yield each subject with all parts, then with fewer and fewer of them."""
    for subject in subjects:
        for start in range(len(parts) + 1):
            yield NewsText(subject, tuple(parts[start:]))


def _subjects(notice: Notice) -> list[str]:
    """Trouble itself: the rule's own words, or the value with and without its field."""
    facts = notice.facts
    if is_signal(facts.judged) or (facts.judged is None and base(notice.key.rule) in KINDS):
        return [system_sentence(notice)]
    if facts.judged is not None and is_silence(facts.judged):
        endless = facts.judged.value is not None and facts.judged.value.is_infinite()
        return ["no readings so far" if endless else f"no readings for {value_text(facts.judged)}"]
    return _values(notice) or [_fires(notice)]


def _values(notice: Notice) -> list[str]:
    """Own words and present value, with and without the field; empty if there are none."""
    facts = notice.facts
    told = [own_words(facts)] if own_words(facts) else []
    if facts.judged is None or facts.judged.field == AGE or is_signal(facts.judged):
        return told
    judged, unit = facts.judged, facts.unit
    return [*told, comparison_text(judged, unit), value_text(judged, unit)]


def _parts(notice: Notice, moment: Moment) -> Iterator[str]:
    """Yield what is to be known beside the value, the most important last."""
    facts = notice.facts
    match notice.key.kind:
        case Kind.FIRING:
            yield from _late(facts, moment)
            if facts.reason == BACK:
                yield "readings are back"
        case Kind.WORSE if facts.told is not None:
            limit = None if facts.judged is None else facts.judged.threshold
            yield f"was {format_rounded(facts.told, facts.judged, limit)}"
        case Kind.REPEAT if not is_silence(facts.judged):
            yield f"for {lasted(facts)}"
        case Kind.ACK:
            if facts.detail and len(facts.detail) <= 2 * LONGEST:
                yield facts.detail
            yield "no more reminders"


def _late(facts: NotificationFacts, moment: Moment) -> Iterator[str]:
    """Yield since when it fires, and why it is told only now, if it is told late."""
    if facts.late in {Late.MUTED, Late.FLAPPING, Late.NEW_CHANNEL, Late.ESCALATED}:
        yield f"since {moment(facts.fired_at or facts.since)}"
    if facts.late is Late.MUTED:
        yield "muted until now"
    if facts.late is Late.FLAPPING:
        yield "no longer flapping"
    if facts.unacknowledged is not None:
        spent = format_duration(facts.unacknowledged)
        yield f"escalated: nobody acknowledged for {spent}"


def _end(end: Notice, marks: Sequence[str]) -> Iterator[NewsText]:
    facts, rule, values = end.facts, rule_name(end.key), _values(end)
    if end.key.kind is Kind.RETIRED:
        why = "its rule or account was changed or removed"
        return _choices([f"{rule} is no longer watched"], [why, *marks])
    if facts.swings is not None:
        calm = ", ".join([facts.detail, *values[:1]])
        return _choices([calm], [f"{rule} no longer flaps", *marks])
    if facts.reason == MISSING:
        return _choices([f"no readings, {rule} is no longer judged", "no readings"], marks)
    if facts.reason == BACK:
        return _back(facts, rule, values, marks)
    if not values:
        return _choices([rule], [f"over after {lasted(facts)}", *marks])
    return _choices(values, [rule, lasted(facts), *marks])


def _back(
    facts: NotificationFacts, rule: str, values: Sequence[str], marks: Sequence[str]
) -> Iterator[NewsText]:
    """Yield texts of readings that are back, with where the value stands now (SEMANTICS D4)."""
    judged, limit = facts.judged, limit_text(facts.judged)
    # It may still be as bad, and fires anew then: a reader of this end must not sleep on.
    bad = "below " if judged is not None and judged.falling else "above "
    where = f"still {limit}" if limit.startswith(bad) else limit
    why = f"{rule} fired for {lasted(facts)} as there were no readings"
    if not values:
        return _choices(["readings are back"], [why, *marks])
    return _choices(values, [why, "readings are back", *([where] if where else []), *marks])


def _flapping(
    notice: Notice, swings: FlapRange, moment: Moment, marks: Sequence[str]
) -> Iterator[NewsText]:
    facts, rule = notice.facts, rule_name(notice.key)
    reach = _range(swings, facts)
    match notice.key.kind:
        case Kind.ACK:
            return _choices([f"{rule} flaps", "flapping"], [*_parts(notice, moment), *marks])
        case Kind.FIRING:
            fired = f"fired {swings.count} times in {format_duration(facts.at - facts.since)}"
            parts = [*_late(facts, moment), *reach, *marks]
            return _choices([f"{rule} {fired}", fired], parts)
        case _:
            now = [f"now {each}" if notice.key.kind is Kind.WORSE else each for each in reach]
            flaps = f"flaps, {swings.count} times"
            return _choices([f"{rule} {flaps}", flaps], [*now, *marks])


def _range(swings: FlapRange, facts: NotificationFacts) -> list[str]:
    """Ends of the range as one part; empty if they are not known."""
    limit = None if facts.judged is None else facts.judged.threshold
    ends = [
        format_rounded(value, facts.judged, limit)
        for value in (swings.low, swings.high)
        if value is not None
    ]
    known = list(dict.fromkeys(ends))
    if not known:
        return []
    reach = f"between {' and '.join(known)}" if len(known) > 1 else f"at {known[0]}"
    return [with_unit(reach, facts.judged, facts.unit)]


def system_sentence(notice: Notice) -> str:
    """Sentence of a system rule: the alert's own if it is short, else that of the rule."""
    kind, detail = KINDS.get(base(notice.key.rule)), notice.facts.detail
    # The detail of an acknowledgement is its comment.
    if detail and len(detail) <= 2 * LONGEST and notice.key.kind is not Kind.ACK:
        return detail
    return kind.sentence if kind is not None else _fires(notice)


def _fires(notice: Notice) -> str:
    return f"{rule_name(notice.key)} fires"
