"""A rule: a condition with its policy, as values. How conditions are parsed and judged stands elsewhere."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from daemon.rules.durations import duration_text
from daemon.rules.tree import Node
from daemon.types import HOUR, Millis, Severity


@dataclass(frozen=True, slots=True)
class Condition:
    """What a rule asks of readings; conditions are equal when their trees are, however they are written."""

    text: str = field(compare=False)
    """As the person wrote it."""
    tree: Node

    def __str__(self) -> str:
        return str(self.tree)


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of `[[rules]]` in rules.toml (DESIGN §5), checked."""

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

    def written(self) -> dict[str, object]:
        """The rule as rules.toml would say it, canonically: what is recorded of the rules in force."""
        return {
            "name": self.name,
            "when": str(self.when),
            "clear_when": "" if self.clear_when is None else str(self.clear_when),
            "for": duration_text(self.hold),
            "severity": self.severity.value,
            "accounts": list(self.accounts),
            "channels": list(self.channels),
            "repeat": "" if self.repeat is None else duration_text(self.repeat),
            "inhibited_by": list(self.inhibited_by),
        }

    def watches(self, account: str) -> bool:
        return any(fnmatchcase(account, pattern) for pattern in self.accounts)

    @property
    def meaning(self) -> str:
        """What the rule is about (SEMANTICS D5): equal texts keep an open alert, another text retires it.

        Recorded with alerts, so keys that stand at their defaults are left out: a key that a later version
        learns changes no meaning that is already recorded.
        """
        parts = [f"when {self.when}"]
        if self.clear_when is not None:
            parts.append(f"clear_when {self.clear_when}")
        if self.hold:
            parts.append(f"for {duration_text(self.hold)}")
        return "; ".join(parts)
