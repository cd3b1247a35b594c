"""A function slid over a short series, for the tests of each function."""

from decimal import Decimal

from daemon.rules.evaluation.compile import compile_number
from daemon.rules.evaluation.values import ValueTable
from daemon.rules.evaluation.windows import Ring, Window
from daemon.rules.functions import find
from daemon.rules.functions import window as window_function
from daemon.rules.language.parse import parse_condition
from daemon.rules.language.tree import Comparison
from daemon.types import Balances


def slid(name: str, span: int, *series: tuple[int, str], further: str = "") -> list[str | None]:
    """The function's value after each (instant, value); `further` is its level or its least."""
    function = window_function(name)
    ring = Ring()
    window = Window(ring, span)
    given: list[object] = (
        [window] if function.keeps is None else [window, window.keep(function.keeps)]
    )
    given += [Decimal(further)] if further else []
    shown = []
    for at, value in series:
        ring.append(at, Decimal(value))
        window.enter(at, Decimal(value))
        window.advance(at)
        result = function.value(*given) if len(window) >= function.known_from else None
        shown.append(None if result is None else str(result))
    return shown


def worth(text: str, *values: str | None) -> list[str | None]:
    """Values of an expression on `al_margin` after each of its readings, ten seconds apart."""
    tree = parse_condition(
        f"{text} >= 0{'s' if find(text.partition('(')[0]).result.name == 'DURATION' else ''}"
    ).tree
    assert isinstance(tree, Comparison)
    table = ValueTable()
    value = compile_number(tree.left, table)
    shown = []
    for count, sent in enumerate(values):
        table.feed(count * 10_000, Balances(al_margin=None if sent is None else Decimal(sent)))
        result = value(table.frame)
        shown.append(None if result is None else str(result))
    return shown


def steady(*values: str) -> list[tuple[int, str]]:
    """A series of these values, one a second."""
    return [(number * 1_000, value) for number, value in enumerate(values)]
