"""A rule: a condition with its policy, as values. Parsing and evaluation are elsewhere.

Each key stands once, as a field of `Rule` with its type, its default and its `RuleKey`. All that
records a rule or reads one goes by `KEYS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Annotated, Any, get_args

from daemon.rules.language.tree import Node, readable
from daemon.text.durations import duration_text
from daemon.types import HOUR, MINUTE, Limit, Millis, OnMissing, Severity

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


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """One step of `escalate`: the channels that are told if nobody acknowledges (SEMANTICS E6)."""

    after: Millis
    """Time since the alert was first announced."""
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class KeyType:
    """A type of values. `recorded` reads them back, `config.parse.tables` reads rules.toml."""

    write: Callable[[Any], object]
    """Gives the recorded form of a value, which is the canonical form of rules.toml."""


NAME = KeyType(str)
NAMES = KeyType(list)
CONDITION = KeyType(lambda condition: readable(condition.tree))
AT_LEAST = KeyType(str)
SPAN = KeyType(duration_text)
POSITIVE_SPAN = KeyType(duration_text)
REPEAT_SPAN = KeyType(duration_text)
LIMIT = KeyType(lambda limit: f"{limit.count} per {duration_text(limit.per)}")
FRACTION = KeyType(lambda fraction: f"{format((fraction * 100).normalize(), 'f')}%")
SEVERITY = KeyType(str)
ON_MISSING = KeyType(str)
SUMMARY = KeyType(str)
UNIT = KeyType(str)
FLAG = KeyType(bool)
ESCALATION = KeyType(
    lambda steps: [
        {"after": duration_text(step.after), "channels": list(step.channels)} for step in steps
    ]
)
BUILT_IN = KeyType(bool)
"""Recorded, but no key of rules.toml."""


@dataclass(frozen=True, slots=True)
class RuleKey:
    """A key of a rule. KEYS fills in its name and default."""

    type: KeyType
    optional: bool = False
    """Whether the empty text may be written; it means None."""
    meaning: bool = False
    """Whether the key is part of what the rule checks (SEMANTICS D5)."""
    name: str = ""
    """The name in rules.toml, where it is not that of the attribute."""
    default: object = None

    def write(self, value: object) -> object:
        return "" if value is None else self.type.write(value)


@dataclass(frozen=True)
class Rule:
    """One entry of `[[rules]]` in rules.toml, or of `[system]` (DESIGN §5), checked."""

    name: Annotated[str, RuleKey(NAME)]
    """Messages show it."""
    when: Annotated[Condition, RuleKey(CONDITION, meaning=True)]
    """The condition."""
    clear_when: Annotated[Condition | None, RuleKey(CONDITION, optional=True, meaning=True)] = None
    """Ends a firing alert."""
    hold: Annotated[Millis, RuleKey(SPAN, meaning=True, name="for")] = 0
    """How long `when` must hold."""
    keep_firing_for: Annotated[Millis, RuleKey(SPAN, meaning=True)] = 0
    """How long it must be clear before the alert ends."""
    at_least: Annotated[AtLeast | None, RuleKey(AT_LEAST, optional=True, meaning=True)] = None
    """How many of the last scheduled readings must agree."""
    severity: Annotated[Severity, RuleKey(SEVERITY)] = Severity.WARNING
    """How urgent it is."""
    accounts: Annotated[tuple[str, ...], RuleKey(NAMES)] = ("*",)
    """The accounts that it watches. Globs; matching is case-sensitive."""
    channels: Annotated[tuple[str, ...], RuleKey(NAMES)] = ()
    """Names of channels. Empty is all."""
    repeat: Annotated[Millis | None, RuleKey(REPEAT_SPAN, optional=True)] = 4 * HOUR
    """The time after which it is told again while it fires. None is never."""
    escalate: Annotated[tuple[EscalationStep, ...], RuleKey(ESCALATION)] = ()
    """Further channels that are told if nobody acknowledges it in time."""
    flapping: Annotated[Limit | None, RuleKey(LIMIT, optional=True)] = Limit(6, HOUR)
    """More alerts than this are told as one message. None is never."""
    worse_by: Annotated[Decimal | None, RuleKey(FRACTION, optional=True)] = None
    """How much worse the value must get to be told again. A fraction; None is never."""
    inhibited_by: Annotated[tuple[str, ...], RuleKey(NAMES)] = ()
    """Rules that mute this one while they fire on the same account."""
    on_missing: Annotated[OnMissing, RuleKey(ON_MISSING, meaning=True)] = OnMissing.KEEP
    """The reaction when there have been no readings for `missing_after`."""
    missing_after: Annotated[Millis, RuleKey(POSITIVE_SPAN, meaning=True)] = 2 * MINUTE
    """How long there must have been no readings."""
    mute: Annotated[tuple[str, ...], RuleKey(NAMES)] = ()
    """Names of mute windows."""
    summary: Annotated[str, RuleKey(SUMMARY)] = ""
    """A template for the message. See `alerts.summary_template`."""
    title: Annotated[str, RuleKey(SUMMARY)] = ""
    """A template for the title of every message. It takes the place of value and summary."""
    unit: Annotated[str, RuleKey(UNIT)] = ""
    """A word after the value in messages. Nothing is converted."""
    resolve: Annotated[bool, RuleKey(FLAG)] = True
    """Whether its end is told. False suits events, such as a deposit."""
    system: Annotated[bool, RuleKey(BUILT_IN)] = False
    """True for a system rule, which exists without being written (SEMANTICS D7)."""

    def written(self) -> dict[str, object]:
        """The rule in the canonical form of rules.toml, as recorded for the rules in force."""
        return {key.name: key.write(getattr(self, name)) for name, key in KEYS.items()}

    @property
    def escalates_to(self) -> frozenset[str]:
        """Channels of all steps of `escalate`."""
        return frozenset(name for step in self.escalate for name in step.channels)

    def watches(self, account: str) -> bool:
        return any(fnmatchcase(account, pattern) for pattern in self.accounts)

    @cached_property
    def meaning(self) -> str:
        """The text that identifies what the rule checks (SEMANTICS D5).

        An open alert is kept while this text stays the same, and retired when it changes. It is
        recorded with alerts. Keys at their defaults are left out, so a key added by a later version
        does not change recorded texts.
        """
        parts = []
        for name, key in KEYS.items():
            value = getattr(self, name)
            if key.meaning and value != key.default:
                # Recorded meanings hold the text of the tree, which has no percentages.
                text = str(value) if isinstance(value, Condition) else key.write(value)
                parts.append(f"{key.name} {text}")
        return "; ".join(parts)


KEYS: Mapping[str, RuleKey] = {
    each.name: replace(key, name=key.name or each.name, default=each.default)
    for each in fields(Rule)
    for key in get_args(each.type)[1:]
}
"""The keys of a rule by attribute, in the order in which they are recorded."""


def is_pattern(name: str) -> bool:
    """Whether a name is a pattern. Names never contain these characters."""
    return not _SIGNS.isdisjoint(name)
