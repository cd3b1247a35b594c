"""Grouping of ended alerts: the episodes of one rule on one account as one line. Pure.

If a channel was down for hours, forty alerts may have come and gone meanwhile. The person reads how
often, when and how bad, not eighty messages (SEMANTICS F6).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from daemon.messages.alert_section import item_section
from daemon.messages.section import (
    GAP,
    MessageItem,
    RenderContext,
    Section,
    uncertainty_marks,
)
from daemon.messages.title_texts import NewsText
from daemon.messages.title_words import account_name, end_text, news_word, rule_name
from daemon.text.numbers import format_duration, format_rounded
from daemon.types import Millis

Kept: TypeAlias = tuple[Section, tuple[MessageItem, ...]]
"""Section with the items that it tells."""

LISTED = 6
"""Maximum number of listed episodes; beyond it, the first, the last and the total time."""


def sections(items: Iterable[MessageItem], context: RenderContext, room: int) -> Iterator[Kept]:
    """Yield the sections in the order of the items; ended ones by rule, account and kind of end.

    A section that would fill more than `room`, as the codes of a thousand episodes do, is split:
    otherwise it could never be sent.
    """
    for alike in grouped(items):
        yield from _parts(sorted(alike, key=_begun), context, room)


def _parts(alike: Sequence[MessageItem], context: RenderContext, room: int) -> Iterator[Kept]:
    one = item_section(alike[0], context) if len(alike) == 1 else _several(alike, context)
    if len(alike) == 1 or context.weigh(one.brief + GAP) <= room:
        yield one, tuple(alike)
        return
    half = len(alike) // 2
    yield from _parts(alike[:half], context, room)
    yield from _parts(alike[half:], context, room)


def grouped(items: Iterable[MessageItem]) -> Iterator[list[MessageItem]]:
    groups: dict[tuple[object, ...], list[MessageItem]] = {}
    for number, item in enumerate(items):
        key = item.notice.key
        several = item.account_of_both and item.notice.facts.swings is None
        alike = (key.account, key.rule, end_text(item.last)) if several else (number,)
        groups.setdefault(alike, []).append(item)
    yield from groups.values()


def _several(ordered: Sequence[MessageItem], context: RenderContext) -> Section:
    spans = f"{how_often(ordered)}: {_spans(ordered, context)}{_worst(ordered)}"
    codes = " ".join(item.last.facts.code for item in ordered)
    return Section(
        news_word(ordered[0].last),
        f"{account_name(ordered[0].notice.key)}: {spans}",
        (f"alerts {codes}", *uncertainty_marks(ordered)),
        news=NewsText(spans),
    )


def how_often(alike: Sequence[MessageItem]) -> str:
    """Text of several ended alerts of one rule, that ended alike."""
    how = end_text(alike[0].last).removesuffix(" since")
    return f"{rule_name(alike[0].notice.key)} fired {len(alike)} times, {how} each time"


def first_firing(items: Iterable[MessageItem]) -> Millis:
    """Instant at which the first of them fired."""
    return min(map(_begun, items))


def _spans(ordered: Sequence[MessageItem], context: RenderContext) -> str:
    spans = [
        f"{context.moment(_begun(item))} to {context.moment(item.last.facts.at)}"
        for item in ordered
    ]
    if len(spans) <= LISTED:
        return ", ".join(spans)
    lasted = sum(item.last.facts.at - _begun(item) for item in ordered)
    return f"first {spans[0]}, last {spans[-1]}, {format_duration(lasted)} in all"


def _worst(ordered: Sequence[MessageItem]) -> str:
    """Worst value of all episodes, if all were judged by the same comparison."""
    facts = [item.last.facts for item in ordered]
    known = [
        (each.worst, each.judged)
        for each in facts
        if each.worst is not None and each.judged is not None
    ]
    if len(known) < len(facts) or len({judged.side for _, judged in known}) != 1:
        return ""
    worst = (min if known[0][1].falling else max)(value for value, _ in known)
    return f"; worst {format_rounded(worst, known[0][1], known[0][1].threshold)}"


def _begun(item: MessageItem) -> Millis:
    facts = item.last.facts
    return facts.fired_at or facts.since
