"""State of the calls to the exchange, for `status`: the budget, the pauses, the clocks.

All of it is derived from the record, as the daemon derives it at a start, without asking the
daemon.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from daemon.cli.output import times
from daemon.cli.output.tables import Row
from daemon.cli.record_access import OpenRecord
from daemon.config import BudgetLimits, Config
from daemon.exchanges.common.clock_skew import TOLERATED
from daemon.exchanges.common.penalties import REFUSALS, Pause, pause_after_misses
from daemon.exchanges.common.rate_limit import HALVED, remaining_halving
from daemon.store import History
from daemon.store.operations import RecordCall
from daemon.text.durations import duration_text
from daemon.text.numbers import format_duration
from daemon.types import Limit, Millis

ENDPOINT = "assets"

TIGHT = 0.8
"""Share of a budget from which on people are told of it; json always has it."""


@dataclass(frozen=True, slots=True)
class Use:
    """The recorded calls within a span, and the number allowed."""

    used: int
    of: Limit

    @property
    def is_tight(self) -> bool:
        return self.used >= TIGHT * self.of.count

    def __str__(self) -> str:
        return f"{self.used} of {self.of.count} calls in {duration_text(self.of.per)}"


@dataclass(frozen=True, slots=True)
class HostUse:
    """The used part of one host's budget."""

    host: Use
    user: Use
    """All calls of the user with the most."""
    assets: Use
    """Calls for balances of the user with the most."""
    halved_until: Millis | None

    @property
    def is_tight(self) -> bool:
        uses = (self.host, self.user, self.assets)
        return self.halved_until is not None or any(each.is_tight for each in uses)


@dataclass(frozen=True, slots=True)
class Traffic:
    hosts: Mapping[str, HostUse]
    """The use by host, in the order of the accounts."""
    pauses: Mapping[str, Pause]
    """The running pauses by account."""
    ahead: Mapping[str, Millis]
    """By account, the lead of the exchange's clock over ours, where it is known."""


def traffic_at(record: OpenRecord, now: Millis) -> Traffic:
    """The state at `now`."""
    history, hosts = record.history, record.config.hosts
    treated = history.refusal_histories(REFUSALS)
    left = remaining_halving(history.last_rate_limited(now - HALVED), hosts, now)
    calls = _calls(record, now - record.config.budget.longest, now)
    pauses = {name: pause_after_misses(each.refusals, now) for name, each in treated.items()}
    return Traffic(
        {
            host: _use(
                [call for call in calls if call.host in {host, ""}],
                record.config.budget,
                max(left.get(host, 0), left.get("", 0)),
                now,
            )
            for host in dict.fromkeys(hosts.values())
        },
        {name: pause for name, pause in pauses.items() if pause.length and pause.not_before > now},
        {name: each.ahead for name, each in treated.items() if each.ahead is not None},
    )


def _use(
    calls: Sequence[RecordCall], limits: BudgetLimits, halved_for: Millis, now: Millis
) -> HostUse:
    limits = limits.halved if halved_for else limits
    return HostUse(
        Use(sum(call.at >= now - limits.host.per for call in calls), limits.host),
        _busiest(calls, limits.user, now),
        _busiest(calls, limits.assets, now),
        now + halved_for if halved_for else None,
    )


def _calls(record: OpenRecord, since: Millis, now: Millis) -> list[RecordCall]:
    """The calls that have ended, without those that are only announced."""
    booked = [each for each in record.history.external_calls(since) if each.at <= now]
    return own_calls(record.config, record.history, since) + booked


def own_calls(config: Config, history: History, since: Millis) -> list[RecordCall]:
    """The daemon's own calls, in the form of recorded external calls."""
    users, hosts = config.users(history.user_ids()), config.hosts
    return [
        RecordCall(each.at, ENDPOINT, users.get(each.account, ""), host=hosts.get(each.account, ""))
        for each in history.calls(since)
    ]


def _busiest(calls: Sequence[RecordCall], limit: Limit, now: Millis) -> Use:
    return Use(
        max(Counter(call.user for call in calls if call.at >= now - limit.per).values(), default=0),
        limit,
    )


# For programs.


def budget_rows(traffic: Traffic, zone: tzinfo | None) -> list[Row]:
    """A row for each host, with its address."""
    return [{"address": host, **_budget_row(use, zone)} for host, use in traffic.hosts.items()]


def _budget_row(used: HostUse, zone: tzinfo | None) -> Row:
    uses = {"host": used.host, "user": used.user, "assets": used.assets}
    return {
        **{
            name: {"used": use.used, "allowed": use.of.count, "per": duration_text(use.of.per)}
            for name, use in uses.items()
        },
        "halved_until": _iso(used.halved_until, zone),
    }


def account_row(traffic: Traffic, account: str, zone: tzinfo | None) -> Row:
    pause = traffic.pauses.get(account)
    return {
        "paused_until": None if pause is None else _iso(pause.not_before, zone),
        "pause_reason": None if pause is None or pause.reason is None else pause.reason.value,
        "clock_ahead_ms": traffic.ahead.get(account),
    }


def _iso(at: Millis | None, zone: tzinfo | None) -> str | None:
    return None if at is None else times.format_iso(at, zone)


# For people.


def lines(traffic: Traffic, accounts: Iterable[str], zone: tzinfo | None) -> Iterator[str]:
    """The lines below the table of accounts."""
    for account in accounts:
        yield from _account_lines(traffic, account, zone)
    # If one host is tight, the others are shown to compare.
    is_tight = any(use.is_tight for use in traffic.hosts.values())
    for host, use in traffic.hosts.items() if is_tight else ():
        until, at = use.halved_until, f" at {host}" if len(traffic.hosts) > 1 else ""
        halved = ""
        if until is not None:
            halved = f"; halved until {times.format_time(until, zone)}, for the exchange complained"
        yield (
            f"budget{at}: {use.host} by this machine; by its busiest user {use.user} and"
            f" {use.assets}{halved}"
        )


def _account_lines(traffic: Traffic, account: str, zone: tzinfo | None) -> Iterator[str]:
    pause = traffic.pauses.get(account)
    if pause is not None:
        often = "" if pause.streak == 1 else f", {pause.streak} times in a row"
        yield (
            f"{account}: not asked before {times.format_time(pause.not_before, zone)}"
            f" ({pause.reason}{often})"
        )
    ahead = traffic.ahead.get(account, 0)
    if abs(ahead) > TOLERATED:
        which = "behind" if ahead > 0 else "ahead of"
        yield (
            f"{account}: this machine's clock is {format_duration(abs(ahead))} {which} the"
            " exchange's: set it"
        )
