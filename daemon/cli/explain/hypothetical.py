"""Replay of today's rules over imported readings, from before any daemon watched the account.

They are replayed as by `backtest`, from a fixed time before the instant, so that neither memory nor
time grows with the number of imported readings.
"""

from daemon.cli.explain.question import ResolvedQuestion
from daemon.cli.output import progress
from daemon.replay.explain import Explanation, suppose
from daemon.replay.session import ReplaySession, RuleSet, used_fields
from daemon.store.read.time_index import Extent
from daemon.types import DAY, AccountState, Millis

REACH: Millis = 7 * DAY
"""Time before the last reading at which the replay begins; earlier inputs fill the windows."""


def readings_extent(asked: ResolvedQuestion) -> Extent | None:
    """The extent of the account's record up to the instant; None if there is nothing."""
    return asked.past.history.extent(asked.account, 0, asked.at + 1)


def explain_hypothetically(
    asked: ResolvedQuestion, scheme: RuleSet, last_at: Millis
) -> Explanation | None:
    """The state that the rule would have had at the last reading, at `last_at`.

    None where that reading is no longer in the record.
    """
    history, since = asked.past.history, max(0, last_at - REACH)
    player = ReplaySession(scheme, AccountState(asked.account))
    fields, look_back = used_fields(tuple(player.rules.values())), player.evaluator.look_back
    about = history.extent(asked.account, since - look_back, asked.at + 1)
    with progress.bar("replaying", 0 if about is None else about.inputs) as bar:
        inputs = history.replayed(asked.account, since, asked.at + 1, fields, look_back)
        first = history.first(asked.account, since)
        return suppose(
            player, bar.along(asked.account, inputs, first), first, asked.rule, scheme.mutes
        )
