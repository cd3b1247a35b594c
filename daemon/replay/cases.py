"""A test case of rules: its inputs, the expected result and the actual result. Pure.

    series per account ──► inputs ──► ReplaySession (live functions) ──► transitions, messages

Instants of transitions and messages are offsets from the start of the case.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from decimal import Decimal

from daemon.readings.exact import EXACT
from daemon.readings.fields import CORE, SENT
from daemon.replay.backtest import (
    Joiner,
    ReplayedMessage,
    add_messages,
    merge_records,
    replay_account,
)
from daemon.replay.series import CaseSeries, Slot
from daemon.replay.session import ReplaySession, RuleSet
from daemon.text.durations import duration_text
from daemon.text.numbers import format_amount
from daemon.types import (
    AccountState,
    Balances,
    ConfigChange,
    DecidingComparison,
    Input,
    Kind,
    Millis,
    Miss,
    MissReason,
    Quality,
    Reading,
    Record,
    Silence,
    Source,
    State,
    base,
)


@dataclass(frozen=True, slots=True)
class ExpectedTransition:
    """A transition, expected or actual."""

    at: Millis
    account: str
    rule: str
    to: State
    value: Decimal | None = None
    """In an expectation, None matches any value."""
    shown: str = ""
    """The value as text."""
    reason: str = ""
    judged: DecidingComparison | None = field(default=None, compare=False)
    """The comparison that the value belongs to, for its unit; None in an expectation."""


@dataclass(frozen=True, slots=True)
class ExpectedNews:
    """The part of a message about one alert."""

    account: str
    rule: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class ExpectedMessage:
    """A message to one channel, expected or actual."""

    at: Millis
    channel: str
    news: tuple[ExpectedNews, ...]
    contains: tuple[str, ...] = ()
    """In an expectation: texts that the message must contain."""
    text: str = ""
    """In an actual message: title and body."""


@dataclass(frozen=True, slots=True)
class CaseAck:
    """An acknowledgement of the alert that a rule has open then."""

    at: Millis
    account: str
    rule: str


@dataclass(frozen=True, slots=True)
class RuleTestCase:
    """One test case. `changes` or `posts` of None means that nothing is expected of them."""

    name: str
    start: Millis
    zone: tzinfo
    """Time zone of mute windows and messages."""
    inputs: Mapping[str, Sequence[Input]]
    """Inputs by account."""
    rules: frozenset[str]
    """Rules that are checked; all rules are replayed."""
    changes: tuple[ExpectedTransition, ...] | None = None
    posts: tuple[ExpectedMessage, ...] | None = None
    pending: bool = False
    """Whether pending transitions are checked too."""
    acks: tuple[CaseAck, ...] = ()

    @property
    def attempts(self) -> int:
        """Number of readings and misses."""
        return sum(len(inputs) - 1 for inputs in self.inputs.values())

    def last(self, account: str) -> Millis:
        """Offset of the account's last attempt."""
        return self.inputs[account][-1].at - self.start


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """The actual result of a case, for the checked rules."""

    changes: tuple[ExpectedTransition, ...]
    posts: tuple[ExpectedMessage, ...]


def case_inputs(
    fields: Mapping[str, CaseSeries], start: Millis, interval: Millis
) -> tuple[Input, ...]:
    """Inputs of one account: a start, then one attempt per slot of the longest series.

    An attempt is a miss if any field says so, else a reading.
    """
    events: list[Input] = [ConfigChange(1, start)]
    pauses = {index: span for series in fields.values() for index, span in series.pauses.items()}
    at = start
    for index in range(max(len(series.slots) for series in fields.values())):
        at += pauses.get(index, interval) if index else 0
        events.append(
            _attempt(index + 2, at, {name: series.at(index) for name, series in fields.items()})
        )
    return tuple(events)


def _attempt(seq: int, at: Millis, slots: Mapping[str, Slot]) -> Input:
    missed = next((slots[name] for name in SENT if isinstance(slots.get(name), MissReason)), None)
    if isinstance(missed, MissReason):
        return Miss(seq, at, missed, f"the test case says {missed}")
    sent = {name: slot for name, slot in slots.items() if isinstance(slot, Decimal)}
    return Reading(seq, at, Source.REST, Quality.OK, at, Balances(**sent))


def run_case(
    case: RuleTestCase, scheme: RuleSet, note: Callable[[Input], None] = lambda _: None
) -> CaseOutcome:
    """Replay the case; `note` is called with every input, for a progress bar."""
    accounts = (_account(case, scheme, name, note) for name in case.inputs)
    records = (_looked_at(record, case) for record in merge_records(accounts))
    changes: list[ExpectedTransition] = []
    posts: list[ExpectedMessage] = []
    for each in add_messages(records, Joiner(scheme.group_waits, case.zone)):
        if isinstance(each, ReplayedMessage):
            posts.append(_post(each, case))
        else:
            changes.extend(_changes(each, case))
    posts.sort(key=lambda post: (post.at, scheme.channels.index(post.channel)))
    return CaseOutcome(tuple(changes), tuple(posts))


def _post(announcement: ReplayedMessage, case: RuleTestCase) -> ExpectedMessage:
    told = (notice.key for notice in announcement.notices)
    news = tuple(ExpectedNews(key.account, key.rule, key.kind) for key in told)
    text = f"{announcement.message.title}\n{announcement.message.body}"
    return ExpectedMessage(announcement.at - case.start, announcement.channel, news, text=text)


def _account(
    case: RuleTestCase, scheme: RuleSet, name: str, note: Callable[[Input], None]
) -> Iterator[Record]:
    silences: list[Silence] = []
    session = ReplaySession(replace(scheme, silences=silences), AccountState(name), CORE)
    inputs = _acknowledging(case, name, session, silences)
    return replay_account(session, _noted(inputs, note), first=0)


def _acknowledging(
    case: RuleTestCase, name: str, session: ReplaySession, silences: list[Silence]
) -> Iterator[Input]:
    """Yield the account's inputs; before each one, what was acknowledged until then is added."""
    waiting = sorted((ack for ack in case.acks if ack.account == name), key=lambda ack: ack.at)
    for event in case.inputs[name]:
        while waiting and case.start + waiting[0].at <= event.at:
            ack = waiting.pop(0)
            alert = session.state.alerts.get(ack.rule)
            if alert is not None:
                at = case.start + ack.at
                silences.append(Silence(len(silences), True, ack.rule, name, alert.code, at, None))
        yield event


def _noted(inputs: Iterable[Input], note: Callable[[Input], None]) -> Iterator[Input]:
    for event in inputs:
        note(event)
        yield event


def _looked_at(record: Record, case: RuleTestCase) -> Record:
    """Drop notices of unchecked rules. Those rules are replayed because they may mute others."""
    return replace(
        record, notices=tuple(each for each in record.notices if base(each.key.rule) in case.rules)
    )


def _changes(record: Record, case: RuleTestCase) -> Iterator[ExpectedTransition]:
    judged = {(alert.rule, alert.seq): alert.judged for alert in record.alerts}
    for each in record.transitions:
        held_never = each.from_state is State.PENDING and each.to_state is not State.FIRING
        if base(each.rule) in case.rules and (
            case.pending or not (each.to_state is State.PENDING or held_never)
        ):
            side = judged.get((each.rule, each.alert_seq))
            shown = "" if each.value is None else format_side(each.value, side)
            at, name = each.at - case.start, record.account
            yield ExpectedTransition(
                at, name, each.rule, each.to_state, each.value, shown, each.reason, side
            )


def format_side(value: Decimal, judged: DecidingComparison | None) -> str:
    """Format a side of a comparison: an amount with eight places, a duration, or a percentage."""
    if judged is not None and judged.duration and value.is_finite():
        return duration_text(int(value))
    if judged is not None and judged.percentage and value.is_finite():
        return f"{format_amount(EXACT.multiply(Decimal(format_amount(value)), Decimal(100)))}%"
    return format_amount(value)


def format_digits(value: Decimal) -> str:
    """All digits of a number, without trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
