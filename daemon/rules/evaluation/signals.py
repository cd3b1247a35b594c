"""What system rules ask about, beside fields and windows (SEMANTICS D7): how the exchange answers
and what it says.

Derived, like windows: a function of the readings within the longest limit that a system rule names,
and of the input at hand. The names are those of `readings.fields.SIGNS`.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from daemon.types import Millis, Miss, MissReason, Reading, Source, Unconfirmed

_REFUSED = frozenset({MissReason.AUTH, MissReason.PERMISSION, MissReason.WRONG_USER})
_LIMITED = frozenset({MissReason.RATE_LIMITED, MissReason.BLOCKED})
_NO, _YES = Decimal(0), Decimal(1)

LASTING = ("exchange_unchanged", "rule_unknown")
"""Signs that say how long something has lasted."""

Shown = Mapping[str, Decimal | None]
"""By sign, its value at an input; durations in milliseconds, None is unknown."""

_NOTHING: Shown = dict.fromkeys(
    ("exchange_unchanged", "clock_skew", "key_refused", "rate_limited", "answers_unusable"),
)


class SystemSignals:
    """Of one account. After a `pause` without readings, being unknown reading after reading begins
    anew.
    """

    def __init__(self, pause: Millis) -> None:
        self._pause = pause
        self._exchange_at: Millis | None = None
        self._changed_at: Millis = 0
        self._read_at: Millis = 0
        self._unknown: dict[str, Millis] = {}

    def read(self, event: Reading | Unconfirmed) -> Shown:
        """What a judged reading shows. A skew is seen only where the exchange's own time has moved
        on.

        A push was not asked for and bears no time: it says nothing of keys, limits and clocks.
        """
        reading = event.reading if isinstance(event, Unconfirmed) else event
        if reading.source is Source.WS:
            return _NOTHING
        moved = reading.exchange_at is not None and reading.exchange_at != self._exchange_at
        if moved or reading.exchange_at is None:
            self._exchange_at, self._changed_at = reading.exchange_at, event.at
        skew = (
            abs(reading.at - reading.exchange_at)
            if moved and reading.exchange_at is not None
            else None
        )
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
        """What a miss shows; one of another kind says nothing about keys, limits and answers."""
        return {
            "key_refused": _YES if event.reason in _REFUSED else None,
            "rate_limited": _YES if event.reason in _LIMITED else None,
            "answers_unusable": _YES if event.reason is MissReason.BAD_ANSWER else None,
        }

    def unknown(self, at: Millis, rules: Sequence[str]) -> Decimal:
        """How long the longest of them has been unknown, reading after reading; `rules` are those
        that are at `at`.

        "While readings arrive" (SEMANTICS C2): after a pause it counts anew.
        """
        if at - self._read_at > self._pause:
            self._unknown = {}
        self._read_at = at
        if not rules:  # what nearly every reading comes to
            self._unknown = {}
            return _NO
        self._unknown = {rule: self._unknown.get(rule, at) for rule in rules}
        return Decimal(max((at - since for since in self._unknown.values()), default=0))

    def unknown_for(self, limit: Millis) -> list[str]:
        """The rules that have been unknown for at least that long."""
        return [rule for rule, since in self._unknown.items() if self._read_at - since >= limit]

    def shift(self, by: Millis) -> None:
        """A step of our clock."""
        self._changed_at += by
        self._read_at += by
        self._unknown = {rule: since + by for rule, since in self._unknown.items()}
