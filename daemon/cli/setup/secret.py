"""`marginwatch secret`: a secret into a file of its own, typed hidden or from a pipe."""

import click

from daemon.cli import options
from daemon.cli.session import CommandSession


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@options.config
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.pass_obj
def secret(session: CommandSession, names: tuple[str, ...], *, force: bool) -> None:
    """Write secrets into files beside rules.toml, readable by you alone.

    NAME is the name of a file. You are asked for its secret, and what you type is not shown. Of
    several, leave empty what you do not have. From a pipe one line is read for each.

    \b
    Examples:
      marginwatch secret coinw-key coinw-secret
      marginwatch secret telegram-token --force
      pass show coinw | marginwatch secret coinw-secret
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli.setup.secret_file import store_secrets  # noqa: PLC0415 -- on use

    store_secrets(session, names, force=force)
