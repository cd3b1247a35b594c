"""System signals: how the exchange answers, for the system rules (SEMANTICS D7).

Derived state, like windows: a function of the current input and of the readings within the longest
limit of a system rule. The names are those of `readings.fields.SIGNS`.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from daemon.types import Millis, Miss, MissReason, Reading, Source, Unconfirmed

_REFUSED = frozenset({MissReason.AUTH, MissReason.PERMISSION, MissReason.WRONG_USER})
_LIMITED = frozenset({MissReason.RATE_LIMITED, MissReason.BLOCKED})
_NO, _YES = Decimal(0), Decimal(1)

LASTING = ("exchange_unchanged", "rule_unknown")
"""Signals that measure how long something has lasted."""

Shown = Mapping[str, Decimal | None]
"""Values by signal at one input. Durations are in milliseconds; None is unknown."""

_NOTHING: Shown = dict.fromkeys(
    ("exchange_unchanged", "clock_skew", "key_refused", "rate_limited", "answers_unusable"),
)


class SystemSignals:
    """System signals of one account.

    After a `pause` without readings, the time that a rule has been unknown starts again from 0.
    """

    def __init__(self, pause: Millis) -> None:
        self._pause = pause
        self._exchange_at: Millis | None = None
        self._changed_at: Millis = 0
        self._read_at: Millis = 0
        self._unknown: dict[str, Millis] = {}

    def read(self, event: Reading | Unconfirmed) -> Shown:
        """Signals at a judged reading. The skew is known only where the exchange's time has moved.

        A push was not requested and carries no time: it gives no signal about keys, limits or
        clocks.
        """
        reading = event.reading if isinstance(event, Unconfirmed) else event
        if reading.source is Source.WS:
            return _NOTHING
        moved = reading.exchange_at is not None and reading.exchange_at != self._exchange_at
        if moved or reading.exchange_at is None:
            self._exchange_at, self._changed_at = reading.exchange_at, event.at
        skew = None
        if moved and reading.exchange_at is not None:
            skew = abs(reading.at - reading.exchange_at)
        return {
            "exchange_unchanged": None
            if self._exchange_at is None
            else Decimal(event.at - self._changed_at),
            "clock_skew": None if skew is None else Decimal(skew),
            "key_refused": _NO,
            "rate_limited": _NO,
            "answers_unusable": _NO,
        }

    def miss(self, event: Miss) -> Shown:
        """Signals at a miss. Other kinds of misses give no signal about keys, limits or answers."""
        return {
            "key_refused": _YES if event.reason in _REFUSED else None,
            "rate_limited": _YES if event.reason in _LIMITED else None,
            "answers_unusable": _YES if event.reason is MissReason.BAD_ANSWER else None,
        }

    def unknown(self, at: Millis, rules: Sequence[str]) -> Decimal:
        """Longest time that a rule has been unknown, reading after reading.

        `rules` are the rules that are unknown at `at`. The time is counted "while readings arrive"
        (SEMANTICS C2) and starts again after a pause.
        """
        if at - self._read_at > self._pause:
            self._unknown = {}
        self._read_at = at
        if not rules:  # the usual case
            self._unknown = {}
            return _NO
        self._unknown = {rule: self._unknown.get(rule, at) for rule in rules}
        return Decimal(max((at - since for since in self._unknown.values()), default=0))

    def unknown_for(self, limit: Millis) -> list[str]:
        """Rules that have been unknown for at least `limit`."""
        return [rule for rule, since in self._unknown.items() if self._read_at - since >= limit]

    def shift(self, by: Millis) -> None:
        """Move every instant by a step of our clock."""
        self._changed_at += by
        self._read_at += by
        self._unknown = {rule: since + by for rule, since in self._unknown.items()}
