"""How things stand between us and the exchange, for `status`: the budget, the pauses, the clocks.

All of it is derived from the record, as the daemon itself derives it at a start: nobody has to ask the daemon.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo

from daemon.alerts.numbers import lasting
from daemon.cli import times
from daemon.cli.output import Row
from daemon.cli.record import Record
from daemon.exchanges.budget import HALVED
from daemon.exchanges.pauses import REFUSALS, Pause, recalled
from daemon.exchanges.skew import TOLERATED
from daemon.rules.durations import duration_text
from daemon.types import Limit, Millis


@dataclass(frozen=True, slots=True)
class Use:
    """How many calls within a span are recorded, of how many."""

    used: int
    of: Limit

    def __str__(self) -> str:
        return f"{self.used} of {self.of.count} calls in {duration_text(self.of.per)}"


@dataclass(frozen=True, slots=True)
class Traffic:
    host: Use
    user: Use
    """Of the user with the most calls."""
    assets: Use
    """Likewise."""
    halved_until: Millis | None
    pauses: Mapping[str, Pause]
    """By account, those that still run."""
    ahead: Mapping[str, Millis]
    """By account, by how much the exchange's clock is ahead of ours, where its answers tell."""


def look(record: Record, now: Millis) -> Traffic:
    """How it stands at `now`."""
    history, limits = record.history, record.config.budget
    treated = history.treatments(REFUSALS)
    limited_at = history.limited(now - HALVED)
    if limited_at is not None:
        limits = limits.halved
    calls = _calls(record, now - max(limits.host.per, limits.user.per, limits.assets.per), now)
    pauses = {name: recalled(each.refusals, now) for name, each in treated.items()}
    return Traffic(
        Use(sum(at >= now - limits.host.per for at, _ in calls), limits.host),
        _busiest(calls, limits.user, now),
        _busiest(calls, limits.assets, now),
        None if limited_at is None else min(limited_at + HALVED, now + HALVED),
        {name: pause for name, pause in pauses.items() if pause.length and pause.not_before > now},
        {name: each.ahead for name, each in treated.items() if each.ahead is not None},
    )


def _calls(record: Record, since: Millis, now: Millis) -> list[tuple[Millis, str]]:
    """When each call ended, and whose it was; those that are only announced are not made yet."""
    users = record.history.user_ids()
    own = [(each.at, users.get(each.account, "")) for each in record.history.calls(since)]
    booked = [(each.at, each.user) for each in record.history.bookings(since) if each.at <= now]
    return own + booked


def _busiest(calls: Iterable[tuple[Millis, str]], limit: Limit, now: Millis) -> Use:
    return Use(max(Counter(user for at, user in calls if at >= now - limit.per).values(), default=0), limit)


# For programs.


def budget_row(traffic: Traffic, zone: tzinfo | None) -> Row:
    uses = {"host": traffic.host, "user": traffic.user, "assets": traffic.assets}
    return {
        **{
            name: {"used": use.used, "allowed": use.of.count, "per": duration_text(use.of.per)}
            for name, use in uses.items()
        },
        "halved_until": _iso(traffic.halved_until, zone),
    }


def account_row(traffic: Traffic, account: str, zone: tzinfo | None) -> Row:
    pause = traffic.pauses.get(account)
    return {
        "paused_until": None if pause is None else _iso(pause.not_before, zone),
        "pause_reason": None if pause is None or pause.reason is None else pause.reason.value,
        "clock_ahead_ms": traffic.ahead.get(account),
    }


def _iso(at: Millis | None, zone: tzinfo | None) -> str | None:
    return None if at is None else times.iso(at, zone)


# For people.


def lines(traffic: Traffic, accounts: Iterable[str], zone: tzinfo | None) -> Iterator[str]:
    """What there is to say below the table of accounts."""
    for account in accounts:
        yield from _account_lines(traffic, account, zone)
    until = traffic.halved_until
    halved = "" if until is None else f"; halved until {times.shown(until, zone)}, for the exchange complained"
    yield f"budget: {traffic.host} by this machine; by its busiest user {traffic.user} and {traffic.assets}{halved}"


def _account_lines(traffic: Traffic, account: str, zone: tzinfo | None) -> Iterator[str]:
    pause = traffic.pauses.get(account)
    if pause is not None:
        often = "" if pause.streak == 1 else f", {pause.streak} times in a row"
        yield f"{account}: not asked before {times.shown(pause.not_before, zone)} ({pause.reason}{often})"
    ahead = traffic.ahead.get(account, 0)
    if abs(ahead) > TOLERATED:
        which = "behind" if ahead > 0 else "ahead of"
        yield f"{account}: this machine's clock is {lasting(abs(ahead))} {which} the exchange's: set it"
