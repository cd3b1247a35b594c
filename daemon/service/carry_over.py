"""State that an instance takes over from the one before, beside the states of its alerts.

A reload hands over what it knows. A start finds it in the record, so that a restart does not end
the pauses that the exchange asked for (SEMANTICS B2, B3).
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
    """Pauses by account. A pause for a refused key is dropped: the key may have changed."""
    halved_for: Mapping[str, Millis] = field(default_factory=dict)
    """By host: how much longer its budget is halved."""
    attempts: Mapping[str, Millis] = field(default_factory=dict)
    """By account: when its last attempt was judged. Empty after a start."""
    beat_at: Millis | None = None
    """When the next heartbeat is due; None without one. Both are instants of `Clock.elapsed`."""


def reload_carry_over(
    pauses: Mapping[str, Pause],
    halved_for: Mapping[str, Millis],
    attempts: Mapping[str, Millis],
    beat_at: Millis | None,
) -> CarryOver:
    """Build the state that an instance hands over to a reload."""
    return CarryOver(_kept(pauses), halved_for, attempts, beat_at)


def recorded_carry_over(
    store: Store, hosts: Mapping[str, str], now: Millis, offset: Millis
) -> CarryOver:
    """Read the state that the last instance left in the record.

    `offset` is the wall clock's lead over the time since boot, in which pauses are counted. `hosts`
    are those of the accounts that are watched now. A rate limit that one account met counts for all
    accounts at its host.

    Raises StoreError if it cannot be read.
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
