"""A report as people read it on a phone: facts in, a message out. Pure.

    facts ──► what is to be known at once ──► each account, the worst first ──► the daemon ──► the channels

It says also that nothing happened: whoever gets no report knows that something is wrong. Where a
channel has no room for all, details go first, and then the accounts that were well.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from daemon.messages import html
from daemon.messages.compose import LATE, TITLE, body_room
from daemon.messages.layout import Text, shown
from daemon.messages.report_account import WORDS, Fate, section
from daemon.messages.report_data import Posted, ReportData, ReportedAlert, Watched
from daemon.messages.report_words import Calendar, counted
from daemon.messages.section import GAP, LATE_AFTER, FieldRow, RenderContext, Section
from daemon.text.numbers import about
from daemon.types import Message, Severity

QUIET = "all quiet"


@dataclass(frozen=True, slots=True)
class Doubts:
    """What only the outbox knows of a report on its way."""

    maybe_repeat: bool = False
    """An earlier attempt had no outcome: the person may have read this already."""
    not_recorded: bool = False
    """The database refused to store that it is due."""


NO_DOUBTS = Doubts()


def compose(facts: ReportData, sending: RenderContext, doubts: Doubts = NO_DOUBTS) -> Message:
    """The whole report in one message. It rings nobody out of bed: it is quiet where the channel
    can be.
    """
    calendar = Calendar(facts.span, sending.zone)
    fates, verdict = _fates(facts), _verdict(facts)
    sections = _fitting(
        [_head(facts, verdict, calendar, sending, doubts), *(_delivery(facts.channels, calendar))],
        [section(fate, calendar) for fate in fates],
        sending,
    )
    why = [f"{LATE}{sending.why_late}"] if sending.why_late and _late(facts, sending) else []
    text = Text(shown(sections, len(sections), body_room(sending), sending.weigh), why)
    title = _title(facts.name, verdict)
    return Message(
        title, text.plain(), Severity.INFO, html.rendered(text), f"report.{facts.name}", quiet=True
    )


def worst(facts: ReportData) -> Watched | None:
    """The account to show a chart of: the one that is told first."""
    return next(
        (
            fate.watched
            for fate in _fates(facts)
            if fate.watched is not None and fate.watched.readings
        ),
        None,
    )


def _fates(facts: ReportData) -> list[Fate]:
    """The worst first; those of accounts that are gone, and of the daemon itself, only where
    something fired.
    """
    watched = {each.account: each for each in facts.accounts}
    others = dict.fromkeys(each.account for each in facts.episodes if each.account not in watched)
    fates = [
        Fate(name, _of(name, facts.episodes), watched.get(name)) for name in (*watched, *others)
    ]
    return sorted(fates, key=lambda fate: WORDS.index(fate.word))


def _of(account: str, episodes: Sequence[ReportedAlert]) -> tuple[ReportedAlert, ...]:
    return tuple(each for each in episodes if each.account == account)


def _verdict(facts: ReportData) -> list[str]:
    """The whole report in a few words, the worst first."""
    if facts.unreadable:
        return ["the record cannot be read"]
    firing = sum(each.until is None for each in facts.episodes)
    gaps = sum(len(each.gaps) for each in facts.accounts)
    unread = [each.account for each in facts.accounts if not each.readings]
    failed = sum(each.failed for each in facts.channels)
    waiting = sum(each.waiting for each in facts.channels)
    return [
        *([f"{counted(firing, 'alert')} firing now"] if firing else []),
        *(
            [f"{counted(len(facts.episodes) - firing, 'alert')} over"]
            if len(facts.episodes) > firing
            else []
        ),
        *([f"{counted(len(unread), 'account')} without readings"] if unread else []),
        *([counted(gaps, "gap")] if gaps else []),
        *([f"{counted(waiting, 'notification')} waiting"] if waiting else []),
        *([f"{counted(failed, 'attempt')} to deliver failed"] if failed else []),
    ] or [QUIET]


def _title(name: str, verdict: Sequence[str]) -> str:
    """As much of the verdict as there is room for, word by word; a long name gives way."""
    head = f"REPORT {name}"
    head = head if len(head) <= TITLE // 2 else f"{head[: TITLE // 2 - 1]}…"
    titles = [
        f"{head}: {', '.join([*verdict[:end], *(['…'] if verdict[end:] else [])])}"
        for end in range(len(verdict) + 1)
    ]
    return max((title for title in titles if len(title) <= TITLE), key=len)


def _head(
    facts: ReportData,
    verdict: Sequence[str],
    calendar: Calendar,
    sending: RenderContext,
    doubts: Doubts,
) -> Section:
    said = f"{facts.name}: {calendar.date(facts.span.since)} to {calendar.date(facts.span.until)}"
    lines = tuple(_lines(facts, verdict, calendar, sending, doubts))
    return Section("REPORT", said, lines[:1], lines, (), tuple(_next(facts, calendar)))


def _lines(
    facts: ReportData,
    verdict: Sequence[str],
    calendar: Calendar,
    sending: RenderContext,
    doubts: Doubts,
) -> Iterator[str]:
    yield (
        f"{QUIET}: no alert fired, and the readings have no gaps"
        if verdict == [QUIET]
        else ", ".join(verdict)
    )
    if facts.unreadable:
        yield facts.unreadable
    for down in facts.downs:
        how = " (it did not end in order)" if down.killed else ""
        yield f"marginwatch did not run from {calendar.stretch(down.stretch)}{how}"
    if _late(facts, sending):
        yield (
            f"due {calendar.date(facts.span.until)}, sent only now:"
            f" {about(sending.now - facts.span.until)} late"
        )
    if doubts.maybe_repeat:
        yield "may be a repeat: an earlier attempt had no answer"
    if doubts.not_recorded:
        yield "not recorded: the database refuses to write"


def _next(facts: ReportData, calendar: Calendar) -> Iterator[str]:
    if facts.next_at is not None:
        yield (
            f"the next one comes {calendar.date(facts.next_at)}; if it does not, something is wrong"
        )


def _late(facts: ReportData, sending: RenderContext) -> bool:
    return sending.now - facts.span.until >= LATE_AFTER + sending.group_wait


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
    frame: Sequence[Section], accounts: Sequence[Section], sending: RenderContext
) -> list[Section]:
    """The head, as many accounts as have room for their headlines, what became of the others, and
    the channels.
    """
    head, *delivery = frame
    left = body_room(sending) - sum(
        sending.weigh(each.brief + GAP) for each in (*frame, _others(len(accounts)))
    )
    fitting: list[Section] = []
    for each in accounts:
        left -= sending.weigh(each.brief + GAP)
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
