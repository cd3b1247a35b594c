"""`marginwatch db`: maintenance of the database."""

import click

from daemon.cli import options
from daemon.cli.output.terminal import say
from daemon.cli.session import CommandSession


@click.group()
def db() -> None:
    """Maintain the database.

    \b
    Example:
      marginwatch db upgrade
    """  # noqa: D301 -- click's mark for lines to be kept


@db.command()
@options.config
@click.pass_obj
def upgrade(session: CommandSession) -> None:
    """Bring the tables up to this version.

    It creates a database that does not exist yet. `marginwatch run` does this by itself. Stop the
    daemon first.

    \b
    Example:
      marginwatch db upgrade --config /etc/marginwatch/rules.toml
    """  # noqa: D301 -- click's mark for lines to be kept
    loaded = session.config(secrets=False)
    from daemon import store  # noqa: PLC0415 -- on use

    store.upgrade(loaded.daemon.database.reveal())
    say("the database is up to date")
