"""`marginwatch alerts`: the open and recent alerts. The work is done by `alert_rows`."""

import click

from daemon.cli import options
from daemon.cli.options import Format
from daemon.cli.session import CommandSession


@click.command()
@options.config
@options.account
@options.since("24h in a table, else the beginning")
@options.until
@options.output
@click.pass_obj
def alerts(
    session: CommandSession, account: str, since: str | None, until: str | None, output: Format
) -> None:
    """List alerts that are open, or ended within the span, with their transitions.

    \b
    Examples:
      marginwatch alerts
      marginwatch alerts --account main --since 7d --format json
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli import record_access  # noqa: PLC0415 -- on use
    from daemon.cli.show import alert_rows  # noqa: PLC0415 -- on use

    default = alert_rows.SHOWN if output is Format.TABLE else None
    with record_access.open_record(session) as past:
        past.must_know(account)
        span = past.span(since or default, until, session.clock.now())
        alert_rows.show(past, account, span, session.clock.now(), output)
