"""Composed messages: notices in, one message out. Pure.

    items ──► pair (firing and end of one alert) ──► sections ──► fitting ──► title, text, HTML

The title has severity, rule, account and value. The body has the judged comparison, the times, the
changes of the fields and the alert's code. A notice counts as delivered only if its headline is in
the text. `compose` therefore places headlines first, details only if they fit; the rest is another
message.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from daemon.messages import grouping, html
from daemon.messages.headline import alert_name, is_cleared, is_good, news_severity, title_values
from daemon.messages.layout import Shown, Text, lay_out
from daemon.messages.section import GAP, MessageItem, RenderContext, fallback_sentence, item_word
from daemon.text.printable import printable
from daemon.types import DAY, NEWS, Kind, Message, Notice, NoticeKey, NotificationFacts, Severity

DETAILED = 4
"""Maximum number of sections with details; a longer message is a list."""

TITLE = 60
LATE = "late: "
_WIDE = "a·…<&"
"""Characters of titles that some services count as more than one."""
_ORDER = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}
_NEWEST = (Kind.FIRING, Kind.WORSE, Kind.REPEAT)


@dataclass(frozen=True, slots=True)
class ComposedMessage:
    """Message with the items that it tells."""

    message: Message
    told: tuple[MessageItem, ...]
    """Items whose headlines are in the text."""

    @property
    def subject(self) -> Notice:
        """First notice of the message."""
        return self.told[0].last


def compose(items: Sequence[MessageItem], context: RenderContext) -> ComposedMessage:
    """Compose one message of as many items as fit, at least one, most urgent first."""
    ranked = sorted(items, key=_urgency)
    steads = _steads(ranked, context)
    room = body_room(context) - sum(context.weigh(GAP + each) for each in steads.values())
    fitting = _fitting(list(grouping.sections(ranked, context, room)), context, room)
    told = tuple(item for _, alike in fitting for item in alike)
    # A message about several items of which one waited for a day is a digest (SEMANTICS F6).
    digest = len(told) > 1 and any(context.now - item.notice.at >= DAY for item in told)
    title = _digest(told, context) if digest else _title(fitting, context)
    sections = lay_out([one for one, _ in fitting], 0 if digest else DETAILED, room, context.weigh)
    notes = [*_why(told, context), *_unsaid_steads(steads, fitting, sections)]
    if len(sections) == 1 and context.titled:
        sections = [replace(sections[0], unsaid=_unsaid(title, sections[0], told[0].notice.key))]
    return ComposedMessage(_message(title, Text(sections, notes), told), told)


def _message(title: str, text: Text, told: Sequence[MessageItem]) -> Message:
    """Message with title and text. Its severity is the worst of all; good only if all are good."""
    severity = min((news_severity(item.last) for item in told), key=_ORDER.__getitem__)
    good = all(is_good(item.last) for item in told)
    return Message(title, text.plain(), severity, html.render(text), _thread(told), good=good)


def _unsaid_steads(
    steads: Mapping[str, str], fitting: Sequence[grouping.Kept], sections: Sequence[Shown]
) -> Iterator[str]:
    """Yield the sentences about failing channels that no section shows among its details."""
    brief = [
        alike
        for (one, alike), each in zip(fitting, sections, strict=True)
        if not (each.whole and one.details)
    ]
    unsaid = {item.notice.facts.handed_over_by for alike in brief for item in alike}
    yield from (sentence for by, sentence in steads.items() if by in unsaid)


def _unsaid(title: str, shown: Shown, key: NoticeKey) -> str:
    """Part of the only headline that neither title nor details say (SEMANTICS F5)."""
    section = shown.section
    head = f"{section.word} {alert_name(key)}"
    if not f"{title}:".startswith(f"{head}:"):
        return section.headline
    rest = section.headline.removeprefix(f"{head}: ")
    said = (title.removeprefix(f"{head}: "), *(section.details if shown.whole else ()))
    return "" if any(f"{line},".startswith(f"{rest},") for line in said) else rest


def _urgency(item: MessageItem) -> tuple[int, int, int, bool]:
    """Sort key: firing, then acknowledged, then over; then by severity and kind of news.

    Of equals an account comes before the daemon itself: a full disk hides no margin.
    """
    key = item.notice.key
    standing = 2 if item.over else int(key.kind not in NEWS)
    newest = _NEWEST.index(key.kind) if key.kind in NEWS else 0
    return standing, _ORDER[item.notice.facts.severity], newest, not key.account


def _thread(told: Sequence[MessageItem]) -> str:
    """Thread of the alert; empty for a message about several alerts."""
    if len(told) > 1:
        return ""
    return f"{told[0].last.facts.code}.{told[0].notice.key.account or 'daemon'}"


def pair(items: Iterable[MessageItem]) -> list[MessageItem]:
    """Join the waiting items of one alert: its end is put to its firing."""
    paired: dict[tuple[str, str, int], MessageItem] = {}
    for item in sorted(items, key=lambda item: item.over):
        begun = paired.get(item.episode)
        paired[item.episode] = item if begun is None else _joined(begun, item)
    return list(paired.values())


def _joined(begun: MessageItem, later: MessageItem) -> MessageItem:
    """Join two items of one alert. An acknowledgement gives way to the later news."""
    told = (
        later
        if begun.notice.key.kind is Kind.ACK
        else replace(begun, ended=later.notice if later.over else None)
    )
    return replace(
        told,
        maybe_repeat=begun.maybe_repeat or later.maybe_repeat,
        not_recorded=begun.not_recorded or later.not_recorded,
    )


def _fitting(
    kept: Sequence[grouping.Kept], context: RenderContext, room: int
) -> list[grouping.Kept]:
    """Sections that fit without their details, beside the longest title."""
    fitting = list[grouping.Kept]()
    for each in kept:
        room -= context.weigh(each[0].brief + GAP)
        if fitting and room < 0:
            break
        fitting.append(each)
    return fitting


def body_room(context: RenderContext) -> int:
    """Room for all sections, beside the longest title and the reason of a delay."""
    title = TITLE * max(map(context.weigh, _WIDE))
    return context.room - title - context.weigh(GAP + LATE + context.why_late)


def _why(told: Sequence[MessageItem], context: RenderContext) -> Iterator[str]:
    """Yield the reason of the delay, once for all late items."""
    if context.why_late and any(context.is_late(item) for item in told):
        yield f"{LATE}{context.why_late}"


def _steads(items: Iterable[MessageItem], context: RenderContext) -> dict[str, str]:
    """Sentences about the failing channels that this one replaces, by channel (SEMANTICS F4)."""
    failing: dict[str, NotificationFacts] = {}
    for facts in (item.notice.facts for item in items):
        failing.setdefault(facts.handed_over_by, facts)
    return {by: fallback_sentence(facts, context) for by, facts in failing.items() if by}


def _title(fitting: Sequence[grouping.Kept], context: RenderContext) -> str:
    """Title: severity, rule, account and value of the first. Names are cut before the value."""
    told = [item for _, alike in fitting for item in alike]
    if len(fitting) > 1 and all(item.account_of_both and is_cleared(item.last) for item in told):
        since = context.moment(grouping.first_firing(told))
        return f"OVER: {len(told)} alerts, all cleared, since {since}"
    alike = fitting[0][1]
    others = f" and {len(told) - len(alike)} more" if len(told) > len(alike) else ""
    return _title_of(alike, TITLE - len(others)) + others


def _title_of(alike: Sequence[MessageItem], room: int) -> str:
    """Title of one alert, or of several ended ones of the same rule, in `room` characters."""
    head = f"{item_word(alike[0])} {alert_name(alike[0].notice.key)}"
    values = [f": {printable(value)}" if value else "" for value in _values(alike)]
    value = next((each for each in values if len(head) + len(each) <= room), values[-1])
    if len(head) + len(value) > room:
        head = head[: max(1, room - len(value) - 1)] + "…"
    return (head + value)[:room]


def _values(alike: Sequence[MessageItem]) -> tuple[str, ...]:
    """Values for the title, longest first. For an ended alert they are the present ones."""
    return title_values(alike[0].last) if len(alike) == 1 else (grouping.firing_count(alike), "")


def _digest(told: Sequence[MessageItem], context: RenderContext) -> str:
    """Title of a digest, for news that waited for days."""
    ended = sum(item.over for item in told)
    since = context.moment(min(item.notice.at for item in told))
    return f"DIGEST since {since}: {len(told) - ended} firing, {ended} over"
