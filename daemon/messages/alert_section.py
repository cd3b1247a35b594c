"""Section of one alert, in the order in which a person who was woken needs it. Pure.

    what happened ──► how it moved ──► the other fields ──► what to do ──► ids ──► the rule

The headline has the value and its limit, so that no line below repeats them. The last line is for
the curious: the rule as it is written. The fields of an account stand once in a message.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from operator import attrgetter

from daemon.alerts.system_rules import KINDS
from daemon.alerts.trend import pace_sentence, step_sentence
from daemon.messages.section import (
    LATE_AFTER,
    Action,
    FieldRow,
    MessageItem,
    RenderContext,
    Section,
    uncertainty_marks,
)
from daemon.messages.title_texts import NewsText, names_rule, news_texts, tells_value
from daemon.messages.title_words import (
    MISSING,
    account_name,
    comparison_text,
    is_signal,
    is_silence,
    lasted,
    limit_text,
    news_word,
    rule_name,
    start_and_end,
    value_text,
    with_unit,
)
from daemon.readings.exact import subtracted
from daemon.readings.fields import ESTIMATES
from daemon.rules.evaluation.signals import LASTING
from daemon.text.numbers import (
    format_amount,
    format_change,
    format_duration,
    format_minutes,
    format_rounded,
    is_duration,
    rough,
)
from daemon.types import (
    MINUTE,
    NEWS,
    DecidingComparison,
    Kind,
    Millis,
    NotificationFacts,
    TransitionReason,
    base,
)

LABELS: Mapping[str, str] = {
    "available_margin": "available_margin",
    "al_margin": "in positions",
    "al_freeze": "frozen",
}
"""Words for the fields that matter at once. The others stand in the line for the curious."""

_PARTS = ("available_usdt", "almighty_gold")
"""Fields that the available margin is made of."""

_LOOK = "look into the exchange's own app"


def item_section(item: MessageItem, context: RenderContext) -> Section:
    """Section of one item, without the fields of its account."""
    facts = item.last.facts
    news = item_text(item, context)
    rule = "" if item.account_of_both or names_rule(item.notice) else rule_name(item.notice.key)
    behind = f" · {rule}" if rule else ""
    fires = item.notice.key.kind in NEWS and not item.over
    return Section(
        news_word(item.last),
        f"{account_name(item.notice.key)}: {news}{behind}",
        (f"alert {facts.code}", *uncertainty_marks([item])),
        tuple(_lines(item, str(news), context)),
        foot=(_ids(item, news, context), *_for_the_curious(facts, news)),
        tone=facts.severity.upper() if fires else "",
        common=tuple(_common(item, str(news), context)),
        actions=tuple(_actions(item)),
        news=news,
        rule=rule,
    )


def item_text(item: MessageItem, context: RenderContext) -> NewsText:
    """Text of the headline, the longest that there is."""
    if item.account_of_both:
        return NewsText(start_and_end(item.last, context.now, context.zone))
    return news_texts(item.last, context.moment, value_at=context.value_at(item))[0]


def with_fields(
    section: Section, item: MessageItem, latest: MessageItem, context: RenderContext
) -> Section:
    """Section with the fields of its account, as the latest news of that account has them."""
    facts, at = latest.last.facts, context.fields_at(latest)
    same = latest.last.at == item.last.at
    known = at is None and same
    rows = tuple(_rows(facts, str(section.news) if same else "", moving=known))
    common = section.common
    # Of an account of which the headline tells all, there is nothing to add.
    rows = rows if any(map(str, rows)) else ()
    if rows and at is not None:
        common = (*common, f"last known {context.moment(at)}, may be different now:")
    elif rows and not same:
        common = (*common, f"at {context.moment(latest.last.at)}:")
    ids, *curious = section.foot
    parts = ", ".join(_parts(facts))
    last = " · ".join([*curious, parts] if parts else curious)
    return replace(section, common=common, rows=rows, foot=(ids, last) if last else (ids,))


def _rows(facts: NotificationFacts, news: str, *, moving: bool) -> Iterator[FieldRow]:
    """Yield the judged field by its name, then the others."""
    judged = facts.judged
    own = {} if judged is None else {judged.field: judged.field}
    limit = None if judged is None else judged.threshold
    for field, label in {**own, **LABELS, **own}.items():
        value = _value(facts, field)
        if value is None:
            continue
        shown = format_rounded(value, None, limit if field in own else None)
        moves = tuple(_moves(facts, field)) if moving else ()
        yield FieldRow(label, shown, moves, told=field in own and shown in news.split())


def _value(facts: NotificationFacts, field: str) -> Decimal | None:
    if field not in LABELS and field not in _PARTS:
        return None
    value: Decimal | None = attrgetter(field)(facts.balances)
    return value


def _moves(facts: NotificationFacts, field: str) -> list[str]:
    """Changes over a minute, ten minutes and an hour, without those that add nothing.

    After a start the ten minutes are less, and a minute may be none.
    """
    young = 0 < facts.span < MINUTE
    spans = (
        ({} if young else facts.minutely, "1 min"),
        (facts.changes, format_minutes(facts.span) if facts.span else "10 min"),
        (facts.hourly, "1 h"),
    )
    told: dict[Decimal, str] = {}
    for changes, span in spans:
        change = changes.get(field)
        if change:
            told.setdefault(change, span)
    stepped = _stepped(facts, field)
    return [
        f"{format_change(rough(change))} in {span}"
        for change, span in told.items()
        if change != stepped
    ]


def _stepped(facts: NotificationFacts, field: str) -> Decimal | None:
    """Change of the field that the step tells; None if it tells none."""
    step, judged = facts.trend.step, facts.judged
    if step is None or judged is None or judged.field != field:
        return None
    return subtracted(step.after, step.before)


def _parts(facts: NotificationFacts) -> Iterator[str]:
    judged = facts.judged.field if facts.judged is not None else ""
    for field in _PARTS:
        value = _value(facts, field)
        if value is not None and field != judged:
            yield f"{field} {format_rounded(value)}"


def _lines(item: MessageItem, told: str, context: RenderContext) -> Iterator[str]:
    """Yield what happened, as far as the headline, `told`, does not tell it."""
    facts = item.last.facts
    yield from _since_told(item, context)
    yield from _still_told(facts)
    if item.last.key.kind is Kind.RETIRED:
        changed = facts.reason == TransitionReason.RULE_CHANGED
        only = ", only by the rule as it is now" if changed else ""
        yield f"you are not warned by this rule any more{only}"
    if unread := _unread(item):
        yield f"no readings for {format_duration(unread)}"
    if item.over and facts.reason == MISSING:
        yield "the alert was closed as there are no readings, NOT because it got better"
    if not item.over:
        yield from (words for words in (facts.title, facts.summary) if words not in told)
    yield from _measured(facts, told)
    yield from _worst(item)
    yield from _remarks(item, context)


def _since_told(item: MessageItem, context: RenderContext) -> Iterator[str]:
    """Yield how the value of news that it got worse moved since the news before."""
    facts, judged = item.last.facts, item.last.facts.judged
    if item.last.key.kind is not Kind.WORSE or facts.told is None or facts.swings is not None:
        return
    if judged is None or judged.value is None or is_silence(judged):
        return
    step = facts.trend.step
    if step is not None and (step.before, step.after) == (facts.told, judged.value):
        return
    before = format_rounded(facts.told, judged, judged.threshold)
    now = format_rounded(judged.value, judged, judged.threshold)
    at = "" if facts.told_at is None else f" at {context.moment(facts.told_at)}"
    yield f"{before} -> {now} since last told{at}"


def _unread(item: MessageItem) -> Millis:
    """Time without readings, if the headline has the value before them; else 0."""
    last, read_at = item.last, item.last.facts.read_at
    if read_at is None or item.over or not tells_value(last):
        return 0
    unread = last.at - read_at
    return unread if unread >= LATE_AFTER else 0


def _still_told(facts: NotificationFacts) -> Iterator[str]:
    """Yield what is told after an acknowledgement, which stops reminders alone."""
    texts = {Kind.WORSE: "if it gets worse", Kind.RESOLVED: "when it ends"}
    told = [texts[kind] for kind in facts.still_told]
    if told:
        yield f"you are still told {' and '.join(told)}"


def _common(item: MessageItem, told: str, context: RenderContext) -> Iterator[str]:
    """Yield the finding of a system rule, and how the judged field moved.

    A finding is over with the alert, unless that ended for want of readings. A late message tells
    no pace, as it has passed.
    """
    facts = item.last.facts
    if facts.unconfirmed:
        yield "the exchange's answer looked wrong, and asking again brought no other"
    if facts.detail not in told and (not item.over or facts.reason == MISSING):
        yield facts.detail
    if item.over:
        return
    if facts.swings is not None and item.last.key.kind is Kind.FIRING:
        yield "from now on not each firing is told, until it is calm"
    yield from step_sentence(facts, context.moment)
    if not context.is_late(item):
        yield from pace_sentence(facts)


def _measured(facts: NotificationFacts, told: str) -> Iterator[str]:
    """Yield the judged value, if neither the headline nor the fields tell it."""
    judged = facts.judged
    if judged is None or judged.field in LABELS or is_silence(judged) or _bare(judged):
        return
    value = value_text(judged, facts.unit)
    if value in told:
        return
    if is_signal(judged):
        limit = "" if judged.threshold is None else format_rounded(judged.threshold, judged)
        yield f"{value} (limit {limit})" if limit else value
        return
    limit = limit_text(judged)
    yield f"{comparison_text(judged, facts.unit)} ({limit})" if limit else comparison_text(judged)


def _worst(item: MessageItem) -> Iterator[str]:
    """Yield the worst value of the alert, if it is not the present one."""
    facts, judged = item.last.facts, item.last.facts.judged
    again = item.over or item.notice.key.kind in {Kind.REPEAT, Kind.WORSE}
    if facts.worst is None or judged is None or not again or _bare(judged):
        return
    if facts.worst == judged.value:
        return
    worst = format_rounded(facts.worst, judged, judged.threshold)
    yield f"{_extreme(judged)} {with_unit(worst, judged, facts.unit)}"


def _extreme(judged: DecidingComparison) -> str:
    if is_duration(judged):
        return "shortest" if judged.falling else "longest"
    if not judged.directed:
        return "worst"
    return "lowest" if judged.falling else "highest"


def _bare(told: DecidingComparison) -> bool:
    """Check for a signal whose value says nothing: a yes or no, or a time up to its limit."""
    return is_signal(told) and (not told.duration or told.field in LASTING)


def _remarks(item: MessageItem, context: RenderContext) -> Iterator[str]:
    last = item.last
    if last.facts.unfilled and not item.over:
        yield f"the rule's own words could not be filled in: {last.facts.unfilled}"
    if last.facts.not_before is not None:
        yield f"ended in a mute window, and held until {context.moment(last.facts.not_before)}"
    if item.maybe_repeat:
        yield "may be a repeat: an earlier attempt had no answer"
    if item.not_recorded:
        yield "not recorded: the database refuses to write"


def _actions(item: MessageItem) -> Iterator[Action]:
    """Yield what to do: look, and commands to quiet it."""
    facts = item.last.facts
    if facts.unconfirmed:
        yield Action(f"{_LOOK} before you act")
    fires = item.notice.key.kind in NEWS and not item.over
    system_rule = KINDS.get(base(item.notice.key.rule))
    if fires and system_rule is not None and system_rule.remedy:
        yield Action(system_rule.remedy)
    silent = is_silence(facts.judged) or _unread(item) > 0
    if (fires and silent) or (item.over and facts.reason == MISSING):
        yield Action(f"{_LOOK} if this lasts")
    if fires:
        # A label that reads as a status makes people believe that it happened already.
        silence = f"marginwatch silence add --alert {facts.code} --for 2h"
        yield Action("to stop reminders", f"marginwatch ack {facts.code}")
        yield Action("to hear nothing of it for 2 h", silence)


def _ids(item: MessageItem, news: NewsText, context: RenderContext) -> str:
    """Code of the alert, with its severity and times where the headline does not tell them."""
    facts, word = item.last.facts, news_word(item.last)
    parts = [f"alert {facts.code}"]
    if word != facts.severity.upper():
        parts.append(facts.severity.value)
    parts.extend(_times(item, str(news), context))
    return " · ".join(parts)


def _times(item: MessageItem, told: str, context: RenderContext) -> Iterator[str]:
    facts = item.last.facts
    if not item.over:
        starts = [f"since {context.moment(at)}" for at in (facts.since, facts.fired_at) if at]
        if not any(each in told for each in starts):
            yield starts[0]
    elif not item.account_of_both:
        start = context.moment(facts.fired_at or facts.since)
        duration = "" if lasted(facts) in told else f" ({lasted(facts)})"
        yield f"{start} to {context.moment(facts.at)}{duration}"


def _for_the_curious(facts: NotificationFacts, news: NewsText) -> Iterator[str]:
    """Yield the rule as it is written, with its limit if that is computed."""
    judged = facts.judged
    if judged is None or is_signal(judged):
        return
    told = f"rule: {judged.text}"
    limit = judged.threshold
    if limit is not None and not is_duration(judged):
        shown = format_rounded(limit, judged, judged.value)
        if not any(each in f"{told} {news}" for each in (shown, format_amount(limit))):
            told += f" (limit {shown})"
    for name, estimate in ESTIMATES.items():
        if name in judged.text:
            told += f" · {name} is {estimate}"
    yield told
