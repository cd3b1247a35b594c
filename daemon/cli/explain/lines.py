"""The lines that `explain` prints. `alerts.hold_reasons` words why news was held back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from daemon.cli.channel_news import ChannelNews
from daemon.cli.explain.condition import tree
from daemon.cli.explain.not_judged import NotJudged
from daemon.cli.explain.question import ResolvedQuestion
from daemon.cli.output.lines import LabelledLine
from daemon.replay.explain import Explanation, RunningTimer
from daemon.store.read.recorded import PastEpoch
from daemon.store.write.epochs import RELOAD
from daemon.text.durations import duration_text
from daemon.text.numbers import format_duration, format_value
from daemon.types import Alert, ConfigChange, Input, Millis, Miss, Reading

AT_THE_LAST_INPUT = ", at the last input"
"""Marks durations that go on while nothing is judged, and are shown as of the last input."""


@dataclass(frozen=True, slots=True)
class NotWatched:
    """The answer where the rule no longer watched the account."""

    asked: ResolvedQuestion
    over: PastEpoch
    """The first epoch in which it did not."""

    def lines(self) -> Iterator[LabelledLine | str]:
        asked = self.asked
        yield asked.headline
        yield LabelledLine(
            "not watched", f"{asked.rule} watched {asked.account} until {self._end()}"
        )
        yield ""
        yield from asked.history()

    def _end(self) -> str:
        turned = "reloaded" if self.over.reason == RELOAD else "started"
        state = self.over.state.get(self.asked.account)
        less = (
            "with other rules"
            if state is not None and state.since is not None
            else "without that account"
        )
        return (
            f"{self.asked.format_time(self.over.started_at)}, when the daemon was {turned} {less}"
        )


@dataclass(frozen=True, slots=True)
class ExplainTable:
    """The answer where the rule watched the account."""

    asked: ResolvedQuestion
    found: Explanation
    todays_mutes: bool
    """Whether the mute windows are today's, because those of that time are not recorded."""
    channels: Sequence[ChannelNews] = ()
    """What each channel was told of the firing alert, or why nothing."""

    def lines(self) -> Iterator[LabelledLine | str]:
        gap = NotJudged(self.asked, self.found)
        then = AT_THE_LAST_INPUT if gap.stale else ""
        yield self.asked.headline
        yield from self._preface(gap)
        yield from self._last()
        yield ""
        if then:
            before = format_duration(self.asked.at - self.found.at)
            yield f"as it stood at the last input, {before} before:"
        yield from tree("when", self.found.when, then)
        if self.found.clear_when is not None:
            yield from tree("clear_when", self.found.clear_when, then)
        yield ""
        yield from self._state(then)
        yield from self._history()

    def _preface(self, gap: NotJudged) -> Iterator[LabelledLine]:
        if sentence := gap.sentence():
            yield LabelledLine("gap", sentence)

    def _last(self) -> Iterator[LabelledLine]:
        found = self.found
        yield LabelledLine("last input", f"{self._time(found.at)}  {_event(found.event)}")
        if found.judged_at is not None and found.judged_at != found.at:
            before = format_duration(found.at - found.judged_at)
            yield LabelledLine("last read", f"{self._time(found.judged_at)}, {before} before")

    def _state(self, then: str) -> Iterator[LabelledLine]:
        found = self.found
        yield LabelledLine("alert", self._alert(found.alert))
        if found.flapping is not None:
            yield LabelledLine(
                "flapping",
                f"since {self._time(found.flapping.fired_at or found.flapping.started_at)}",
            )
        for clock in found.running:
            yield LabelledLine("clock", _clock(clock) + then)
        if found.agreement is not None:
            holds, counted = found.agreement
            yield LabelledLine(
                "at_least",
                f"{holds} of the last {counted} readings hold; needed: {found.rule.at_least}",
            )
        yield from self._muted()
        for each in self.channels:
            yield LabelledLine("channel", f"{each.channel}: {each.text(self._time)}")

    def _muted(self) -> Iterator[LabelledLine]:
        for mute in self.found.muted:
            until = "" if mute.until is None else f", until {self._time(mute.until)}"
            yield LabelledLine("muted", f"{mute}{until}")
        if not self.found.muted:
            yield LabelledLine("muted", "no")
        if self.found.rule.mute and self.todays_mutes:
            yield LabelledLine(
                "", "by today's mute windows, for those of that time are not recorded"
            )

    def _alert(self, alert: Alert | None) -> str:
        if alert is None:
            return "none is open"
        since = self._time(alert.fired_at or alert.started_at)
        worst = "" if alert.worst is None else f", worst {format_value(alert.worst, alert.judged)}"
        return f"{self._called(alert)} since {since}{worst}"

    def _called(self, alert: Alert) -> str:
        return f"{alert.code} {alert.state}"

    def _history(self) -> Iterator[LabelledLine]:
        return self.asked.history()

    def _time(self, at: Millis) -> str:
        return self.asked.format_time(at)


@dataclass(frozen=True, slots=True)
class HypotheticalTable(ExplainTable):
    """The answer as if a daemon had been running with today's configuration."""

    def _preface(self, gap: NotJudged) -> Iterator[LabelledLine]:
        begun, nobody = (
            self._time(self.found.begun),
            f"no daemon watched {self.asked.account} then",
        )
        yield LabelledLine(
            "supposed",
            f"{nobody}: today's rules are played over the imported readings from {begun} on",
        )
        if gap.stale:
            span = format_duration(self.asked.at - self.found.at)
            yield LabelledLine("gap", f"nothing is recorded of the {span} before that")

    def _called(self, alert: Alert) -> str:
        """The state alone: an alert that never existed has no code."""
        return alert.state

    def _history(self) -> Iterator[LabelledLine]:
        for move in self.found.moves:
            yield LabelledLine("would be", self.asked.moved(move.transition, move.alert))
        yield LabelledLine("told", "nobody; backtest shows what would have been announced")


def _event(event: Input) -> str:
    match event:
        case Miss(reason=reason, detail=detail):
            return f"a miss ({reason}): {detail}"
        case Reading(quality=quality, source=source):
            return f"a reading ({source}, {quality})"
        case ConfigChange():
            return "a start or reload"
        case _:
            return (
                "a step of the clock"
                if not hasattr(event, "reading")
                else "a suspect reading, unconfirmed"
            )


def _clock(clock: RunningTimer) -> str:
    over = (
        "reached"
        if clock.lasted >= clock.needs
        else f"{format_duration(clock.needs - clock.lasted)} to go"
    )
    return (
        f"{clock.what} {duration_text(clock.needs)}: {format_duration(clock.lasted)} so far, {over}"
    )
