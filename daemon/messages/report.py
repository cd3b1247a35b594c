"""Reports as people read them on a phone: data in, a message out. Pure.

    data ──► summary ──► each account, the worst first ──► channels

A report also says that nothing happened: if none comes, something is wrong. If a channel has no
room for all, details are dropped first, then the accounts that were well.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from daemon.messages import html
from daemon.messages.compose import body_room
from daemon.messages.layout import Text, lay_out
from daemon.messages.report_account import WORDS, Fate, account_section
from daemon.messages.report_data import Posted, ReportData, ReportedAlert, Watched
from daemon.messages.report_words import Calendar, counted
from daemon.messages.section import GAP, LATE_AFTER, FieldRow, RenderContext, Section
from daemon.messages.title_fitting import TITLE
from daemon.text.names import account_label
from daemon.text.numbers import format_minutes
from daemon.types import Message, Severity, Silence

QUIET = "all quiet"

LISTED = 5
"""The most silences that are listed."""


@dataclass(frozen=True, slots=True)
class Doubts:
    """Uncertain points of a report on its way, known only to its delivery."""

    maybe_repeat: bool = False
    """True if an earlier attempt had no outcome: it may have been read already."""
    not_recorded: bool = False
    """True if the database refused to record that the report is due."""


NO_DOUBTS = Doubts()


def compose(facts: ReportData, context: RenderContext, doubts: Doubts = NO_DOUBTS) -> Message:
    """Compose the whole report as one message. It is quiet where the channel supports that."""
    calendar = Calendar(facts.span, context.zone)
    fates, summary = _fates(facts), _summary(facts)
    sections = _fitting(
        [_head(facts, summary, calendar, context, doubts), *(_delivery(facts.channels, calendar))],
        [account_section(fate, calendar) for fate in fates],
        context,
    )
    why = [f"late: {context.why_late}"] if context.why_late and _late(facts, context) else []
    text = Text(lay_out(sections, len(sections), body_room(context), context.weigh), why)
    title = _title(facts.name, summary)
    return Message(
        title, text.plain(), Severity.INFO, html.render(text), f"report.{facts.name}", quiet=True
    )


def worst_account(facts: ReportData) -> Watched | None:
    """Account whose chart is shown: the first one that has readings."""
    return next(
        (
            fate.watched
            for fate in _fates(facts)
            if fate.watched is not None and fate.watched.readings
        ),
        None,
    )


def _fates(facts: ReportData) -> list[Fate]:
    """Results by account, the worst first.

    Removed accounts and the daemon itself appear only if something fired.
    """
    watched = {each.account: each for each in facts.accounts}
    others = dict.fromkeys(each.account for each in facts.episodes if each.account not in watched)
    fates = [
        Fate(name, _of(name, facts.episodes), watched.get(name)) for name in (*watched, *others)
    ]
    return sorted(fates, key=lambda fate: WORDS.index(fate.word))


def _of(account: str, episodes: Sequence[ReportedAlert]) -> tuple[ReportedAlert, ...]:
    return tuple(each for each in episodes if each.account == account)


def _summary(facts: ReportData) -> list[str]:
    """Summary of the report in a few words, the worst first."""
    if facts.unreadable:
        return ["the record cannot be read"]
    firing = sum(each.until is None for each in facts.episodes)
    over = len(facts.episodes) - firing
    unread = sum(not each.readings for each in facts.accounts)
    gaps = sum(len(each.gaps) for each in facts.accounts)
    waiting = sum(each.waiting for each in facts.channels)
    failed = sum(each.failed for each in facts.channels)
    counts = (
        (firing, f"{counted(firing, 'alert')} firing now"),
        (over, f"{counted(over, 'alert')} over"),
        (unread, f"{counted(unread, 'account')} without readings"),
        (gaps, counted(gaps, "gap")),
        (waiting, f"{counted(waiting, 'notification')} waiting"),
        (failed, f"{counted(failed, 'attempt')} to deliver failed"),
    )
    silences = sum(not each.ack for each in facts.silences)
    held = [counted(silences, "silence")] if silences else []
    return [*([text for count, text in counts if count] or [QUIET]), *held]


def _title(name: str, summary: Sequence[str]) -> str:
    """Title: as much of the summary as fits; a long name is cut."""
    head = f"REPORT {name}"
    head = head if len(head) <= TITLE // 2 else f"{head[: TITLE // 2 - 1]}…"
    titles = [
        f"{head}: {', '.join([*summary[:end], *(['…'] if summary[end:] else [])])}"
        for end in range(len(summary) + 1)
    ]
    return max((title for title in titles if len(title) <= TITLE), key=len)


def _head(
    facts: ReportData,
    summary: Sequence[str],
    calendar: Calendar,
    context: RenderContext,
    doubts: Doubts,
) -> Section:
    said = f"{facts.name}: {calendar.date(facts.span.since)} to {calendar.date(facts.span.until)}"
    lines = tuple(_lines(facts, summary, calendar, context, doubts))
    return Section("REPORT", said, lines[:1], lines, (), tuple(_next(facts, calendar)))


def _lines(
    facts: ReportData,
    summary: Sequence[str],
    calendar: Calendar,
    context: RenderContext,
    doubts: Doubts,
) -> Iterator[str]:
    yield (
        f"{QUIET}: no alert fired, and the readings have no gaps"
        if summary[0] == QUIET
        else ", ".join(summary)
    )
    yield from _held_back(facts, calendar)
    if facts.unreadable:
        yield facts.unreadable
    for down in facts.downs:
        how = " (it did not end in order)" if down.killed else ""
        yield f"marginwatch did not run from {calendar.stretch(down.stretch)}{how}"
    if _late(facts, context):
        yield (
            f"due {calendar.date(facts.span.until)}, sent only now:"
            f" {format_minutes(context.now - facts.span.until)} late"
        )
    if doubts.maybe_repeat:
        yield "may be a repeat: an earlier attempt had no answer"
    if doubts.not_recorded:
        yield "not recorded: the database refuses to write"


def _held_back(facts: ReportData, calendar: Calendar) -> Iterator[str]:
    """Yield what is silenced, acknowledged or muted, and until when."""
    for silence in facts.silences[:LISTED]:
        yield _silence(silence, calendar)
    if facts.silences[LISTED:]:
        yield f"and {len(facts.silences) - LISTED} more: marginwatch silence list"
    for muted in facts.muted:
        windows, rules = ", ".join(muted.windows), ", ".join(muted.rules)
        yield f"muted until {calendar.date(muted.until)} by {windows}: {rules}"


def _silence(silence: Silence, calendar: Calendar) -> str:
    about = f"{silence.rule} on {account_label(silence.account)}"
    if not silence.code and (silence.rule, silence.account) == ("*", "*"):
        about = "everything"
    comment = f" ({silence.comment})" if silence.comment else ""
    if silence.ack:
        return f"acknowledged, no reminders: {about}{comment}"
    until = "it ends" if silence.ended_at is None else calendar.date(silence.ended_at)
    return f"silenced until {until}: {about}{comment}"


def _next(facts: ReportData, calendar: Calendar) -> Iterator[str]:
    if facts.next_at is not None:
        yield (
            f"the next one comes {calendar.date(facts.next_at)}; if it does not, something is wrong"
        )


def _late(facts: ReportData, context: RenderContext) -> bool:
    return context.now - facts.span.until >= LATE_AFTER + context.group_wait


def _delivery(channels: Sequence[Posted], calendar: Calendar) -> Iterator[Section]:
    if channels:
        failed, waiting = (
            sum(getattr(each, what) for each in channels) for what in ("failed", "waiting")
        )
        delivered = counted(sum(each.delivered for each in channels), "message")
        said = [f"{delivered} delivered", *([f"{failed:,} failed"] if failed else [])]
        said += [f"{waiting:,} waiting"] if waiting else []
        rows = tuple(_channel(each, calendar) for each in channels)
        yield Section("FAILING" if failed or waiting else "DELIVERY", ", ".join(said), (), (), rows)


def _channel(posted: Posted, calendar: Calendar) -> FieldRow:
    failed = (f"{counted(posted.failed, 'attempt')} failed",) if posted.failed else ()
    since = (
        f" since {calendar.time(posted.waiting_since)}" if posted.waiting_since is not None else ""
    )
    waiting = (f"{posted.waiting:,} waiting{since}",) if posted.waiting else ()
    return FieldRow(posted.channel, f"{posted.delivered:,} delivered", (*failed, *waiting))


def _fitting(
    frame: Sequence[Section], accounts: Sequence[Section], context: RenderContext
) -> list[Section]:
    """Sections that fit: the head, accounts, the number of other accounts, and the channels."""
    head, *delivery = frame
    left = body_room(context) - sum(
        context.weigh(each.brief + GAP) for each in (*frame, _others(len(accounts)))
    )
    fitting: list[Section] = []
    for each in accounts:
        left -= context.weigh(each.brief + GAP)
        if left < 0:
            break
        fitting.append(each)
    rest = len(accounts) - len(fitting)
    return [head, *fitting, *([_others(rest)] if rest else []), *delivery]


def _others(number: int) -> Section:
    return Section(
        "MORE",
        f"{counted(number, 'account')} for which there is no room here",
        ("marginwatch status",),
    )
