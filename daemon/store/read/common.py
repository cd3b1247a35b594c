"""Reads that the daemon and the commands need alike."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from typing import TypeVar

from sqlalchemy import Connection

from daemon.store.operations import RecordCall
from daemon.store.read import channel_health, recovery, refusals
from daemon.store.read.channel_health import Deliveries
from daemon.store.read.recovery import RecordedCall
from daemon.store.read.refusals import RefusalHistory
from daemon.types import Millis, MissReason

T = TypeVar("T")


class CommonReads(ABC):
    @abstractmethod
    def _read(self, what: Callable[[Connection], T]) -> T:
        """The result of `what` in one transaction; raises StoreError when it cannot be read."""

    def deliveries(self) -> list[Deliveries]:
        """Recent results of delivery attempts, by channel."""
        return self._read(channel_health.deliveries)

    def user_ids(self) -> dict[str, str]:
        """The user id of every account ever recorded, by name; "" when unknown."""
        return self._read(recovery.user_ids)

    def calls(self, since: Millis) -> list[RecordedCall]:
        """Calls to the exchange that left a reading or a miss, oldest first."""
        return self._read(lambda connection: recovery.calls(connection, since))

    def external_calls(self, since: Millis) -> list[RecordCall]:
        """Calls to the exchange made by commands."""
        return self._read(lambda connection: recovery.external_calls(connection, since))

    def refusal_histories(self, reasons: Collection[MissReason]) -> dict[str, RefusalHistory]:
        """Recent refusals and answers of the exchange, by account."""
        return self._read(lambda connection: refusals.refusal_histories(connection, reasons))

    def last_rate_limited(self, since: Millis) -> dict[str, Millis]:
        """The last answer "too many calls", by account; accounts without one are left out."""
        return self._read(lambda connection: refusals.last_rate_limited(connection, since))
