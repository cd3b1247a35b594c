"""Rules as they are recorded with every epoch, read back: what `Rule.written` gave. Pure.

They stand under `rules`, beside what else was in force; earlier versions recorded the list of them
alone.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from daemon.rules.language.errors import ExpressionError
from daemon.rules.language.parse import recorded
from daemon.rules.rule import AtLeast, Condition, Rule
from daemon.text.durations import parse_duration
from daemon.types import Limit, Millis, OnMissing, Severity


def rules(written: object) -> list[Rule]:
    """All rules of an epoch, in their order.

    Raises ValueError, KeyError or TypeError where they are not what `Rule.written` gives: of
    another version.
    """
    return [rule(each) for each in _listed(written)]


def watches(written: object, name: str, account: str) -> bool:
    """Whether a rule of that name watched the account, without reading what it asks; of another
    version, none did.
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


def rule(written: Mapping[str, Any]) -> Rule:
    """One of them. Keys that an earlier version did not know stand at their defaults."""
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
        return recorded(text)
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
"""Keys that came after the first version, and how each is read."""
