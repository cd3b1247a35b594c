"""What a life of the daemon takes over from the one before, beyond the states of its alerts.

A reload hands over what it knows; a start finds out from the record, so that an exchange that had
enough of us is not asked anew because the daemon was restarted (SEMANTICS B2, B3).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from daemon.exchanges.common.penalties import (
    REFUSALS,
    Pause,
    pause_after_misses,
    pause_after_reload,
)
from daemon.exchanges.common.rate_limit import HALVED, remaining_halving
from daemon.store import Store
from daemon.types import Millis


@dataclass(frozen=True, slots=True)
class CarryOver:
    pauses: Mapping[str, Pause] = field(default_factory=dict)
    """By account: where the exchange wants to be left alone. One for a refused key is not: it may
    be another now.
    """
    halved_for: Mapping[str, Millis] = field(default_factory=dict)
    """By host, how much longer its budget is halved."""
    attempts: Mapping[str, Millis] = field(default_factory=dict)
    """By account: when its last attempt was judged; of a reload alone."""
    beat_at: Millis | None = None
    """When the next heartbeat may be fetched; None where there is none. Both by `elapsed`."""


def left(
    pauses: Mapping[str, Pause],
    halved_for: Mapping[str, Millis],
    attempts: Mapping[str, Millis],
    beat_at: Millis | None,
) -> CarryOver:
    """By a life that ends for a reload."""
    return CarryOver(_kept(pauses), halved_for, attempts, beat_at)


def recorded(store: Store, hosts: Mapping[str, str], now: Millis, offset: Millis) -> CarryOver:
    """By a life that is over; `offset` is that of the wall clock, as pauses are of the time since
    boot.

    `hosts` are those of the accounts that are watched now. What others were told counts at all of
    them.

    Raises StoreError where it cannot be read.
    """
    treated = store.refusal_histories(REFUSALS)
    pauses = {
        name: pause_after_misses(each.refusals, now).moved(-offset)
        for name, each in treated.items()
    }
    return CarryOver(
        _kept(pauses), remaining_halving(store.last_rate_limited(now - HALVED), hosts, now)
    )


def _kept(pauses: Mapping[str, Pause]) -> dict[str, Pause]:
    return {name: pause_after_reload(pause) for name, pause in pauses.items()}
