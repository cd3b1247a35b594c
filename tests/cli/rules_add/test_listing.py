"""`rules recipes`: the list of recipes, and the text of one."""

import csv
import io
import json
import tomllib

from daemon.config.recipes import catalog
from tests.cli.calls import call


def test_every_recipe_is_listed_with_one_sentence() -> None:
    """`rules add` without a name lists the same; no configuration is needed."""
    result = call("rules", "recipes")
    assert result.exit_code == 0
    head, *rows, hint = result.stdout.splitlines()
    assert head.split() == ["recipe", "limit", "need"]
    assert [row.split()[0] for row in rows] == list(catalog())
    assert all(row.endswith(".") for row in rows)
    assert hint.startswith("marginwatch rules add RECIPE")
    assert call("rules", "add").stdout == result.stdout


def test_a_recipe_is_shown_with_its_test() -> None:
    """What `rules add` would write, with the default limit."""
    result = call("rules", "recipes", "low-margin")
    text, _, hint = result.stdout.rpartition("\n\n")
    tables = tomllib.loads(text)
    assert tables["rules"][0]["when"] == "available_margin < 100"
    assert tables["tests"][0]["rules"] == ["low-margin"]
    assert hint == "marginwatch rules add low-margin adds it\n"


def test_programs_get_the_same() -> None:
    """Json has the texts, csv a row for each recipe."""
    listed = json.loads(call("rules", "recipes", "--json").stdout)
    assert [each["recipe"] for each in listed] == list(catalog())
    assert tomllib.loads(listed[0]["rule"])["rules"][0]["name"] == listed[0]["recipe"]
    assert tomllib.loads(listed[0]["test"])["tests"]
    rows = list(csv.DictReader(io.StringIO(call("rules", "recipes", "--format", "csv").stdout)))
    assert [(row["recipe"], row["limit"], row["need"]) for row in rows] == [
        (each.name, each.limit, each.need) for each in catalog().values()
    ]


def test_an_unknown_recipe_is_refused_with_a_suggestion() -> None:
    """By both commands."""
    expected = (2, 'there is no recipe "low-margn"; did you mean "low-margin"?\n')
    for command in ("recipes", "add"):
        result = call("rules", command, "low-margn")
        assert (result.exit_code, result.stderr) == expected
    assert call("rules", "recipes", "xyz").stderr == (
        'there is no recipe "xyz"; `marginwatch rules recipes` lists them\n'
    )
