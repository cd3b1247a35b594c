"""The recipes as a table, and one of them with the text of its rule and test."""

from daemon.cli.options import Format
from daemon.cli.output.tables import Row, Table, write_csv, write_json
from daemon.cli.output.terminal import STDOUT, echo, say
from daemon.config.problems import did_you_mean
from daemon.config.recipes import Recipe, case_tables, catalog, example_filling, rule_tables
from daemon.errors import UsageError

COLUMNS = ("recipe", "limit", "need")
"""Columns of the table and of csv."""


def find(name: str) -> Recipe:
    """The recipe of this name.

    Raises:
        UsageError: when there is none.

    """
    recipes = catalog()
    if name not in recipes:
        near = did_you_mean(name, recipes) or "; `marginwatch rules recipes` lists them"
        raise UsageError(f'there is no recipe "{name}"{near}')
    return recipes[name]


def show(output: Format, name: str | None = None) -> None:
    """Print all recipes, or the texts of one."""
    recipes = list(catalog().values()) if name is None else [find(name)]
    if output is Format.JSON:
        write_json({**_row(each), **_texts(each)} for each in recipes)
    elif output is Format.CSV:
        write_csv(COLUMNS, map(_row, recipes))
    elif name is None:
        Table(COLUMNS, [(each.name, each.limit, each.need) for each in recipes]).write()
        say("marginwatch rules add RECIPE adds one; marginwatch rules recipes RECIPE shows it")
    else:
        for text in _texts(recipes[0]).values():
            STDOUT.write(f"{text}\n")
        echo(f"marginwatch rules add {name} adds it")


def _row(recipe: Recipe) -> dict[str, object]:
    return {"recipe": recipe.name, "limit": recipe.limit or None, "need": recipe.need}


def _texts(recipe: Recipe) -> Row:
    """The rule and its test with the default limit."""
    filling = example_filling(recipe)
    return {"rule": rule_tables(recipe, filling), "test": case_tables(recipe, filling)}
