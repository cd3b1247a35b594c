"""Warnings about critical rules that cannot ring at night: sentences for `check`."""

from collections.abc import Iterable, Iterator

from daemon.config.model import Channel, Config
from daemon.rules.rule import Rule
from daemon.types import Severity

NO_LOUD = (
    "channels: none has loud = true; set it where a message may ring at night, so that check can"
    " say which critical rules reach no such channel"
)

_RINGS_NOBODY = "names no channel with loud = true, so"


def hint(config: Config) -> Iterator[str]:
    """One sentence where there is a critical rule, and no loud channel that could be missed."""
    critical = any(each.severity is Severity.CRITICAL for each in config.rules)
    if config.channels and critical and not any(each.loud for each in config.channels):
        yield NO_LOUD


def quiet_rule(rule: Rule, channels: Iterable[Channel]) -> Iterator[str]:
    """A warning of a critical rule that reaches no loud channel, though there is one."""
    if _is_quiet(rule, channels):
        yield (
            f"channels: {_RINGS_NOBODY} this critical rule cannot ring at night; add one there,"
            " or to escalate"
        )


def quiet_system_rules(config: Config) -> Iterator[str]:
    """The same of all critical system rules together."""
    rules = (*config.system_rules, *config.daemon_rules)
    quiet = [each.name for each in rules if _is_quiet(each, config.channels)]
    if quiet:
        verb = "is" if len(quiet) == 1 else "are"
        yield (
            f"system.channels: {_RINGS_NOBODY} {' and '.join(quiet)}, which {verb} critical,"
            " cannot ring at night"
        )


def _is_quiet(rule: Rule, channels: Iterable[Channel]) -> bool:
    if rule.severity is not Severity.CRITICAL or not rule.channels:
        return False  # without channels it tells all of them
    loud = {each.name for each in channels if each.loud}
    told = {*rule.channels, *rule.escalates_to}
    return bool(loud) and loud.isdisjoint(told)
