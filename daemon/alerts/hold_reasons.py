"""Reasons why a channel is sent nothing of a firing alert, for `dispatch` and for people. Pure.

`channel_decisions` decides; `Muter` finds the reasons that hold for all channels. The cheapest
reasons are checked first; one is enough to hold news back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from daemon.alerts.mutes import Mutes
from daemon.alerts.silences import find_acknowledgement, find_silence
from daemon.rules.rule import Rule
from daemon.types import FLAPPING, AccountState, Alert, Millis, Silence, State, base


class HoldReason(StrEnum):
    """Reason why a channel is sent nothing of a firing alert."""

    QUEUED = "queued"
    """News of the firing waits for the channel."""
    SENDING = "sending"
    """News of the firing is being sent."""
    REFUSED = "refused"
    """The channel refused for good; other channels are told instead (SEMANTICS F3)."""
    NEVER_REPEATS = "never_repeats"
    """The channel was told, and the rule has no `repeat`."""
    ACKNOWLEDGED = "acknowledged"
    """Holds back reminders and escalation only."""
    NOT_DUE = "not_due"
    """The channel was told, and no reminder is due yet."""
    NOT_ESCALATED = "not_escalated"
    """The channel is told only if nobody acknowledges the alert in time (SEMANTICS E6)."""
    INHIBITED = "inhibited"
    MUTE_WINDOW = "mute_window"
    SILENCED = "silenced"
    FLAPPING = "flapping"
    """The flapping alert of the rule is told, not its single episodes."""


MUTES = frozenset({HoldReason.INHIBITED, HoldReason.MUTE_WINDOW, HoldReason.SILENCED})
"""Reasons that hold back all news of a firing alert, and supersede queued news (SEMANTICS E2)."""

HOLDS = MUTES | {HoldReason.FLAPPING}
"""Reasons that hold back the news that an alert fires (SEMANTICS E2, E4)."""


@dataclass(frozen=True, slots=True)
class Hold:
    """One reason, with its source."""

    reason: HoldReason
    by: str = ""
    """Name of the inhibiting rule, names of the mute windows, or number of the silence."""
    comment: str = ""
    """Comment of the silence or the acknowledgement."""
    until: Millis | None = None
    """End of the reason, if known."""

    def __str__(self) -> str:
        said = f" ({self.comment})" if self.comment else ""
        match self.reason:
            case HoldReason.INHIBITED:
                return f"inhibited by {self.by}, which fires on the same account"
            case HoldReason.MUTE_WINDOW:
                return f"the mute window {self.by}"
            case HoldReason.SILENCED:
                return f"silence {self.by}{said}"
            case HoldReason.FLAPPING:
                return "it flaps, which is told as one thing"
            case HoldReason.ACKNOWLEDGED:
                return f"acknowledged{said}: no reminders"
            case _:
                return _WORDS[self.reason]


_WORDS = {
    HoldReason.QUEUED: "a message waits to be sent",
    HoldReason.SENDING: "a message is being sent",
    HoldReason.REFUSED: "the channel refused for good, and others are told instead",
    HoldReason.NEVER_REPEATS: "the rule sends no reminders",
    HoldReason.NOT_DUE: "no reminder is due yet",
    HoldReason.NOT_ESCALATED: "told only if nobody acknowledges it in time",
}


@dataclass(frozen=True, slots=True)
class Muter:
    """All that may hold back news of one account's alerts at an instant."""

    state: AccountState
    mutes: Mutes
    silences: Sequence[Silence]
    at: Millis

    def reasons(self, rule: Rule, alert: Alert | None) -> Iterator[Hold]:
        """Yield all reasons that hold back news of the rule's alert, or of its next one."""
        name, code = (rule.name, "") if alert is None else (alert.rule, alert.code)
        yield from self._inhibited(rule)
        until = self.mutes.until(rule.mute, self.at) if rule.mute else None
        if until is not None:
            yield Hold(HoldReason.MUTE_WINDOW, ", ".join(rule.mute), until=until)
        silence = (
            find_silence(self.silences, name, self.state.account, code, self.at)
            if self.silences
            else None
        )
        if silence is not None:
            yield Hold(HoldReason.SILENCED, str(silence.id), silence.comment, silence.ended_at)
        if name + FLAPPING in self.state.alerts:
            yield Hold(HoldReason.FLAPPING)
        ack = None if alert is None else self.acknowledged(alert)
        if ack is not None:
            yield ack

    def acknowledged(self, alert: Alert) -> Hold | None:
        """Acknowledgement of the alert, if there is one."""
        ack = find_acknowledgement(self.silences, alert.code, self.at)
        return None if ack is None else Hold(HoldReason.ACKNOWLEDGED, comment=ack.comment)

    def _inhibited(self, rule: Rule) -> Iterator[Hold]:
        """Yield the firing rules that mute this one.

        An alert about flapping does not count as firing, and no rule mutes itself.
        """
        if not rule.inhibited_by:
            return
        firing = [
            each
            for each in self.state.alerts.values()
            if each.state is State.FIRING and each.swings is None
        ]
        for other in firing:
            if other.rule != base(rule.name) and any(
                fnmatchcase(other.rule, name) for name in rule.inhibited_by
            ):
                yield Hold(HoldReason.INHIBITED, other.rule)
