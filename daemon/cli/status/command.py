"""`marginwatch status`: the state of everything, from the record. `overview` does the work."""

import click

from daemon.cli import options
from daemon.cli.options import Format
from daemon.cli.session import CommandSession


@click.command()
@options.config
@options.output
@click.pass_obj
def status(session: CommandSession, output: Format) -> int:
    """Show the daemon, the freshness of each account, open alerts, and what waits for each channel.

    The exit status is 1 if no daemon is collecting.

    \b
    Examples:
      marginwatch status
      watch marginwatch status --config /etc/marginwatch/rules.toml
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli import record_access  # noqa: PLC0415 -- on use
    from daemon.cli.status import overview  # noqa: PLC0415 -- on use

    with record_access.open_record(session) as past:
        return overview.show(past, session.clock.now(), output)
