"""Reasons why notifications wait, and parked channels: derived from the record alone. Pure.

The daemon keeps pauses of channels in memory. Here only what follows from the record is said, and
nothing is guessed: the end of a pause is the latest possible one, or none.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from daemon.service.delivery.backoff import Health, WaitingNotification, after_attempt, due_at
from daemon.store.operations import NoticeState
from daemon.store.read.channel_health import Deliveries, Streak
from daemon.store.read.recorded import PastNotice
from daemon.types import AttemptResult, Millis, Outcome, Severity


class WaitCause(StrEnum):
    """The kinds of reasons, in the order in which they are tested."""

    NO_DAEMON = "no_daemon"
    """No daemon runs."""
    NOT_CONFIGURED = "not_configured"
    """Its channel is not in rules.toml (any more)."""
    SENDING = "sending"
    """An attempt is under way."""
    MUTED = "muted"
    """A mute window holds it back."""
    BEHIND = "behind"
    """An attempt with other notifications is under way at its channel."""
    PARKED = "parked"
    """Its channel refused for good; it is about to go to other channels."""
    BACKING_OFF = "backing_off"
    """Its channel failed, and is tried again after a pause."""
    PACE = "pace"
    """The service takes no more messages for the moment."""
    JOINING = "joining"
    """It is joined with what fires within `group_wait`."""
    DUE = "due"
    """It is the next one."""


@dataclass(frozen=True, slots=True)
class WaitReason:
    why: WaitCause
    until: Millis | None = None
    """The end, as far as it is known; of a pause after a failure the latest end possible."""


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """The facts about one channel."""

    group_wait: Millis | None
    """None where the channel is not configured."""
    alive_since: Millis | None
    """The start of the running daemon; None where none runs."""
    parked: bool
    failing: Streak | None
    """The failures under the running daemon since the last delivered message or test."""
    free_at: Millis | None = None
    """The instant from which the service takes another message; None if it does now."""


def current_streak(fared: Deliveries | None, alive_since: Millis) -> Streak | None:
    """The streak of failures as the running daemon knows it.

    After a restart a failing channel is tried at once, unless its service had asked for a pause
    that was not over.
    """
    own = None if fared is None else fared.own
    return None if own is None or own.until + (own.retry_after or 0) < alive_since else own


def refusing_channels(fared: Iterable[Deliveries], alive_since: Millis) -> frozenset[str]:
    """The channels whose last attempt under the running daemon was refused for good."""
    streaks = {each.channel: current_streak(each, alive_since) for each in fared}
    return frozenset(
        name for name, streak in streaks.items() if streak and streak.outcome is Outcome.REFUSED
    )


def parked_channels(channels: Sequence[str], refused: Collection[str]) -> frozenset[str]:
    """The parked channels; none where all refuse, since then all are tried on (SEMANTICS F3)."""
    if set(channels) <= set(refused):
        return frozenset()
    return frozenset(channels) & frozenset(refused)


def wait_reasons(waiting: Sequence[PastNotice], way: ChannelFacts, now: Millis) -> list[WaitReason]:
    """The reason of each notification that waits for one channel."""
    if way.alive_since is None:
        return [WaitReason(WaitCause.NO_DAEMON)] * len(waiting)
    if way.group_wait is None:
        return [WaitReason(WaitCause.NOT_CONFIGURED)] * len(waiting)
    held = _held(waiting, now)
    free = [each for each in waiting if each.notice.episode not in held]
    common = _common(waiting, free, way, now)
    return [_reason(each, held.get(each.notice.episode), common, way) for each in waiting]


def _common(
    waiting: Sequence[PastNotice], free: Sequence[PastNotice], way: ChannelFacts, now: Millis
) -> WaitReason | None:
    """The reason that holds for the whole channel, if any.

    `free` are the waiting notifications that no mute window holds back.
    """
    if any(_under_way(each, way) for each in waiting):
        return WaitReason(WaitCause.BEHIND)
    if way.parked:
        return WaitReason(WaitCause.PARKED)
    due = _due_at(way, free)
    if due is not None and due > now and way.failing is not None:
        return WaitReason(WaitCause.BACKING_OFF, due)
    if way.free_at is not None and way.free_at > now:
        return WaitReason(WaitCause.PACE, way.free_at)
    return WaitReason(WaitCause.JOINING, due) if due is not None and due > now else None


def _due_at(way: ChannelFacts, free: Sequence[PastNotice]) -> Millis | None:
    """The next attempt as the channel's worker decides it, with the longest possible pause."""
    waiting = [
        WaitingNotification(each.notice.at, each.notice.facts.severity is Severity.CRITICAL)
        for each in free
    ]
    critical = any(each.critical for each in waiting)
    return due_at(_health(way.failing, critical=critical), waiting, way.group_wait or 0)


def _health(failing: Streak | None, *, critical: bool) -> Health:
    """The health after the last recorded attempt, with the most jitter."""
    if failing is None:
        return Health()
    before = Health(streak=failing.count - 1, tried_at=failing.until)
    attempted = AttemptResult(failing.outcome, retry_after=failing.retry_after)
    return after_attempt(before, attempted, failing.until, critical, jitter=1.0)


def _held(waiting: Sequence[PastNotice], now: Millis) -> Mapping[tuple[str, str, int], Millis]:
    """By alert: the end of the mute window that holds back its notifications."""
    ends = [(each.notice.episode, each.notice.facts.not_before or 0) for each in waiting]
    return {
        episode: max(end for one, end in ends if one == episode)
        for episode, end in ends
        if end > now
    }


def _reason(
    each: PastNotice, held: Millis | None, common: WaitReason | None, way: ChannelFacts
) -> WaitReason:
    if _under_way(each, way):
        return WaitReason(WaitCause.SENDING)
    if held is not None:
        return WaitReason(WaitCause.MUTED, held)
    return common or WaitReason(WaitCause.DUE)


def _under_way(each: PastNotice, way: ChannelFacts) -> bool:
    """Whether an attempt runs; one that an earlier daemon left without an outcome is repeated."""
    return each.state is NoticeState.SENDING and (each.tried_at or 0) >= (way.alive_since or 0)
