"""Composed messages: notices in, one message out. Pure.

    items ──► pair (firing and end of one alert) ──► sections ──► fitting ──► title, text, HTML

The title is the news: `WORD account: field value (limit)`. The body has what the title has no room
for, how it moved, the fields of each account, what to do, and the ids. A notice counts as delivered
only if its headline is in the text. `compose` therefore places headlines first, details only if
they fit; the rest is another message.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from daemon.messages import grouping, html
from daemon.messages.alert_section import with_fields
from daemon.messages.layout import Shown, Text, lay_out
from daemon.messages.section import (
    GAP,
    MessageItem,
    RenderContext,
    Section,
    fallback_sentence,
)
from daemon.messages.title_fitting import TITLE, digest_title, message_title
from daemon.messages.title_words import is_good, news_severity
from daemon.text.numbers import format_duration
from daemon.types import (
    DAY,
    NEWS,
    SEVERITIES,
    Kind,
    Message,
    Millis,
    Notice,
    NotificationFacts,
)

DETAILED = 4
"""Maximum number of sections with details; a longer message is a list."""

_LONGEST_LATE = "late by up to 59 min 59 s"
_AGED = "these values are old: look into the exchange's own app"
_WIDE = "a·…<&"
"""Characters of titles that some services count as more than one."""
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
    ranked = sorted(items, key=lambda item: _urgency(item, context))
    steads = _steads(ranked, context)
    room = body_room(context) - sum(context.weigh(GAP + each) for each in steads.values())
    fitting = _fitting(list(grouping.sections(ranked, context, room)), context, room)
    told = tuple(item for _, alike in fitting for item in alike)
    # A message about several items of which one waited for a day is a digest (SEMANTICS F6).
    digest = len(told) > 1 and any(context.now - item.notice.at >= DAY for item in told)
    # What is new stands in the title, even if all the rest waited for days.
    old = digest and all(map(context.is_late, told))
    title = digest_title(told, context) if old else message_title(fitting, context)
    filled = list(_in_digest(fitting) if digest else _with_fields(fitting, context))
    laid_out = lay_out(filled, len(filled) if digest else DETAILED, room, context.weigh)
    sections = list(_once(laid_out, [alike[0].notice.key.account for _, alike in fitting]))
    if context.titled and title.told is not None:
        first = sections[0]
        sections[0] = replace(first, unsaid=first.section.unsaid(title.told))
    handed_over = {item.notice.facts.handed_over_by for item in told}
    notes = [*_aged(told, context, digest=digest), *_why(told, context)]
    notes.extend(steads[by] for by in steads if by in handed_over)
    return ComposedMessage(_message(title.text, Text(sections, notes), told), told)


def _message(title: str, text: Text, told: Sequence[MessageItem]) -> Message:
    """Message with title and text. Its severity is the worst of all; good only if all are good."""
    severity = min((news_severity(item.last) for item in told), key=SEVERITIES.index)
    good = all(is_good(item.last) for item in told)
    return Message(
        title,
        text.plain(),
        severity,
        html.render(text),
        _thread(told),
        commands=text.commands,
        good=good,
    )


def _with_fields(fitting: Sequence[grouping.Kept], context: RenderContext) -> Iterator[Section]:
    """Yield the sections; the first of each account has its fields, as they were last known."""
    latest: dict[str, MessageItem] = {}
    for item in sorted((item for _, alike in fitting for item in alike), key=_last_at):
        latest[item.notice.key.account] = item
    for section, alike in fitting:
        account = alike[0].notice.key.account
        if len(alike) == 1 and account in latest:
            yield with_fields(section, alike[0], latest.pop(account), context)
        else:
            yield section


def _in_digest(fitting: Sequence[grouping.Kept]) -> Iterator[Section]:
    """Yield the sections of a digest: a headline, and what to do if it still fires."""
    for section, _ in fitting:
        acks = tuple(action for action in section.actions if action.command)[:1]
        foot = (" · ".join(section.marks),) if acks else ()
        yield replace(section, lines=(), common=(), foot=foot, actions=acks)


def _once(sections: Iterable[Shown], accounts: Iterable[str]) -> Iterator[Shown]:
    """Yield the sections without lines that an earlier one of the same account shows."""
    told: dict[str, set[str]] = {}
    for each, account in zip(sections, accounts, strict=True):
        if not each.whole:
            yield each
            continue
        before = told.setdefault(account, set())
        common = tuple(line for line in each.section.common if line not in before)
        before.update(common)
        yield replace(each, section=replace(each.section, common=common))


def _last_at(item: MessageItem) -> Millis:
    return item.last.at


def _urgency(item: MessageItem, context: RenderContext) -> tuple[int, int, int, bool, bool]:
    """Sort key: firing, then acknowledged, then over; by severity and kind of news; new before old.

    Of equals an account comes before the daemon itself: a full disk hides no margin.
    """
    key = item.notice.key
    standing = 2 if item.over else int(key.kind not in NEWS)
    newest = _NEWEST.index(key.kind) if key.kind in NEWS else 0
    severity = SEVERITIES.index(item.notice.facts.severity)
    return standing, severity, newest, context.is_late(item), not key.account


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
    """Room for all sections, beside the longest title and the notes on a delay."""
    title = TITLE * max(map(context.weigh, _WIDE))
    late = f"{GAP}{_AGED}{GAP}{_LONGEST_LATE}: {context.why_late}"
    return context.room - title - context.weigh(late)


def _aged(told: Sequence[MessageItem], context: RenderContext, *, digest: bool) -> Iterator[str]:
    """Yield the advice of a digest of which no value is a present one."""
    firing = [item for item in told if not item.over]
    if digest and firing and all(map(context.is_late, firing)):
        yield _AGED


def _why(told: Sequence[MessageItem], context: RenderContext) -> Iterator[str]:
    """Yield how late the late items are, and why, once for all."""
    late = [context.now - item.notice.at for item in told if context.is_late(item)]
    if late:
        most = "up to " if len(late) > 1 else ""
        why = f": {context.why_late}" if context.why_late else ""
        yield f"late by {most}{format_duration(max(late))}{why}"


def _steads(items: Iterable[MessageItem], context: RenderContext) -> dict[str, str]:
    """Sentences about the failing channels that this one replaces, by channel (SEMANTICS F4)."""
    failing: dict[str, NotificationFacts] = {}
    for facts in (item.notice.facts for item in items):
        failing.setdefault(facts.handed_over_by, facts)
    return {by: fallback_sentence(facts, context) for by, facts in failing.items() if by}
