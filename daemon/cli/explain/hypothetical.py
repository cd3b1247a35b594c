"""What today's rules would have made of readings from before any daemon watched the account:
imported ones.

They are played as `backtest` plays them, from so far before the instant that neither memory nor
time grows with what was imported.
"""

from daemon.cli.explain.question import ResolvedQuestion
from daemon.cli.output import progress
from daemon.replay.explain import Explanation, suppose
from daemon.replay.session import ReplaySession, RuleSet, used_fields
from daemon.store.read.time_index import Extent
from daemon.types import DAY, AccountState, Millis

REACH: Millis = 7 * DAY
"""How long before its last reading a play begins; what fills the windows lies before that."""


def readings(asked: ResolvedQuestion) -> Extent | None:
    """What there is at or before the instant."""
    return asked.past.history.extent(asked.account, 0, asked.at + 1)


def supposed(asked: ResolvedQuestion, scheme: RuleSet, last_at: Millis) -> Explanation | None:
    """How a rule of the scheme would have stood at the last reading, which lies at `last_at`; None
    where it is gone.
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
