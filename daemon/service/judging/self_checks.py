"""Verdicts on the daemon's own rules, from the results of its probes (SEMANTICS D7). Pure.

A verdict is unknown where the probes cannot tell yet: that ends no alert and begins none.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from decimal import Decimal

from daemon.readings.push_check import Pushes
from daemon.rules.evaluation.evaluator import Verdict
from daemon.rules.language.tree import DurationLiteral, Number, walk
from daemon.rules.rule import Rule
from daemon.service.delivery.backoff import Health
from daemon.service.judging.account_owner import Progress
from daemon.text.numbers import format_duration, format_instant
from daemon.types import MINUTE, Millis

NAMED = 3
"""Accounts that one sentence names."""

UNKNOWN = Verdict(when=None, clear=None)


@dataclass(frozen=True, slots=True)
class Stall:
    """An account of which nothing is judged, although something arrived."""

    judged: int
    """Number of judged arrivals before."""
    since: Millis
    """When that was first seen, by `elapsed`."""
    lasted: Millis = 0
    """Time between checks while the database took writes, at most EVERY for each."""


def stalls(
    before: Mapping[str, Stall], progress: Mapping[str, Progress], elapsed: Millis, passed: Millis
) -> dict[str, Stall]:
    """Accounts that are stalled at this check; `passed` is the time since the last one."""
    found: dict[str, Stall] = {}
    for name, made in progress.items():
        known = before.get(name)
        if made.behind and known is not None and known.judged == made.judged:
            found[name] = replace(known, lasted=known.lasted + passed)
        elif made.behind:
            found[name] = Stall(made.judged, elapsed)
    return found


@dataclass(frozen=True, slots=True)
class ProbeResults:
    """Results of the probes at `now` (wall time) and `elapsed`."""

    now: Millis
    elapsed: Millis
    channels: Mapping[str, Health]
    waiting: frozenset[str]
    """Channels for which something waits."""
    disk: Decimal | None
    steps: Sequence[Millis]
    """Recent clock steps."""
    zone: tzinfo | None
    pushes: Mapping[str, Pushes] = field(default_factory=dict)
    refused: "WritesRefused | None" = None
    progress: Mapping[str, Progress] = field(default_factory=dict)
    stalls: Mapping[str, Stall] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WritesRefused:
    """The database refuses to write."""

    since: Millis
    """By `elapsed`: when that was first seen."""
    reason: str


def verdict(rule: Rule, results: ProbeResults) -> Verdict:
    """Verdict on one of the daemon's own rules."""
    return _JUDGES[rule.name](_limit(rule), results)


def _limit(rule: Rule) -> Decimal:
    """The limit of a rule: a duration in milliseconds, or a share, from its key in `[system]`."""
    return next(
        Decimal(node.millis) if isinstance(node, DurationLiteral) else node.value
        for node in walk(rule.when.tree)
        if isinstance(node, DurationLiteral | Number)
    )


def _verdict(holds: bool, detail: str) -> Verdict:
    return Verdict(when=holds, clear=not holds, detail=detail if holds else "")


def _account_not_judged(limit: Decimal, results: ProbeResults) -> Verdict:
    """Unknown while an account has judged nothing since a start: the trouble may not be over."""
    long = {name: each for name, each in results.stalls.items() if each.lasted >= limit}
    if not long:
        started = all(made.judged for made in results.progress.values())
        return _verdict(holds=False, detail="") if started else UNKNOWN
    first_seen = min(each.since for each in long.values())
    since = format_instant(results.now - (results.elapsed - first_seen), results.now, results.zone)
    named = ", ".join(list(long)[:NAMED])
    more = f" and {len(long) - NAMED} more" if len(long) > NAMED else ""
    remedy = "restart the service, and report this"
    return _verdict(
        holds=True, detail=f"readings of {named}{more} are not judged since {since}: {remedy}"
    )


def _channel_failing(limit: Decimal, results: ProbeResults) -> Verdict:
    """Unknown if only an earlier instance saw the failures, and nothing was tried since."""
    failing = {
        name: health.failing_since
        for name, health in _in_need(results)
        if health.failing_since is not None
    }
    long = [name for name, since in failing.items() if results.elapsed - since >= limit]
    if not long:
        return _verdict(holds=False, detail="")
    if all(results.channels[name].streak == 0 for name in long):
        return UNKNOWN
    worst = min(long, key=lambda name: failing[name])
    since = format_instant(
        results.now - (results.elapsed - failing[worst]), results.now, results.zone
    )
    answer = results.channels[worst].answer
    others = f"; so do {', '.join(name for name in long if name != worst)}" if len(long) > 1 else ""
    return _verdict(
        holds=True,
        detail=f"the channel {worst} fails since {since}{f': {answer}' if answer else ''}{others}",
    )


def _in_need(results: ProbeResults) -> Iterator[tuple[str, Health]]:
    """Channels that something waits for, or that refuse; the state of others is unknown."""
    return (
        (name, health)
        for name, health in results.channels.items()
        if health.refused or name in results.waiting
    )


def _clock_stepped(limit: Decimal, results: ProbeResults) -> Verdict:
    by = max(results.steps, key=abs, default=0)
    # Rounded, so that a minute less one millisecond is not shown as 59 s.
    size = abs(by) if abs(by) < MINUTE else round(abs(by), -3)
    detail = f"the clock of this machine was set by {'-' if by < 0 else '+'}{format_duration(size)}"
    return _verdict(by != 0 and abs(by) >= limit, detail)


def _disk_full(limit: Decimal, results: ProbeResults) -> Verdict:
    if results.disk is None:
        return UNKNOWN
    share = format((limit * 100).normalize(), "f")
    return _verdict(
        results.disk < limit, f"less than {share} % of the disk that holds the database is free"
    )


def _database_failing(limit: Decimal, results: ProbeResults) -> Verdict:
    if results.refused is None:
        return _verdict(holds=False, detail="")
    lasted = results.elapsed - results.refused.since
    since = format_instant(results.now - lasted, results.now, results.zone)
    return _verdict(
        lasted >= limit, f"nothing has been recorded since {since}: {results.refused.reason}"
    )


def _push_contradicted(_limit: Decimal, results: ProbeResults) -> Verdict:
    """Unknown if pushes arrive but few were compared since the start."""
    found = {
        name: ", ".join(pushes.contradicted)
        for name, pushes in results.pushes.items()
        if pushes.contradicted
    }
    if (
        not found
        and results.pushes
        and all(pushes.compared < pushes.limit for pushes in results.pushes.values())
    ):
        return UNKNOWN
    named = [f"{fields} of {name}" for name, fields in list(found.items())[:NAMED]]
    more = f" and of {len(found) - NAMED} more" if len(found) > NAMED else ""
    detail = (
        f"pushes contradict readings in {', '.join(named)}{more}, which readings alone tell until a"
        " restart"
    )
    return _verdict(bool(found), detail)


_JUDGES: Mapping[str, Callable[[Decimal, ProbeResults], Verdict]] = {
    "account-not-judged": _account_not_judged,
    "channel-failing": _channel_failing,
    "clock-stepped": _clock_stepped,
    "database-failing": _database_failing,
    "disk-full": _disk_full,
    "push-contradicted": _push_contradicted,
}
