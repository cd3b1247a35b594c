"""`marginwatch rules add` and `rules recipes`. The work is done by `add` and `listing`."""

import click

from daemon.cli import options
from daemon.cli.options import Format
from daemon.cli.session import CommandSession


def _recipes(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """The names that a shell offers."""
    del context, parameter
    from daemon.config.recipes import catalog  # noqa: PLC0415 -- on use

    return [name for name in catalog() if name.startswith(begun)]


@click.command()
@click.argument("recipe", metavar="[RECIPE]", required=False, shell_complete=_recipes)
@options.config
@click.option("--name", metavar="NAME", type=options.NAME, help="Name of the rule, if another.")
@click.option(
    "--limit",
    metavar="LIMIT",
    help="Where it fires: USDT such as 250, or a share such as 15%.",
)
@click.option(
    "--account",
    "accounts",
    metavar="GLOB",
    type=options.NAME,
    multiple=True,
    help='Accounts that it watches, such as "grid-*". Can be repeated. Default: all.',
)
@click.option(
    "--channel",
    "channels",
    metavar="NAME",
    type=options.NAME,
    multiple=True,
    help="Channels that it tells. Can be repeated. Default: all.",
)
@click.option(
    "--escalate-to",
    metavar="CHANNEL",
    type=options.NAME,
    default="",
    help="Told after 15 minutes if nobody acknowledges; needs --channel.",
)
@click.pass_obj
def add(session: CommandSession, /, recipe: str | None, **wish: object) -> None:
    """Add a ready rule to rules.toml, and its test to rules.test.toml.

    Without RECIPE the recipes are listed. Nothing else in the files changes, comments included.
    Both files are checked before they are written, and the test is played. The daemon uses the
    rule from the next reload on.

    \b
    Examples:
      marginwatch rules add low-margin --limit 250
      marginwatch rules add bot-stopped --account 'grid-*' --channel telegram
    """  # noqa: D301 -- click's mark for lines to be kept
    if recipe is None:
        from daemon.cli.rules_add import listing  # noqa: PLC0415 -- on use

        listing.show(Format.TABLE)
    else:
        from daemon.cli.rules_add import add  # noqa: PLC0415 -- on use

        add.add(session, add.AddOptions(recipe, **wish))  # type: ignore[arg-type]


@click.command()
@click.argument("recipe", metavar="[RECIPE]", required=False, shell_complete=_recipes)
@options.output
def recipes(recipe: str | None, output: Format) -> None:
    """List the ready rules, or show one with its test.

    \b
    Examples:
      marginwatch rules recipes
      marginwatch rules recipes drawdown-week
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli.rules_add import listing  # noqa: PLC0415 -- on use

    listing.show(output, recipe)
