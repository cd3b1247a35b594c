"""Judging the rules of one account, input by input: the only thing of the rules that changes.

Its state is derived: a function of the judged readings within `look_back` and of later clock steps, and of nothing
else, so that a rebuilt evaluator gives the same verdicts (DESIGN §3). It decides nothing about alerts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from daemon.readings.fields import AGE, CORE
from daemon.rules.board import Board
from daemon.rules.compile import Deciding, Frame, Truth, deciding, inverse, truth
from daemon.rules.rule import Rule
from daemon.rules.tree import Call, Field, Span, uses, walk
from daemon.types import MINUTE, Balances, Judged, Millis, Reading, Unconfirmed

CHANGE_SPAN: Millis = 10 * MINUTE
"""The span of the changes that messages show."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one input says about one rule. None is unknown, and changes nothing (SEMANTICS C2)."""

    when: bool | None
    clear: bool | None
    """Whether a firing alert may end: `clear_when`, or without one `not when`."""
    judged: Judged | None = None
    """The comparison that decided `when`."""


@dataclass(frozen=True, slots=True)
class _Judge:
    """A rule, compiled."""

    when: Truth
    clear: Truth | None
    deciding: Deciding

    def verdict(self, frame: Frame) -> Verdict:
        when = self.when(frame)
        clear = inverse(when) if self.clear is None else self.clear(frame)
        return Verdict(when, clear, self.deciding(frame))


class Evaluator:
    """Judges readings and misses of one account, in their order. Not for several threads at once."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._board = Board()
        self._judges = {rule.name: _judge(rule, self._board) for rule in rules}
        self._ageing = {rule.name: self._judges[rule.name] for rule in rules if _uses_age(rule)}
        self.windowed = frozenset(rule.name for rule in rules if _uses_window(rule))
        """The rules that look back; the others are judged truly even where the windows could not be rebuilt."""
        self._changes = {name: self._board.window(Call("delta", (Field(name), Span(CHANGE_SPAN)))) for name in CORE}

    @property
    def look_back(self) -> Millis:
        """How far before an instant readings must be fed for true verdicts at it; windows of windows add up.

        A rebuild starts with the last reading at or before the instant less this (SEMANTICS C1).
        """
        return self._board.look_back

    @property
    def balances(self) -> Balances:
        """The fields of the last judged reading."""
        return self._board.balances

    def read(self, reading: Reading | Unconfirmed) -> Mapping[str, Verdict]:
        """Every rule's verdict on a judged reading at its instant, by the rule's name."""
        self.warm(reading)
        return {name: judge.verdict(self._board.frame) for name, judge in self._judges.items()}

    def miss(self, at: Millis) -> Mapping[str, Verdict]:
        """The verdicts of the rules that ask for `age`, and of no others: a miss decides nothing else (promise 5)."""
        self._board.advance(at)
        return {name: judge.verdict(self._board.frame) for name, judge in self._ageing.items()}

    def warm(self, reading: Reading | Unconfirmed) -> None:
        """Take a judged reading in without asking for verdicts: how a rebuild feeds stored readings."""
        balances = reading.reading.balances if isinstance(reading, Unconfirmed) else reading.balances
        self._board.feed(reading.at, balances)

    def shift(self, by: Millis) -> None:
        """A step of our clock by `by`: every instant held moves with it (SEMANTICS A5)."""
        self._board.shift(by)

    def changes(self) -> Mapping[str, Decimal]:
        """How much each field changed in the ten minutes before the last input, where that is known."""
        shown = ((name, self._board.frame[slot]) for name, slot in self._changes.items())
        return {name: change for name, change in shown if change is not None}


def _judge(rule: Rule, board: Board) -> _Judge:
    when = rule.when.tree
    clear = None if rule.clear_when is None else truth(rule.clear_when.tree, board)
    return _Judge(truth(when, board), clear, deciding(when, board))


def _uses_window(rule: Rule) -> bool:
    conditions = [condition for condition in (rule.when, rule.clear_when) if condition is not None]
    return any(isinstance(node, Call) for condition in conditions for node in walk(condition.tree))


def _uses_age(rule: Rule) -> bool:
    clear = rule.clear_when is not None and uses(rule.clear_when.tree, AGE)
    return clear or uses(rule.when.tree, AGE)
