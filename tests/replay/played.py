"""Helpers of the replay tests: sessions, readings of one account, and their records."""

from collections.abc import Iterable, Sequence
from datetime import UTC

from daemon.alerts.mutes import NO_MUTES, Mutes
from daemon.replay.backtest import (
    Joiner,
    ReplayedMessage,
    add_messages,
    merge_records,
    replay_account,
)
from daemon.replay.session import ReplaySession, RuleSet
from daemon.rules.rule import Rule
from daemon.types import SECOND, AccountState, Input, Millis, Reading, Record
from tests.values import T0, reading


def readings(*margins: str, every: Millis = 5 * SECOND, start: Millis = T0) -> list[Reading]:
    return [
        reading(seq, start + seq * every, available_margin=margin)
        for seq, margin in enumerate(margins)
    ]


def new_session(
    *rules: Rule,
    account: str = "main",
    channels: Sequence[str] = ("phone",),
    wait: Millis = 0,
    mutes: Mutes = NO_MUTES,
) -> ReplaySession:
    scheme = RuleSet(rules, channels, mutes, dict.fromkeys(channels, wait))
    return ReplaySession(scheme, AccountState(account))


def records(playing: ReplaySession, inputs: Iterable[Input], first: int = 0) -> list[Record]:
    return list(replay_account(playing, inputs, first))


def announcements(
    rules: Sequence[Rule], inputs: Iterable[Input], wait: Millis = SECOND, mutes: Mutes = NO_MUTES
) -> list[ReplayedMessage]:
    """The messages to one channel."""
    stream = add_messages(
        merge_records([replay_account(new_session(*rules, wait=wait, mutes=mutes), inputs, 0)]),
        Joiner({"phone": wait}, UTC),
    )
    return [each for each in stream if isinstance(each, ReplayedMessage)]
