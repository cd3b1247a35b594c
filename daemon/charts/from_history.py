"""Charts out of the record: how a field went, where readings are missing, the levels of rules, and
when they fired.

Reads only, blocking, in one pass with flat memory: for a thread, or for a command. Instants are
those that are meant now, moved by every step of our clock that was recorded after them (SEMANTICS
A5), so that no line runs backwards.
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
from daemon.charts.downsample import ChartPoint, course
from daemon.readings.exact import negated
from daemon.readings.fields import CORE, MADE_OF, VALUES
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
    Alert,
    DecidingComparison,
    GapReason,
    Millis,
    Miss,
    Reading,
    Unconfirmed,
)

LAST_HOURS: Millis = 6 * HOUR
"""How far back the chart of an alert goes."""

RATIOS = frozenset({"margin_usage", "freeze_ratio"})

NOTES = {"free_margin": "a cautious estimate"}
"""What whoever shows a field must say of it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a chart is about."""

    account: str
    field: str
    span: ChartSpan
    zone: ZoneInfo | None = None
    every: Millis | None = None
    """How often the account is read, where that is known."""


Seen: TypeAlias = Callable[[Replayed], None]
"""Is told every input on the way, for a progress bar."""


def unseen(_: Replayed) -> None:
    """Nobody looks on."""


def chart(history: History, subject: Subject, rules: Iterable[Rule], seen: Seen = unseen) -> Chart:
    """The subject with the levels of the rules that compare it with a number, and when those fired.

    Raises:
        StoreError: where the record cannot be read.

    """
    found = {rule.name: levels(rule, subject.field) for rule in rules}
    named = [name for name, each in found.items() if each]
    return _chart(history, subject, [level for name in named for level in found[name]], named, seen)


def alert_chart(history: History, subject: Subject, rule: Rule) -> Chart:
    """The subject with the levels of one rule, and when it fired, whatever it compares.

    Raises:
        StoreError: where the record cannot be read.

    """
    return _chart(history, subject, levels(rule, subject.field), (rule.name,))


def before(at: Millis, back: Millis = LAST_HOURS) -> ChartSpan:
    """The hours up to an instant, it included."""
    return ChartSpan(at - back, at + 1)


def field_of(judged: DecidingComparison | None) -> str:
    """The field to show for what was judged: of an expression the first one in it; where it has
    none, the margin.
    """
    words = re.findall(r"\w+", "" if judged is None else judged.field)
    return next((word for word in words if word in VALUES), CORE[0])


def levels(rule: Rule, field: str) -> list[Level]:
    """The numbers that a rule compares exactly this field with."""
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
    went = course(_marks(history, subject, steps, seen), subject.span, subject.every)
    return Chart(
        subject.field,
        subject.account,
        subject.span,
        subject.zone,
        _unit(subject.field, levels),
        went.lines,
        went.gaps,
        went.infinite,
        levels,
        tuple(_joined(_firing(history, subject, rules, steps))),
        note=NOTES.get(subject.field, ""),
    )


def _unit(field: str, levels: Iterable[Level]) -> Unit:
    if field not in RATIOS:
        return Unit.USDT
    return Unit.PERCENT if any(level.percent for level in levels) else Unit.RATIO


# Readings.


def _marks(history: History, subject: Subject, steps: Steps, seen: Seen) -> Iterator[ChartPoint]:
    """What was judged, what was missed, and what is recorded as missing."""
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
                pass  # it was not judged, and what settled it follows


def _lost(history: History, subject: Subject, steps: Steps) -> Iterator[ChartPoint]:
    """The ends of the gaps that are recorded. A step of the clock is none: time goes on, its
    readings are there.
    """
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
    """Steps move an open alert where it is recorded; from its end on, nothing does."""
    if alert.fired_at is None:
        return None
    moved = 0 if alert.ended_seq is None else steps.moved(alert.ended_seq)
    ended = span.until if alert.ended_at is None else alert.ended_at + moved
    within = ChartSpan(max(alert.fired_at + moved, span.since), min(ended, span.until))
    return within if within.since <= within.until else None


def _reach(span: ChartSpan, steps: Steps) -> ChartSpan:
    """Where to look for instants as they were recorded, to find those that lie in the span as they
    are meant.
    """
    return ChartSpan(span.since - max(0, *steps.moves), span.until - min(0, *steps.moves))


def _joined(spans: Iterable[ChartSpan]) -> Iterator[ChartSpan]:
    """Those of several rules as one where they overlap."""
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
