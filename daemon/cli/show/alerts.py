"""`marginwatch alerts`: the open and recent alerts. The work is done by `alert_rows`."""

from typing import Any

import click

from daemon.cli import options
from daemon.cli.options import Format
from daemon.cli.session import CommandSession
from daemon.types import Severity


@click.command()
@options.config
@options.account
@options.since("24h in a table, else the beginning")
@options.until
@click.option(
    "--rule", default="*", metavar="GLOB", type=options.NAME, help='Only rules such as "low-*".'
)
@click.option(
    "--severity", type=click.Choice([each.value for each in Severity]), help="Only this severity."
)
@click.option("--open", "only_open", is_flag=True, help="Only alerts that have not ended.")
@options.output
@click.pass_obj
def alerts(
    session: CommandSession, /, since: str | None, until: str | None, output: Format, **wish: Any
) -> None:
    """List alerts that are open, or ended within the span, with their transitions.

    \b
    Examples:
      marginwatch alerts
      marginwatch alerts --open --severity critical
      marginwatch alerts --account main --rule 'low-*' --since 7d --format json
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli import record_access  # noqa: PLC0415 -- on use
    from daemon.cli.show import alert_rows  # noqa: PLC0415 -- on use

    default = alert_rows.SHOWN if output is Format.TABLE else None
    with record_access.open_record(session) as past:
        span = past.span(since or default, until, session.clock.now())
        wanted = alert_rows.AlertFilter(**wish)
        alert_rows.show(past, wanted, span, session.clock.now(), output)
