"""Sum check: `available_margin = available_usdt + almighty_gold` (SEMANTICS B6). Pure.

The check never blocks a reading. After three failures in a row it is off, as the exchange then
means something else by the fields.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from daemon.readings.exact import added, known, subtracted
from daemon.types import JUDGED, Balances, Input, Reading, Unconfirmed

SLACK = Decimal("0.000001")
"""Tolerance in USDT: the exchange's own sums have tails such as 62.719644589999994."""

ENOUGH = 3
"""Failures in a row that turn the check off."""

SENTENCE = (
    "available_margin is not available_usdt + almighty_gold: the exchange means something else by"
    " these fields than its page says; rules judge each of them as it is sent"
)


@dataclass(frozen=True, slots=True)
class Expectation:
    failed: int = 0
    """Judged readings in a row whose sum did not match."""
    off: bool = False
    """True once the check is off."""


def check_sum(before: Expectation, event: Input) -> Expectation:
    """State after one more input. Inputs that are not judged, or lack a field, change nothing."""
    reading = event.reading if isinstance(event, Unconfirmed) else event
    judged = isinstance(event, Unconfirmed) or (
        isinstance(event, Reading) and event.quality in JUDGED
    )
    if before.off or not judged or not isinstance(reading, Reading):
        return before
    holds = _holds(reading.balances)
    if holds is None:
        return before
    failed = 0 if holds else before.failed + 1
    return Expectation(failed, failed >= ENOUGH)


def check_sums(events: Iterable[Input]) -> Expectation:
    """State after all inputs, in order."""
    found = Expectation()
    for event in events:
        found = check_sum(found, event)
    return found


def _holds(sent: Balances) -> bool | None:
    """True if the sum matches; None if one of the three fields is unknown."""
    whole, usdt, gold = (
        known(sent.available_margin),
        known(sent.available_usdt),
        known(sent.almighty_gold),
    )
    if whole is None or usdt is None or gold is None:
        return None
    parts = added(usdt, gold)
    off = None if parts is None else subtracted(whole, parts)
    return None if off is None else abs(off) <= SLACK
