"""What `explain` prints, line by line."""

from collections.abc import Iterator
from dataclasses import dataclass

from daemon.alerts.numbers import lasting, spelled, valued
from daemon.cli import times
from daemon.cli.insights import tree
from daemon.cli.record import Record
from daemon.cli.screen import Line
from daemon.replay.explain import Explanation, Running
from daemon.rules.durations import duration_text
from daemon.store.epochs import RELOAD
from daemon.store.operations import NoticeState
from daemon.store.past import PastEpoch, PastNotice
from daemon.types import FLAPPING, Alert, ConfigChange, Input, Judged, Millis, Miss, Reading, Transition

MOST = 8
"""Transitions and notifications that are shown: the last there are, however old."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for."""

    past: Record
    rule: str
    account: str
    at: Millis

    @property
    def headline(self) -> str:
        return f"{self.rule} on {self.account} at {self.shown(self.at)}"

    def shown(self, at: Millis) -> str:
        return times.shown(at, self.past.zone)

    def history(self) -> Iterator[Line]:
        """What became of it up to then, whatever was started and reloaded in between, and what was sent of it."""
        names, history = (self.rule, self.rule + FLAPPING), self.past.history
        for move in history.last_moves(self.account, names, self.at, MOST):
            yield Line("was", self.moved(move.transition, move.judged))
        told = history.last_notifications(self.account, names, self.at, MOST)
        for notice in told:
            yield Line("told", self._told(notice))
        if not told:
            yield Line("told", "nothing was sent of it")

    def moved(self, each: Transition, judged: Judged | None) -> str:
        value = valued(each, judged)
        at = f" at {value}" if value else ""
        return f"{self.shown(each.at)}  {each.from_state} → {each.to_state} ({each.reason}){at}"

    def _told(self, past: PastNotice) -> str:
        key = past.notice.key
        flapping = " (flapping)" if key.rule.endswith(FLAPPING) else ""
        return f"{self.shown(past.notice.at)}  {key.kind}{flapping} to {key.channel}: {past.state}{self._fared(past)}"

    def _fared(self, past: PastNotice) -> str:
        done = "" if past.done_at is None else f" {self.shown(past.done_at)}"
        delivered = past.state is NoticeState.DELIVERED
        if past.tried_at is None or (delivered and past.attempts == 1):
            return done
        attempts = f"{past.attempts} attempt{'' if past.attempts == 1 else 's'}"
        last = "" if done else f", the last {self.shown(past.tried_at)}"
        return f"{done}, {attempts}{last}{f': {past.detail}' if past.detail and not delivered else ''}"


@dataclass(frozen=True, slots=True)
class Gone:
    """What there is to say where the rule did not watch the account any more."""

    asked: Asked
    over: PastEpoch
    """The first in which it did not."""

    def lines(self) -> Iterator[Line | str]:
        asked = self.asked
        yield asked.headline
        yield Line("not watched", f"{asked.rule} watched {asked.account} until {self._end()}")
        yield ""
        yield from asked.history()

    def _end(self) -> str:
        turned = "reloaded" if self.over.reason == RELOAD else "started"
        state = self.over.state.get(self.asked.account)
        less = "with other rules" if state is not None and state.since is not None else "without that account"
        return f"{self.asked.shown(self.over.started_at)}, when the daemon was {turned} {less}"


@dataclass(frozen=True, slots=True)
class Sheet:
    """How the rule stood."""

    asked: Asked
    found: Explanation
    todays_mutes: bool
    """The mute windows in force then are not recorded, so that these are today's."""

    def lines(self) -> Iterator[Line | str]:
        found = self.found
        yield self.asked.headline
        yield Line("last input", f"{self._shown(found.at)}  {_event(found.event)}")
        if found.judged_at is not None and found.judged_at != found.at:
            yield Line("last read", f"{self._shown(found.judged_at)}, {lasting(found.at - found.judged_at)} before")
        yield ""
        yield from tree("when", found.when)
        if found.clear_when is not None:
            yield from tree("clear_when", found.clear_when)
        yield ""
        yield from self._state()
        yield from self.asked.history()

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

    def _shown(self, at: Millis) -> str:
        return self.asked.shown(at)


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
