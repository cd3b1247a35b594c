"""A question about a rule, an account and an instant, with the recorded history up to then."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from daemon.cli.output import times
from daemon.cli.output.lines import LabelledLine
from daemon.cli.record_access import OpenRecord
from daemon.store.operations import NoticeState
from daemon.store.read.recorded import PastMove, PastNotice
from daemon.text.numbers import format_transition_value
from daemon.types import FLAPPING, Alert, Millis, Transition

MOST = 8
"""The most transitions and notifications that are shown: the last ones, however old."""


@dataclass(frozen=True, slots=True)
class ResolvedQuestion:
    """A question whose account and instant are found."""

    past: OpenRecord
    rule: str
    account: str
    at: Millis

    @property
    def headline(self) -> str:
        return f"{self.rule} on {self.account} at {self.format_time(self.at)}"

    def format_time(self, at: Millis) -> str:
        return times.format_time(at, self.past.zone)

    def history(self) -> Iterator[LabelledLine]:
        """The last transitions and notifications up to the instant, across starts and reloads."""
        for move in self.moves():
            yield LabelledLine("was", self.moved(move.transition, move.alert))
        told = self.notifications()
        for notice in told:
            yield LabelledLine("told", self._told(notice))
        if not told:
            yield LabelledLine("told", "nothing was sent of it")

    def moves(self) -> Sequence[PastMove]:
        return self.past.history.last_moves(self.account, self._names, self.at, MOST)

    def notifications(self) -> Sequence[PastNotice]:
        return self.past.history.last_notifications(self.account, self._names, self.at, MOST)

    @property
    def _names(self) -> tuple[str, str]:
        return self.rule, self.rule + FLAPPING

    def moved(self, each: Transition, alert: Alert | None) -> str:
        value = format_transition_value(each, alert)
        at = f" at {value}" if value else ""
        return (
            f"{self.format_time(each.at)}  {each.from_state} → {each.to_state} ({each.reason}){at}"
        )

    def _told(self, past: PastNotice) -> str:
        key = past.notice.key
        flapping = " (flapping)" if key.rule.endswith(FLAPPING) else ""
        return (
            f"{self.format_time(past.notice.at)}  {key.kind}{flapping} to {key.channel}:"
            f" {past.state}{self._fared(past)}"
        )

    def _fared(self, past: PastNotice) -> str:
        done = "" if past.done_at is None else f" {self.format_time(past.done_at)}"
        delivered = past.state is NoticeState.DELIVERED
        if past.tried_at is None or (delivered and past.attempts == 1):
            return done
        attempts = f"{past.attempts} attempt{'' if past.attempts == 1 else 's'}"
        last = "" if done else f", the last {self.format_time(past.tried_at)}"
        return (
            f"{done}, {attempts}{last}{f': {past.detail}' if past.detail and not delivered else ''}"
        )
