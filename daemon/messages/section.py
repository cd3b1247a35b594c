"""Sections of a message: headline, required marks, and details of one or more alerts. Pure.

`alert_section` fills them in. `compose` decides how many sections a message has and which keep
their details; `html` decides how they look. Nothing here knows how long a message may be.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from daemon.messages.title_texts import NewsText, tells_value
from daemon.text.numbers import format_instant
from daemon.text.printable import printable
from daemon.types import ENDS, MINUTE, Millis, Notice, NotificationFacts

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

    def fields_at(self, item: MessageItem) -> Millis | None:
        """Instant of the account's fields if they are old; None if they are the present ones."""
        read_at = item.last.facts.read_at
        if read_at is None and self.is_late(item):
            return item.last.at
        return read_at

    def value_at(self, item: MessageItem) -> Millis | None:
        """Instant of the value in a headline, if it must not be taken for the present one."""
        last = item.last
        if item.account_of_both:
            return None
        read_at = last.facts.read_at if tells_value(last) else None
        if read_at is not None and last.at - read_at >= LATE_AFTER:
            return read_at
        return last.at if self.is_late(item) else None


@dataclass(frozen=True, slots=True)
class FieldRow:
    """Field with its value and its changes."""

    field: str
    value: str
    moves: tuple[str, ...] = ()
    told: bool = False
    """True if the headline tells the value. Only a table of all fields repeats it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "field", printable(self.field))
        object.__setattr__(self, "value", printable(self.value))
        object.__setattr__(self, "moves", tuple(map(printable, self.moves)))

    def __str__(self) -> str:
        """Line of a text; empty if the headline tells all."""
        if self.told:
            return f"{self.field} {self.moved}" if self.moves else ""
        moves = f" ({self.moved})" if self.moves else ""
        return f"{self.field} {self.value}{moves}"

    @property
    def moved(self) -> str:
        return ", ".join(self.moves)


@dataclass(frozen=True, slots=True)
class Action:
    """Something that the reader can do, with the command to type if there is one."""

    text: str
    command: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "command", printable(self.command))

    def __str__(self) -> str:
        return f"{self.text}: {self.command}" if self.command else self.text


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
    common: tuple[str, ...] = ()
    """Lines that other alerts of the account may have as well; they are told once."""
    actions: tuple[Action, ...] = ()
    news: NewsText | None = None
    """Text of an alert in `said`, without account and rule."""
    rule: str = ""
    """Name of the rule, if it stands behind the text."""

    def __post_init__(self) -> None:
        """Escape foreign text before anything measures it."""
        object.__setattr__(self, "said", printable(self.said))
        for part in ("marks", "lines", "common", "foot"):
            object.__setattr__(self, part, tuple(map(printable, getattr(self, part))))

    @property
    def headline(self) -> str:
        return f"{self.word} {self.said}"

    @property
    def brief(self) -> str:
        return " · ".join([self.headline, *self.marks])

    @property
    def details(self) -> list[str]:
        return [*self.middle, *self.foot]

    @property
    def middle(self) -> list[str]:
        """Lines between the headline and the foot."""
        rows = filter(None, map(str, self.rows))
        return [*self.lines, *self.common, *rows, *map(str, self.actions)]

    def unsaid(self, told: NewsText) -> str:
        """Part of the headline that is not in a title that tells `told` of the account.

        The rule's name is left out as well.
        """
        return "" if self.news is None else printable(self.news.without(told))

    @property
    def whole(self) -> str:
        return "\n".join([self.headline, *self.details]) if self.details else self.brief


def uncertainty_marks(items: Sequence[MessageItem]) -> Iterator[str]:
    """Yield the marks of uncertainty that apply to any of the items."""
    if any(item.maybe_repeat for item in items):
        yield "may be a repeat"
    if any(item.not_recorded for item in items):
        yield "not recorded"
    if any(item.last.facts.unconfirmed for item in items):
        yield "unconfirmed"


def fallback_sentence(facts: NotificationFacts, context: RenderContext) -> str:
    """Sentence about the failing channel: its name, since when it fails, and its error (F4)."""
    since = ""
    if facts.handed_over_since is not None:
        since = f" since {context.moment(facts.handed_over_since)}"
    why = f" ({facts.handed_over_why})" if facts.handed_over_why else ""
    return printable(
        f"sent here because the channel {facts.handed_over_by} cannot be reached{since}{why}"
    )
