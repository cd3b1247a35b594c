"""Recipes: ready rules for common needs, each with a test case that plays it. Pure.

    catalog.toml → Recipe → filled in with name, limit, accounts, channels → tables of rules.toml

`catalog.toml` is the only source: the command `rules add`, `docs/recipes.md` and the tests read it.
"""

from daemon.config.recipes.fill import (
    Filling,
    case_tables,
    example_filling,
    parse_limit,
    rule_tables,
)
from daemon.config.recipes.insert import NoPlaceError, insert_tables
from daemon.config.recipes.recipe import Recipe, catalog

__all__ = [
    "Filling",
    "NoPlaceError",
    "Recipe",
    "case_tables",
    "catalog",
    "example_filling",
    "insert_tables",
    "parse_limit",
    "rule_tables",
]
