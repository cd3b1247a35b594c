"""Finding functions: one file each, by name, and every one of them keeps the contract."""

import sys
from types import ModuleType

import pytest

from daemon.rules.evaluation.windows import RunningAggregate
from daemon.rules.functions import (
    Parameter,
    StatefulFunction,
    WindowFunction,
    find,
    names,
    stateful,
    window,
)


def test_names() -> None:
    """The functions are the files of the folder, without those that begin with an underscore."""
    over_time = {"min", "max", "avg", "median", "sum", "count", "first", "last", "stddev"}
    over_time |= {"delta", "change", "drop", "rise", "slope", "time_to", "zscore", "spike"}
    assert set(names()) == over_time | {"abs", "least", "greatest"} | {
        "prev",
        "since",
        "today",
        "peak",
    }


@pytest.mark.parametrize("name", names())
def test_contract(name: str) -> None:
    """Every function names its parameters once; what looks back begins with the series."""
    function = find(name)
    fewest, most = function.counts
    assert 1 <= fewest <= most
    assert function.usage
    if isinstance(function, WindowFunction):
        assert function.parameters[0] is Parameter.SERIES
        assert Parameter.SPAN in function.parameters
        assert len(set(function.parameters)) == len(function.parameters)
        assert Parameter.LEAST not in function.parameters[:-1]
    if isinstance(function, StatefulFunction):
        assert function.parameters[0] is Parameter.SERIES
        assert fewest == most == len(function.parameters)
        assert function.unknown
        assert function.excess


@pytest.mark.parametrize(
    "name", [name for name in names() if isinstance(find(name), WindowFunction)]
)
def test_every_window_keeps_for_itself(name: str) -> None:
    """Aggregates of different windows are separate."""
    keeps = window(name).keeps
    if keeps is not None:
        first, second = keeps(), keeps()
        assert isinstance(first, RunningAggregate)
        assert first is not second


@pytest.mark.parametrize(
    ("names_", "expected"),
    [
        (("min", "max", "avg", "median", "sum", "count", "first", "last", "stddev"), 1),
        (("delta", "change", "drop", "rise"), 2),
        (("slope", "time_to"), 3),
        (("zscore", "spike"), 10),
    ],
)
def test_c2_known_from(names_: tuple[str, ...], expected: int) -> None:
    """C2: how many readings each function needs."""
    assert {window(name).known_from for name in names_} == {expected}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("avg", "x, duration"),
        ("spike", "x, duration[, least]"),
        ("time_to", "x, level, duration"),
        ("abs", "x"),
        ("least", "a, b, …"),
        ("prev", "x"),
        ("since", 'x, "HH:MM"'),
    ],
)
def test_usage(name: str, expected: str) -> None:
    """Every function says how it is written."""
    assert find(name).usage == expected


def test_file_without_function() -> None:
    """A file that offers no function is a mistake of ours, named as such."""
    name = "daemon.rules.functions._nothing"
    module = ModuleType(name)
    module.FUNCTION = None  # type: ignore[attr-defined]
    sys.modules[name] = module
    try:
        with pytest.raises(TypeError, match=r"functions/_nothing\.py offers no function"):
            find("_nothing")
    finally:
        del sys.modules[name]


def test_plain_functions_look_at_no_window() -> None:
    """A plain function taken for a window function raises TypeError."""
    with pytest.raises(TypeError, match="abs looks at no window"):
        window("abs")


def test_window_functions_remember_nothing() -> None:
    """A window function taken for a stateful one raises TypeError."""
    with pytest.raises(TypeError, match="max remembers nothing"):
        stateful("max")
