"""The allowance: how many calls may leave, and when, so that all of them stay inside the exchange's
limits.

A pure core (`CallWindow`, `free_in`), and `Budget`, the thin front that lets a task wait for its
place, one for each host (`Budgets`). It makes no calls and knows no exchange. Durations are
measured on `Clock.elapsed`, which never steps.
"""

import bisect
import itertools
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from daemon.clock import Clock
from daemon.types import MINUTE, SECOND, Limit, Millis

# CoinW's strictest reading is 60 per 10 s and user, 80 per address, 5 per 2 s for getUserAssets
# (its pages "Precautions" and "Get Futures Account Assets"); the defaults stay below the first two.
HOST = Limit(50, 10 * SECOND)
USER = Limit(50, 10 * SECOND)
ASSETS = Limit(5, 2 * SECOND)


HALVED: Millis = 5 * MINUTE
"""For so long the exchange halves its limits after a complaint, and so do we."""

ANNOUNCED: Millis = 10 * SECOND
"""How far ahead a call may be booked."""


@dataclass(frozen=True, slots=True)
class CallWindow:
    """The calls that hold a place: those in flight, and when the others ended (ascending)."""

    in_flight: int = 0
    ended: tuple[Millis, ...] = ()

    def sent(self) -> "CallWindow":
        return replace(self, in_flight=self.in_flight + 1)

    def done(self, at: Millis) -> "CallWindow":
        """The call is answered or given up; it holds its place for another `per`, as it may have
        arrived just now.
        """
        return CallWindow(self.in_flight - 1, self.ended).booked(at)

    def booked(self, at: Millis) -> "CallWindow":
        """A call that ended at `at` counts here, too, without having been in flight here."""
        return replace(self, ended=tuple(sorted((*self.ended, at))))

    def pruned(self, per: Millis, now: Millis) -> "CallWindow":
        kept = self.ended[bisect.bisect_left(self.ended, now - per) :]
        return self if len(kept) == len(self.ended) else replace(self, ended=kept)


def free_in(window: CallWindow, limit: Limit, now: Millis) -> Millis:
    """How long until the window may have a free place: 0 is now, else never too late and perhaps
    too early.

    Both ends of a window belong to it, so a call that ended at `t` holds its place up to and
    including t + per. A call in flight cannot free its place sooner than `per` after now.
    """
    held = window.pruned(limit.per, now)
    over = held.in_flight + len(held.ended) - limit.count
    if over < 0:
        return 0
    return (held.ended[over] if over < len(held.ended) else now) + limit.per + 1 - now


@dataclass(slots=True, eq=False)
class Permit:
    """One call's place in the queue and in the windows. Whoever learns whose call it was sets
    `user`.
    """

    order: tuple[bool, int]
    endpoint: str
    asked_as: str
    user: str
    taken: bool = False


class Budget:
    """One exchange's host: all accounts there wait here for their turn. Not for use by several
    threads.
    """

    def __init__(
        self,
        clock: Clock,
        host: Limit = HOST,
        user: Limit = USER,
        endpoints: Mapping[str, Limit] | None = None,
    ) -> None:
        self._clock = clock
        self._host = host
        self._user = user
        self._endpoints = {"assets": ASSETS} if endpoints is None else dict(endpoints)
        self._windows: dict[tuple[str, ...], CallWindow] = {}
        self._halved_until: Millis | None = None
        self._waiting: list[Permit] = []
        self._flying: list[Permit] = []
        self._tickets = itertools.count()

    @asynccontextmanager
    async def call(
        self, endpoint: str, user: str, *, urgent: bool = False
    ) -> AsyncIterator[Permit]:
        """Wait for a place, then hold it during the block and for the windows' length after it.

        In order of asking, urgent ones first; a call that its own user's limit holds back does not
        hold up others. `user` is "" while unknown: such calls share one user's allowance.
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
        """The exchange complained: halve every limit for that long."""
        self._halved_until = self._clock.elapsed() + during

    @property
    def in_flight(self) -> tuple[Permit, ...]:
        """The calls that were sent and have not ended: whoever cuts them off must book them for the
        next life.
        """
        return tuple(self._flying)

    def waits(self, user: str) -> bool:
        """Whether a call of this user waits for its place."""
        return any(place.asked_as == user for place in self._waiting)

    @property
    def halved_for(self) -> Millis:
        """How much longer; 0 when the limits are whole."""
        return (
            0 if self._halved_until is None else max(0, self._halved_until - self._clock.elapsed())
        )

    def book(self, at: Millis, endpoint: str, user: str) -> None:
        """Count a call that ended at `at` (wall time) elsewhere: before a restart, or in another
        command.

        One of the next seconds is announced by a command, and its place is kept from now on. One of
        a farther future, which a set clock can leave, counts as ended just now.
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
        """Give places to all that can have one, in order; 0 if this one got it, else how long to
        sleep.

        Nobody can be admitted before the end of that sleep, except by the end of a halving. The
        clock is read once: what became free between two looks at it would be nobody's place.
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
    """One `Budget` for each host that is called: what one exchange complains of is no other's
    business.

    A host that is named "" is not known: what is booked there counts at all of them.
    """

    def __init__(self, hosts: Iterable[str], new: Callable[[], Budget]) -> None:
        self._by_host = {host: new() for host in hosts}

    def at(self, host: str) -> Budget:
        return self._by_host[host]

    def book(self, host: str, at: Millis, endpoint: str, user: str) -> None:
        """As `Budget.book`; a host that is not called any more has no budget to spare."""
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
        """By host, the calls that were sent and have not ended."""
        return [(host, place) for host, each in self._by_host.items() for place in each.in_flight]

    @property
    def halved_for(self) -> dict[str, Millis]:
        """By host, how much longer its limits are halved; without those that are whole."""
        return {host: left for host, each in self._by_host.items() if (left := each.halved_for)}


def halved(
    limited: Mapping[str, Millis], hosts: Mapping[str, str], now: Millis
) -> dict[str, Millis]:
    """By host, how much longer it halves its limits, given when each account was last told "too
    many calls".

    `hosts` are those of the accounts that are watched; "" stands for an account that is watched no
    longer.
    """
    found: dict[str, Millis] = {}
    for account, at in limited.items():
        host, left = hosts.get(account, ""), min(at + HALVED - now, HALVED)
        if left > found.get(host, 0):
            found[host] = left
    return found
