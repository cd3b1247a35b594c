"""The recipes of `catalog.toml`, in the order of the documentation."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CATALOG = Path(__file__).with_name("catalog.toml")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A need of a trader, with the rule that meets it and the test of that rule."""

    name: str
    """The name of the recipe, and of its rule where no other is chosen."""
    group: str
    """The heading under which it is listed."""
    need: str
    """One sentence: what the rule tells."""
    rule: str
    """Tables of rules.toml with placeholders; see `fill`."""
    test: str
    """Tables of rules.test.toml with placeholders."""
    limit: str = ""
    """The default limit: an amount in USDT such as "100", or "20%"; "" if there is none."""
    escalates: bool = False
    """Whether the rule needs a channel to which it escalates."""
    note: str = ""
    """What else to know, for the documentation."""

    @property
    def in_percent(self) -> bool:
        return self.limit.endswith("%")


@cache
def catalog() -> Mapping[str, Recipe]:
    """Every recipe by its name."""
    tables = tomllib.loads(CATALOG.read_text(encoding="utf-8"))["recipes"]
    return {table["name"]: Recipe(**table) for table in tables}
