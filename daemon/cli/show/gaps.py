"""`marginwatch gaps`: when readings were missing. The work is done by `gap_rows`."""

import click

from daemon.cli import options
from daemon.cli.options import Format
from daemon.cli.session import CommandSession


@click.command()
@options.config
@options.account
@options.since("7d in a table, else the beginning")
@options.until
@options.output
@click.pass_obj
def gaps(
    session: CommandSession, account: str, since: str | None, until: str | None, output: Format
) -> None:
    """List the times without readings, with the reason, oldest first.

    A gap lasts from the last reading before it to the next one. Its reason is that of the attempts
    that failed, or daemon_down, suspended, store_down; a clock_step is the instant at which this
    machine's clock was set.

    \b
    Examples:
      marginwatch gaps --since 24h
      marginwatch gaps --account main --format csv > gaps.csv
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli import record_access  # noqa: PLC0415 -- on use
    from daemon.cli.show import gap_rows  # noqa: PLC0415 -- on use

    now = session.clock.now()
    default = gap_rows.SHOWN if output is Format.TABLE else None
    with record_access.open_record(session) as past:
        gap_rows.show(past, account, past.span(since or default, until, now), now, output)
