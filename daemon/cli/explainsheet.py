"""What `explain` prints, line by line."""

from collections.abc import Iterator
from dataclasses import dataclass

from daemon.alerts.numbers import lasting, spelled, valued
from daemon.cli import times
from daemon.cli.insights import tree
from daemon.cli.record import END, Record
from daemon.cli.screen import Line
from daemon.replay.explain import Explanation, Running
from daemon.rules.durations import duration_text
from daemon.store.past import PastNotice
from daemon.types import FLAPPING, Alert, ConfigChange, Input, Millis, Miss, Reading, base

MOST = 8
"""Transitions and notifications that are shown; those before are in `alerts` and `notifications`."""


@dataclass(frozen=True, slots=True)
class Sheet:
    past: Record
    found: Explanation
    asked: Millis
    todays_mutes: bool
    """The mute windows in force then are not recorded, so that these are today's."""

    def lines(self) -> Iterator[Line | str]:
        found = self.found
        yield f"{found.rule.name} on {found.account} at {self._shown(self.asked)}"
        yield Line("last input", f"{self._shown(found.at)}  {_event(found.event)}")
        if found.judged_at is not None and found.judged_at != found.at:
            yield Line("last read", f"{self._shown(found.judged_at)}, {lasting(found.at - found.judged_at)} before")
        yield ""
        yield from tree("when", found.when)
        if found.clear_when is not None:
            yield from tree("clear_when", found.clear_when)
        yield ""
        yield from self._state()
        yield from self._history()

    def _state(self) -> Iterator[Line]:
        found = self.found
        yield Line("alert", self._alert(found.alert))
        if found.flapping is not None:
            yield Line("flapping", f"since {self._shown(found.flapping.fired_at or found.flapping.started_at)}")
        for clock in found.running:
            yield Line("clock", _clock(clock))
        if found.agreement is not None:
            holds, counted = found.agreement
            yield Line("at_least", f"{holds} of the last {counted} readings hold; needed: {found.rule.at_least}")
        yield from self._muted()

    def _muted(self) -> Iterator[Line]:
        for mute in self.found.muted:
            until = "" if mute.until is None else f", until {self._shown(mute.until)}"
            yield Line("muted", mute.by + until)
        if not self.found.muted:
            yield Line("muted", "no")
        if self.found.rule.mute and self.todays_mutes:
            yield Line("", "by today's mute windows, for those of that time are not recorded")

    def _alert(self, alert: Alert | None) -> str:
        if alert is None:
            return "none is open"
        since = self._shown(alert.fired_at or alert.started_at)
        worst = "" if alert.worst is None else f", worst {spelled(alert.worst, alert.judged)}"
        return f"{alert.code} {alert.state} since {since}{worst}"

    def _history(self) -> Iterator[Line]:
        """What happened of late, and what was sent of it."""
        for move in self.found.moves[-MOST:]:
            each, value = move.transition, valued(move.transition, move.judged)
            at = f" at {value}" if value else ""
            yield Line("was", f"{self._shown(each.at)}  {each.from_state} → {each.to_state} ({each.reason}){at}")
        told = [notice for notice in self._notices() if notice.notice.at <= self.asked]
        for notice in told[-MOST:]:
            yield Line("told", self._notice(notice))
        if not told:
            yield Line("told", "nothing was sent of it")

    def _notices(self) -> Iterator[PastNotice]:
        """Of the rule's alerts since the beginning of what was replayed."""
        begun = min((each.transition.at for each in self.found.moves), default=self.found.at)
        if self.found.alert is not None:
            begun = min(begun, self.found.alert.started_at)
        for notice in self.past.history.notifications(begun, END):
            key = notice.notice.key
            if (key.account, base(key.rule)) == (self.found.account, self.found.rule.name):
                yield notice

    def _notice(self, past: PastNotice) -> str:
        key = past.notice.key
        done = "" if past.done_at is None else f" {self._shown(past.done_at)}"
        attempts = f", {past.attempts} attempts" if past.attempts > 1 else ""
        detail = f": {past.detail}" if past.detail and past.state.value != "delivered" else ""
        flapping = " (flapping)" if key.rule.endswith(FLAPPING) else ""
        queued = self._shown(past.notice.at)
        return f"{queued}  {key.kind}{flapping} to {key.channel}: {past.state}{done}{attempts}{detail}"

    def _shown(self, at: Millis) -> str:
        return times.shown(at, self.past.zone)


def _event(event: Input) -> str:
    match event:
        case Miss(reason=reason, detail=detail):
            return f"a miss ({reason}): {detail}"
        case Reading(quality=quality, source=source):
            return f"a reading ({source}, {quality})"
        case ConfigChange():
            return "a start or reload"
        case _:
            return "a step of the clock" if not hasattr(event, "reading") else "a suspect reading, unconfirmed"


def _clock(clock: Running) -> str:
    over = "reached" if clock.lasted >= clock.needs else f"{lasting(clock.needs - clock.lasted)} to go"
    return f"{clock.what} {duration_text(clock.needs)}: {lasting(clock.lasted)} so far, {over}"
