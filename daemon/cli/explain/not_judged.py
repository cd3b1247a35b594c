"""The reasons, from the record, why nothing was judged for a while before an instant."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from daemon.cli.explain.question import ResolvedQuestion
from daemon.cli.record_access import END
from daemon.config.effective_intervals import settled_intervals
from daemon.errors import StoreError
from daemon.exchanges.common.penalties import LONGEST, REFUSALS
from daemon.replay.explain import Attempt, Explanation
from daemon.store.database.running_daemon import running_daemon
from daemon.store.read.recorded import PastEpoch, PastGap
from daemon.store.write.epochs import CRASH
from daemon.text.numbers import format_duration
from daemon.types import ClockStep, GapReason, Millis, Miss, Reading, Unconfirmed

INTERVALS = 3
"""Intervals without an attempt that are still normal, as for the heartbeat (SEMANTICS F9)."""

NEAR = 50
"""Counters before a start that are searched for the last attempt: starts have counters too."""

MOST = 3
"""The most reasons that are shown: the last ones."""

Reason: TypeAlias = tuple[Millis, str]
"""The instant from which it holds, and its text."""

_GAPS = {
    GapReason.STORE_DOWN: (
        "the database refused to write, so that what was judged {span} is lost ({missed} inputs)"
    ),
    GapReason.SUSPENDED: "the machine was suspended {span}",
}
"""Texts of the gaps that neither an epoch nor a miss explains."""


@dataclass(frozen=True)
class NotJudged:
    """The time before the instant in question; `found` is the state at the last input."""

    asked: ResolvedQuestion
    found: Explanation

    @cached_property
    def patience(self) -> Millis:
        config, history = self.asked.past.config, self.asked.past.history
        every = settled_intervals(config.accounts, config.budget, history.user_ids()).get(
            self.asked.account, config.daemon.every
        )
        return INTERVALS * every + config.daemon.timeout

    @property
    def stale(self) -> bool:
        """Whether the last input is too old to say what held at the instant."""
        return self.asked.at - self.found.at > self.patience

    def sentence(self) -> str:
        """The explanation of the silence; empty if there was none."""
        lasted = self.asked.at - self._since
        if lasted <= self.patience:
            return ""
        gaps = [
            gap
            for gap in self.asked.past.history.gaps(self._since, self.asked.at)
            if gap.account == self.asked.account and gap.reason in _GAPS
        ]
        found = [*map(self._gap, gaps), *self._downs(), *self._removals(), *self._leaps()]
        why = sorted(found)[-MOST:] or list(self._pause())
        lost = any(gap.reason is GapReason.STORE_DOWN for gap in gaps)
        what = (
            f"is recorded of the {format_duration(lasted)}"
            if lost
            else f"was judged for {format_duration(lasted)}"
        )
        told = ": " + "; ".join(text for _, text in why) if why else ", as far as the record knows"
        return f"nothing {what} before that{told}"

    @cached_property
    def _attempt(self) -> Attempt | None:
        """The last attempt before the instant, in this epoch or the one before."""
        if self.found.attempt is not None:
            return self.found.attempt
        seq, last = self.found.event.seq, None
        for event in self.asked.past.history.inputs(self.asked.account, seq - NEAR, seq - 1):
            if isinstance(event, Reading | Unconfirmed | Miss):
                last = event
        return last

    @cached_property
    def _since(self) -> Millis:
        if self.found.attempted_at is not None:
            return self.found.attempted_at
        if self._attempt is not None:
            return self._attempt.at
        return self.found.at if self.found.judged_at is None else self.found.judged_at

    def _gap(self, gap: PastGap) -> Reason:
        begin, end = map(self.asked.format_time, (gap.started_at, gap.ended_at))
        span = f"from {begin} to {end}"
        return gap.started_at, _GAPS[gap.reason].format(span=span, missed=gap.missed)

    @cached_property
    def _epochs(self) -> list[PastEpoch]:
        """The epochs from that of the last attempt to the first one after the instant."""
        seq = self.found.event.seq if self._attempt is None else self._attempt.seq
        found: list[PastEpoch] = []
        for epoch in self.asked.past.history.epochs(0, END):
            state = epoch.state.get(self.asked.account)
            if state is not None and state.seq <= seq:
                found = [epoch]
            elif found:
                found.append(epoch)
                if epoch.started_at > self.asked.at:
                    break
        return found

    def _downs(self) -> Iterator[Reason]:
        """The times in which no daemon ran."""
        for epoch, following in zip(self._epochs, [*self._epochs[1:], None], strict=False):
            ended_at = epoch.ended_at if epoch.ended_at is not None else self._broke_off(epoch)
            if ended_at is None or ended_at > self.asked.at:
                continue
            # A reload begins where the epoch before it ends, so no time lies between.
            if following is None or following.started_at > ended_at:
                yield ended_at, self._down(epoch, ended_at, following)

    def _down(self, epoch: PastEpoch, ended_at: Millis, following: PastEpoch | None) -> str:
        end = self.asked.format_time(ended_at)
        begin = None if following is None else self.asked.format_time(following.started_at)
        if epoch.end_reason is None or epoch.end_reason == CRASH:
            again = "none has run since" if begin is None else f"it was started again at {begin}"
            return f"the daemon was killed, or the machine went down, after {end}, and {again}"
        if begin is None:
            return f"the daemon was stopped at {end}, and none has run since"
        return f"the daemon was stopped from {end} to {begin}"

    def _broke_off(self, epoch: PastEpoch) -> Millis | None:
        """The last instant of an epoch without a recorded end.

        None while its daemon runs, or where that cannot be known.
        """
        past = self.asked.past
        try:
            running = running_daemon(past.config.daemon.database.reveal()) is not None
        except StoreError:
            return None
        if running:
            return None
        extents = (past.history.extent(name, epoch.started_at, END) for name in epoch.state)
        return max(
            [epoch.started_at, *(extent.last_at for extent in extents if extent is not None)]
        )

    def _removals(self) -> Iterator[Reason]:
        """The times from which the account was not configured."""
        for epoch in self._epochs:
            state = epoch.state.get(self.asked.account)
            if epoch.started_at <= self.asked.at and (state is None or state.since is None):
                since = self.asked.format_time(epoch.started_at)
                why = f"{self.asked.account} was not configured from {since} on"
                yield epoch.started_at, why

    def _leaps(self) -> Iterator[Reason]:
        """A forward step of the clock over the instant: no input can lie there."""
        event = next(self.asked.past.history.inputs(self.asked.account, self.found.event.seq), None)
        if isinstance(event, ClockStep) and event.at - event.by <= self.asked.at:
            until = self.asked.format_time(event.at)
            why = f"the clock was set forward by {format_duration(event.by)}, to {until}"
            yield event.at - event.by, why

    def _pause(self) -> Iterator[Reason]:
        attempt = self._attempt
        if not isinstance(attempt, Miss) or attempt.reason not in REFUSALS:
            return
        if self.asked.at - self._since <= LONGEST + self.patience:
            pause = (
                f"after a refusal ({attempt.reason}) the exchange is left alone for up to"
                f" {format_duration(LONGEST)}"
            )
            yield attempt.at, pause
