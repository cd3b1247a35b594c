"""A rule: a condition with its policy, as values. Parsing and evaluation are elsewhere."""

from dataclasses import dataclass, field
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cached_property

from daemon.rules.language.tree import Node, readable
from daemon.text.durations import duration_text
from daemon.types import HOUR, MINUTE, Limit, Millis, OnMissing, Severity

MISSING_AFTER: Millis = 2 * MINUTE
FLAPPING = Limit(6, HOUR)


_SIGNS = frozenset("*?[")
"""Characters that make a name a pattern."""


@dataclass(frozen=True, slots=True)
class Condition:
    """The condition of a rule. Equal trees make equal conditions, however they are written."""

    text: str = field(compare=False)
    """The text as the person wrote it."""
    tree: Node

    def __str__(self) -> str:
        return str(self.tree)


@dataclass(frozen=True, slots=True)
class AtLeast:
    """`at_least = "3 of 5"`: how many of the last scheduled readings must agree (SEMANTICS D3)."""

    count: int
    of: int

    def __str__(self) -> str:
        return f"{self.count} of {self.of}"


@dataclass(frozen=True)
class Rule:
    """One entry of `[[rules]]` in rules.toml, or of `[system]` (DESIGN §5), checked."""

    name: str
    when: Condition
    clear_when: Condition | None = None
    hold: Millis = 0
    """The key `for`: how long `when` must have held."""
    severity: Severity = Severity.WARNING
    accounts: tuple[str, ...] = ("*",)
    """Globs; matching is case-sensitive."""
    channels: tuple[str, ...] = ()
    """Empty means all."""
    repeat: Millis | None = 4 * HOUR
    """None means never."""
    inhibited_by: tuple[str, ...] = ()
    """Globs of the rules whose firing on the same account mutes this one."""
    keep_firing_for: Millis = 0
    at_least: AtLeast | None = None
    on_missing: OnMissing = OnMissing.KEEP
    missing_after: Millis = MISSING_AFTER
    flapping: Limit | None = FLAPPING
    """Limit above which episodes are sent as one flapping message. None means never."""
    worse_by: Decimal | None = None
    """How much worse the value must get for another message, as a fraction. None means never."""
    mute: tuple[str, ...] = ()
    """Names of mute windows."""
    summary: str = ""
    """A template for the text of messages; see `alerts.summary_template`."""
    system: bool = False
    """True for a system rule, which exists without being written (SEMANTICS D7)."""

    def written(self) -> dict[str, object]:
        """The rule in the canonical form of rules.toml, as recorded for the rules in force."""
        return {
            "name": self.name,
            "when": readable(self.when.tree),
            "clear_when": "" if self.clear_when is None else readable(self.clear_when.tree),
            "for": duration_text(self.hold),
            "keep_firing_for": duration_text(self.keep_firing_for),
            "at_least": "" if self.at_least is None else str(self.at_least),
            "severity": self.severity.value,
            "accounts": list(self.accounts),
            "channels": list(self.channels),
            "repeat": _optional(self.repeat),
            "flapping": "" if self.flapping is None else _limit(self.flapping),
            "worse_by": "" if self.worse_by is None else _percent(self.worse_by),
            "inhibited_by": list(self.inhibited_by),
            "on_missing": self.on_missing.value,
            "missing_after": duration_text(self.missing_after),
            "mute": list(self.mute),
            "summary": self.summary,
            "system": self.system,
        }

    def watches(self, account: str) -> bool:
        return any(fnmatchcase(account, pattern) for pattern in self.accounts)

    @cached_property
    def meaning(self) -> str:
        """The text that identifies what the rule checks (SEMANTICS D5).

        An open alert is kept while this text stays the same, and retired when it changes. It is
        recorded with alerts. Keys at their defaults are left out, so a key added by a later version
        does not change recorded texts.
        """
        parts = {
            "when": str(self.when),
            "clear_when": "" if self.clear_when is None else str(self.clear_when),
            "for": _unless(self.hold, 0),
            "keep_firing_for": _unless(self.keep_firing_for, 0),
            "at_least": "" if self.at_least is None else str(self.at_least),
            "on_missing": "" if self.on_missing is OnMissing.KEEP else self.on_missing.value,
            "missing_after": _unless(self.missing_after, MISSING_AFTER),
        }
        return "; ".join(f"{key} {value}" for key, value in parts.items() if value)


def is_pattern(name: str) -> bool:
    """Whether a name is a pattern. Names never contain these characters."""
    return not _SIGNS.isdisjoint(name)


def _unless(span: Millis, default: Millis) -> str:
    return "" if span == default else duration_text(span)


def _optional(span: Millis | None) -> str:
    return "" if span is None else duration_text(span)


def _limit(limit: Limit) -> str:
    return f"{limit.count} per {duration_text(limit.per)}"


def _percent(fraction: Decimal) -> str:
    return f"{format((fraction * 100).normalize(), 'f')}%"
