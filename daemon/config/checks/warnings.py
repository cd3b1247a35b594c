"""Warnings about valid settings that are probably not meant so: sentences for `check`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import time
from fnmatch import fnmatchcase

from daemon.alerts.mutes import DAYS, MuteWindow
from daemon.alerts.system_rules import ACCOUNT, DAEMON
from daemon.config.checks import conditions, loud
from daemon.config.effective_intervals import settled_intervals
from daemon.config.model import SYSTEM_RULES, Account, Channel, Config
from daemon.config.parse import zones
from daemon.config.problems import did_you_mean
from daemon.readings.fields import AGE
from daemon.rules.language.tree import uses
from daemon.rules.rule import Rule
from daemon.types import Millis, OnMissing

NO_HEARTBEAT = (
    "daemon.heartbeat: is empty, and a daemon that is down warns nobody; give it an address of a"
    " monitor elsewhere, such as healthchecks.io"
)

NO_CHANNEL = (
    "channels: there is none, so nobody would be told; add [[channels]] with a name and a url"
)
"""An error of `check`. `run` only warns, since a person may want to collect only."""

NO_SILENCE_ALERT = (
    "system.no-readings: is off, and no rule asks for age, so nobody is told when readings stop"
)

_LAST_MINUTE = time(23, 59)
_A_DAY = 24 * 60
_A_WEEK = 7 * _A_DAY


def warnings(
    config: Config, caution: Callable[[str], str | None], *, heartbeat: bool
) -> Iterator[str]:
    """One sentence per warning, in the order of the file; it begins with a place for `Places`.

    `caution` gives the risks of a channel URL; `heartbeat` says whether one is written.
    """
    if not heartbeat:
        yield NO_HEARTBEAT
    yield from (f"daemon.timezone: {each}" for each in zones.doubts(str(config.daemon.timezone)))
    yield from _twins(config.accounts)
    yield from _channels(config.channels)
    yield from _risky_urls(config.channels, caution)
    yield from loud.hint(config)
    if not config.rules:
        yield "rules: there is none, so no balance will ever alert; add [[rules]]"
    intervals = settled_intervals(config.accounts, config.budget, {})
    for index, rule in enumerate(config.rules):
        yield from (f"rules[{index}].{each}" for each in _rule(rule, config, intervals))
    used = {name for rule in config.rules for name in rule.mute}
    for index, window in enumerate(config.mutes.windows.values()):
        yield from (f"mutes[{index}]{each}" for each in _window(window, used))
    notices_silence = any(
        rule.on_missing is OnMissing.FIRING or uses(rule.when.tree, AGE) for rule in config.rules
    )
    if config.system.no_readings is None and not notices_silence:
        yield NO_SILENCE_ALERT
    yield from loud.quiet_system_rules(config)


def _risky_urls(channels: Iterable[Channel], caution: Callable[[str], str | None]) -> Iterator[str]:
    for index, channel in enumerate(channels):
        sentence = caution(channel.url.reveal())
        if sentence:
            yield f"channels[{index}].url: {sentence}"


def _window(window: MuteWindow, used: set[str]) -> Iterator[str]:
    if window.name not in used:
        yield ": no rule has it in its mute, so it has no effect"
    if window.end == _LAST_MINUTE:
        yield '.between: leaves out the last minute of the day; write "24:00" for its end'


def _twins(accounts: tuple[Account, ...]) -> Iterator[str]:
    first: dict[str, int] = {}
    for index, account in enumerate(accounts):
        if not account.api_key:  # loaded without secrets
            continue
        before = first.setdefault(account.api_key.reveal(), index)
        if before != index:
            yield (
                f"accounts[{index}].api_key: the same key as that of"
                f' "{accounts[before].name}"; both read one account'
            )


def _channels(channels: tuple[Channel, ...]) -> Iterator[str]:
    if len(channels) == 1:
        yield "channels: there is only one; add a second of another kind, for when it fails"


def _rule(rule: Rule, config: Config, intervals: Mapping[str, Millis]) -> Iterator[str]:
    yield from _unmatched(rule, [account.name for account in config.accounts])
    watched = {name: every for name, every in intervals.items() if rule.watches(name)}
    found = conditions.doubts(rule, watched, config.daemon.timezone)
    yield from (f"{key}: {sentence}" for key, sentence in found)
    yield from loud.quiet_rule(rule, config.channels)
    if rule.clear_when == rule.when:
        yield "clear_when: is the same as when, so the alert would never end"
    for name in rule.inhibited_by:
        yield from _inhibition(rule, name, config)
    if _covers_the_week([config.mutes.windows[name] for name in rule.mute]):
        yield "mute: covers the whole week, so the rule is never announced"


def _unmatched(rule: Rule, names: list[str]) -> Iterator[str]:
    if not any(map(rule.watches, names)):
        near = next(filter(None, (did_you_mean(each, names) for each in rule.accounts)), "")
        yield f"accounts: matches no account, so the rule has no effect{near}"
        return
    for pattern in rule.accounts:
        if not any(fnmatchcase(name, pattern) for name in names):
            yield f'accounts: "{pattern}" matches no account{did_you_mean(pattern, names)}'


def _inhibition(rule: Rule, name: str, config: Config) -> Iterator[str]:
    if name in SYSTEM_RULES:
        reason = _powerless(name, config)
        if reason:
            yield f'inhibited_by: the system rule "{name}" {reason}, so this has no effect'
    other = next((each for each in config.rules if each.name == name), None)
    shared = (
        rule.watches(one.name) and other and other.watches(one.name) for one in config.accounts
    )
    if other and not any(shared):
        yield f'inhibited_by: "{name}" watches none of the same accounts, so this has no effect'


def _powerless(name: str, config: Config) -> str:
    """The reason why a system rule mutes nothing; "" when it can mute."""
    if name in DAEMON:
        return "belongs to no account"
    if name not in ACCOUNT:
        return "is not available yet"
    return "" if any(each.name == name for each in config.system_rules) else "is off"


def _covers_the_week(windows: Iterable[MuteWindow]) -> bool:
    """Whether the windows cover every minute of the week."""
    covered: set[int] = set()
    for window in windows:
        start, end = (each.hour * 60 + each.minute for each in (window.start, window.end))
        length = (end - start) % _A_DAY or _A_DAY
        for day in window.days:
            begin = DAYS.index(day) * _A_DAY + start
            covered.update(minute % _A_WEEK for minute in range(begin, begin + length))
    return len(covered) == _A_WEEK
