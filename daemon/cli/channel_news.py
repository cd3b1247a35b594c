"""News of a firing alert by channel: when it was told, and why it is told nothing now.

The decision is the daemon's own (`alerts.channel_decisions`), on what is recorded and on today's
channels.
"""

from collections.abc import Callable
from dataclasses import dataclass

from daemon.alerts.channel_decisions import UNTOLD, FiringDecider
from daemon.alerts.hold_reasons import HOLDS, Hold, HoldReason
from daemon.cli.output.tables import Row
from daemon.cli.output.times import DisplayClock
from daemon.store.history import History
from daemon.types import Alert, Kind, Millis, State, base


@dataclass(frozen=True, slots=True)
class ChannelNews:
    """One channel and one firing alert."""

    channel: str
    decided: Kind | Hold
    told_at: Millis | None
    """The last message about the alert that arrived, or may have."""

    @property
    def hold(self) -> Hold | None:
        return None if isinstance(self.decided, Kind) else self.decided

    @property
    def is_held(self) -> bool:
        """Whether a mute, or the flapping alert, holds news back."""
        return self.hold is not None and self.hold.reason in HOLDS

    @property
    def is_to_escalate(self) -> bool:
        """Whether the channel is told only if nobody acknowledges the alert in time."""
        return self.hold is not None and self.hold.reason is HoldReason.NOT_ESCALATED

    def text(self, format_time: Callable[[Millis], str]) -> str:
        told = "not told" if self.told_at is None else f"told {format_time(self.told_at)}"
        if self.hold is None:
            return f"{told}: no message is queued yet"
        until = "" if self.hold.until is None else format_time(self.hold.until)
        if self.hold.reason is HoldReason.NOT_DUE:
            return f"{told}: no reminder before {until}"
        if self.is_to_escalate and until:
            return f"{told}: told at {until} if nobody acknowledges it before"
        reminder = "no reminder, " if self.is_held and self.told_at is not None else ""
        return f"{told}: {reminder}{self.hold}{f', until {until}' if until else ''}"


def channel_news(
    history: History, decider: FiringDecider, alert: Alert, at: Millis
) -> list[ChannelNews]:
    """The channels that hear of the alert; none unless it fires under a rule of the policy."""
    if alert.state is not State.FIRING or base(alert.rule) not in decider.policy.rules:
        return []
    told = history.channel_status(decider.state.account, alert.rule, alert.seq, at)
    return [
        ChannelNews(channel, decided, told.get(channel, UNTOLD).told_at)
        for channel, decided in decider.explained_decisions(alert, told).items()
    ]


def channel_row(news: ChannelNews, clock: DisplayClock) -> Row:
    """When a channel was told of an alert, and why it is told nothing now."""
    return {
        "channel": news.channel,
        "told_at": clock.iso(news.told_at),
        "why": None if news.hold is None else news.hold.reason.value,
        "until": clock.iso(None if news.hold is None else news.hold.until),
    }
