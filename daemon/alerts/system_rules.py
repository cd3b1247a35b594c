"""System rules, which exist without being written (SEMANTICS D7). Pure.

ACCOUNT rules are judged on every account, from its readings and misses, and are replayed like any
other. DAEMON rules are about the daemon itself: their alerts belong to no account (its name is
empty) and are not replayed. The limits and their defaults are `System` in `config.model`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeAlias

from daemon.rules.language.tree import Comparison, DurationLiteral, Field, Node, Number
from daemon.rules.rule import Condition, Rule
from daemon.types import Millis, OnMissing, Severity

Limit: TypeAlias = Millis | Decimal
"""Value of the rule's key in `[system]`: a duration, a share or a count."""


@dataclass(frozen=True, slots=True)
class SystemRule:
    """One key of `[system]`."""

    build: Callable[[str, Limit], Rule]
    sentence: str
    """Headline of an alert without a sentence of its own."""
    remedy: str = ""
    """What the reader can do, where that is known whatever the alert's own sentence is."""


def system_rule(name: str, limit: Limit, channels: tuple[str, ...] = ()) -> Rule:
    """System rule of that name. `limit` is a duration, a count, or for `disk-full` a share."""
    return replace(KINDS[name].build(name, limit), channels=channels)


def _made(name: str, when: Node, **policy: object) -> Rule:
    return Rule(name, Condition(str(when), when), system=True, **policy)  # type: ignore[arg-type]


def _longer(sign: str, severity: Severity = Severity.WARNING) -> Callable[[str, Limit], Rule]:
    """Builder of a rule that fires while a duration is at least the limit."""
    return lambda name, limit: _made(
        name, Comparison(">=", Field(sign), DurationLiteral(int(limit))), severity=severity
    )


def _no_readings(name: str, limit: Limit) -> Rule:
    return _made(
        name,
        Comparison(">=", Field("age"), DurationLiteral(int(limit))),
        on_missing=OnMissing.FIRING,
        missing_after=int(limit),
        # These rules say the same, and also why.
        inhibited_by=("key-refused", "rate-limited", "answers-unusable"),
    )


def _answered(sign: str, severity: Severity = Severity.WARNING) -> Callable[[str, Limit], Rule]:
    """Builder of a rule that fires when the exchange gives this answer for the limit's duration."""
    when = Comparison("==", Field(sign), Number(Decimal(1)))
    return lambda name, limit: _made(name, when, hold=int(limit), severity=severity)


def _number(sign: str, operator: str) -> Callable[[str, Limit], Rule]:
    """Builder of a rule that compares a number with the limit."""
    return lambda name, limit: _made(
        name, Comparison(operator, Field(sign), Number(Decimal(limit)))
    )


ACCOUNT: Mapping[str, SystemRule] = {
    "no-readings": SystemRule(_no_readings, "there are no readings"),
    "key-refused": SystemRule(
        _answered("key_refused", Severity.CRITICAL),
        "the exchange refuses the key",
        "check the key at the exchange, and look into its own app meanwhile",
    ),
    "rate-limited": SystemRule(_answered("rate_limited"), "the exchange limits the calls"),
    "answers-unusable": SystemRule(
        _answered("answers_unusable", Severity.CRITICAL),
        "the exchange answers, but without balances",
    ),
    "clock-skew": SystemRule(
        _longer("clock_skew"), "the clocks of this machine and of the exchange differ"
    ),
    "exchange-frozen": SystemRule(
        _longer("exchange_unchanged"), "the exchange answers, but its data stands still"
    ),
    "rule-unknown": SystemRule(_longer("rule_unknown"), "a rule cannot be judged"),
}

DAEMON: Mapping[str, SystemRule] = {
    "account-not-judged": SystemRule(
        _longer("account_not_judged", Severity.CRITICAL),
        "readings of an account are not judged",
    ),
    "channel-failing": SystemRule(_longer("channel_failing"), "a channel fails"),
    "clock-stepped": SystemRule(_longer("clock_step"), "the clock of this machine was set"),
    "database-failing": SystemRule(_longer("database_failing"), "the database refuses to write"),
    "disk-full": SystemRule(_number("disk_free", "<"), "the disk is nearly full"),
    "push-contradicted": SystemRule(
        _number("push_contradicted", ">="), "pushes and readings disagree"
    ),
}

KINDS: Mapping[str, SystemRule] = {**ACCOUNT, **DAEMON}
