"""What a message says of one alert, or of several that are over: a headline, what must stand, and
details. Pure.

How many sections a message has, and which keep their details, is decided in `message`; how they
look as HTML, in `html`. Nothing here knows how long a message may be.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from operator import attrgetter

from daemon.alerts.trend import pace, step
from daemon.messages.headline import both, name, news, number, sign, word
from daemon.rules.evaluation.signals import LASTING
from daemon.text.numbers import about, amount, change, lasting, moment, rough, spelled
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
"""Between two paragraphs of a text."""


@dataclass(frozen=True, slots=True)
class MessageItem:
    """A notice on its way, with what only the outbox knows of it."""

    notice: Notice
    maybe_repeat: bool = False
    """An earlier attempt had no outcome: the person may have read this already."""
    not_recorded: bool = False
    """The database refused to store what caused it (the exception of promise 1)."""
    ended: Notice | None = None
    """Its end, when firing and end go out together: told as one account of both (promise 3)."""
    unheard: bool = False
    """It is the end of something that its channel was never told of: one account of both, again
    (SEMANTICS E5, F4).
    """

    @property
    def account_of_both(self) -> bool:
        return self.ended is not None or self.unheard

    @property
    def last(self) -> Notice:
        """What is known last: of one that is over, its end."""
        return self.ended or self.notice

    @property
    def over(self) -> bool:
        return self.last.key.kind in ENDS

    @property
    def episode(self) -> tuple[str, str, int]:
        return self.notice.episode


@dataclass(frozen=True, slots=True)
class RenderContext:
    """How, and when, a message leaves."""

    now: Millis
    zone: tzinfo | None
    group_wait: Millis = 0
    """What the channel waits to join: that is asked for, and not late."""
    room: int = 3_800
    """What the channel takes in one message, counted by `weigh`."""
    weigh: Callable[[str], int] = len
    """How much room a text takes. Of two texts together it is the sum."""
    titled: bool = True
    """The channel shows the title, so that the text need not repeat it."""
    why_late: str = ""
    """Why what waited did not leave before, in words; empty where nobody knows."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "why_late", printable(self.why_late))

    def is_late(self, item: MessageItem) -> bool:
        held = item.last.facts.not_before is not None
        return not held and self.now - item.notice.at >= LATE_AFTER + self.group_wait

    def moment(self, at: Millis) -> str:
        return moment(at, self.now, self.zone)


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field, with how it moved."""

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
    """What a message says of one alert."""

    word: str
    """How bad it is; of an end, what kind of end."""
    said: str
    """What happened: with the word, the headline."""
    marks: tuple[str, ...]
    """What must be said, also where there is no room for details."""
    lines: tuple[str, ...] = ()
    rows: tuple[FieldRow, ...] = ()
    foot: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Escape what comes from outside before anything measures it."""
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


def section(item: MessageItem, sending: RenderContext) -> Section:
    """What there is to say of one alert."""
    facts = item.last.facts
    marks = (f"alert {facts.code}", *doubts([item]), *_raised(item, sending))
    lines = (
        *_own_words(item),
        *_judgement(item, sending),
        *_since(item, sending),
        *_remarks(item, sending),
    )
    return Section(
        worded(item), _said(item, sending), marks, lines, tuple(rows(facts)), tuple(_foot(item))
    )


def doubts(items: Sequence[MessageItem]) -> Iterator[str]:
    """What must be known of any of them."""
    if any(item.maybe_repeat for item in items):
        yield "may be a repeat"
    if any(item.not_recorded for item in items):
        yield "not recorded"
    if any(item.last.facts.unconfirmed for item in items):
        yield "unconfirmed"


def _raised(item: MessageItem, sending: RenderContext) -> Iterator[str]:
    """When it happened, unless that is now, or said already: a value of two hours ago must not pass
    for the present.
    """
    if sending.is_late(item) and not item.account_of_both:
        yield f"raised {sending.moment(item.notice.at)}"


def _said(item: MessageItem, sending: RenderContext) -> str:
    told = (
        both(item.last, sending.now, sending.zone)
        if item.account_of_both
        else news(item.notice, sending.now, sending.zone)
    )
    return f"{name(item.notice.key)}: {told}"


def worded(item: MessageItem) -> str:
    return "OVER" if item.account_of_both else word(item.notice.key.kind, item.notice.facts)


def rows(facts: NotificationFacts) -> Iterator[FieldRow]:
    """The five fields with their change over ten minutes and an hour; what is unknown or did not
    move is left out.
    """
    for field in SHOWN:
        value = attrgetter(field)(facts.balances)
        if value is not None:
            known = (
                (facts.changes, about(facts.span) if facts.span else "10 min"),
                (facts.hourly, "1 h"),
            )
            moves = [
                f"{change(rough(moved[field]))} in {span}"
                for moved, span in known
                if moved.get(field)
            ]
            yield FieldRow(field, amount(value), tuple(moves))


def _own_words(item: MessageItem) -> Iterator[str]:
    """The rule's summary, unless the headline is made of it."""
    facts = item.last.facts
    if facts.summary and not item.over and facts.summary != news(item.notice, facts.at, None):
        yield facts.summary


def _judgement(item: MessageItem, sending: RenderContext) -> Iterator[str]:
    """The judged field with its value and threshold; later also the worst value; what a system rule
    found.

    What was found is over with the alert; and where its pace leads to is past, in what comes late.
    """
    facts = item.last.facts
    yield from _compared(facts.judged) if facts.judged is not None else ()
    again = item.over or item.notice.key.kind in {Kind.REPEAT, Kind.WORSE}
    if facts.worst is not None and again and not _bare(facts.judged):
        yield f"worst: {spelled(facts.worst, facts.judged)}"
    if item.over:
        return
    if facts.detail and facts.detail not in news(item.notice, facts.at, None):
        yield facts.detail
    yield from step(facts, sending.moment)
    if not sending.is_late(item):
        yield from pace(facts)


def _compared(told: DecidingComparison) -> Iterator[str]:
    if _bare(told):
        return
    threshold = "" if told.threshold is None else f", threshold {spelled(told.threshold, told)}"
    if sign(told):
        yield f"{number(told)}{threshold}"
        return
    yield f"{told.field} {number(told)}{threshold} (rule: {told.text})"
    if "free_margin" in told.text:
        yield "free_margin is a cautious estimate: available_margin less al_margin"


def _bare(told: DecidingComparison | None) -> bool:
    """What is either so or not has no value to show; how long something has lasted is seen up to
    its limit only.
    """
    return told is not None and sign(told) and (not told.duration or told.field in LASTING)


def _since(item: MessageItem, sending: RenderContext) -> Iterator[str]:
    facts = item.last.facts
    if not item.over:
        yield f"since {sending.moment(facts.since)}"
        return
    start = facts.fired_at or facts.since
    yield (
        f"{sending.moment(start)} to {sending.moment(facts.at)}, lasted {lasting(facts.at - start)}"
    )


def _remarks(item: MessageItem, sending: RenderContext) -> Iterator[str]:
    notice, last = item.notice, item.last
    if last.facts.unfilled and not item.over:
        yield f"the rule's own summary could not be filled in: {last.facts.unfilled}"
    if last.facts.unconfirmed:
        yield "unconfirmed: the exchange's answer looked wrong, and asking again brought no other"
    if notice.facts.handed_over_by:
        yield stead(notice.facts, sending)
    if last.facts.not_before is not None:
        yield f"ended in a mute window, and held until {sending.moment(last.facts.not_before)}"
    elif sending.is_late(item):
        late = lasting(sending.now - notice.at)
        yield f"raised {sending.moment(notice.at)}, delivered only now: {late} late"
    if item.maybe_repeat:
        yield "may be a repeat: an earlier attempt had no answer"
    if item.not_recorded:
        yield "not recorded: the database refuses to write"


def stead(facts: NotificationFacts, sending: RenderContext) -> str:
    """In whose stead it comes, since when that fails and what it said (SEMANTICS F4)."""
    since = (
        f" since {sending.moment(facts.handed_over_since)}"
        if facts.handed_over_since is not None
        else ""
    )
    why = f" ({facts.handed_over_why})" if facts.handed_over_why else ""
    return printable(
        f"sent here because the channel {facts.handed_over_by} cannot be reached{since}{why}"
    )


def _foot(item: MessageItem) -> Iterator[str]:
    """The id, and what to type."""
    facts = item.last.facts
    yield f"alert {facts.code} · {facts.severity}"
    silence = f"marginwatch silence add --alert {facts.code} --for 2h"
    if item.notice.key.kind in NEWS and not item.over:
        yield f"quiet: marginwatch ack {facts.code}, or {silence}"
