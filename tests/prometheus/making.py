"""Random cases from a seed: series that linger, step and cross a threshold, and rules on them.

Prometheus computes with floats, marginwatch with decimals, so the cases keep to what both compute
alike:

- Values have at most two decimals and seven digits. As floats they keep their order and equality.
  So thresholds of the present value, of `max`, `min` and `count` may be hit exactly, and often are.
- The others round (`avg`, `stddev`, …): their thresholds stay `CLEAR_OF` away from every value of
  the function.

They also differ in evaluations without a sample. marginwatch judges nothing at a miss (promise 5):
no timer is checked and no window moves. Prometheus evaluates all the same. For cases with misses:

- States are compared at readings only. At a miss Prometheus may be ahead: a timer that ends there
  ends here with the next reading.
- The present value is a plain selector, which looks back five minutes; no series misses so long.
  The value of a window is taken where a sample is, and else repeated (`last_over_time` of a
  subquery), as it is here.
- A rule has `for` or `keep_firing_for`, not both: with both, what ended at a miss in Prometheus
  would be seen later. Having fired at a miss, it would keep firing where here the condition was
  given up in time. Having resolved at a miss, it would wait `for` once more where here the alert
  never ended.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random
from statistics import mean, median, pstdev

from daemon.text.durations import duration_text
from daemon.types import MINUTE, SECOND, Millis
from tests.prometheus.case import MISS, Case

Cents = int
Function = Callable[[list[Decimal]], Decimal]

INTERVALS = (SECOND, 5 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE)
EXACT: dict[str, Function] = {"max": max, "min": min, "count": lambda held: Decimal(len(held))}
ROUNDED: dict[str, Function] = {
    "avg": mean,
    "stddev": pstdev,
    "sum": lambda held: sum(held, Decimal()),
    "median": median,
}
THEIRS = {"median": "quantile_over_time(0.5, {})"}
"""What Prometheus calls otherwise than `…_over_time`."""
ORDERING = ("<", "<=", ">", ">=")
ALL_SIGNS = (*ORDERING, "==", "!=")
CLEAR_OF = Decimal("1e-6")
CENT = Decimal("0.01")
LONGEST_GAP = 4
"""Misses in a row; four minutes at the longest interval."""


def cases(seed: int, count: int) -> Iterator[Case]:
    random = Random(seed)
    for number in range(count):
        yield _case(random, f"c{number}")


def _case(random: Random, name: str) -> Case:
    every = random.choice(INTERVALS)
    level = random.choice((0, 150, 10_000, 9_876_543))
    series = _with_misses(random, _series(random, level, random.randint(12, 30)))
    hold, keep = _timers(random, every, both=MISS not in series)
    ours, theirs = _condition(random, series, every)
    return Case(name, every, ours, theirs, hold, keep, " ".join(series))


def _series(random: Random, level: Cents, length: int) -> list[str]:
    values = random.choice((_walk, _plateaus, _spikes))(random, level, length)
    return [_text(value) for value in values]


def _walk(random: Random, level: Cents, length: int) -> list[Cents]:
    value, values = level, []
    for _ in range(length):
        value += random.randint(-40, 40)
        values.append(value)
    return values


def _plateaus(random: Random, level: Cents, length: int) -> list[Cents]:
    levels = [level, level + random.randint(1, 300), level - random.randint(1, 300)]
    values: list[Cents] = []
    while len(values) < length:
        values += [random.choice(levels)] * random.randint(1, 7)
    return values[:length]


def _spikes(random: Random, level: Cents, length: int) -> list[Cents]:
    return [
        level + (random.randint(-5_000, 5_000) if random.random() < 0.2 else 0)
        for _ in range(length)
    ]


def _with_misses(random: Random, series: list[str]) -> list[str]:
    """One series in three has gaps of up to `LONGEST_GAP` misses, also at its ends."""
    if random.random() < 2 / 3:
        return series
    gappy: list[str] = []
    while len(gappy) < len(series):
        gappy += [MISS] * random.choice((0, 0, 0, 1, 2, LONGEST_GAP))
        gappy += series[len(gappy) :][: random.randint(1, 6)]
    return gappy[: len(series)]


def _timers(random: Random, every: Millis, *, both: bool) -> tuple[Millis, Millis]:
    hold, keep = _timer(random, every), _timer(random, every)
    if both or 0 in (hold, keep):
        return hold, keep
    return random.choice(((hold, 0), (0, keep)))


def _timer(random: Random, every: Millis) -> Millis:
    """Often none, mostly a number of intervals, sometimes between two evaluations."""
    whole = random.choice((0, 0, 1, 1, 2, 3, 4, 6)) * every
    return whole + random.choice((0, 0, 0, every // 2))


def _condition(random: Random, series: list[str], every: Millis) -> tuple[str, str]:
    """The same condition in our words and in PromQL."""
    function = random.choice((None, *EXACT, *ROUNDED))
    if function is None:
        compared = _compared(random, "max", list(_windows(series, every, 0)))
        return f"available_margin {compared}", f"available_margin {compared}"
    window = random.randint(1, 10) * every + random.choice((0, 0, 0, every // 2))
    compared = _compared(random, function, list(_windows(series, every, window)))
    span = duration_text(window)
    theirs = THEIRS.get(function, f"{function}_over_time({{}})").format(f"available_margin[{span}]")
    if MISS in series:
        theirs = _repeated(theirs, every)
    return f"{function}(available_margin, {span}) {compared}", f"{theirs} {compared}"


def _repeated(promql: str, every: Millis) -> str:
    """The value of the expression at the last sample."""
    back, step = duration_text((LONGEST_GAP + 1) * every), duration_text(every)
    return f"last_over_time(({promql} and timestamp(available_margin) == time())[{back}:{step}])"


def _compared(random: Random, function: str, windows: list[list[Decimal]]) -> str:
    """A sign and a threshold that mean the same to floats and to decimals."""
    if function in EXACT:
        return (
            f"{random.choice(ALL_SIGNS)}"
            f" {_beside(random, [EXACT[function](window) for window in windows])}"
        )
    return (
        f"{random.choice(ORDERING)}"
        f" {_clear_of(random, [ROUNDED[function](window) for window in windows])}"
    )


def _windows(series: list[str], every: Millis, window: Millis) -> Iterator[list[Decimal]]:
    """The values of a window at each reading; both ends belong to it."""
    back = window // every
    for place, value in enumerate(series):
        if value != MISS:
            yield [
                Decimal(held) for held in series[max(0, place - back) : place + 1] if held != MISS
            ]


def _beside(random: Random, values: list[Decimal]) -> Decimal:
    """One of the values, or a cent beside it."""
    return random.choice(values) + random.choice((0, 0, CENT, -CENT))


def _clear_of(random: Random, values: list[Decimal]) -> Decimal:
    """A threshold among the values that rounding cannot take for one of them."""
    while True:
        away = Decimal(random.choice((-1, 1)) * 10 ** random.uniform(-4, 1))
        threshold = round(random.choice(values) + away, 5)
        if min(abs(threshold - value) for value in values) > CLEAR_OF:
            return threshold


def _text(value: Cents) -> str:
    return str(Decimal(value) / 100)
