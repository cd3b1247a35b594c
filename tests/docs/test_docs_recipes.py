"""docs/recipes.md is made of the recipes that ship; `tests/config/recipes` plays them.

After a change of a recipe, `python -m tests.docs.test_docs_recipes` writes the page anew; read it.
"""

from tests.docs.markdown import RECIPES
from tests.docs.recipes_page import page


def test_the_page_shows_every_recipe_with_its_rule_and_test() -> None:
    """What a person reads there is what `rules add` writes."""
    assert RECIPES.text == page()


if __name__ == "__main__":
    RECIPES.path.write_text(page(), encoding="utf-8")
