"""Finding functions: one file each, by name, and every one of them keeps the contract."""

import sys
from types import ModuleType

import pytest

from daemon.rules.functions import PLANNED, Parameter, find, names
from daemon.rules.windows import Running


def test_names() -> None:
    """The functions are the files of the folder, without those that begin with an underscore."""
    assert names() == ("delta", "max", "min")


@pytest.mark.parametrize("name", names())
def test_contract(name: str) -> None:
    """Every function says how many readings it needs and starts afresh for every window."""
    function = find(name)
    assert function.known_from >= 1
    assert function.parameters == (Parameter.SERIES, Parameter.SPAN)
    first, second = function.start(), function.start()
    assert isinstance(first, Running)
    assert first is not second


def test_planned_are_not_there_yet() -> None:
    """What is announced as not available yet is not there."""
    assert not PLANNED & set(names())


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
