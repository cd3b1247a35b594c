"""`marginwatch explain`: one screen that answers "why did it not wake me?". How it looks stands in `explainsheet`."""

from dataclasses import dataclass
from difflib import get_close_matches

from daemon.cli import screen, times
from daemon.cli.asked import Asked
from daemon.cli.explainsheet import Gone, Sheet
from daemon.cli.record import Record
from daemon.cli.replaying import RecordedAccount, epoch_of
from daemon.cli.standing import standing
from daemon.errors import MarginwatchError, StoreError, UsageError
from daemon.replay.explain import explain
from daemon.replay.verify import Epoch
from daemon.types import Millis


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
    screen.write(_answer(Asked(past, question.rule, account, at)).lines())


def _answer(asked: Asked) -> Sheet | Gone:
    found = standing(asked.past.history, asked.rule, asked.account, asked.at)
    if found is None:
        raise _before(asked)
    epoch = epoch_of(found.epoch, asked.account)
    if epoch.why:
        raise StoreError(epoch.why)
    if not found.watched:
        if found.over is None:
            raise _unknown(asked, epoch)
        return Gone(asked, found.over)
    mutes = asked.past.config.mutes if epoch.mutes is None else epoch.mutes
    source = RecordedAccount(asked.past.history, asked.account)
    return Sheet(asked, explain(source, epoch, asked.rule, asked.at, mutes), todays_mutes=epoch.mutes is None)


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


def _before(asked: Asked) -> UsageError:
    """There was no rule yet."""
    first = next(RecordedAccount(asked.past.history, asked.account).epochs(), None)
    if first is None:
        return UsageError(f"no rules were ever in force for {asked.account}: try backtest, which plays today's")
    return UsageError(f"the record of {asked.account} begins only at {asked.shown(first.state.at)}")


def _unknown(asked: Asked, epoch: Epoch) -> UsageError:
    names = list(epoch.scheme.watching(asked.account))
    near = get_close_matches(asked.rule, names, 1)
    hint = f'did you mean "{near[0]}"?' if near else f"there were {', '.join(names) or 'none'}"
    return UsageError(f'no rule "{asked.rule}" watched {asked.account} then; {hint}')
