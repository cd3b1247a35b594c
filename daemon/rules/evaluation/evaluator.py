"""Evaluates the rules of one account, input by input; holds all state of the rules.

    reading ──► value table (fields, windows) ──► conditions ──► M-of-N counter ──► verdicts
                └── system signals ──► conditions of system rules ────────────────────┘

The state is derived: a function of the judged readings within `look_back` and of later clock steps.
A rebuilt evaluator therefore gives the same verdicts (DESIGN §3). It decides nothing about alerts.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from decimal import Decimal
from typing import TypeAlias

from daemon.readings.fields import AGE, CORE, DERIVED_AMOUNTS, MADE_OF, SIGNS, VALUES
from daemon.rules.evaluation.at_least import MOfNCounter, scheduled
from daemon.rules.evaluation.compile import (
    Deciding,
    Frame,
    Truth,
    compile_deciding,
    compile_truth,
    inverse,
)
from daemon.rules.evaluation.signals import LASTING, Shown, SystemSignals
from daemon.rules.evaluation.trace import Trace, describe_fault, trace_condition
from daemon.rules.evaluation.values import ValueTable
from daemon.rules.language.tree import (
    Call,
    DurationLiteral,
    Field,
    day_calls,
    look_back,
    recorded_calls,
    uses,
    walk,
)
from daemon.rules.rule import Condition, Rule
from daemon.types import (
    MINUTE,
    Balances,
    DecidingComparison,
    Millis,
    Miss,
    Reading,
    RecordedValue,
    Unconfirmed,
)

Judgeable: TypeAlias = Reading | Unconfirmed
"""Inputs that are judged: a reading, or a suspect reading that was never confirmed."""

Points: TypeAlias = Sequence[tuple[Millis, Decimal]]
"""Values of one field with their instants, oldest first."""

CHANGE_SPAN: Millis = 10 * MINUTE
"""The span of the changes that messages show."""

UNKNOWN = "rule_unknown"

BLAMED = 3
"""Most rules that are named, with the reason, when several cannot be evaluated."""

_YES_OR_NO = tuple(name for name, lasts in SIGNS.items() if not lasts)

_AT_A_MISS = (AGE, "key_refused", "rate_limited", "answers_unusable")
"""Fields that change at a miss. Rules that use none of them are not evaluated then (promise 5)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one rule at one input. None is unknown and changes nothing (SEMANTICS C2)."""

    when: bool | None
    clear: bool | None
    """Whether a firing alert may end: `clear_when`, or `not when` if there is none."""
    judged: DecidingComparison | None = None
    """The comparison that decided `when`."""
    detail: str = ""
    """One more sentence, given by a system rule."""
    m_of_n: bool = False
    """`when` is decided by several readings together (`at_least`)."""
    holds_alone: bool | None = None
    """With `at_least`: whether the condition holds at this input alone."""

    @property
    def holds(self) -> bool | None:
        """Whether the condition holds at this input, however many readings it takes to fire."""
        return self.holds_alone if self.m_of_n else self.when


class _Everything:
    def __contains__(self, _: object) -> bool:
        return True


EVERY_RULE: Container[str] = _Everything()


@dataclass(frozen=True, slots=True)
class _Judge:
    """A rule, compiled."""

    rule: Rule
    when: Truth
    clear: Truth | None
    deciding: Deciding | None
    """None for a system rule that asks yes or no and has no value to show."""
    counter: MOfNCounter | None
    look_back: Millis

    def take(self, event: Judgeable, frame: Frame) -> bool | None:
        """Evaluate the condition at a reading, and count it for `at_least`."""
        held = self.when(frame)
        if self.counter is not None and scheduled(event):
            self.counter.take(event.at, held, self._clear(frame, held))
        return held

    def verdict(self, event: Judgeable | Miss, frame: Frame, held: bool | None) -> Verdict:
        judged = None if self.deciding is None else self.deciding(frame)
        if self.counter is None:
            return Verdict(held, self._clear(frame, held), judged)
        if held is None or isinstance(event, Miss) or not scheduled(event):
            # The counter still shows an earlier reading.
            return Verdict(None, None, judged, m_of_n=True, holds_alone=held)
        when = self.counter.when()
        clear = inverse(when) if self.clear is None else self.counter.clear()
        return Verdict(when, clear, judged, m_of_n=True, holds_alone=held)

    def is_unknown(self, frame: Frame, held: bool | None) -> bool:
        """Whether the rule cannot fire now, or cannot end, because its condition is unknown."""
        return held is None or (self.clear is not None and self.clear(frame) is None)

    def _clear(self, frame: Frame, held: bool | None) -> bool | None:
        return inverse(held) if self.clear is None else self.clear(frame)


class Evaluator:
    """Evaluates readings and misses of one account, in their order. Not thread-safe.

    `changing` are the fields whose change over ten minutes is kept for messages. `zone` is that of
    times of day; None is the zone of the system. `recorded` are the values to continue from.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        changing: Sequence[str] = CORE,
        zone: tzinfo | None = None,
        recorded: Iterable[RecordedValue] = (),
    ) -> None:
        self._table = ValueTable(zone)
        about_unknown = [rule for rule in rules if _names(rule, (UNKNOWN,))]
        self._signals = SystemSignals(max(map(_limit, about_unknown), default=0))
        judges = {rule.name: _judge(rule, self._table) for rule in rules}
        self._written = {name: judge for name, judge in judges.items() if not judge.rule.system}
        self._system = {name: judge for name, judge in judges.items() if judge.rule.system}
        self._at_misses = {
            name: judge for name, judge in judges.items() if _names(judge.rule, _AT_A_MISS)
        }
        self._tells_unknown = bool(about_unknown)
        self._remembers = self._tells_unknown or any(
            each.counter is not None for each in judges.values()
        )
        self._slots = {name: self._table.field(name) for name in _signals_of(rules)}
        self._most = _signal_limits(rules)
        self._moving = [_recent_window(name) for name in changing]
        self._changes = {
            name: self._table.window(call)
            for name, call in zip(changing, self._moving, strict=True)
        }
        self._table.recorded.begin(recorded)
        self._keeps_values = any(any(recorded_expressions(rule)) for rule in rules)
        self.values: tuple[RecordedValue, ...] = self._table.recorded.values
        """The values that the rules keep, by now; the same object until one of them changes."""
        self.windowed = frozenset(name for name, judge in judges.items() if judge.look_back)
        """Rules with a window; the others are correct even if windows could not be rebuilt."""
        self.look_back = max(self._table.look_back, _remembered(judges.values()))
        """How far back readings must be fed for correct verdicts; nested windows add up.

        A rebuild starts with the last reading at or before the instant minus this (SEMANTICS C1).
        """

    @property
    def balances(self) -> Balances:
        """Balances of the last judged reading."""
        return self._table.balances

    def read(self, event: Judgeable, watched: Container[str] = EVERY_RULE) -> Mapping[str, Verdict]:
        """Verdicts on a judged reading at its instant, by rule name.

        With `watched`, returns verdicts only for rules that hold, M-of-N rules and the names in
        `watched`. The others cannot change anything.
        """
        frame = self._feed(event)
        if self._keeps_values:
            self._table.recorded.take()
            self.values = self._table.recorded.values
        verdicts: dict[str, Verdict] = {}
        unknown: list[str] = []
        for name, judge in self._written.items():
            held = judge.when(frame) if judge.counter is None else judge.take(event, frame)
            if self._tells_unknown and judge.is_unknown(frame, held):
                unknown.append(name)
            if held or name in watched or judge.counter is not None:
                verdicts[name] = judge.verdict(event, frame, held)
        if self._system:
            self._judge_system(event, unknown, watched, verdicts)
        return verdicts

    def miss(self, event: Miss) -> Mapping[str, Verdict]:
        """Verdicts of the rules that depend on a miss, and of no others (promise 5)."""
        self._table.advance(event.at)
        self._show(self._signals.miss(event))
        frame = self._table.frame
        verdicts = {
            name: judge.verdict(event, frame, judge.when(frame))
            for name, judge in self._at_misses.items()
        }
        told = (name for name in verdicts if name in self._system)
        return verdicts | {name: replace(verdicts[name], detail=event.detail) for name in told}

    def warm(self, event: Judgeable) -> None:
        """Feed a judged reading without verdicts: used by a rebuild from stored readings."""
        frame = self._feed(event)
        if self._remembers:
            held = {name: judge.take(event, frame) for name, judge in self._written.items()}
            unknown = [
                name for name, judge in self._written.items() if judge.is_unknown(frame, held[name])
            ]
            self._signals.unknown(event.at, unknown)

    def shift(self, by: Millis) -> None:
        """Move every held instant by a step of our clock (SEMANTICS A5)."""
        self._table.shift(by)
        self._signals.shift(by)
        for judge in self._written.values():
            if judge.counter is not None:
                judge.counter.shift(by)

    def changes(self) -> Mapping[str, Decimal]:
        """Change of each field over the last ten minutes, where it is known."""
        shown = ((name, self._table.frame[slot]) for name, slot in self._changes.items())
        return {name: change for name, change in shown if change is not None}

    def recent(self, field: str) -> Points:
        """Values of an amount in the ten minutes before the last input, oldest first.

        Unpacks a whole window: call it for a message, not for every reading. Empty for fields that
        are not kept.
        """
        if field not in DERIVED_AMOUNTS:
            return self._entries(field)
        parts = {name: dict(self._entries(name)) for name in MADE_OF[field]}
        instants = sorted(set.intersection(*map(set, parts.values())))
        values = (
            (at, VALUES[field](Balances(**{name: part[at] for name, part in parts.items()})))
            for at in instants
        )
        return tuple((at, value) for at, value in values if value is not None)

    def _entries(self, field: str) -> Points:
        call = _recent_window(field)
        return tuple(self._table.held(call).entries()) if call in self._moving else ()

    @property
    def span(self) -> Millis:
        """Time between the readings that `changes` compares; under ten minutes after a gap."""
        reaches = filter(None, (self._table.held(call).reach for call in self._moving))
        return max((last - first for first, last in reaches), default=0)

    def trace(self, name: str) -> tuple[Trace, Trace | None]:
        """Values of every part of `when` and `clear_when` at the last input."""
        rule = {**self._written, **self._system}[name].rule
        table, slots = self._table, self._table.of_rule(name)
        clear = (
            None if rule.clear_when is None else trace_condition(rule.clear_when.tree, table, slots)
        )
        return trace_condition(rule.when.tree, table, slots), clear

    def agreement(self, name: str) -> tuple[int, int] | None:
        """For a rule with `at_least`: readings that hold, and readings counted."""
        counter = self._written[name].counter if name in self._written else None
        return None if counter is None else counter.agreement

    def _feed(self, event: Judgeable) -> Frame:
        balances = event.reading.balances if isinstance(event, Unconfirmed) else event.balances
        self._table.feed(event.at, balances)
        if self._system:
            self._show(self._signals.read(event))
        return self._table.frame

    def _judge_system(
        self,
        event: Judgeable,
        unknown: Sequence[str],
        watched: Container[str],
        verdicts: dict[str, Verdict],
    ) -> None:
        """Evaluate the system rules last: one of them depends on the verdicts of the others."""
        frame = self._table.frame
        self._show({UNKNOWN: self._signals.unknown(event.at, unknown)})
        for name, judge in self._system.items():
            held = judge.when(frame)
            if held or name in watched:
                verdict = judge.verdict(event, frame, held)
                blames = held and _names(judge.rule, (UNKNOWN,))
                verdicts[name] = (
                    replace(verdict, detail=self._blame(judge.rule)) if blames else verdict
                )

    def _blame(self, rule: Rule) -> str:
        """Sentence that names the rules that cannot be evaluated, each with the part at fault."""
        names = self._signals.unknown_for(_limit(rule))
        told = []
        for name in names[:BLAMED]:
            when, clear = self.trace(name)
            fault = describe_fault(when) or (describe_fault(clear) if clear is not None else "")
            told.append(f"{name} ({fault})")
        more = f" and {len(names) - BLAMED} more" if len(names) > BLAMED else ""
        return f"the rule{'s' if len(names) > 1 else ''} {', '.join(told)}{more} cannot be judged"

    def _show(self, signals: Shown) -> None:
        """Write signals into the frame. Durations are capped at the limit of the rule.

        Beyond the limit, a rebuilt evaluator would show another value.
        """
        for name, value in signals.items():
            slot = self._slots.get(name)
            if slot is not None:
                most = self._most.get(name)
                self._table.frame[slot] = (
                    most if value is not None and most is not None and value > most else value
                )


def _recent_window(field: str) -> Call:
    """The window of a field that is kept for messages."""
    return Call("delta", (Field(field), DurationLiteral(CHANGE_SPAN)))


def _judge(rule: Rule, table: ValueTable) -> _Judge:
    when, slots = rule.when.tree, table.of_rule(rule.name)
    clear = None if rule.clear_when is None else compile_truth(rule.clear_when.tree, slots)
    counter = None if rule.at_least is None else MOfNCounter(rule.at_least, rule.missing_after)
    reach = max(look_back(condition.tree) for condition in conditions(rule))
    remembered = 0 if counter is None else counter.look_back
    decides = None if _names(rule, _YES_OR_NO) else compile_deciding(when, slots)
    return _Judge(rule, compile_truth(when, slots), clear, decides, counter, reach + remembered)


def _remembered(judges: Iterable[_Judge]) -> Millis:
    """How far back M-of-N counters and the limits of system rules depend on readings.

    The limit counts twice: an earlier reading may belong to the same run, with a pause in between.
    """
    written = max((judge.look_back for judge in judges if not judge.rule.system), default=0)
    system = max((_limit(judge.rule) for judge in judges if judge.rule.system), default=0)
    return written + 2 * system


def _limit(rule: Rule) -> Millis:
    return max(
        (node.millis for node in walk(rule.when.tree) if isinstance(node, DurationLiteral)),
        default=0,
    )


def _signals_of(rules: Sequence[Rule]) -> list[str]:
    """The system signals that the rules use."""
    return [name for name in SIGNS if any(_names(rule, (name,)) for rule in rules)]


def _signal_limits(rules: Sequence[Rule]) -> dict[str, Decimal]:
    """The limit, in ms, of each signal that measures how long something lasts."""
    return {
        name: Decimal(_limit(rule)) for rule in rules for name in LASTING if _names(rule, (name,))
    }


def _names(rule: Rule, fields: Iterable[str]) -> bool:
    return any(uses(condition.tree, field) for condition in conditions(rule) for field in fields)


def conditions(rule: Rule) -> list[Condition]:
    """`when`, and `clear_when` if the rule has one."""
    return [condition for condition in (rule.when, rule.clear_when) if condition is not None]


def uses_time_of_day(rule: Rule) -> bool:
    """Whether the verdicts of a rule depend on the time zone."""
    return any(any(day_calls(condition.tree)) for condition in conditions(rule))


def recorded_expressions(rule: Rule) -> Iterator[tuple[str, str]]:
    """The keys of the values that a rule keeps."""
    for condition in conditions(rule):
        yield from ((rule.name, str(call)) for call in recorded_calls(condition.tree))
