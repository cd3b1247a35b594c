"""Slots of a frame for values that rules keep for ever, such as peaks.

They do not belong to the derived state: a rebuild continues from the recorded values, and readings
that only fill windows leave them as they are.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from daemon.rules.evaluation.compile import Frame, Value
from daemon.rules.functions import RecordedState
from daemon.types import RecordedValue


@dataclass(frozen=True, slots=True)
class RecordedSlot:
    """One value of one rule: its slot, the series that it follows, and its state."""

    slot: int
    series: Value
    state: RecordedState


class RecordedSlots:
    """The values that all rules of one account keep, by rule and expression."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._slots: dict[tuple[str, str], RecordedSlot] = {}
        self.values: tuple[RecordedValue, ...] = ()
        """The values, in the order of their keys; the same object until one of them changes."""

    def find(self, key: tuple[str, str]) -> int | None:
        return self._slots[key].slot if key in self._slots else None

    def add(self, key: tuple[str, str], entry: RecordedSlot) -> None:
        self._slots[key] = entry

    def begin(self, recorded: Iterable[RecordedValue]) -> None:
        """Continue from recorded values; those that no rule uses are left out."""
        for each in recorded:
            if each.key in self._slots:
                entry = self._slots[each.key]
                entry.state.held = self._frame[entry.slot] = each.value
        self.values = self._held()

    def take(self) -> None:
        """Take the values of a judged reading, which is in the frame."""
        changed = False
        for entry in self._slots.values():
            before = entry.state.held
            self._frame[entry.slot] = entry.state.read(entry.series(self._frame))
            changed = changed or entry.state.held is not before
        if changed:
            self.values = self._held()

    def _held(self) -> tuple[RecordedValue, ...]:
        held = ((key, self._slots[key].state.held) for key in sorted(self._slots))
        return tuple(RecordedValue(*key, value) for key, value in held if value is not None)
