"""`marginwatch rules`: the group of commands about rules."""

import click

from daemon.cli.rules_add.command import add, recipes
from daemon.cli.rules_test.command import test


@click.group()
def rules() -> None:
    """Add ready rules, and try out rules.

    \b
    Example:
      marginwatch rules add low-margin --limit 250
      marginwatch rules test
    """  # noqa: D301 -- click's mark for lines to be kept


for each in (test, recipes, add):
    rules.add_command(each)
