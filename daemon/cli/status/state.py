"""The state that `status` shows, gathered from the record and from the daemon's lock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from daemon.alerts.mutes import MutedRules, muted_rules
from daemon.cli.output.times import DisplayClock
from daemon.cli.record_access import OpenRecord
from daemon.cli.replay_source import rule_set
from daemon.cli.silence import actions
from daemon.cli.status import channels
from daemon.cli.status import exchange as traffic
from daemon.cli.status.channels import ChannelOverview
from daemon.cli.status.exchange import Traffic
from daemon.cli.status.open_alerts import OpenAlert, open_alerts
from daemon.config import Account, Config
from daemon.config.effective_intervals import settled_intervals
from daemon.config.problems import did_you_mean
from daemon.errors import UsageError
from daemon.replay.session import RuleSet
from daemon.rules.evaluation.nearest import NearestRule, nearest_rule
from daemon.service.judging.startup import MISSED
from daemon.store.database.running_daemon import RunningDaemon, running_daemon
from daemon.store.history import History
from daemon.store.read.rollups import RollupsLeft
from daemon.store.read.status import AccountStatus
from daemon.types import HOUR, JUDGED, GapReason, Millis, Silence, State, base


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
    daemon: RunningDaemon | None
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
    rollups: RollupsLeft = field(default_factory=RollupsLeft)
    """What is left of the hourly rollups."""
    absence: tuple[Millis, Millis] | None = None
    """The time in which no daemon ran before the recent start of the present one."""


EVERY = "*"

RECENT: Millis = HOUR
"""Time after a start in which what it missed is shown."""


def gather(record: OpenRecord, now: Millis, accounts: str = EVERY) -> Overview:
    """The state at `now`, of the accounts whose name matches.

    Raises:
        UsageError: where none is configured or recorded by that name.

    """
    config, history = record.config, record.history
    wanted = _wanted(config, accounts)
    recorded = {each.account: each for each in history.status(now)}
    exchange = traffic.traffic_at(record, now)
    user_ids = {name: each.user_id for name, each in recorded.items()}
    halved = [host for host, use in exchange.hosts.items() if use.halved_until is not None]
    every = settled_intervals(config.accounts, config.budget, user_ids, halved)
    rules = rule_set(config)
    daemon = running_daemon(record.url)
    return Overview(
        now=DisplayClock(now, record.zone),
        daemon=daemon,
        accounts=tuple(
            _account(each.name, every[each.name], recorded.get(each.name), rules) for each in wanted
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
        rollups=history.rollups_left(now),
        absence=None if daemon is None else recent_absence(history, every, now),
    )


def _wanted(config: Config, pattern: str) -> list[Account]:
    found = [each for each in config.accounts if fnmatchcase(each.name, pattern)]
    if pattern != EVERY and not found:
        names = [each.name for each in config.accounts]
        hint = did_you_mean(pattern, names) or f"; there are {', '.join(names)}"
        raise UsageError(f'no account matches "{pattern}"{hint}')
    return found


def recent_absence(
    history: History, every: Mapping[str, Millis], now: Millis
) -> tuple[Millis, Millis] | None:
    """The gap before the last start, if that is recent; None where no readings are missing.

    A gap shorter than two intervals is none (as at a start), and so is a reload.
    """
    found = [
        (gap.started_at, gap.ended_at)
        for gap in history.gaps(now - RECENT, now)
        if gap.reason is GapReason.DAEMON_DOWN and gap.ended_at > now - RECENT
    ]
    last = [each for each in found if each[1] == max(ended for _, ended in found)]
    if not last or not every:
        return None
    since, until = min(last)
    return (since, until) if until - since >= MISSED * min(every.values()) else None


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
