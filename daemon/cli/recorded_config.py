"""The configuration that the daemon read last, as far as the record has it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from daemon.alerts.mutes import recorded_mutes
from daemon.config import Account, Config, Secret
from daemon.rules.language.errors import ExpressionError
from daemon.rules.recorded import read_rules
from daemon.rules.rule import Rule
from daemon.store.history import History
from daemon.store.read.recorded import PastEpoch
from daemon.store.read.status import AccountStatus


def as_recorded(config: Config, history: History) -> Config:
    """The configuration with the rules, mute windows and accounts of the last daemon.

    An account is added where the file does not name it any more, or with a mistake: `status` must
    not say that all is well because it does not look. Only its name is known.

    The configuration stays as it is before the first start, or if another version recorded its
    rules in another form.
    """
    epoch = history.last_epoch()
    rules = None if epoch is None else recorded_rules(epoch)
    if epoch is None or rules is None:
        return config
    mutes = recorded_mutes(epoch.rules)
    named = {each.name for each in config.accounts}
    watched = watched_accounts(history.status(epoch.started_at), epoch)
    added = [
        Account(name, Secret(""), Secret(""), every=config.daemon.every)
        for name in watched
        if name not in named
    ]
    return replace(
        config,
        accounts=(*config.accounts, *added),
        rules=tuple(each for each in rules if not each.system),
        system_rules=tuple(each for each in rules if each.system),
        mutes=config.mutes if mutes is None else mutes,
    )


def recorded_rules(epoch: PastEpoch) -> Sequence[Rule] | None:
    """All rules of an epoch; None if they cannot be read."""
    try:
        return read_rules(epoch.rules)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, ExpressionError):
        return None


def watched_accounts(recorded: Iterable[AccountStatus], epoch: PastEpoch) -> list[str]:
    """The accounts with records since the epoch began, or with open alerts."""
    return [
        each.account
        for each in recorded
        if each.alerts
        or any(one is not None and one.at >= epoch.started_at for one in (each.reading, each.miss))
    ]
