"""Cost of a reading in a window of each function: time, and bytes per entry.

    python benchmarks/windows.py [span]

All figures come from one run, beside a plain threshold on the same account, so that ratios are
valid on any machine. The cost of a function is what a rule with it adds to an account without
rules.
"""

import random
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from decimal import Decimal

from daemon.rules import functions
from daemon.rules.evaluation.compile import compile_truth
from daemon.rules.evaluation.values import ValueTable
from daemon.rules.functions import Parameter, PlainFunction
from daemon.rules.language.parse import parse_condition
from daemon.text.durations import parse_duration
from daemon.types import Balances, Millis

EVERY: Millis = 5_000
MEASURED = 5_000
"""Readings that are timed, once the window is full."""

Judge = Callable[[Millis, Balances], None]


def walk(count: int) -> list[Balances]:
    """A typical day: constant for a while, then a step, with the noise of floats."""
    source = random.Random(7)
    amount, walked = Decimal("996660.6064387699998485"), []
    for _ in range(count):
        if source.random() < 0.6:
            amount += Decimal(source.randint(-(10**9), 10**9)).scaleb(-8)
        walked.append(Balances(available_margin=amount + 0, al_margin=amount / 7))
    return walked


def judging(text: str) -> Judge:
    table = ValueTable()
    holds = compile_truth(parse_condition(text).tree, table)

    def judge(at: Millis, balances: Balances) -> None:
        table.feed(at, balances)
        holds(table.frame)

    return judge


def fed(judge: Judge, readings: Sequence[Balances], since: Millis = 0) -> float:
    """Nanoseconds per reading."""
    begin = time.process_time_ns()
    for number, balances in enumerate(readings):
        judge(since + number * EVERY, balances)
    return (time.process_time_ns() - begin) / len(readings)


def texts(span: str) -> dict[str, str]:
    """A condition for each function."""
    written = {
        Parameter.SERIES: "available_margin",
        Parameter.LEVEL: "0",
        Parameter.SPAN: span,
        Parameter.LEAST: "1",
    }
    shown = {"threshold": "available_margin < 0"}
    for name in functions.names():
        function = functions.find(name)
        if isinstance(function, PlainFunction):
            arguments = ", ".join(["available_margin"] * function.counts[0])
        else:
            arguments = ", ".join(written[each] for each in function.parameters)
        shown[name] = f"{name}({arguments}) < 0{'s' if name == 'time_to' else ''}"
    return shown


def main() -> None:
    span = sys.argv[1] if len(sys.argv) > 1 else "24h"
    full = (parse_duration(span) or 0) // EVERY + 1
    readings = walk(full + 3 * MEASURED)
    base = 0.0
    for name, text in texts(span).items():
        tracemalloc.start()
        judge = judging(text)
        fed(judge, walk(full))
        bytes_held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        cost = min(
            fed(judge, readings[:MEASURED], (full + turn * MEASURED) * EVERY) for turn in range(3)
        )
        base = base or cost
        print(
            f"{name:<10} {cost:7.0f} ns  {cost / base:6.1f} x  {bytes_held / full:6.0f} bytes an"
            " entry"
        )


if __name__ == "__main__":
    main()
