"""`marginwatch secret`: a secret into a file of its own, typed hidden or from a pipe."""

import click

from daemon.cli import options
from daemon.cli.session import CommandSession


@click.command()
@click.argument("name")
@options.config
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.pass_obj
def secret(session: CommandSession, name: str, *, force: bool) -> None:
    """Write a secret into a file beside rules.toml, readable by you alone.

    NAME is the name of the file. You are asked for the secret, and what you type is not shown. From
    a pipe one line is read.

    \b
    Examples:
      marginwatch secret coinw-key
      marginwatch secret telegram-token --force
      pass show coinw | marginwatch secret coinw-secret
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli.setup.secret_file import store_secret  # noqa: PLC0415 -- on use

    store_secret(session, name, force=force)
