"""`marginwatch history`: the recorded readings. The work is done by `history_rows`."""

import click

from daemon.cli import options
from daemon.cli.options import Format
from daemon.cli.session import CommandSession


@click.command()
@options.config
@options.account
@options.since("1h in a table, else the beginning")
@options.until
@options.output
@click.pass_obj
def history(
    session: CommandSession, account: str, since: str | None, until: str | None, output: Format
) -> None:
    """List the recorded readings, oldest first.

    A table shows the last of them; csv and json have all, with the exact digits.

    \b
    Examples:
      marginwatch history --account main --since 2h
      marginwatch history --since 2026-11-01 --until 2026-11-08 --format csv > week.csv
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli import record_access  # noqa: PLC0415 -- on use
    from daemon.cli.show import history_rows  # noqa: PLC0415 -- on use

    default = history_rows.SHOWN if output is Format.TABLE else None
    with record_access.open_record(session, imported=True) as past:
        span = past.span(since or default, until, session.clock.now())
        history_rows.show(past, account, span, output)
