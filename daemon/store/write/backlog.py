"""Operations that wait while the store refuses writes: in order, and bounded.

Once it is full, readings and misses that changed nothing are dropped: each run of them becomes one
gap of their account (promise 1). Alerts, messages and counts are kept beyond the bound. Not
thread-safe.
"""

from collections import deque
from dataclasses import dataclass, replace
from itertools import islice

from daemon.store.operations import Operation, RecordWithClaims, StoreDownGap
from daemon.types import Miss, Reading, Record, Unconfirmed


@dataclass(slots=True)
class _Slot:
    operation: Operation
    sealed: bool = False
    """The operation is being written, so it must not grow."""


class Backlog:
    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._slots: deque[_Slot] = deque()
        self._growing: dict[str, _Slot] = {}

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, operation: Operation) -> None:
        """Keep an operation.

        Of a record with claims only the record waits: nobody knows yet when its messages can leave.
        """
        if isinstance(operation, RecordWithClaims):
            operation = operation.record
        if not isinstance(operation, Record):
            self._append(operation)
        elif len(self) < self._limit or not _droppable(operation):
            self._growing.pop(operation.account, None)  # what follows it must stay behind it
            self._append(operation)
        else:
            self._lose(operation)

    def head(self, count: int) -> list[Operation]:
        """The oldest operations, which stay until they are dropped."""
        slots = list(islice(self._slots, count))
        for slot in slots:
            slot.sealed = True
        return [slot.operation for slot in slots]

    def drop(self, count: int) -> None:
        """Remove the oldest operations, which are written."""
        for _ in range(count):
            self._slots.popleft()

    def _append(self, operation: Operation) -> _Slot:
        slot = _Slot(operation)
        self._slots.append(slot)
        return slot

    def _lose(self, record: Record) -> None:
        slot = self._growing.get(record.account)
        if slot is None or slot.sealed:
            self._growing[record.account] = self._append(_gap(record))
        elif isinstance(slot.operation, StoreDownGap):
            slot.operation = _grown(slot.operation, record)


def _droppable(record: Record) -> bool:
    tells = record.transitions or record.notices or record.superseded or record.gap
    return isinstance(record.event, Reading | Unconfirmed | Miss) and not tells


def _gap(record: Record) -> StoreDownGap:
    event = record.event
    return StoreDownGap(
        record.account, event.seq, event.at, event.at, 1, record.alerts, record.values
    )


def _grown(gap: StoreDownGap, record: Record) -> StoreDownGap:
    event = record.event
    alerts = {(alert.rule, alert.seq): alert for alert in (*gap.alerts, *record.alerts)}
    values = {each.key: each for each in (*gap.values, *record.values)}
    return replace(
        gap,
        seq=event.seq,
        ended_at=event.at,
        missed=gap.missed + 1,
        alerts=tuple(alerts.values()),
        values=tuple(values.values()),
    )
