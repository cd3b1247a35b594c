"""The rate limiter: decides when a call may leave, so that all calls stay within the limits.

A pure core (`CallWindow`, `free_in`), and `Budget`, in which tasks wait for a permit. There is one
budget per host (`Budgets`). It makes no calls and knows no exchange. The limits and their
defaults are `BudgetLimits` in `config.model`. Durations are measured on
`Clock.elapsed`, which never steps.
"""

import bisect
import itertools
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from daemon.clock import Clock
from daemon.types import MINUTE, SECOND, Limit, Millis

HALVED: Millis = 5 * MINUTE
"""Time for which the exchange halves its limits after a complaint, and so do we."""

ANNOUNCED: Millis = 10 * SECOND
"""How far ahead a call may be booked."""


@dataclass(frozen=True, slots=True)
class CallWindow:
    """Calls that count against a limit: those in flight, and the ends of others (ascending)."""

    in_flight: int = 0
    ended: tuple[Millis, ...] = ()

    def sent(self) -> "CallWindow":
        return replace(self, in_flight=self.in_flight + 1)

    def done(self, at: Millis) -> "CallWindow":
        """End a call; it still counts for another `per`, because it may have arrived only now."""
        return CallWindow(self.in_flight - 1, self.ended).booked(at)

    def booked(self, at: Millis) -> "CallWindow":
        """Count a call that ended at `at`, without having been in flight here."""
        return replace(self, ended=tuple(sorted((*self.ended, at))))

    def pruned(self, per: Millis, now: Millis) -> "CallWindow":
        kept = self.ended[bisect.bisect_left(self.ended, now - per) :]
        return self if len(kept) == len(self.ended) else replace(self, ended=kept)


def free_in(window: CallWindow, limit: Limit, now: Millis) -> Millis:
    """Time until the window may have room; 0 is now. Never too late, perhaps too early.

    Both ends of a window belong to it, so a call that ended at `t` counts up to and including t +
    per. A call in flight counts for at least another `per`.
    """
    held = window.pruned(limit.per, now)
    over = held.in_flight + len(held.ended) - limit.count
    if over < 0:
        return 0
    return (held.ended[over] if over < len(held.ended) else now) + limit.per + 1 - now


@dataclass(slots=True, eq=False)
class Permit:
    """One call's place in the queue and in the windows; set `user` when it becomes known."""

    order: tuple[bool, int]
    endpoint: str
    asked_as: str
    user: str
    taken: bool = False


class Budget:
    """The rate limiter of one host, for all accounts there. Not thread-safe."""

    def __init__(
        self,
        clock: Clock,
        host: Limit,
        user: Limit,
        endpoints: Mapping[str, Limit],
    ) -> None:
        self._clock = clock
        self._host = host
        self._user = user
        self._endpoints = dict(endpoints)
        self._windows: dict[tuple[str, ...], CallWindow] = {}
        self._halved_until: Millis | None = None
        self._waiting: list[Permit] = []
        self._flying: list[Permit] = []
        self._tickets = itertools.count()

    @asynccontextmanager
    async def call(
        self, endpoint: str, user: str, *, urgent: bool = False
    ) -> AsyncIterator[Permit]:
        """Wait for a permit, then hold it during the block and for the windows' length after it.

        First come, first served; urgent calls first. A call held back by its own user's limit does
        not delay others. `user` is "" while unknown: such calls share one user's limit.
        """
        place = Permit((not urgent, next(self._tickets)), endpoint, user, user)
        bisect.insort(self._waiting, place, key=lambda waiting: waiting.order)
        try:
            while not place.taken and (pause := self._admit(place)):
                await self._clock.sleep(pause)
            yield place
        finally:
            self._leave(place)

    def halve(self, during: Millis = HALVED) -> None:
        """Halve every limit for a while, after a complaint of the exchange."""
        self._halved_until = self._clock.elapsed() + during

    @property
    def in_flight(self) -> tuple[Permit, ...]:
        """Calls in flight. Calls that are cut off must be booked for the next instance."""
        return tuple(self._flying)

    def waits(self, user: str) -> bool:
        """Whether a call of this user waits for its permit."""
        return any(place.asked_as == user for place in self._waiting)

    @property
    def halved_for(self) -> Millis:
        """Remaining time of the halving; 0 if limits are not halved."""
        return (
            0 if self._halved_until is None else max(0, self._halved_until - self._clock.elapsed())
        )

    def book(self, at: Millis, endpoint: str, user: str) -> None:
        """Count a call that ended elsewhere at `at` (wall time): before a restart or in a command.

        A command announces calls of the next seconds, which count from now on. An instant farther
        ahead, which a clock change can leave, counts as now.
        """
        ahead = at - self._clock.now()
        ended = self._clock.elapsed() + (ahead if ahead <= ANNOUNCED else 0)
        for key in self._limits(endpoint, user):
            self._windows[key] = self._windows.get(key, CallWindow()).booked(ended)

    def _limits(self, endpoint: str, user: str) -> dict[tuple[str, ...], Limit]:
        limits: dict[tuple[str, ...], Limit] = {("host",): self._host, ("user", user): self._user}
        if endpoint in self._endpoints:
            limits["endpoint", endpoint, user] = self._endpoints[endpoint]
        return limits

    def _admit(self, place: Permit) -> Millis:
        """Grant permits in order to all that can have one.

        Returns 0 if this one got it, else how long to sleep. Only the end of a halving can grant it
        earlier. Reads the clock once; otherwise a permit freed between two reads could be lost.
        """
        now = self._clock.elapsed()
        for waiting in list(self._waiting):
            if not self._free_in(waiting, now):
                self._waiting.remove(waiting)
                waiting.taken = True
                self._flying.append(waiting)
                for key in self._limits(waiting.endpoint, waiting.user):
                    self._windows[key] = self._windows.get(key, CallWindow()).sent()
        return 0 if place.taken else self._free_in(place, now)

    def _free_in(self, place: Permit, now: Millis) -> Millis:
        halved_for = 0 if self._halved_until is None else max(0, self._halved_until - now)
        pause = max(
            free_in(
                self._windows.get(key, CallWindow()), limit.halved if halved_for else limit, now
            )
            for key, limit in self._limits(place.endpoint, place.user).items()
        )
        return min(pause, halved_for) if halved_for else pause

    def _leave(self, place: Permit) -> None:
        if not place.taken:
            self._waiting.remove(place)
            return
        self._flying.remove(place)
        now = self._clock.elapsed()
        asked = self._limits(place.endpoint, place.asked_as)
        for key, limit in asked.items():
            self._windows[key] = self._windows[key].done(now).pruned(limit.per, now)
        for key in self._limits(place.endpoint, place.user).keys() - asked.keys():
            self._windows[key] = self._windows.get(key, CallWindow()).booked(now)


class Budgets:
    """One `Budget` per host: a complaint of one exchange concerns no other.

    The host "" is unknown: calls booked there count at all hosts.
    """

    def __init__(self, hosts: Iterable[str], new: Callable[[], Budget]) -> None:
        self._by_host = {host: new() for host in hosts}

    def at(self, host: str) -> Budget:
        return self._by_host[host]

    def book(self, host: str, at: Millis, endpoint: str, user: str) -> None:
        """Book as `Budget.book` does; a host that is no longer called is ignored."""
        for each in self._meant(host):
            each.book(at, endpoint, user)

    def halve(self, host: str, during: Millis) -> None:
        for each in self._meant(host):
            each.halve(during)

    def _meant(self, host: str) -> Collection[Budget]:
        if not host:
            return self._by_host.values()
        return [self._by_host[host]] if host in self._by_host else []

    @property
    def in_flight(self) -> list[tuple[str, Permit]]:
        """Calls in flight, by host."""
        return [(host, place) for host, each in self._by_host.items() for place in each.in_flight]

    @property
    def halved_for(self) -> dict[str, Millis]:
        """Remaining time of halved limits by host; others are left out."""
        return {host: left for host, each in self._by_host.items() if (left := each.halved_for)}


def remaining_halving(
    limited: Mapping[str, Millis], hosts: Mapping[str, str], now: Millis
) -> dict[str, Millis]:
    """Remaining halving by host, from each account's last "too many calls".

    `hosts` are those of the watched accounts; "" stands for an account that is no longer watched.
    """
    found: dict[str, Millis] = {}
    for account, at in limited.items():
        host, left = hosts.get(account, ""), min(at + HALVED - now, HALVED)
        if left > found.get(host, 0):
            found[host] = left
    return found
