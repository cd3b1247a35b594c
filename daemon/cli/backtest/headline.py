"""The first lines of `backtest`: what was replayed, by which rules, and what limits the result.

They describe one set of rules, or two that are compared; times are in the zone of the second.
"""

from collections.abc import Iterator, Sequence

from daemon.cli.backtest.span import ReplayedSpan, Run
from daemon.cli.output import times
from daemon.cli.output.progress import Bar
from daemon.cli.output.tables import counted
from daemon.text.numbers import format_duration
from daemon.types import Millis

SIDES = ("the configuration", "the file")
"""Names of the two sets of rules in a comparison."""

NO_MISSES = (
    "a CSV has no misses, so age, no-readings and on_missing cannot fire where imported readings"
    " have a gap"
)


def nothing_replayed(span: ReplayedSpan) -> str:
    """The sentence that says why there is nothing to replay."""
    if not span.past.history.accounts():
        return "nothing is recorded yet: let the daemon run first, or import readings"
    return "nothing is recorded in this span: choose another --since and --until"


def headline(runs: Sequence[Run], bar: Bar) -> Iterator[str]:
    """The lines, for a replay that judged at least one input."""
    span, began, ended = runs[-1].span, min(bar.begins.values()), max(bar.ends.values())
    first, last = (times.format_time(at, span.past.zone) for at in (began, ended))
    what = f"{counted(len(bar.begins), 'account')}, {_rules(runs)}, {counted(bar.judged, 'input')}"
    yield f"{first} to {last}, {format_duration(ended - began)}: {what}"
    yield from _windows(max(run.longest_window() for run in runs), span, bar, ended)
    if peaks := dict.fromkeys(peak for run in runs for peak in run.peaks()):
        yield f"begins with the first reading of this span: {', '.join(peaks)}"
    if bar.imported and any(run.minds_misses() for run in runs):
        yield NO_MISSES
    yield from _unmatched(runs, span)
    yield from _without_channels(runs)


def _unmatched(runs: Sequence[Run], span: ReplayedSpan) -> Iterator[str]:
    """Accounts that are not configured, and rules that watch none of the accounts."""
    configured = {account.name for run in runs for account in run.config.accounts}
    if strange := [name for name in span.names if name not in configured]:
        yield f"not in the configuration, and replayed all the same: {', '.join(strange)}"
    if unheard := dict.fromkeys(name for run in runs for name in run.unheard()):
        yield f"no account here is watched by: {', '.join(unheard)}"


def _rules(runs: Sequence[Run]) -> str:
    """The number of rules, or both numbers where two sets differ in it."""
    numbers = dict.fromkeys(len(run.config.rules) for run in runs)
    *first, last = numbers
    return "".join(f"{number:,} \N{RIGHTWARDS ARROW} " for number in first) + counted(last, "rule")


def _windows(longest: Millis, span: ReplayedSpan, bar: Bar, ended: Millis) -> Iterator[str]:
    """A warning where the record begins too late to fill the longest window before the span."""
    firsts = span.past.history.extent
    begun = [
        each.first_at
        for name in bar.begins
        if (each := firsts(name, span.since - longest, span.until))
    ]
    full = max(begun, default=0) + longest
    if not longest or full <= min(bar.begins.values()):
        return
    if full > ended:
        yield (
            f"the longest window, {format_duration(longest)}, is longer than this history: it was"
            " never full"
        )
    else:
        at = times.format_time(full, span.past.zone)
        yield (
            f"windows fill as the record begins: the longest, {format_duration(longest)}, is full"
            f" from {at} on"
        )


def _without_channels(runs: Sequence[Run]) -> Iterator[str]:
    lacking = [side for side, run in zip(SIDES, runs, strict=False) if not run.config.channels]
    if len(lacking) == len(runs):
        yield "there is no channel, so nobody would have been told anything"
    elif lacking:
        yield f"{lacking[0]} has no channel, so nobody would have been told anything by it"
