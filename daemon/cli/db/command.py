"""The commands of `marginwatch db`. The work is done by `copies` and `size_table`."""

from pathlib import Path

import click

from daemon.cli import options
from daemon.cli.options import ExpandedPath, Format
from daemon.cli.output.terminal import say
from daemon.cli.session import CommandSession

FILE = ExpandedPath(path_type=Path, readable=False)


@click.group()
def db() -> None:
    """Maintain the database: its version, backups, and size.

    \b
    Examples:
      marginwatch db backup /var/backups/marginwatch/ --keep 7
      marginwatch db size
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


@db.command()
@options.config
@click.argument("path", type=FILE)
@click.option(
    "--keep",
    metavar="NUMBER",
    type=click.IntRange(min=1),
    help="Backups that stay in the directory, the newest ones; older ones are removed.",
)
@click.pass_obj
def backup(session: CommandSession, path: Path, keep: int | None) -> None:
    """Copy the database to PATH, while the daemon runs.

    PATH is a file, or a directory in which each backup has the time in its name. The copy is
    checked before it gets its name, and only you can read it. For PostgreSQL, it names the command
    to use.

    \b
    Examples:
      marginwatch db backup /var/backups/marginwatch/ --keep 7
      marginwatch db backup ~/before-the-move.db
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli.db import copies  # noqa: PLC0415 -- on use

    copies.back_up(session, path, keep)


@db.command()
@options.config
@click.argument("path", type=FILE)
@click.option(
    "--force",
    is_flag=True,
    help="Also where there is a database: that is kept beside it, under another name.",
)
@click.pass_obj
def restore(session: CommandSession, path: Path, *, force: bool) -> None:
    """Put the backup PATH in place of the database.

    Stop the daemon first, and start it afterwards: what it records from then on follows the backup.

    \b
    Example:
      marginwatch db restore /var/backups/marginwatch/marginwatch-20261201T031500Z.db
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli.db import copies  # noqa: PLC0415 -- on use

    copies.restore(session, path, force=force)


@db.command()
@options.config
@options.output
@click.pass_obj
def size(session: CommandSession, output: Format) -> None:
    """Show the size of each table, and the growth.

    From the growth of the last week it reckons when the disk will be full.

    \b
    Example:
      marginwatch db size
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli.db import size_table  # noqa: PLC0415 -- on use

    size_table.show(session, output)
