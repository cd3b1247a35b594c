"""When a channel may be tried next (SEMANTICS F2). Pure: health and outcome in, health out.

Instants are those of `Clock.elapsed`, which no step of the wall clock moves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from daemon.store.read.channel_health import Deliveries
from daemon.types import HOUR, MINUTE, SECOND, AttemptResult, Millis, Outcome

BASE = SECOND
"""After n failures the next attempt is due within BASE * 2 ** n."""
CAP = 5 * MINUTE
CRITICAL_CAP = 30 * SECOND
PROBE_GAP = 5 * SECOND
"""Least time between probes that new critical alerts trigger."""
LONGEST_PAUSE = HOUR
CRITICAL_PAUSE = 15 * MINUTE
"""Longest pause while a critical alert waits.

A service that asks for more is tried all the same: its answer may be wrong.
"""


@dataclass(frozen=True, slots=True)
class WaitingNotification:
    """One notification that waits for a channel."""

    queued_at: Millis
    critical: bool


@dataclass(frozen=True, slots=True)
class Health:
    """How a channel has worked so far. A streak of 0 means that it works."""

    streak: int = 0
    failing_since: Millis | None = None
    tried_at: Millis | None = None
    """The beginning of the last attempt, so that alerts that came while it ran count as new."""
    retry_at: Millis = 0
    not_before: Millis = 0
    """The service's own request (`retry_after`); only `longest_pause` overrides it."""
    asked_at: Millis = 0
    """When the service requested it."""
    refused: bool = False
    """Parked: it refused for good. A start, a reload or a delivered test makes it tried again."""
    answer: str = ""
    """The answer to the last failed attempt."""


def recorded_failure(failing_since: Millis, answer: str) -> Health:
    """Health of a channel that failed in an earlier instance.

    It is tried at once; if it fails again, its failure began at `failing_since`.
    """
    return Health(failing_since=failing_since, answer=answer)


def recorded_health(fared: Deliveries, now: Millis, elapsed: Millis) -> Health:
    """Health by the record at `now` (wall time), which measures how long a streak has lasted.

    A pause that the service asked for goes on until it is over.
    """
    own = fared.own
    if own is None:
        return Health()
    since, ended = (elapsed - max(0, now - at) for at in (own.since, own.until))
    not_before = ended + (own.retry_after or 0)
    if not_before <= elapsed:
        return recorded_failure(since, own.detail)
    pause = replace(recorded_failure(since, own.detail), not_before=not_before, asked_at=ended)
    return replace(pause, streak=own.count, tried_at=ended, retry_at=ended)


def attempt_begun(health: Health, now: Millis) -> Health:
    """The health while an attempt is under way."""
    return replace(health, tried_at=now)


def after_attempt(
    health: Health, attempted: AttemptResult, now: Millis, critical: bool, jitter: float
) -> Health:
    """The health after an attempt that ended `now`.

    `critical`: whether a critical alert waits. `jitter`: 0 to 1.
    """
    if attempted.outcome is Outcome.DELIVERED:
        return Health(tried_at=health.tried_at)
    streak = health.streak + 1
    return Health(
        streak=streak,
        failing_since=now if health.failing_since is None else health.failing_since,
        tried_at=health.tried_at,
        retry_at=now + delay(streak, critical, jitter),
        not_before=now + (attempted.retry_after or 0),
        asked_at=now,
        refused=attempted.outcome is Outcome.REFUSED,
        answer=attempted.detail or attempted.outcome.value,
    )


def delay(streak: int, critical: bool, jitter: float) -> Millis:
    """Full jitter: between 0 and a bound that doubles with every failure, up to its cap."""
    cap = CRITICAL_CAP if critical else CAP
    return int(jitter * min(cap, BASE * 2 ** min(streak, 20)))


def due_at(
    health: Health, waiting: Sequence[WaitingNotification], group_wait: Millis
) -> Millis | None:
    """The instant of the next attempt; None if nothing waits. A critical does not wait (F5)."""
    if not waiting:
        return None
    critical = any(one.critical for one in waiting)
    return max(_earliest(health, waiting, group_wait), paused_until(health, critical=critical))


def paused_until(health: Health, *, critical: bool) -> Millis:
    """The end of the pause that the service asked for, as long as that is obeyed."""
    return min(health.not_before, health.asked_at + longest_pause(critical=critical))


def longest_pause(*, critical: bool) -> Millis:
    """Longest pause that a service is granted."""
    return CRITICAL_PAUSE if critical else LONGEST_PAUSE


def _earliest(health: Health, waiting: Sequence[WaitingNotification], group_wait: Millis) -> Millis:
    criticals = [one.queued_at for one in waiting if one.critical]
    if health.streak == 0 or health.tried_at is None:
        joined = min(one.queued_at for one in waiting) + group_wait
        return min([joined, *criticals])
    new = [at for at in criticals if at > health.tried_at]
    probes = [max(min(new), health.tried_at + PROBE_GAP)] if new else []
    patience = [health.tried_at + CRITICAL_CAP] if criticals else []
    return min([health.retry_at, *patience, *probes])
