"""One set of rules over the accounts of the record: what `backtest` plays, and what there is to say
about the span.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property

from daemon.cli import replay_source
from daemon.cli.output.progress import Bar
from daemon.cli.record_access import OpenRecord as Recorded
from daemon.config import Config
from daemon.readings.fields import AGE
from daemon.replay.backtest import (
    Joiner,
    ReplayedMessage,
    add_messages,
    merge_records,
    replay_account,
)
from daemon.replay.session import ReplaySession, RuleSet, judged_amounts, used_fields
from daemon.replay.statistics import RuleSummary, Summary
from daemon.rules.language.tree import look_back, uses
from daemon.rules.rule import Rule
from daemon.store.read.time_index import Extent
from daemon.types import AccountState, Input, Millis, OnMissing, Record


@dataclass(frozen=True)
class ReplayedSpan:
    """The part of the record that is played."""

    past: Recorded
    names: Sequence[str]
    """Of the accounts."""
    since: Millis
    until: Millis
    """Not part of it."""

    def inputs(self, name: str, fields: Collection[str], look_back: Millis) -> Iterator[Input]:
        """Of one account, with what fills the windows before."""
        return self.past.history.replayed(name, self.since, self.until, fields, look_back)

    def first(self, name: str) -> int:
        """The counter of the first input that is judged; those before it fill windows."""
        return self.past.history.first(name, self.since)

    @cached_property
    def extents(self) -> Mapping[str, Extent]:
        """How much there is of each account; those of which there is nothing are left out."""
        found = (
            (name, self.past.history.extent(name, self.since, self.until)) for name in self.names
        )
        return {
            name: each for name, each in found if each is not None and each.last_at >= self.since
        }

    def about(self) -> int:
        """So many inputs, for a bar."""
        return sum(extent.inputs for extent in self.extents.values())


@dataclass(frozen=True)
class Run:
    """One set of rules over a span."""

    span: ReplayedSpan
    config: Config

    @cached_property
    def scheme(self) -> RuleSet:
        return replay_source.scheme(self.config, self.span.past.history.silences())

    @property
    def zone(self) -> tzinfo | None:
        """In which its messages tell the time, and it is night."""
        return self.config.daemon.timezone

    def joiner(self) -> Joiner:
        return Joiner(self.scheme.group_waits, self.zone)

    def player(self, name: str) -> ReplaySession:
        """Of an account, as if the daemon had been started at the beginning of the span."""
        rules = [rule for rule in self.scheme.rules if rule.watches(name)]
        return ReplaySession(self.scheme, AccountState(name), judged_amounts(rules))

    def summary(self) -> Summary:
        return Summary([rule.name for rule in self.scheme.rules], self.zone)

    def play(self, bar: Bar) -> Iterator[Record | ReplayedMessage]:
        """What every input changes, and every message, in the order of time."""
        return add_messages(
            merge_records(self._account(name, bar) for name in self.span.names), self.joiner()
        )

    def _account(self, name: str, bar: Bar) -> Iterator[Record]:
        player = self.player(name)
        inputs = self.span.inputs(
            name, used_fields(tuple(player.rules.values())), player.evaluator.look_back
        )
        first = self.span.first(name)
        return replay_account(player, bar.along(name, inputs, first), first)

    def unheard(self) -> list[str]:
        """The written rules that watch none of the accounts."""
        return [
            rule.name for rule in self.config.rules if not any(map(rule.watches, self.span.names))
        ]

    def minds_misses(self) -> bool:
        """Whether a rule, written or not, acts when readings are missing."""
        return any(_minds_misses(rule) for rule in self.scheme.rules)

    def longest_window(self) -> Millis:
        """How far back the written rules look, the one that looks furthest."""
        conditions = (
            each
            for rule in self.config.rules
            for each in (rule.when, rule.clear_when)
            if each is not None
        )
        return max((look_back(each.tree) for each in conditions), default=0)


def _minds_misses(rule: Rule) -> bool:
    return rule.on_missing is not OnMissing.KEEP or uses(rule.when.tree, AGE)


Summaries = Mapping[str, RuleSummary]
"""By rule."""
