"""Reads back the rules recorded with an epoch, as `Rule.written` gave them. Pure.

They are stored under the key `rules`, beside the rest of the configuration. Earlier versions
recorded the list of rules alone.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from daemon.rules.language.errors import ExpressionError
from daemon.rules.language.parse import parse_recorded
from daemon.rules.rule import AtLeast, Condition, Rule
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
    given: dict[str, Any] = {
        "hold": _span(written["for"]),
        "severity": Severity(written["severity"]),
        "accounts": tuple(written["accounts"]),
        "channels": tuple(written["channels"]),
        "repeat": _optional(written["repeat"]),
        "inhibited_by": tuple(written["inhibited_by"]),
    }
    later: dict[str, Any] = {
        key: read(written[key]) for key, read in _LATER.items() if key in written
    }
    clear_when = _condition(written["clear_when"]) if written["clear_when"] else None
    return Rule(written["name"], _condition(written["when"]), clear_when, **given, **later)


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


def _optional(text: str) -> Millis | None:
    return _span(text) if text else None


def _at_least(text: str) -> AtLeast | None:
    count, _, of = text.partition(" of ")
    return AtLeast(int(count), int(of)) if text else None


def _limit(text: str) -> Limit | None:
    count, _, per = text.partition(" per ")
    return Limit(int(count), _span(per)) if text else None


def _fraction(text: str) -> Decimal | None:
    return Decimal(text.removesuffix("%")).scaleb(-2) if text else None


_LATER: Mapping[str, Callable[[Any], object]] = {
    "keep_firing_for": _span,
    "at_least": _at_least,
    "flapping": _limit,
    "worse_by": _fraction,
    "on_missing": OnMissing,
    "missing_after": _span,
    "mute": tuple,
    "summary": str,
    "system": bool,
}
"""Keys added after the first version, each with the function that reads it."""
