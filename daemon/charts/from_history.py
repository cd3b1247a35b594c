"""Builds charts from the record: values, gaps, levels of rules, and when they fired.

Read-only and blocking, in one pass with flat memory: for a thread or a command. Instants are moved
by every clock step recorded after them (SEMANTICS A5), so no line runs backwards.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from heapq import merge
from operator import attrgetter
from typing import TypeAlias
from zoneinfo import ZoneInfo

from daemon.charts.chart import Chart, ChartSpan, Level, Unit
from daemon.charts.downsample import ChartPoint, downsample
from daemon.readings.exact import negated
from daemon.readings.fields import CORE, MADE_OF, RATIOS, VALUES
from daemon.rules.language.tree import (
    Comparison,
    Field,
    Negative,
    Node,
    Number,
    is_percentage,
    walk,
)
from daemon.rules.rule import Rule
from daemon.store.history import History
from daemon.store.read.replay import Replayed
from daemon.store.read.time_index import Steps
from daemon.types import (
    HOUR,
    JUDGED,
    LATEST,
    MINUTE,
    Alert,
    DecidingComparison,
    GapReason,
    Millis,
    Miss,
    Reading,
    Unconfirmed,
)

LAST_HOURS: Millis = 6 * HOUR
"""Time span of an alert's chart."""

LEAST: Millis = MINUTE
"""Least length of the time axis, however young the record is."""

NOTES = {"free_margin": "a cautious estimate", "equity": "an estimate"}
"""Notes that must be shown with a field."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The account, field and span of a chart."""

    account: str
    field: str
    span: ChartSpan
    zone: ZoneInfo | None = None
    every: Millis | None = None
    """Polling interval, if known."""


Seen: TypeAlias = Callable[[Replayed], None]
"""Called with every input, for a progress bar."""


def unseen(_: Replayed) -> None:
    """Default callback: does nothing."""


def field_chart(
    history: History, subject: Subject, rules: Iterable[Rule], seen: Seen = unseen
) -> Chart:
    """Chart of a field with the levels of the rules that compare it, and when those rules fired.

    Raises StoreError if the record cannot be read.
    """
    found = {rule.name: levels(rule, subject.field) for rule in rules}
    named = [name for name, each in found.items() if each]
    return _chart(history, subject, [level for name in named for level in found[name]], named, seen)


def alert_chart(history: History, subject: Subject, rule: Rule) -> Chart:
    """Chart of a field with the levels of one rule, and when it fired, whatever it compares.

    Raises StoreError if the record cannot be read.
    """
    return _chart(history, subject, levels(rule, subject.field), (rule.name,))


def span_before(at: Millis, back: Millis = LAST_HOURS) -> ChartSpan:
    """The span up to and including an instant."""
    return ChartSpan(at - back, at + 1)


def field_to_show(judged: DecidingComparison | None) -> str:
    """The field to show for a judged comparison: the first one in it, else the margin."""
    words = re.findall(r"\w+", "" if judged is None else judged.field)
    return next((word for word in words if word in VALUES), CORE[0])


def levels(rule: Rule, field: str) -> list[Level]:
    """Numbers that a rule compares with exactly this field."""
    conditions = ((rule.when, False), (rule.clear_when, True))
    found = [
        Level(number, rule.name, clear, is_percentage(limit))
        for condition, clear in conditions
        if condition is not None
        for node in walk(condition.tree)
        if (limit := _compared(node, field)) is not None and (number := _number(limit)) is not None
    ]
    return list(dict.fromkeys(found))


def _compared(node: Node, field: str) -> Node | None:
    match node:
        case Comparison(_, Field(name), other) | Comparison(_, other, Field(name)) if name == field:
            return other
        case _:
            return None


def _number(node: Node) -> Decimal | None:
    match node:
        case Number(value):
            return value
        case Negative(Number(value)):
            return negated(value)
        case _:
            return None


def _chart(
    history: History,
    subject: Subject,
    compared: Iterable[Level],
    rules: Collection[str],
    seen: Seen = unseen,
) -> Chart:
    steps, levels = history.steps(subject.account), tuple(compared)
    begins = _begins(history, subject)
    recorded, shown = _spans_from(begins, subject.span)
    went = downsample(_marks(history, subject, steps, seen), recorded, subject.every)
    unit = Unit.USDT
    if subject.field in RATIOS:
        unit = Unit.PERCENT if any(level.percent for level in levels) else Unit.RATIO
    return Chart(
        subject.field,
        subject.account,
        shown,
        subject.zone,
        unit,
        went.lines,
        went.gaps,
        went.infinite,
        levels,
        tuple(_joined(_firing(history, subject, rules, steps))),
        note=NOTES.get(subject.field, ""),
        begins=begins,
    )


def _begins(history: History, subject: Subject) -> Millis | None:
    """The account's first record, if the subject's span starts before it."""
    # The extent starts before the span, unless the record begins within it or later.
    extent = history.extent(subject.account, subject.span.since, LATEST)
    begins_later = extent is not None and extent.first_at > subject.span.since
    return extent.first_at if extent is not None and begins_later else None


def _spans_from(begins: Millis | None, span: ChartSpan) -> tuple[ChartSpan, ChartSpan]:
    """The span with a record, and that of the time axis, which has a least length.

    Before the record began, nothing is missing: the time is left out, not shown as a gap.
    """
    if begins is None:
        return span, span
    if begins >= span.until:
        return ChartSpan(span.until, span.until), span
    axis = ChartSpan(max(span.since, min(begins, span.until - LEAST)), span.until)
    return ChartSpan(begins, span.until), axis


# Readings.


def _marks(history: History, subject: Subject, steps: Steps, seen: Seen) -> Iterator[ChartPoint]:
    """Points from judged readings, misses and recorded gaps, by time."""
    lost = sorted(_lost(history, subject, steps), key=attrgetter("at"))
    read = _read(history, subject, steps, seen)
    return merge(read, lost, key=attrgetter("at")) if lost else read


def _read(history: History, subject: Subject, steps: Steps, seen: Seen) -> Iterator[ChartPoint]:
    value, needed = VALUES[subject.field], MADE_OF.get(subject.field, (subject.field,))
    for each in history.replayed(subject.account, *subject.span, needed, look_back=0):
        seen(each)
        at = each.at + steps.moved(each.seq)
        match each:
            case Reading() if each.quality in JUDGED:
                yield ChartPoint(at, value(each.balances))
            case Unconfirmed():
                yield ChartPoint(at, value(each.reading.balances))
            case Miss():
                yield ChartPoint(at, None)
            case _:
                pass  # not judged; the reading that settled it follows


def _lost(history: History, subject: Subject, steps: Steps) -> Iterator[ChartPoint]:
    """The ends of the recorded gaps. A clock step is not a gap: its readings are there."""
    for gap in history.gaps(*_reach(subject.span, steps)):
        if gap.account == subject.account and gap.reason is not GapReason.CLOCK_STEP:
            yield from (
                ChartPoint(at + steps.moved(gap.seq), None) for at in (gap.started_at, gap.ended_at)
            )


# Alerts.


def _firing(
    history: History, subject: Subject, rules: Collection[str], steps: Steps
) -> Iterator[ChartSpan]:
    for past in history.alerts(*_reach(subject.span, steps)) if rules else ():
        if past.account == subject.account and past.alert.rule in rules:
            fired = _fired(past.alert, subject.span, steps)
            if fired is not None:
                yield fired


def _fired(alert: Alert, span: ChartSpan, steps: Steps) -> ChartSpan | None:
    """The firing span of an alert. Clock steps after its end no longer move it."""
    if alert.fired_at is None:
        return None
    moved = 0 if alert.ended_seq is None else steps.moved(alert.ended_seq)
    ended = span.until if alert.ended_at is None else alert.ended_at + moved
    within = ChartSpan(max(alert.fired_at + moved, span.since), min(ended, span.until))
    return within if within.since <= within.until else None


def _reach(span: ChartSpan, steps: Steps) -> ChartSpan:
    """The span to search by recorded instants, to find those that lie in `span` once moved."""
    return ChartSpan(span.since - max(0, *steps.moves), span.until - min(0, *steps.moves))


def _joined(spans: Iterable[ChartSpan]) -> Iterator[ChartSpan]:
    """Merge overlapping spans of several rules."""
    run: ChartSpan | None = None
    for span in sorted(spans):
        if run is not None and span.since <= run.until:
            run = ChartSpan(run.since, max(run.until, span.until))
            continue
        if run is not None:
            yield run
        run = span
    if run is not None:
        yield run
