"""Hypothesis strategies for the rule language: trees, balances, and days of inputs."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from hypothesis import strategies as st

from daemon.readings.fields import AGE, VALUES
from daemon.rules import functions
from daemon.rules.functions import WindowFunction
from daemon.rules.language.tree import (
    Arithmetic,
    Call,
    Comparison,
    DurationLiteral,
    Field,
    Negative,
    Node,
    Not,
    Number,
    TimeOfDay,
    either,
    every,
    varies,
)
from daemon.rules.language.types import ValueType
from daemon.types import Balances, Millis, Quality, Reading, Source

COMPARING = ("<", "<=", ">", ">=", "==", "!=")

amounts = st.sampled_from(
    [
        Decimal(text)
        for text in (
            "0",
            "1",
            "-1",
            "0.10",
            "0.1",
            "100",
            "996660.6064387699998485",
            "1e27",
            "-3e-9",
        )
    ],
) | st.decimals(min_value=-1_000, max_value=1_000, places=2)
spans = st.integers(1, 40).map(lambda seconds: DurationLiteral(seconds * 500))
numbers = st.decimals(min_value=0, max_value=1_000, places=3).map(Number)
leasts = st.decimals(min_value="0.001", max_value=10, places=3).map(Number)
scores = st.sampled_from(["zscore", "spike"])
choices = st.sampled_from(["least", "greatest"])
WINDOWS = [
    name
    for name in functions.names()
    if isinstance(function := functions.find(name), WindowFunction)
    and function.result is ValueType.NUMBER
]
fields = st.sampled_from([Field(name) for name in VALUES])
changing: st.SearchStrategy[Node] = fields | st.builds(
    Arithmetic, st.sampled_from("+-*/"), fields, fields | numbers
)
"""What `prev` takes: values of one reading."""
beginnings = st.builds(
    TimeOfDay, st.builds(time, st.sampled_from([10, 11]), st.sampled_from([0, 1, 2, 58, 59]))
)
"""Times of day around 11:00 in UTC, at which the days of the tests begin."""


def _larger(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.one_of(
        st.builds(Negative, inner),
        st.builds(Arithmetic, st.sampled_from("+-*/"), inner, inner),
        st.builds(
            lambda name, x, span: Call(name, (x, span)), st.sampled_from(WINDOWS), inner, spans
        ),
        st.builds(
            lambda name, x, span, least: Call(name, (x, span, least)), scores, inner, spans, leasts
        ),
        st.builds(lambda x: Call("abs", (x,)), inner),
        st.builds(lambda x: Call("prev", (x,)), changing),
        st.builds(lambda x: Call("today", (x,)), inner.filter(varies)),
        st.builds(lambda x, begins: Call("since", (x, begins)), inner.filter(varies), beginnings),
        st.builds(
            lambda name, x: Call(name, tuple(x)), choices, st.lists(inner, min_size=2, max_size=3)
        ),
    )


leaves: st.SearchStrategy[Node] = numbers | fields
quantities: st.SearchStrategy[Node] = st.recursive(leaves, _larger, max_leaves=5)

times = st.builds(
    lambda x, level, span: Call("time_to", (x, level, span)), quantities, quantities, spans
)
durations: st.SearchStrategy[Node] = st.just(Field(AGE)) | times | spans

comparisons: st.SearchStrategy[Node] = st.builds(
    Comparison, st.sampled_from(COMPARING), quantities, quantities
) | st.builds(Comparison, st.sampled_from(COMPARING), durations, durations)


def _joined(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(inner, min_size=2, max_size=3)
    return st.builds(Not, inner) | several.map(every) | several.map(either)


conditions: st.SearchStrategy[Node] = st.recursive(comparisons, _joined, max_leaves=4)

balances: st.SearchStrategy[Balances] = st.builds(Balances, *[st.none() | amounts] * 6)


@dataclass(frozen=True)
class Judge:
    """A judged reading arrives `after` the last input."""

    after: Millis
    balances: Balances


@dataclass(frozen=True)
class Fail:
    """A miss `after` the last input."""

    after: Millis


@dataclass(frozen=True)
class Step:
    """The clock is set by `by`."""

    by: Millis


Event = Judge | Fail | Step

pauses = st.sampled_from([0, 0, 1, 499, 500, 500, 1_000, 5_000, 60_000])
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(Judge, pauses, balances),
    st.builds(Judge, pauses, balances),
    st.builds(Fail, pauses.filter(bool)),
    st.builds(Step, st.integers(-100_000, 100_000)),
)
days = st.lists(events, max_size=25)


def reading(at: Millis, values: Balances) -> Reading:
    """A judged reading of these values."""
    return Reading(1, at, Source.REST, Quality.OK, None, values)
