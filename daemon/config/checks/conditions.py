"""Warnings about conditions that probably do not do what they say. Pure.

Each warning is the key of the condition with a sentence.
"""

from collections.abc import Iterator, Mapping
from datetime import date, time, tzinfo
from decimal import Decimal
from itertools import chain

from daemon.readings.exact import EXACT
from daemon.readings.fields import RATIOS
from daemon.rules import functions
from daemon.rules.evaluation.compile import compile_number, compile_truth, oriented
from daemon.rules.evaluation.values import ValueTable
from daemon.rules.functions import MULTIPLES, WindowFunction
from daemon.rules.language.build import MAX_LOOK_BACK
from daemon.rules.language.tree import (
    Arithmetic,
    Call,
    Comparison,
    DurationLiteral,
    Either,
    Every,
    Field,
    Negative,
    Node,
    Number,
    TimeOfDay,
    day_calls,
    is_percentage,
    readable,
    varies,
    walk,
)
from daemon.rules.local_time import skipped_days
from daemon.rules.rule import Condition, Rule
from daemon.text.durations import duration_text
from daemon.types import SECOND, Balances, Millis

PREV = "prev"
"""Functions of the reading before, and of a day."""

_FLAT = [
    Balances(*map(Decimal, sent.split()))
    for sent in (
        "0 0 0 0 0 0",
        "1 2 3 4 5 6",
        "6 5 4 3 2 1",
        ".1 .2 .3 .4 .5 .6",
        "9e6 8e6 7e6 6e6 5e6 4e6",
    )
]
"""Balances so different that a condition that is true for all of them does not depend on them."""


_FIRST_DAY, _DAYS = date(2026, 1, 1), 2 * 365
"""The days that are asked for skipped times: the clock is put every year alike."""


def doubts(
    rule: Rule, intervals: Mapping[str, Millis], zone: tzinfo | None = None
) -> Iterator[tuple[str, str]]:
    """Every warning about the rule.

    `intervals` are those of the accounts that it watches, `zone` is the configured time zone.
    """
    for key, condition in (("when", rule.when), ("clear_when", rule.clear_when)):
        if condition is not None:
            found = (
                _fixed(condition),
                _percentages(condition),
                _short(condition, intervals),
                _skipped(condition, zone),
            )
            yield from ((key, sentence) for sentence in chain(*found))
    if intervals:
        yield from (("when", each) for each in _true_at_once(rule, max(intervals.values())))
    # Nobody is told of the end of an event, so that it may come when it likes.
    if rule.clear_when is None and rule.resolve:
        yield from (("when", each) for each in _forgetting(rule.when))
        if not rule.keep_firing_for:
            yield from (("when", each) for each in _fleeting(rule.when))


def _fixed(condition: Condition) -> Iterator[str]:
    """Warn of a condition that no reading changes, or of a part that never has a value."""
    if not varies(condition.tree):
        yield "does not depend on any reading, so it is always the same"
    for part in walk(condition.tree):
        if isinstance(part, Arithmetic) and not varies(part) and _constant(part) is None:
            yield f"{part} has no value, so nothing that depends on it is ever known"


def _constant(node: Node) -> Decimal | None:
    return compile_number(node, ValueTable())([])


def _percentages(condition: Condition) -> Iterator[str]:
    """Warn of ratios that are compared with a number that can only be meant as a percentage."""
    for node in walk(condition.tree):
        comparison = oriented(node) if isinstance(node, Comparison) else None
        limits = _ratio(comparison.left) if comparison else None
        if comparison is None or limits is None or varies(comparison.right):
            continue
        level = _constant(comparison.right)
        if level is not None and level.is_finite():
            yield from _percentage(comparison, level, limits)


def _percentage(comparison: Comparison, level: Decimal, limits: tuple[int, int]) -> Iterator[str]:
    """Warn of a number beyond the limits; whoever means it as written adds a percent sign."""
    low, high = limits
    left, operator, number = comparison.left, comparison.operator, Number(level)
    percent, written = Number(level.scaleb(2, EXACT)), is_percentage(comparison.right)
    beyond = not low <= level <= high or (level == high and operator == ">")
    if level < low == 0 and operator.startswith("<"):
        meant = percent if written or level > -1 else number
        wanted = f"{left} {operator.replace('<', '>')} {str(meant).removeprefix('-')}%"
        yield f"{left} is never below 0; did you mean {wanted}?"
    elif beyond and not written:
        yield (
            f"in {readable(comparison)} the number {number} means {percent}%;"
            f" did you mean {number}%? If not, write {percent}%"
        )


def _ratio(node: Node) -> tuple[int, int] | None:
    """The limits between which a number compared with this ratio may be meant as written.

    None where the value is no ratio.
    """
    match node:
        case Field(name) if name in RATIOS:
            return MULTIPLES
        case Negative(operand):
            limits = _ratio(operand)
            return limits and (-limits[1], -limits[0])
        case Call(name, arguments):
            function = functions.find(name)
            if isinstance(function, WindowFunction) and (function.ratio or function.adds_up):
                return function.ratio
            return _ratio(arguments[0]) if function.keeps_unit else None
        case _:
            return None


def _short(condition: Condition, intervals: Mapping[str, Millis]) -> Iterator[str]:
    """Warn of windows that hold too few of the regular readings of a watched account."""
    if not intervals:
        return
    name = max(intervals, key=intervals.__getitem__)
    every = intervals[name]
    for call in dict.fromkeys(_windows(condition.tree)):
        needed = max(2, functions.window(call.name).known_from)
        if call.span >= needed * every:
            continue
        held = f"its window hardly ever holds {needed} readings"
        if call.span >= (needed - 1) * every:
            held = f"one missed reading leaves fewer than {needed} in its window"
        enough = -(-(needed + 1) * every // SECOND) * SECOND
        yield (
            f'{readable(call)} is too short: "{name}" is read every {duration_text(every)}, so'
            f" {held}; write {duration_text(enough)} or more"
        )


def _windows(node: Node) -> Iterator[Call]:
    return (part for part in walk(node) if isinstance(part, Call) and part.span)


def _true_at_once(rule: Rule, every: Millis) -> Iterator[str]:
    """Warn of a `when` that is true while its windows hold only the first few readings.

    Windows are known from few readings (SEMANTICS C2). So a condition that asks whether nothing
    moved is true when the record begins, and after a long pause.
    """
    tree = rule.when.tree
    first = max((functions.window(call.name).known_from for call in _windows(tree)), default=0)
    found = [(call, part) for part in _at_first(tree, first)[1] for call in _windows(part)]
    if not found:
        return
    call, part = max(found, key=lambda each: each[0].span)
    # Five of six readings: a full window, with room for misses.
    enough = call.span * 5 // (6 * every)
    counted = rule.at_least is not None and rule.at_least.count > enough
    if enough < first or rule.hold >= call.span or counted:
        return
    count = Call("count", (call.arguments[0], DurationLiteral(call.span)))
    guard = f'"and {readable(count)} > {enough}" behind it'
    if functions.window(call.name).adds_up:
        guard = f'for = "{duration_text(call.span)}"'
    yield (
        f"{readable(part)} is true at the first readings after a start, when its window is nearly"
        f" empty; add {guard}"
    )


def _at_first(node: Node, readings: int) -> tuple[bool, list[Node]]:
    """Whether a condition can be true after so few readings, and the parts that always are.

    Without parts that another condition keeps from firing.
    """
    match node:
        case Every(parts) | Either(parts):
            found = [_at_first(part, readings) for part in parts]
            possible = (all if isinstance(node, Every) else any)(each for each, _ in found)
            return possible, [part for _, some in found for part in some] if possible else []
        case _:
            if not any(_windows(node)):
                return True, []
            truths = _truths(node, readings)
            return any(truths), [node] if all(truths) else []


def _truths(node: Node, readings: int) -> list[bool | None]:
    """Truth of a condition after so many equal readings, for each of some balances."""
    table = ValueTable()
    truth = compile_truth(node, table)
    found = []
    for number, balances in enumerate(_FLAT, 1):
        # Beyond any look-back, so that the windows have forgotten the balances before.
        start = number * 2 * MAX_LOOK_BACK
        for at in range(start, start + readings):
            table.feed(at, balances)
        found.append(truth(table.frame))
    return found


def _forgetting(when: Condition) -> Iterator[str]:
    """Warn of rules that may clear although the level has not come back (SEMANTICS D6).

    What asks whether nothing moved (`==`) does not end by forgetting.
    """
    for node in walk(when.tree):
        if not isinstance(node, Comparison) or node.operator == "==":
            continue
        for call in _windows(node):
            if functions.window(call.name).forgets:
                yield (
                    f"{readable(call)} forgets after its window, which ends the alert by itself;"
                    f" add a clear_when on the level{_suggestion(call, oriented(node))}"
                )
                return


def _fleeting(when: Condition) -> Iterator[str]:
    """Warn of a comparison with the reading before: it is over one reading later.

    What asks whether nothing moved (`==`) holds until something does.
    """
    compared = (node for node in walk(when.tree) if isinstance(node, Comparison))
    moved = (part for node in compared if node.operator != "==" for part in walk(node))
    for node in moved:
        if isinstance(node, Call) and node.name == PREV:
            yield (
                f"{node} is the reading before, so the alert ends at the next reading; add"
                ' keep_firing_for = "10m"'
            )
            return


def _skipped(condition: Condition, zone: tzinfo | None) -> Iterator[str]:
    """Warn of a time of day that the clock skips when it is put forward."""
    for call in day_calls(condition.tree):
        begins = next((each.time for each in call.arguments if isinstance(each, TimeOfDay)), time())
        found = next(skipped_days(begins, zone, _FIRST_DAY, _DAYS), None)
        if found is not None:
            day, shown = found
            yield (
                f"{call}: the clock skips {begins:%H:%M} when it is put forward, as on {day}, and"
                f" on that day the change counts from {shown:%H:%M}; write another time if that"
                " matters"
            )


def _suggestion(call: Call, comparison: Comparison) -> str:
    """A level on the far side of the change, in the direction it came from; "" when not clear.

    It has no number: the size of a step says nothing about the level that is good again.
    """
    series = call.arguments[0]
    directed = comparison.left == call and comparison.operator != "!="
    if not directed or functions.window(call.name).is_distance or not isinstance(series, Field):
        return ""
    rose = comparison.operator.startswith(">") != (call.name == "drop")
    return f', such as clear_when = "{series.name} {"<" if rose else ">"} …"'
