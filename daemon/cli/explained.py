"""`marginwatch explain`: one screen that answers "why did it not wake me?". How it looks stands in `explainsheet`."""

from dataclasses import dataclass
from datetime import tzinfo
from difflib import get_close_matches

from daemon.cli import screen, times
from daemon.cli.explainsheet import Sheet
from daemon.cli.record import Record
from daemon.cli.replaying import RecordedAccount
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
    source = RecordedAccount(past.history, account)
    epoch = _epoch(source, at, past.zone)
    _known(question.rule, epoch)
    mutes = past.config.mutes if epoch.mutes is None else epoch.mutes
    found = explain(source, epoch, question.rule, at, mutes)
    screen.write(Sheet(past, found, at, todays_mutes=epoch.mutes is None).lines())


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
