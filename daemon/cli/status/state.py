"""The state that `status` shows, gathered from the record and from the daemon's lock."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from daemon.alerts.mutes import MutedRules, muted_rules
from daemon.cli.check import intervals
from daemon.cli.output.times import DisplayClock
from daemon.cli.record_access import OpenRecord
from daemon.cli.replay_source import rule_set
from daemon.cli.silence import actions
from daemon.cli.status import channels
from daemon.cli.status import exchange as traffic
from daemon.cli.status.channels import ChannelOverview
from daemon.cli.status.exchange import Traffic
from daemon.cli.status.open_alerts import OpenAlert, open_alerts
from daemon.config.problems import did_you_mean
from daemon.errors import UsageError
from daemon.replay.session import RuleSet
from daemon.rules.evaluation.nearest import NearestRule, nearest_rule
from daemon.store.database.lock_holder import Holder, holder
from daemon.store.read.status import AccountStatus
from daemon.types import JUDGED, Millis, Silence, State, base


@dataclass(frozen=True, slots=True)
class AccountOverview:
    """The state of a configured account; `recorded` is None until a daemon has watched it."""

    name: str
    every: Millis
    """The effective interval."""
    recorded: AccountStatus | None
    nearest: NearestRule | None = None
    """The rule that is nearest to firing, at the last judged reading."""


@dataclass(frozen=True, slots=True)
class Overview:
    now: DisplayClock
    daemon: Holder | None
    accounts: tuple[AccountOverview, ...]
    alerts: tuple[OpenAlert, ...]
    channels: tuple[ChannelOverview, ...]
    silences: tuple[Silence, ...]
    """The silences that hold, and the acknowledgements of open alerts."""
    muted: tuple[MutedRules, ...]
    """The rules that mute windows hold back."""
    traffic: Traffic
    timeout: Millis
    """The longest time that one call to the exchange takes."""


EVERY = "*"


def gather(record: OpenRecord, now: Millis, accounts: str = EVERY) -> Overview:
    """The state at `now`, of the accounts whose name matches.

    Raises:
        UsageError: where none is configured or recorded by that name.

    """
    config, history = record.config, record.history
    names = [each.name for each in config.accounts]
    if accounts != EVERY and not any(fnmatchcase(name, accounts) for name in names):
        hint = did_you_mean(accounts, names) or f"; there are {', '.join(names)}"
        raise UsageError(f'no account matches "{accounts}"{hint}')
    recorded = {each.account: each for each in history.status(now)}
    exchange = traffic.traffic_at(record, now)
    user_ids = {name: each.user_id for name, each in recorded.items()}
    halved = [host for host, use in exchange.hosts.items() if use.halved_until is not None]
    every = intervals.intervals(config, user_ids, halved)
    rules = rule_set(config)
    daemon = holder(record.url)
    return Overview(
        now=DisplayClock(now, record.zone),
        daemon=daemon,
        accounts=tuple(
            _account(each.name, every[each.name], recorded.get(each.name), rules)
            for each in config.accounts
            if fnmatchcase(each.name, accounts)
        ),
        alerts=tuple(
            each
            for each in open_alerts(record, recorded.values(), now)
            if accounts == EVERY or fnmatchcase(each.account, accounts)
        ),
        channels=tuple(channels.channel_overviews(record, now, running=daemon is not None)),
        silences=tuple(actions.current_silences(record, now)),
        muted=tuple(muted_rules(config.rules, config.mutes, now)),
        traffic=exchange,
        timeout=config.daemon.timeout,
    )


def _account(
    name: str, every: Millis, recorded: AccountStatus | None, rules: RuleSet
) -> AccountOverview:
    if recorded is None:
        return AccountOverview(name, every, None)
    judged = [each for each in recorded.latest if each.quality in JUDGED]
    firing = {base(one.rule) for one in recorded.alerts.values() if one.state is State.FIRING}
    watching = rules.watching(name).values()
    nearest = nearest_rule(watching, judged[-1].balances, firing) if judged else None
    return AccountOverview(name, every, recorded, nearest)
