"""What a person reads when the phone rings at night. Pure: notices in, plain text out.

The title says how bad, which rule, which account and the number; the body what was judged, since when, how the
fields moved and the alert's id. A notice counts as delivered only if its headline is in the text: `compose` puts
every headline first into the room a message has, and details only where they fit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from operator import attrgetter

from daemon.alerts.numbers import amount, change, lasting, moment, spelled
from daemon.alerts.wording import both, name, news, number, short, sign, word
from daemon.rules.signs import LASTING
from daemon.types import MINUTE, Facts, Judged, Kind, Message, Millis, Notice, Severity

MOST = 12
"""Headlines in one message: with the longest names allowed they fit into the 4,096 characters of Telegram."""

ROOM = 3_800
TITLE = 60
SHOWN = ("available_margin", "available_usdt", "almighty_gold", "al_margin", "al_freeze")
_ORDER = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}
_LATE_AFTER = MINUTE
_ENDS = frozenset({Kind.RESOLVED, Kind.RETIRED})


@dataclass(frozen=True, slots=True)
class Piece:
    """A notice on its way, with what only the outbox knows of it."""

    notice: Notice
    maybe_repeat: bool = False
    """An earlier attempt had no outcome: the person may have read this already."""
    not_recorded: bool = False
    """The database refused to store what caused it (the exception of promise 1)."""
    ended: Notice | None = None
    """Its end, when firing and end go out together: told as one account of both (promise 3)."""
    unheard: bool = False
    """It is the end of something that its channel was never told of: one account of both, again (SEMANTICS E5, F4)."""

    @property
    def account_of_both(self) -> bool:
        return self.ended is not None or self.unheard


def compose(pieces: Sequence[Piece], now: Millis, zone: tzinfo | None, group_wait: Millis = 0) -> Message:
    """One message that tells all of `pieces` (1 to MOST of them), the most severe first.

    What the channel's `group_wait` held back is not late.
    """
    ranked = sorted(pieces, key=lambda piece: (_over(piece), _ORDER[piece.notice.facts.severity]))
    first = ranked[0]
    others = f" +{len(ranked) - 1}" if len(ranked) > 1 else ""
    title = _title(first, TITLE - len(others)) + others
    sections = [_section(piece, now, zone, group_wait) for piece in ranked]
    if [title] == [section.headline for section in sections]:
        return Message(title, "\n".join(sections[0].details), first.notice.facts.severity)  # the title says it whole
    return Message(title, "\n\n".join(_fit(sections)), first.notice.facts.severity)


@dataclass(frozen=True, slots=True)
class _Section:
    """What a message says of one alert."""

    headline: str
    marks: str
    """What must be said, also where there is no room for details."""
    details: Sequence[str]

    @property
    def brief(self) -> str:
        return self.headline + self.marks

    @property
    def whole(self) -> str:
        return "\n".join([self.headline, *self.details])


def pair(pieces: Iterable[Piece]) -> list[Piece]:
    """Make one piece of what waits of one alert for the same channel: its end is put to its firing."""
    paired: dict[tuple[str, str, int], Piece] = {}
    for piece in sorted(pieces, key=_over):
        begun = paired.get(_episode(piece.notice))
        paired[_episode(piece.notice)] = piece if begun is None else _joined(begun, piece)
    return list(paired.values())


def _joined(begun: Piece, later: Piece) -> Piece:
    return replace(
        begun,
        ended=later.notice if _over(later) else None,
        maybe_repeat=begun.maybe_repeat or later.maybe_repeat,
        not_recorded=begun.not_recorded or later.not_recorded,
    )


def _episode(notice: Notice) -> tuple[str, str, int]:
    return notice.key.account, notice.key.rule, notice.key.alert_seq


def _over(piece: Piece) -> bool:
    return piece.ended is not None or piece.notice.key.kind in _ENDS


def _fit(sections: list[_Section]) -> list[str]:
    """Headlines always; the details of each as long as the headlines of all still fit."""
    room = ROOM - sum(len(section.brief) + 2 for section in sections)
    texts = []
    for section in sections:
        more = len(section.whole) - len(section.brief)
        keep = more <= room
        room -= more if keep else 0
        texts.append(section.whole if keep else section.brief)
    return texts


def _title(piece: Piece, room: int) -> str:
    """Severity, rule, account and value; names give way to the value when there is no room for all."""
    head = f"{_word(piece)} {name(piece.notice.key)}"
    values = [f": {value}" if value else "" for value in short(piece.notice)]
    value = next((each for each in values if len(head) + len(each) <= room), values[-1])
    if len(head) + len(value) > room:
        head = head[: max(1, room - len(value) - 1)] + "…"
    return (head + value)[:room]


def _word(piece: Piece) -> str:
    return "OVER" if piece.account_of_both else word(piece.notice.key.kind, piece.notice.facts)


def _section(piece: Piece, now: Millis, zone: tzinfo | None, group_wait: Millis) -> _Section:
    told = both(piece.ended or piece.notice, now, zone) if piece.account_of_both else news(piece.notice, now, zone)
    headline = f"{_word(piece)} {name(piece.notice.key)}: {told}"
    last = (piece.ended or piece.notice).facts
    details = [
        *_judgement(piece, last),
        *_since(piece, now, zone),
        *_fields(last),
        *_remarks(piece, now, zone, group_wait),
        f"alert {last.code} · {last.severity}",
    ]
    marks = f" · alert {last.code}" + (" · may be a repeat" if piece.maybe_repeat else "")
    return _Section(headline, marks, details)


def _judgement(piece: Piece, last: Facts) -> list[str]:
    """The judged field with its value and threshold; later also the worst value; what a system rule found.

    What was found is over with the alert.
    """
    lines = _compared(last.judged) if last.judged is not None else []
    again = _over(piece) or piece.notice.key.kind in {Kind.REPEAT, Kind.WORSE}
    if last.worst is not None and again and not _bare(last.judged):
        lines.append(f"worst: {spelled(last.worst, last.judged)}")
    if last.detail and not _over(piece) and last.detail not in news(piece.notice, last.at, None):
        lines.append(last.detail)
    return lines


def _compared(told: Judged) -> list[str]:
    if _bare(told):
        return []
    threshold = "" if told.threshold is None else f", threshold {spelled(told.threshold, told)}"
    if sign(told):
        return [f"{number(told)}{threshold}"]
    lines = [f"{told.field} {number(told)}{threshold} (rule: {told.text})"]
    if "free_margin" in told.text:
        lines.append("free_margin is a cautious estimate: available_margin less al_margin")
    return lines


def _bare(told: Judged | None) -> bool:
    """What is either so or not has no value to show; how long something has lasted is seen up to its limit only."""
    return told is not None and sign(told) and (not told.duration or told.field in LASTING)


def _since(piece: Piece, now: Millis, zone: tzinfo | None) -> list[str]:
    facts = (piece.ended or piece.notice).facts
    if not _over(piece):
        return [f"since {moment(facts.since, now, zone)}"]
    start = facts.fired_at or facts.since
    return [f"{moment(start, now, zone)} to {moment(facts.at, now, zone)}, lasted {lasting(facts.at - start)}"]


def _fields(facts: Facts) -> list[str]:
    """The five fields with their change over the last ten minutes; what is not known, or did not move, is left out."""
    lines = []
    for field in SHOWN:
        value = attrgetter(field)(facts.balances)
        if value is not None:
            moved = f" ({change(facts.changes[field])} in 10 min)" if facts.changes.get(field) else ""
            lines.append(f"{field} {amount(value)}{moved}")
    return lines


def _remarks(piece: Piece, now: Millis, zone: tzinfo | None, group_wait: Millis) -> list[str]:
    notice = piece.notice
    last = piece.ended or notice
    remarks = []
    if last.facts.unconfirmed:
        remarks.append("unconfirmed: judged on a reading that could not be checked")
    if notice.facts.handed_over_by:
        remarks.append(f"sent here because the channel {notice.facts.handed_over_by} cannot be reached")
    held = notice.facts.not_before
    if held is not None:
        remarks.append(f"ended in a mute window, and held until {moment(held, now, zone)}")
    elif now - notice.at >= _LATE_AFTER + group_wait:
        remarks.append(f"raised {moment(notice.at, now, zone)}, delivered only now: {lasting(now - notice.at)} late")
    if piece.maybe_repeat:
        remarks.append("may be a repeat: an earlier attempt had no answer")
    if piece.not_recorded:
        remarks.append("not recorded: the database refuses to write")
    return remarks
