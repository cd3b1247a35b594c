"""`marginwatch explain`: finds the answer to "why did it not wake me?"; `lines` formats it."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from daemon.alerts.channel_decisions import FiringDecider, NotificationPolicy
from daemon.alerts.mutes import Mutes
from daemon.cli import replay_source
from daemon.cli.channel_news import ChannelNews, channel_news
from daemon.cli.explain import hypothetical
from daemon.cli.explain.lines import ExplainTable, HypotheticalTable, NotWatched
from daemon.cli.explain.question import ResolvedQuestion
from daemon.cli.explain.rows import answer_row
from daemon.cli.explain.rules_in_force import rule_in_force
from daemon.cli.options import Format
from daemon.cli.output import instants, lines, times
from daemon.cli.output.tables import to_json
from daemon.cli.output.terminal import STDOUT
from daemon.cli.record_access import END, OpenRecord
from daemon.cli.reload_command import reload_command
from daemon.cli.replay_source import RecordedAccount, epoch_of
from daemon.errors import StoreError, UsageError
from daemon.replay.explain import Explanation, explain
from daemon.replay.session import RuleSet
from daemon.types import Millis, Silence


@dataclass(frozen=True, slots=True)
class Question:
    """The arguments of the command."""

    rule: str
    account: str | None
    at: str


def show(past: OpenRecord, question: Question, now: Millis, output: Format = Format.TABLE) -> None:
    """Print the answer.

    Raises:
        UsageError: for a rule, an account or a time that is not in the record.

    """
    at = instants.parse_instant(question.at, now, past.zone)
    account = past.one(question.account)
    if at > now:
        raise UsageError(
            f"{times.format_time(at, past.zone)} lies in the future: only what has been can be"
            " explained"
        )
    found = _answer(ResolvedQuestion(past, question.rule, account, at))
    if output is Format.JSON:
        STDOUT.write(to_json(answer_row(found), indent=2) + "\n")
    else:
        lines.write(found.lines())


def _answer(asked: ResolvedQuestion) -> ExplainTable | NotWatched:
    found = rule_in_force(asked.past.history, asked.rule, asked.account, asked.at)
    if found is None:
        return _supposed(asked)
    epoch = epoch_of(found.epoch, asked.account)
    if epoch.why:
        raise StoreError(epoch.why)
    if not found.watched:
        if found.over is None:
            if _is_not_loaded(asked):
                raise UsageError(
                    f'the rule "{asked.rule}" is in {asked.past.config.path.name} but not loaded'
                    f" yet: {reload_command(asked.past.url)}"
                )
            raise _unknown(asked, epoch.scheme, f"watched {asked.account} then", "were")
        return NotWatched(asked, found.over)
    mutes = asked.past.config.mutes if epoch.mutes is None else epoch.mutes
    silences = asked.past.history.silences()
    source = RecordedAccount(asked.past.history, asked.account)
    explained = explain(source, epoch, asked.rule, asked.at, mutes, silences)
    news = _news(asked, explained, mutes, silences)
    return ExplainTable(asked, explained, todays_mutes=epoch.mutes is None, channels=news)


def _is_not_loaded(asked: ResolvedQuestion) -> bool:
    """Whether the file has the rule for the account, and the newest start or reload did not."""
    newest = rule_in_force(asked.past.history, asked.rule, asked.account, END)
    in_file = asked.rule in replay_source.rule_set(asked.past.config).watching(asked.account)
    return in_file and newest is not None and not newest.watched


def _news(
    asked: ResolvedQuestion, found: Explanation, mutes: Mutes, silences: Sequence[Silence]
) -> Sequence[ChannelNews]:
    """News of the alert by channel. The channels are today's, as none are recorded."""
    if found.alert is None:
        return ()
    channels = [channel.name for channel in asked.past.config.channels]
    policy = NotificationPolicy({asked.rule: found.rule}, channels, mutes, silences)
    decider = FiringDecider(found.state, policy, found.at)
    return channel_news(asked.past.history, decider, found.alert, asked.at)


def _supposed(asked: ResolvedQuestion) -> HypotheticalTable:
    """The answer for a time before any rule: today's rules over imported readings."""
    extent = hypothetical.readings_extent(asked)
    if extent is None:
        raise _before(asked)
    scheme = replay_source.rule_set(asked.past.config)
    if asked.rule not in scheme.watching(asked.account):
        raise _unknown(
            asked, scheme, f"watches {asked.account} in {asked.past.config.path.name}", "are"
        )
    found = hypothetical.explain_hypothetically(asked, scheme, extent.last_at)
    if found is None:
        raise _before(asked)
    return HypotheticalTable(asked, found, todays_mutes=False)


def _before(asked: ResolvedQuestion) -> UsageError:
    """The error for an instant before the account's record begins."""
    extent = asked.past.history.extent(asked.account, 0, END)
    epoch = next(RecordedAccount(asked.past.history, asked.account).epochs(), None)
    begun = [] if extent is None else [extent.first_at]
    begun += [] if epoch is None else [epoch.state.at]
    if not begun:
        return UsageError(
            f"nothing is recorded of {asked.account} yet: let the daemon run first, or import"
            " readings"
        )
    return UsageError(
        f"the record of {asked.account} begins only at {asked.format_time(min(begun))}"
    )


def _unknown(asked: ResolvedQuestion, scheme: RuleSet, watches: str, there: str) -> UsageError:
    names = list(scheme.watching(asked.account))
    near = get_close_matches(asked.rule, names, 1)
    hint = f'did you mean "{near[0]}"?' if near else f"there {there} {', '.join(names) or 'none'}"
    return UsageError(f'no rule "{asked.rule}" {watches}; {hint}')
