"""What `marginwatch explain` prints: one screen that answers "why did it not wake me?"."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from difflib import get_close_matches

import click

from daemon.alerts.numbers import amount, lasting, spelled, valued
from daemon.cli import times
from daemon.cli.record import END, Record
from daemon.cli.replaying import RecordedAccount
from daemon.errors import MarginwatchError, StoreError, UsageError
from daemon.replay.explain import Explanation, Running, explain
from daemon.replay.verify import Epoch
from daemon.rules.durations import duration_text
from daemon.rules.insight import Insight
from daemon.rules.kinds import Kind
from daemon.store.past import PastNotice
from daemon.types import FLAPPING, Alert, ConfigChange, Input, Millis, Miss, Reading, base

MOST = 8
"""Transitions and notifications that are shown; those before are in `alerts` and `notifications`."""

LONGEST = 100
"""Characters of a part of the condition that are shown: its own parts follow below it."""


@dataclass(frozen=True, slots=True)
class Question:
    """As it was put on the command line."""

    rule: str
    account: str | None
    at: str


def show(past: Record, question: Question, now: Millis) -> None:
    """Print the answer.

    Raises:
        UsageError: for a rule, an account or a time that is not in the record.

    """
    at = times.instant(question.at, now, past.zone)
    account = _account(past, question.account)
    if at > now:
        raise UsageError(f"{times.shown(at, past.zone)} lies in the future: only what has been can be explained")
    source = RecordedAccount(past.history, account)
    epoch = _epoch(source, at, past.zone)
    _known(question.rule, epoch)
    mutes = past.config.mutes if epoch.mutes is None else epoch.mutes
    found = explain(source, epoch, question.rule, at, mutes)
    for line in _Screen(past, found, at, todays_mutes=epoch.mutes is None).lines():
        click.echo(line)


def _account(past: Record, name: str | None) -> str:
    names = past.history.accounts()
    if name in names:
        return str(name)
    if name is None and len(names) == 1:
        return names[0]
    if not names:
        raise MarginwatchError("nothing is recorded yet: let the daemon run first")
    trouble = "say which account: --account NAME" if name is None else f'no account "{name}" is recorded'
    raise UsageError(f"{trouble}; there are {', '.join(names)}")


def _epoch(source: RecordedAccount, at: Millis, zone: tzinfo | None) -> Epoch:
    """The last one that begins at or before the instant."""
    found, first = None, None
    for epoch in source.epochs():
        first = first or epoch
        if epoch.state.at <= at:
            found = epoch
    if found is not None and found.why:
        raise StoreError(found.why)
    if found is not None:
        return found
    if first is None:
        raise UsageError(f"no rules were ever in force for {source.account}: try backtest, which plays today's")
    raise UsageError(f"the record of {source.account} begins only at {times.shown(first.state.at, zone)}")


def _known(rule: str, epoch: Epoch) -> None:
    names = [each.name for each in epoch.scheme.watching(epoch.state.account).values()]
    if rule in names:
        return
    near = get_close_matches(rule, names, 1)
    hint = f'did you mean "{near[0]}"?' if near else f"there were {', '.join(names) or 'none'}"
    raise UsageError(f'no rule "{rule}" watched {epoch.state.account} then; {hint}')


@dataclass(frozen=True, slots=True)
class _Screen:
    past: Record
    found: Explanation
    asked: Millis
    todays_mutes: bool
    """The mute windows in force then are not recorded, so that these are today's."""

    def lines(self) -> Iterator[str]:
        found = self.found
        yield f"{found.rule.name} on {found.account} at {self._shown(self.asked)}"
        yield f"last input  {self._shown(found.at)}  {_event(found.event)}"
        if found.judged_at is not None and found.judged_at != found.at:
            yield f"last read   {self._shown(found.judged_at)}, {lasting(found.at - found.judged_at)} before"
        yield ""
        yield from _tree("when", found.when)
        if found.clear_when is not None:
            yield from _tree("clear_when", found.clear_when)
        yield ""
        yield from self._state()
        yield from self._history()

    def _state(self) -> Iterator[str]:
        found = self.found
        yield _line("alert", self._alert(found.alert))
        if found.flapping is not None:
            yield _line("flapping", f"since {self._shown(found.flapping.fired_at or found.flapping.started_at)}")
        for clock in found.running:
            yield _line("clock", _clock(clock))
        if found.agreement is not None:
            holds, counted = found.agreement
            yield _line("at_least", f"{holds} of the last {counted} readings hold; needed: {found.rule.at_least}")
        yield from self._muted()

    def _muted(self) -> Iterator[str]:
        for mute in self.found.muted:
            until = "" if mute.until is None else f", until {self._shown(mute.until)}"
            yield _line("muted", mute.by + until)
        if not self.found.muted:
            yield _line("muted", "no")
        if self.found.rule.mute and self.todays_mutes:
            yield _line("", "by today's mute windows, for those of that time are not recorded")

    def _alert(self, alert: Alert | None) -> str:
        if alert is None:
            return "none is open"
        since = self._shown(alert.fired_at or alert.started_at)
        worst = "" if alert.worst is None else f", worst {spelled(alert.worst, alert.judged)}"
        return f"{alert.code} {alert.state} since {since}{worst}"

    def _history(self) -> Iterator[str]:
        """What happened of late, and what was sent of it."""
        for move in self.found.moves[-MOST:]:
            each, value = move.transition, valued(move.transition, move.judged)
            at = f" at {value}" if value else ""
            yield _line("was", f"{self._shown(each.at)}  {each.from_state} → {each.to_state} ({each.reason}){at}")
        told = [notice for notice in self._notices() if notice.notice.at <= self.asked]
        for notice in told[-MOST:]:
            yield _line("told", self._notice(notice))
        if not told:
            yield _line("told", "nothing was sent of it")

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


def _line(word: str, text: str) -> str:
    return f"{word:<11} {text}"


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


def _tree(word: str, part: Insight) -> Iterator[str]:
    rows = list(_rows(part, 0))
    width = min(70, max(len(text) for text, _ in rows))
    for number, (text, value) in enumerate(rows):
        yield f"{word if number == 0 else '':<11} {text:<{width}}  {value}"


def _rows(part: Insight, depth: int) -> Iterator[tuple[str, str]]:
    text = part.text if len(part.text) <= LONGEST else f"{part.text[: LONGEST - 1]}…"
    yield "  " * depth + text, _value(part)
    for child in part.children:
        if not _is_constant(child):
            yield from _rows(child, depth + 1)


def _is_constant(part: Insight) -> bool:
    """A number or a duration as it stands in the text says nothing new."""
    return part.text.lstrip("-")[:1].isdigit() and all(map(_is_constant, part.children))


def _value(part: Insight) -> str:
    held = "" if part.held is None else f"  ({part.held.count} readings)"
    if part.value is None:
        return f"unknown{f': {part.why}' if part.why else ''}"
    if isinstance(part.value, bool):
        return "yes" if part.value else "no"
    return (_duration(part.value) if part.kind is Kind.DURATION else amount(part.value)) + held


def _duration(value: Decimal) -> str:
    return lasting(int(value)) if value.is_finite() else amount(value)
