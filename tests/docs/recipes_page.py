"""The text of docs/recipes.md, made of the recipes themselves."""

from collections.abc import Iterator
from itertools import groupby

from daemon.config.recipes import (
    Recipe,
    case_tables,
    catalog,
    example_filling,
    rule_tables,
)

HEAD = """\
# Recipes

Ready rules for common needs, each with the test that plays it. `marginwatch rules recipes` lists
them, and `marginwatch rules add` writes one into `rules.toml` and its test into `rules.test.toml`.
Nothing else in these files changes, comments included.

```console
$ marginwatch rules add low-margin --limit 250
$ marginwatch rules add bot-stopped --account 'grid-*' --channel telegram
$ marginwatch rules add low-margin --name low-margin-desk --account desk --limit 1000
$ marginwatch rules add withdrawal --channel telegram --escalate-to call
```

`--limit` is where the rule fires: an amount in USDT, or a share such as `15%`. Choose amounts that
fit your account; those below are only examples. `--account` and `--channel` can be repeated;
without them the rule watches every account and tells every channel. `--name` adds a recipe a second
time. `--escalate-to` names the channel that is told after 15 minutes if nobody acknowledges; the
others are named with `--channel` then. Before anything is written, both files are checked as
`marginwatch check` does, and the new test is played. The last line is the command by which the
daemon loads the rule: `systemctl reload marginwatch`, or `kill -HUP` with its number if it was
started by hand. `marginwatch backtest` shows what it would have told so far.

What the words mean: [rules.md](rules.md) for conditions, [configuration.md](configuration.md#rules)
for the other keys, [testing-rules.md](testing-rules.md) for tests.

"""


def page() -> str:
    """The whole page."""
    recipes = list(catalog().values())
    rows = "".join(f"| `{each.name}` | {each.need} | {each.limit} |\n" for each in recipes)
    overview = f"| recipe | what it tells | limit |\n|---|---|---|\n{rows}"
    return HEAD + overview + "".join(_groups(recipes))


def _groups(recipes: list[Recipe]) -> Iterator[str]:
    for heading, group in groupby(recipes, lambda each: each.group):
        yield f"\n## {heading}\n"
        yield from map(_section, group)


def _section(recipe: Recipe) -> str:
    filling = example_filling(recipe)
    texts = rule_tables(recipe, filling), case_tables(recipe, filling)
    prose = "\n\n".join(part for part in (recipe.need, recipe.note.strip()) if part)
    blocks = "\n".join(f"```toml\n{text.strip()}\n```\n" for text in texts)
    return f"\n### {recipe.name}\n\n{prose}\n\n{blocks}"
