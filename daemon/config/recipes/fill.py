"""Fills in the placeholders of a recipe: `${name}`, `${limit}`, `${1000 - 10 * limit}`. Pure.

`${call}` is the channel to which the rule escalates.
A limit in percent is counted in points: with a limit of 20%, `${limit}` is 20.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import prod

from daemon.config.problems import MistakeError, format_value
from daemon.config.recipes.recipe import Recipe
from daemon.config.template import amount_text, quoted

LARGEST = Decimal("1e12")
"""Limits in USDT are below it."""

ESCALATE_AFTER = "15m"
"""The time in which somebody should acknowledge the alert."""

MOST_PLACES = 8
"""Decimal places of a limit, as many as messages ever show."""

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_SUMMAND = re.compile(r"([+-]?)([^+-]+)")
_NUMBER = re.compile(rf"[0-9]{{1,13}}(?:\.[0-9]{{1,{MOST_PLACES}}})?")
_SERIES = re.compile(r"^series\.", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Filling:
    """Choices of a person for one recipe."""

    name: str
    """The name of the rule."""
    limit: Decimal = Decimal(0)
    """In USDT, or in points of a percentage."""
    accounts: Sequence[str] = ()
    """Names or patterns; empty is all accounts."""
    channels: Sequence[str] = ()
    """Names; empty is all channels."""
    escalate_to: str = ""
    """A channel that is told if nobody acknowledges in time; "" is none."""
    played_on: str = ""
    """The account of the test case; "" where the rule watches every account."""


def example_filling(recipe: Recipe, written: str | None = None) -> Filling:
    """The recipe as documentation shows it; channels are named where it cannot do without."""
    chosen = parse_limit(recipe, written)
    if not recipe.escalates:
        return Filling(recipe.name, chosen)
    return Filling(recipe.name, chosen, channels=("telegram",), escalate_to="call")


def parse_limit(recipe: Recipe, written: str | None) -> Decimal:
    """The limit of a recipe, by default its own; 0 where it has none.

    Raises:
        MistakeError: for one that the recipe cannot have; it completes "the limit …".

    """
    if not recipe.limit:
        if written is not None:
            raise MistakeError(f"cannot be chosen: {recipe.name} has none")
        return Decimal(0)
    text = recipe.limit if written is None else written.strip()
    if text.endswith("%") != recipe.in_percent:
        kind = "a percentage" if recipe.in_percent else "an amount in USDT"
        raise MistakeError(f"must be {kind} such as {recipe.limit}, not {format_value(text)}")
    number = text.removesuffix("%")
    chosen = Decimal(number) if _NUMBER.fullmatch(number) else Decimal(0)
    most = Decimal(100) if recipe.in_percent else LARGEST
    if not 0 < chosen < most:
        raise MistakeError(
            f"must be above 0 and below {most:f}{'%' if recipe.in_percent else ''}, with at most"
            f" {MOST_PLACES} decimal places, not {format_value(text)}"
        )
    return chosen


def rule_tables(recipe: Recipe, filling: Filling) -> str:
    """The tables for rules.toml: one or more rules, and the mute windows that they name."""
    routes = "".join(
        f"{key} = [{', '.join(map(quoted, names))}]\n"
        for key, names in (("accounts", filling.accounts), ("channels", filling.channels))
        if names
    )
    if filling.escalate_to:
        step = f'after = "{ESCALATE_AFTER}", channels = [{quoted(filling.escalate_to)}]'
        routes += f"escalate = [{{ {step} }}]\n"
    # Tables are separated by empty lines.
    tables = _filled_in(recipe.rule, filling).strip("\n").split("\n\n")
    return f"# {recipe.need}\n" + "\n".join(
        f"{table}\n{routes if '[[rules]]' in table else ''}" for table in tables
    )


def case_tables(recipe: Recipe, filling: Filling) -> str:
    """The test cases for rules.test.toml; played on an account that the rule watches."""
    text = _filled_in(recipe.test, filling)
    if not filling.played_on:
        return text
    return _SERIES.sub(lambda _: f"accounts.{quoted(filling.played_on)}.", text)


def _filled_in(template: str, filling: Filling) -> str:
    names = {"name": filling.name, "call": filling.escalate_to}
    return _PLACEHOLDER.sub(
        lambda found: (
            names[found[1]] if found[1] in names else amount_text(_sum(found[1], filling.limit))
        ),
        template,
    )


def _sum(text: str, limit: Decimal) -> Decimal:
    """The value of a sum of products, such as `1000 - 10 * limit`."""
    total = Decimal(0)
    for sign, product in _SUMMAND.findall(text):
        factors = (factor.strip() for factor in product.split("*"))
        value = prod(limit if factor == "limit" else Decimal(factor) for factor in factors)
        total += -value if sign == "-" else value
    return total
