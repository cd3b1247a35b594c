"""What a person reads when the phone rings at night. Pure: notices in, a message out.

    pieces ──► pair (firing and end of one alert) ──► sections ──► as many as fit ──► title, text, HTML

The title says how bad, which rule, which account and the number; the body what was judged, since
when, how the fields moved and the alert's id. A notice counts as delivered only if its headline is
in the text: `compose` puts headlines first into the room a channel has, details only where they
fit, and what does not fit is another message.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from daemon.messages import grouping, html
from daemon.messages.headline import is_cleared, is_good, name, short, weight
from daemon.messages.layout import Shown, Text, shown
from daemon.messages.section import GAP, MessageItem, RenderContext, stead, worded
from daemon.text.printable import printable
from daemon.types import DAY, NEWS, Kind, Message, Notice, NoticeKey, NotificationFacts, Severity

DETAILED = 4
"""Sections with details in one message: more is no message but a list."""

TITLE = 60
LATE = "late: "
_WIDE = "a·…<&"
"""Signs of titles: of some services each takes more room than one."""
_ORDER = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}
_NEWEST = (Kind.FIRING, Kind.WORSE, Kind.REPEAT)


@dataclass(frozen=True, slots=True)
class ComposedMessage:
    """A message, and what it tells."""

    message: Message
    told: tuple[MessageItem, ...]
    """Those of the pieces given whose headlines are in the text."""

    @property
    def subject(self) -> Notice:
        """What it tells first."""
        return self.told[0].last


def compose(items: Sequence[MessageItem], sending: RenderContext) -> ComposedMessage:
    """One message with as many of `pieces` as it takes, at least one, the most urgent first."""
    ranked = sorted(items, key=_urgency)
    steads = _steads(ranked, sending)
    room = body_room(sending) - sum(sending.weigh(GAP + each) for each in steads.values())
    fitting = _fitting(list(grouping.sections(ranked, sending, room)), sending, room)
    told = tuple(item for _, alike in fitting for item in alike)
    digest = _is_digest(told, sending)
    title = _digest(told, sending) if digest else _title(fitting, sending)
    sections = shown([one for one, _ in fitting], 0 if digest else DETAILED, room, sending.weigh)
    notes = [*_why(told, sending), *_unsaid_steads(steads, fitting, sections)]
    if len(sections) == 1 and sending.titled:
        sections = [replace(sections[0], unsaid=_unsaid(title, sections[0], told[0].notice.key))]
    return ComposedMessage(_message(title, Text(sections, notes), told), told)


def _message(title: str, text: Text, told: Sequence[MessageItem]) -> Message:
    """The message with its title and text; as severe as the worst that it tells, good only where
    all of it is.
    """
    severity = min((weight(item.last) for item in told), key=_ORDER.__getitem__)
    good = all(is_good(item.last) for item in told)
    return Message(title, text.plain(), severity, html.rendered(text), _thread(told), good=good)


def _is_digest(told: Sequence[MessageItem], sending: RenderContext) -> bool:
    """Whether several are told of which one waited for a day (SEMANTICS F6)."""
    return len(told) > 1 and any(sending.now - item.notice.at >= DAY for item in told)


def _unsaid_steads(
    steads: Mapping[str, str], fitting: Sequence[grouping.Kept], sections: Sequence[Shown]
) -> Iterator[str]:
    """The sentences of `steads` that no section shows among its details."""
    brief = [
        alike
        for (one, alike), each in zip(fitting, sections, strict=True)
        if not (each.whole and one.details)
    ]
    unsaid = {item.notice.facts.handed_over_by for alike in brief for item in alike}
    yield from (sentence for by, sentence in steads.items() if by in unsaid)


def _unsaid(title: str, shown: Shown, key: NoticeKey) -> str:
    """What neither the title nor a detail says of the only headline: nothing of it may be lost
    (SEMANTICS F5).
    """
    section = shown.section
    head = f"{section.word} {name(key)}"
    if not f"{title}:".startswith(f"{head}:"):
        return section.headline
    rest = section.headline.removeprefix(f"{head}: ")
    said = (title.removeprefix(f"{head}: "), *(section.details if shown.whole else ()))
    return "" if any(f"{line},".startswith(f"{rest},") for line in said) else rest


def _urgency(item: MessageItem) -> tuple[int, int, int, bool]:
    """What fires comes before what somebody knows of, and that before what is over; then by
    severity, news first.

    Of equals an account comes before the daemon itself: a full disk hides no margin.
    """
    key = item.notice.key
    standing = 2 if item.over else int(key.kind not in NEWS)
    newest = _NEWEST.index(key.kind) if key.kind in NEWS else 0
    return standing, _ORDER[item.notice.facts.severity], newest, not key.account


def _thread(told: Sequence[MessageItem]) -> str:
    """That of the alert; what tells of several belongs to none of theirs."""
    if len(told) > 1:
        return ""
    return f"{told[0].last.facts.code}.{told[0].notice.key.account or 'daemon'}"


def pair(items: Iterable[MessageItem]) -> list[MessageItem]:
    """Make one piece of what waits of one alert for the same channel: its end is put to its
    firing.
    """
    paired: dict[tuple[str, str, int], MessageItem] = {}
    for item in sorted(items, key=lambda item: item.over):
        begun = paired.get(item.episode)
        paired[item.episode] = item if begun is None else _joined(begun, item)
    return list(paired.values())


def _joined(begun: MessageItem, later: MessageItem) -> MessageItem:
    """That somebody knows of it, is no news beside what happens to it."""
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
    kept: Sequence[grouping.Kept], sending: RenderContext, room: int
) -> list[grouping.Kept]:
    """As many as fit without their details, beside the longest title there is."""
    fitting = list[grouping.Kept]()
    for each in kept:
        room -= sending.weigh(each[0].brief + GAP)
        if fitting and room < 0:
            break
        fitting.append(each)
    return fitting


def body_room(sending: RenderContext) -> int:
    """What all sections may take, beside the longest title and the reason of a delay."""
    title = TITLE * max(map(sending.weigh, _WIDE))
    return sending.room - title - sending.weigh(GAP + LATE + sending.why_late)


def _why(told: Sequence[MessageItem], sending: RenderContext) -> Iterator[str]:
    """Why it comes only now, once for all that is late."""
    if sending.why_late and any(sending.is_late(item) for item in told):
        yield f"{LATE}{sending.why_late}"


def _steads(items: Iterable[MessageItem], sending: RenderContext) -> dict[str, str]:
    """By channel, that it comes in its stead: once for all that have no room to say it (SEMANTICS
    F4).
    """
    failing: dict[str, NotificationFacts] = {}
    for facts in (item.notice.facts for item in items):
        failing.setdefault(facts.handed_over_by, facts)
    return {by: stead(facts, sending) for by, facts in failing.items() if by}


def _title(fitting: Sequence[grouping.Kept], sending: RenderContext) -> str:
    """Severity, rule, account and value of the first; names give way to the value when there is no
    room for all.
    """
    told = [item for _, alike in fitting for item in alike]
    if len(fitting) > 1 and all(item.account_of_both and is_cleared(item.last) for item in told):
        return (
            f"OVER: {len(told)} alerts, all cleared, since {sending.moment(grouping.first(told))}"
        )
    alike = fitting[0][1]
    others = f" +{len(told) - len(alike)}" if len(told) > len(alike) else ""
    room = TITLE - len(others)
    head = f"{worded(alike[0])} {name(alike[0].notice.key)}"
    values = [f": {printable(value)}" if value else "" for value in _values(alike)]
    value = next((each for each in values if len(head) + len(each) <= room), values[-1])
    if len(head) + len(value) > room:
        head = head[: max(1, room - len(value) - 1)] + "…"
    return (head + value)[:room] + others


def _values(alike: Sequence[MessageItem]) -> tuple[str, ...]:
    """Of what is over as it is now: nobody is to be frightened by what is past."""
    return short(alike[0].last) if len(alike) == 1 else (grouping.times(alike), "")


def _digest(told: Sequence[MessageItem], sending: RenderContext) -> str:
    """Of what waited for days."""
    ended = sum(item.over for item in told)
    since = sending.moment(min(item.notice.at for item in told))
    return f"DIGEST since {since}: {len(told) - ended} firing, {ended} over"
