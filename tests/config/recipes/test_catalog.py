"""The recipes that ship: each loads without a warning, and its test passes, whatever the limit."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from daemon import config
from daemon.config.recipes import (
    Recipe,
    case_tables,
    catalog,
    example_filling,
    insert_tables,
    rule_tables,
)
from tests.cli.calls import account, call, write

RECIPES = list(catalog().values())
OTHER_LIMITS = {
    True: ("0.00000001%", "7.5%", "99.99999999%"),
    False: ("0.00000001", "0.33", "999999999999.99999999"),
}
"""By whether the recipe's limit is a percentage."""

WRITTEN = [
    (recipe, written)
    for recipe in RECIPES
    for written in (None, *(OTHER_LIMITS[recipe.in_percent] if recipe.limit else ()))
]


TWO_CHANNELS = "".join(
    f'\n[[channels]]\nname = "{name}"\nurl = "json://127.0.0.1:9/{name}"\nloud = {loud}\n'
    for name, loud in (("telegram", "false"), ("call", "true"))
)
"""Those that an example of a recipe names."""


def _files(folder: Path, recipe: Recipe, written: str | None) -> tuple[Path, Path]:
    """A configuration with this recipe alone, and the file of its tests."""
    filling = example_filling(recipe, written)
    rules = write(folder, account(), TWO_CHANNELS, rule_tables(recipe, filling))
    tests = folder / "rules.test.toml"
    tests.write_text(case_tables(recipe, filling))
    return rules, tests


@pytest.mark.parametrize(
    ("recipe", "written"), WRITTEN, ids=lambda each: getattr(each, "name", each)
)
def test_a_recipe_does_what_its_test_says(
    recipe: Recipe, written: str | None, tmp_path: Path
) -> None:
    """Played by the daemon's own functions, with the default limit, a small and a large one."""
    result = call("rules", "test", _files(tmp_path, recipe, written)[1], environ={})
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda each: each.name)
def test_a_recipe_is_a_rule_without_doubts(recipe: Recipe, tmp_path: Path) -> None:
    """`check` has nothing to say about it, on an account that is read every five seconds."""
    path = _files(tmp_path, recipe, None)[0]
    loaded = config.load(path.read_text(), path=path, environ={}, secrets=False)
    assert [each for each in loaded.warnings if each.startswith(("rules", "mutes"))] == []
    assert recipe.name in {rule.name for rule in loaded.rules}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda each: each.name)
def test_a_test_fails_when_the_rule_never_fires(recipe: Recipe, tmp_path: Path) -> None:
    """A test that expects nothing would pass whatever the rule says."""
    path, tests = _files(tmp_path, recipe, None)
    never = 'when = "available_margin < -1_000"'
    path.write_text(re.sub(r"(?m)^when = .*", never, path.read_text()))
    assert call("rules", "test", tests, environ={}).exit_code == 1


def test_every_need_is_there_and_says_what_it_is() -> None:
    """At least twenty; each is one sentence, and its group stands together."""
    assert len(RECIPES) >= 20
    assert len({recipe.name for recipe in RECIPES}) == len(RECIPES)
    in_one_line = re.compile(r"[A-Z].{10,53}\.")  # the list of recipes has room for so much
    assert [each.need for each in RECIPES if not in_one_line.fullmatch(each.need)] == []
    groups = [recipe.group for recipe in RECIPES]
    assert sorted(groups, key=groups.index) == groups


def test_all_of_them_fit_into_one_file(tmp_path: Path) -> None:
    """A person may add every recipe: names of rules, mute windows and tests differ."""
    rules, tests = write(tmp_path, account(), TWO_CHANNELS).read_text(), ""
    for recipe in RECIPES:
        filling = replace(example_filling(recipe), name=f"my {recipe.name}")
        rules = insert_tables(rules, rule_tables(recipe, filling), "rules")
        tests = insert_tables(tests, case_tables(recipe, filling), "tests")
    (tmp_path / "rules.toml").write_text(rules)
    (tmp_path / "rules.test.toml").write_text(tests)
    result = call("rules", "test", tmp_path / "rules.test.toml", environ={})
    assert result.exit_code == 0, result.output
