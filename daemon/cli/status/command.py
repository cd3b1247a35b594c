"""`marginwatch status`: the state of everything, from the record. `overview` does the work."""

import click

from daemon.cli import options
from daemon.cli.options import Format
from daemon.cli.session import CommandSession

_EXIT_STATUS = """\b
The exit status, for monitoring (the first line says what is not well):
  0  all is well
  1  an alert fires, or a message waits for its channel
  2  no daemon is collecting, or it cannot record; an account has had no
     reading for three intervals, or for one interval, the timeout and the
     pause that the exchange asked for; or a channel refused for good
"""


@click.command(epilog=_EXIT_STATUS)
@options.config
@options.account
@options.output
@click.pass_obj
def status(session: CommandSession, account: str, output: Format) -> int:
    """Show the daemon, the freshness of each account, open alerts, and what waits for each channel.

    With --account only these accounts and their alerts count, also for the exit status; the
    daemon's own alerts are left out.

    \b
    Examples:
      marginwatch status
      marginwatch status --account 'grid-*'
      watch marginwatch status --config /etc/marginwatch/rules.toml
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli import record_access  # noqa: PLC0415 -- on use
    from daemon.cli.status import health, overview  # noqa: PLC0415 -- on use
    from daemon.errors import StoreError  # noqa: PLC0415 -- on use

    try:
        with record_access.open_record(session) as past:
            return overview.show(past, session.clock.now(), output, account)
    except StoreError as error:  # 1 would say that the daemon watches
        error.exit_status = max(error.exit_status, health.BLIND)
        raise
