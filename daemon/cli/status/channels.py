"""Overview of the channels, for `status` and `notifications`.

    attempts, notifications, configuration ──► ChannelOverview of each ──► table, or json objects

It has the last delivery, the failures since then, and what waits and why.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from daemon.cli.output.tables import Row, Table, attempt_text
from daemon.cli.output.terminal import say
from daemon.cli.output.times import DisplayClock
from daemon.cli.record_access import BEGINNING, END, OpenRecord
from daemon.cli.status.waiting import (
    ChannelFacts,
    WaitCause,
    WaitReason,
    current_streak,
    parked_channels,
    refusing_channels,
    wait_reasons,
)
from daemon.config import Channel
from daemon.notifiers.services import pace
from daemon.service.delivery.rate import free_at
from daemon.store.read.channel_health import Deliveries, Streak
from daemon.store.read.recorded import PastNotice
from daemon.text.numbers import format_duration
from daemon.types import Millis

COLUMNS = ("channel", "last delivery", "failing", "waiting")


@dataclass(frozen=True, slots=True)
class UndeliveredNotification:
    """A notification that waits, with the reason."""

    notice: PastNotice
    reason: WaitReason


@dataclass(frozen=True, slots=True)
class ChannelOverview:
    """The state of a channel that is configured, or for which notifications still wait."""

    name: str
    configured: bool
    fared: Deliveries | None
    instead: tuple[str, ...]
    """The channels that replace it while it is parked."""
    waiting: tuple[UndeliveredNotification, ...]
    refuses: bool = False
    """Whether the running daemon was refused for good; if not all refuse, it is parked."""

    def due(self, now: Millis) -> list[UndeliveredNotification]:
        """The notifications that wait for the channel; no mute window holds them back."""
        begins = [(each, each.notice.notice.facts.not_before or now) for each in self.waiting]
        return [each for each, not_before in begins if not_before <= now]


def channel_overviews(record: OpenRecord, now: Millis, *, running: bool) -> list[ChannelOverview]:
    """The overview of each channel; `running` says whether a daemon delivers."""
    history = record.history
    waiting = defaultdict[str, list[PastNotice]](list)
    for each in history.notifications(BEGINNING, END, waiting=True):
        waiting[each.notice.key.channel].append(each)
    epoch = history.last_epoch() if running else None
    snapshot = _StatusInput(
        {each.name: each for each in record.config.channels},
        {each.channel: each for each in history.deliveries()},
        None if epoch is None else epoch.started_at,
        now,
    )
    names = dict.fromkeys([*snapshot.configured, *waiting])
    return [snapshot.standing(name, waiting.get(name, [])) for name in names]


@dataclass(frozen=True, slots=True)
class _StatusInput:
    configured: Mapping[str, Channel]
    fared: Mapping[str, Deliveries]
    alive_since: Millis | None
    now: Millis

    @property
    def refusing(self) -> frozenset[str]:
        if self.alive_since is None:
            return frozenset()
        return refusing_channels(self.fared.values(), self.alive_since)

    @property
    def parked(self) -> frozenset[str]:
        return parked_channels(list(self.configured), self.refusing)

    def standing(self, name: str, waiting: Sequence[PastNotice]) -> ChannelOverview:
        channel, fared = self.configured.get(name), self.fared.get(name)
        way = ChannelFacts(
            group_wait=None if channel is None else channel.group_wait,
            alive_since=self.alive_since,
            parked=name in self.parked,
            failing=None if self.alive_since is None else current_streak(fared, self.alive_since),
            free_at=None if channel is None or fared is None else self._free_at(channel, fared),
        )
        found = map(UndeliveredNotification, waiting, wait_reasons(waiting, way, self.now))
        instead = self._instead(channel) if channel is not None and way.parked else ()
        refuses = channel is not None and name in self.refusing
        return ChannelOverview(name, channel is not None, fared, instead, tuple(found), refuses)

    def _free_at(self, channel: Channel, fared: Deliveries) -> Millis | None:
        """The end of the service's rate limit, which counts from the start of the daemon."""
        sent = [at for at in fared.begun if at >= (self.alive_since or 0)]
        return free_at(sent, pace(channel.service))

    def _instead(self, channel: Channel) -> tuple[str, ...]:
        """The fallback of a parked channel; without one, or if that is parked too, all others."""
        told = [name for name in self.configured if name not in self.parked]
        return (channel.fallback,) if channel.fallback in told else tuple(told)


# For programs.


def channel_row(standing: ChannelOverview, now: DisplayClock) -> Row:
    fared, due = standing.fared, standing.due(now.now)
    streak = None if fared is None else fared.failing
    return {
        "channel": standing.name,
        "delivered_at": now.iso(None if fared is None else fared.delivered_at),
        "delivered_test": fared is not None and fared.tested,
        **_streak_row(streak, now),
        "parked": bool(standing.instead),
        "waiting": len(due),
        "waiting_since": now.iso(min((each.notice.notice.at for each in due), default=None)),
        "waits": [_wait(reason, alike, now) for reason, alike in _grouped(standing.waiting)],
    }


def _streak_row(streak: Streak | None, now: DisplayClock) -> Row:
    if streak is None:
        return {"failures": 0, "failing_since": None, "outcome": None, "detail": None}
    return {
        "failures": streak.count,
        "failing_since": now.iso(streak.since),
        "outcome": streak.outcome.value,
        "detail": streak.detail or None,
    }


def _wait(reason: WaitReason, alike: Sequence[PastNotice], now: DisplayClock) -> Row:
    return {
        "why": reason.why.value,
        "until": now.iso(reason.until),
        "notifications": len(alike),
        "since": now.iso(min(each.notice.at for each in alike)),
        "handed_to": list(alike[0].handed_to),
    }


def _grouped(
    waiting: Sequence[UndeliveredNotification],
) -> Iterator[tuple[WaitReason, list[PastNotice]]]:
    """Group by reason and by the channels it was handed to; the oldest group comes first."""
    groups = defaultdict[tuple[WaitReason, tuple[str, ...]], list[PastNotice]](list)
    for each in waiting:
        groups[each.reason, each.notice.handed_to].append(each.notice)
    yield from ((reason, alike) for (reason, _), alike in groups.items())


# For people.


def show(found: Sequence[ChannelOverview], now: DisplayClock) -> None:
    """Print a row per channel; below them the last answers, the reasons of waits, and remedies."""
    Table(COLUMNS, [_cells(each, now) for each in found]).write()
    for each in found:
        for sentence in _sentences(each, now):
            say(sentence)


def _cells(standing: ChannelOverview, now: DisplayClock) -> list[str]:
    streak = None if standing.fared is None else standing.fared.failing
    failing = "no" if streak is None else f"{streak.count} since {now.clock_time(streak.since)}"
    since = min((each.notice.notice.at for each in standing.waiting), default=None)
    waiting = (
        "nothing" if since is None else f"{len(standing.waiting)} since {now.clock_time(since)}"
    )
    parked = ", parked" if standing.instead else ""
    return [standing.name, _delivered(standing.fared, now), failing + parked, waiting]


def _delivered(fared: Deliveries | None, now: DisplayClock) -> str:
    if fared is None or fared.delivered_at is None:
        return "never"
    return now.ago(fared.delivered_at) + (" (a test)" if fared.tested else "")


def _sentences(standing: ChannelOverview, now: DisplayClock) -> Iterator[str]:
    name, fared = standing.name, standing.fared
    if fared is not None and fared.failing is not None:
        yield f"{name}: {attempt_text(fared.failing.outcome, fared.failing.detail)}"
    for reason, alike in _grouped(standing.waiting):
        yield (
            f"{name}: {len(alike)} wait{'s' if len(alike) == 1 else ''}:"
            f" {reason_text(reason, now)}{_handed(alike[0])}"
        )
    if standing.instead:
        yield (
            f"{name} is parked: it refused for good, and what is for it goes to"
            f" {' and '.join(standing.instead)}. Once it is mended, run marginwatch check --notify:"
            " a test that arrives un-parks it. After a change of rules.toml reload instead"
        )
    if _can_be_tried_sooner(standing):
        yield (
            f"{name} is tried again by itself. Once it is mended, run marginwatch check --notify:"
            " after a test that arrives it is tried at once"
        )
    if not standing.configured:
        yield (
            f"{name} is not in rules.toml: a start or reload hands what waits there to other"
            " channels"
        )


def _can_be_tried_sooner(standing: ChannelOverview) -> bool:
    """Whether it waits for a pause of our own; the service's own pause is kept (SEMANTICS F2)."""
    own = None if standing.fared is None else standing.fared.own
    is_asked_for = own is not None and own.retry_after is not None
    return not is_asked_for and any(
        each.reason.why is WaitCause.BACKING_OFF for each in standing.waiting
    )


def _handed(past: PastNotice) -> str:
    """The channels that were told instead."""
    return f"; handed over to {' and '.join(past.handed_to)}" if past.handed_to else ""


def reason_text(reason: WaitReason, now: DisplayClock) -> str:
    """The text of a reason."""
    until = "" if reason.until is None else now.clock_time(reason.until)
    match reason.why:
        case WaitCause.MUTED:
            return f"held by a mute window until {until}"
        case WaitCause.JOINING:
            wait = max(0, (reason.until or now.now) - now.now)
            return f"waits up to {format_duration(wait)} for others"
        case WaitCause.PACE:
            return f"the service takes no more messages until {until}"
        case WaitCause.BACKING_OFF:
            return f"backing off until {until} at the latest"
        case _:
            return _WORDS[reason.why]


_WORDS = {
    WaitCause.NO_DAEMON: "no daemon runs",
    WaitCause.NOT_CONFIGURED: "the channel is not in rules.toml",
    WaitCause.SENDING: "on its way",
    WaitCause.BEHIND: "behind a message that is on its way",
    WaitCause.PARKED: "the channel is parked, and others are about to be told",
    WaitCause.DUE: "due now",
}
