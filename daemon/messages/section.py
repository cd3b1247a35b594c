"""Sections of a message: headline, required marks, and details of one or more alerts. Pure.

`compose` decides how many sections a message has and which keep their details; `html` decides how
they look. Nothing here knows how long a message may be.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from operator import attrgetter

from daemon.alerts.trend import pace_sentence, step_sentence
from daemon.messages.headline import (
    account_name,
    is_signal,
    news_word,
    rule_name,
    start_and_end,
    value_text,
)
from daemon.messages.news_texts import names_rule, news_texts
from daemon.readings.fields import ESTIMATES
from daemon.rules.evaluation.signals import LASTING
from daemon.text.numbers import (
    format_change,
    format_duration,
    format_instant,
    format_minutes,
    format_rounded,
    rough,
)
from daemon.text.printable import printable
from daemon.types import (
    ENDS,
    MINUTE,
    NEWS,
    DecidingComparison,
    Kind,
    Millis,
    Notice,
    NotificationFacts,
)

SHOWN = ("available_margin", "available_usdt", "almighty_gold", "al_margin", "al_freeze")
LATE_AFTER = MINUTE
GAP = "\n\n"
"""Separator of two paragraphs of a text."""


@dataclass(frozen=True, slots=True)
class MessageItem:
    """Notice to be told, with facts that only its delivery knows."""

    notice: Notice
    maybe_repeat: bool = False
    """True if an earlier attempt had no outcome: it may have been read already."""
    not_recorded: bool = False
    """True if the database refused to record its cause (the exception of promise 1)."""
    ended: Notice | None = None
    """End of the alert, if firing and end are sent together (promise 3)."""
    unheard: bool = False
    """True for an end whose firing the channel was never told: it tells both (SEMANTICS E5, F4)."""

    @property
    def account_of_both(self) -> bool:
        return self.ended is not None or self.unheard

    @property
    def last(self) -> Notice:
        """Latest notice: the end, if the alert is over."""
        return self.ended or self.notice

    @property
    def over(self) -> bool:
        return self.last.key.kind in ENDS

    @property
    def episode(self) -> tuple[str, str, int]:
        return self.notice.episode


@dataclass(frozen=True, slots=True)
class RenderContext:
    """Settings of a channel and the time of sending."""

    now: Millis
    zone: tzinfo | None
    group_wait: Millis = 0
    """Time the channel waits to group news; this does not count as late."""
    room: int = 3_800
    """Maximum size of one message, counted by `weigh`."""
    weigh: Callable[[str], int] = len
    """Size of a text. The size of two texts together is the sum of both."""
    titled: bool = True
    """True if the channel shows the title, so that the text need not repeat it."""
    why_late: str = ""
    """Reason of a delay, in words; empty if unknown."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "why_late", printable(self.why_late))

    def is_late(self, item: MessageItem) -> bool:
        held = item.last.facts.not_before is not None
        return not held and self.now - item.notice.at >= LATE_AFTER + self.group_wait

    def moment(self, at: Millis) -> str:
        return format_instant(at, self.now, self.zone)


@dataclass(frozen=True, slots=True)
class FieldRow:
    """Field with its value and its changes."""

    field: str
    value: str
    moves: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "field", printable(self.field))
        object.__setattr__(self, "value", printable(self.value))
        object.__setattr__(self, "moves", tuple(map(printable, self.moves)))

    def __str__(self) -> str:
        moves = f" ({', '.join(self.moves)})" if self.moves else ""
        return f"{self.field} {self.value}{moves}"


@dataclass(frozen=True, slots=True)
class Section:
    """Section: text about one alert, or about several that are over."""

    word: str
    """First word: the severity, or what else happened."""
    said: str
    """Rest of the headline: what happened."""
    marks: tuple[str, ...]
    """Marks that must be shown, even without room for details."""
    lines: tuple[str, ...] = ()
    rows: tuple[FieldRow, ...] = ()
    foot: tuple[str, ...] = ()
    tone: str = ""
    """Word by whose colour it is shown, if not by its own."""

    def __post_init__(self) -> None:
        """Escape foreign text before anything measures it."""
        object.__setattr__(self, "said", printable(self.said))
        for part in ("marks", "lines", "foot"):
            object.__setattr__(self, part, tuple(map(printable, getattr(self, part))))

    @property
    def headline(self) -> str:
        return f"{self.word} {self.said}"

    @property
    def brief(self) -> str:
        return " · ".join([self.headline, *self.marks])

    @property
    def details(self) -> list[str]:
        return [*self.lines, *map(str, self.rows), *self.foot]

    @property
    def whole(self) -> str:
        return "\n".join([self.headline, *self.details]) if self.details else self.brief


def item_section(item: MessageItem, context: RenderContext) -> Section:
    """Section of one item."""
    facts = item.last.facts
    marks = (f"alert {facts.code}", *uncertainty_marks([item]))
    lines = (
        *_own_words(item, context),
        *_judgement(item, context),
        *_since(item, context),
        *_remarks(item, context),
    )
    fires = item.notice.key.kind in NEWS and not item.over
    return Section(
        news_word(item.last),
        f"{account_name(item.notice.key)}: {item_text(item, context)}",
        marks,
        lines,
        tuple(field_rows(facts)),
        tuple(_foot(item)),
        facts.severity.upper() if fires else "",
    )


def uncertainty_marks(items: Sequence[MessageItem]) -> Iterator[str]:
    """Yield the marks of uncertainty that apply to any of the items."""
    if any(item.maybe_repeat for item in items):
        yield "may be a repeat"
    if any(item.not_recorded for item in items):
        yield "not recorded"
    if any(item.last.facts.unconfirmed for item in items):
        yield "unconfirmed"


def item_text(item: MessageItem, context: RenderContext) -> str:
    """Text of the headline. It has the rule's name."""
    if item.account_of_both:
        return start_and_end(item.last, context.now, context.zone)
    text = _news(item, context)
    return text if names_rule(item.notice) else f"{text} · {rule_name(item.notice.key)}"


def _news(item: MessageItem, context: RenderContext) -> str:
    # An old value must not be taken for the present one.
    return news_texts(item.last, context.moment, old=context.is_late(item))[0]


def field_rows(facts: NotificationFacts) -> Iterator[FieldRow]:
    """Yield the five fields with their changes over ten minutes and an hour, as far as known."""
    for field in SHOWN:
        value = attrgetter(field)(facts.balances)
        if value is not None:
            known = (
                (facts.changes, format_minutes(facts.span) if facts.span else "10 min"),
                (facts.hourly, "1 h"),
            )
            moves = [
                f"{format_change(rough(moved[field]))} in {span}"
                for moved, span in known
                if moved.get(field)
            ]
            judged = facts.judged
            limit = judged.threshold if judged is not None and judged.field == field else None
            yield FieldRow(field, format_rounded(value, None, limit), tuple(moves))


def _own_words(item: MessageItem, context: RenderContext) -> Iterator[str]:
    """Yield the rule's summary, unless it is in the headline."""
    facts = item.last.facts
    if facts.summary and not item.over and facts.summary not in _news(item, context):
        yield facts.summary


def _judgement(item: MessageItem, context: RenderContext) -> Iterator[str]:
    """Yield the judged comparison, the worst value, the finding of a system rule, and the trend.

    A finding is over with the alert, and a late message tells no pace, as it has passed.
    """
    facts = item.last.facts
    yield from _compared(facts.judged) if facts.judged is not None else ()
    limit = facts.judged.threshold if facts.judged is not None else None
    again = item.over or item.notice.key.kind in {Kind.REPEAT, Kind.WORSE}
    if facts.worst is not None and again and not _bare(facts.judged):
        yield f"worst: {format_rounded(facts.worst, facts.judged, limit)}"
    if item.over:
        return
    if facts.detail and facts.detail not in _news(item, context):
        yield facts.detail
    yield from step_sentence(facts, context.moment)
    if not context.is_late(item):
        yield from pace_sentence(facts)


def _compared(told: DecidingComparison) -> Iterator[str]:
    if _bare(told):
        return
    threshold = ""
    if told.threshold is not None:
        threshold = f", threshold {format_rounded(told.threshold, told, told.value)}"
    if is_signal(told):
        yield f"{value_text(told)}{threshold}"
        return
    yield f"{told.field} {value_text(told)}{threshold} (rule: {told.text})"
    for name, estimate in ESTIMATES.items():
        if name in told.text:
            yield f"{name} is {estimate}"


def _bare(told: DecidingComparison | None) -> bool:
    """Check for a signal whose value says nothing: a yes or no, or a time up to its limit."""
    return told is not None and is_signal(told) and (not told.duration or told.field in LASTING)


def _since(item: MessageItem, context: RenderContext) -> Iterator[str]:
    facts = item.last.facts
    if not item.over:
        yield f"since {context.moment(facts.since)}"
        return
    start = facts.fired_at or facts.since
    lasted = format_duration(facts.at - start)
    yield f"{context.moment(start)} to {context.moment(facts.at)}, lasted {lasted}"


def _remarks(item: MessageItem, context: RenderContext) -> Iterator[str]:
    notice, last = item.notice, item.last
    if last.facts.unfilled and not item.over:
        yield f"the rule's own summary could not be filled in: {last.facts.unfilled}"
    if last.facts.unconfirmed:
        yield "unconfirmed: the exchange's answer looked wrong, and asking again brought no other"
    if notice.facts.handed_over_by:
        yield fallback_sentence(notice.facts, context)
    if last.facts.not_before is not None:
        yield f"ended in a mute window, and held until {context.moment(last.facts.not_before)}"
    elif context.is_late(item):
        late = format_duration(context.now - notice.at)
        yield f"raised {context.moment(notice.at)}, delivered only now: {late} late"
    if item.maybe_repeat:
        yield "may be a repeat: an earlier attempt had no answer"
    if item.not_recorded:
        yield "not recorded: the database refuses to write"


def fallback_sentence(facts: NotificationFacts, context: RenderContext) -> str:
    """Sentence about the failing channel: its name, since when it fails, and its error (F4)."""
    since = ""
    if facts.handed_over_since is not None:
        since = f" since {context.moment(facts.handed_over_since)}"
    why = f" ({facts.handed_over_why})" if facts.handed_over_why else ""
    return printable(
        f"sent here because the channel {facts.handed_over_by} cannot be reached{since}{why}"
    )


def _foot(item: MessageItem) -> Iterator[str]:
    """Yield the alert's code, and commands to quiet it."""
    facts = item.last.facts
    yield f"alert {facts.code} · {facts.severity}"
    silence = f"marginwatch silence add --alert {facts.code} --for 2h"
    if item.notice.key.kind in NEWS and not item.over:
        yield f"quiet: marginwatch ack {facts.code}, or {silence}"
