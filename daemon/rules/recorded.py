"""Reads back the rules recorded with an epoch, as `Rule.written` gave them. Pure.

They are stored under the key `rules`, beside the rest of the configuration. Earlier versions
recorded the list of rules alone.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from daemon.rules import rule
from daemon.rules.language.errors import ExpressionError
from daemon.rules.language.parse import parse_recorded
from daemon.rules.rule import KEYS, AtLeast, Condition, EscalationStep, KeyType, Rule, RuleKey
from daemon.text.durations import parse_duration
from daemon.types import Limit, Millis, OnMissing, Severity


def read_rules(written: object) -> list[Rule]:
    """All rules of an epoch, in their order.

    Raises ValueError, KeyError or TypeError if another version wrote them in another form.
    """
    return [read_rule(each) for each in _listed(written)]


def rule_watched(written: object, name: str, account: str) -> bool:
    """Whether a rule of that name watched the account, without parsing its condition.

    False where another version recorded the rules in another form.
    """
    try:
        named = [each["accounts"] for each in _listed(written) if each["name"] == name]
        return any(fnmatchcase(account, pattern) for patterns in named for pattern in patterns)
    except (KeyError, TypeError):
        return False


def _listed(written: object) -> Sequence[Mapping[str, Any]]:
    listed = written["rules"] if isinstance(written, Mapping) else written
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        raise TypeError("the recorded rules are no list")
    return listed


def read_rule(written: Mapping[str, Any]) -> Rule:
    """One recorded rule. Keys that its version did not know get their defaults."""
    return Rule(**{
        name: _read(key, written[key.name])
        for name, key in KEYS.items()
        if key.name in written or name in _FIRST
    })  # fmt: skip


def _read(key: RuleKey, recorded: Any) -> Any:
    return None if key.optional and not recorded else READERS[key.type](recorded)


def _condition(text: str) -> Condition:
    try:
        return parse_recorded(text)
    except ExpressionError as error:
        raise ValueError(f"{text} is no condition: {error.message}") from error


def _span(text: str) -> Millis:
    millis = parse_duration(text)
    if millis is None:
        raise ValueError(f"{text} is no duration")
    return millis


def _limit(text: str) -> Limit:
    count, _, per = text.partition(" per ")
    return Limit(int(count), _span(per))


READERS: Mapping[KeyType, Callable[[Any], object]] = {
    rule.NAME: str,
    rule.NAMES: tuple,
    rule.CONDITION: _condition,
    rule.AT_LEAST: lambda text: AtLeast(*map(int, text.split(" of "))),
    rule.SPAN: _span,
    rule.POSITIVE_SPAN: _span,
    rule.REPEAT_SPAN: _span,
    rule.LIMIT: _limit,
    rule.FRACTION: lambda text: Decimal(text.removesuffix("%")).scaleb(-2),
    rule.SEVERITY: Severity,
    rule.ON_MISSING: OnMissing,
    rule.SUMMARY: str,
    rule.UNIT: str,
    rule.FLAG: bool,
    rule.ESCALATION: lambda steps: tuple(
        EscalationStep(_span(step["after"]), tuple(step["channels"])) for step in steps
    ),
    rule.BUILT_IN: bool,
}
"""Readers of recorded values. They set no limits: an earlier version may have had others."""

_FIRST = frozenset({
    *("name", "when", "clear_when", "hold", "severity"),
    *("accounts", "channels", "repeat", "inhibited_by"),
})  # fmt: skip
"""Keys of the first version. A record without one of them is of another form, and is refused."""
