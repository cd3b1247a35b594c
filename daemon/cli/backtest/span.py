"""The accounts and the time span that `backtest` replays, and one set of rules over them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property

from daemon.cli import replay_source
from daemon.cli.output.progress import Bar
from daemon.cli.record_access import OpenRecord
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
from daemon.rules.evaluation.evaluator import conditions, recorded_expressions
from daemon.rules.language.tree import longest_window, uses
from daemon.store.read.time_index import Extent
from daemon.types import AccountState, Input, Millis, OnMissing, Record


@dataclass(frozen=True)
class ReplayedSpan:
    """The part of the record that is replayed."""

    past: OpenRecord
    names: Sequence[str]
    """The accounts."""
    since: Millis
    until: Millis
    """The end, which is excluded."""
    now: Millis
    """The present, by which instants are shown."""

    def inputs(self, name: str, fields: Collection[str], look_back: Millis) -> Iterator[Input]:
        """The inputs of one account, with the earlier ones that fill its windows."""
        return self.past.history.replayed(name, self.since, self.until, fields, look_back)

    def first(self, name: str) -> int:
        """The counter of the first judged input; those before it only fill windows."""
        return self.past.history.first(name, self.since)

    @cached_property
    def extents(self) -> Mapping[str, Extent]:
        """The extent of each account's record; accounts without inputs are left out."""
        found = (
            (name, self.past.history.extent(name, self.since, self.until)) for name in self.names
        )
        return {
            name: each for name, each in found if each is not None and each.last_at >= self.since
        }

    def about(self) -> int:
        """The approximate number of inputs, for a progress bar."""
        return sum(extent.inputs for extent in self.extents.values())


@dataclass(frozen=True)
class Run:
    """One set of rules over a span."""

    span: ReplayedSpan
    config: Config

    @cached_property
    def scheme(self) -> RuleSet:
        return replay_source.rule_set(self.config, self.span.past.history.silences())

    @property
    def zone(self) -> tzinfo | None:
        """The time zone of its messages and of its night hours."""
        return self.config.daemon.timezone

    def joiner(self) -> Joiner:
        return Joiner(self.scheme.group_waits, self.zone)

    def player(self, name: str) -> ReplaySession:
        """A session for one account, as if the daemon had started at the beginning of the span."""
        rules = [rule for rule in self.scheme.rules if rule.watches(name)]
        return ReplaySession(self.scheme, AccountState(name), judged_amounts(rules))

    def summary(self) -> Summary:
        return Summary([rule.name for rule in self.scheme.rules], self.zone)

    def play(self, bar: Bar) -> Iterator[Record | ReplayedMessage]:
        """The changes of every input and every message, in the order of time."""
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
        """The rules of the file that watch none of the accounts."""
        return [
            rule.name for rule in self.config.rules if not any(map(rule.watches, self.span.names))
        ]

    def minds_misses(self) -> bool:
        """Whether a rule, of the file or of the system, acts when readings are missing."""
        return any(
            rule.on_missing is not OnMissing.KEEP or uses(rule.when.tree, AGE)
            for rule in self.scheme.rules
        )

    def longest_window(self) -> Millis:
        """The longest window of the rules of the file."""
        written = (each.tree for rule in self.config.rules for each in conditions(rule))
        return max(map(longest_window, written), default=0)

    def peaks(self) -> list[str]:
        """The peaks that the rules of the file keep."""
        return [peak for rule in self.config.rules for _, peak in recorded_expressions(rule)]


Summaries = Mapping[str, RuleSummary]
"""The summary of each rule, by its name."""
