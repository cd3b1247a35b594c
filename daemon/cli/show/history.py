"""`marginwatch history`: the recorded readings. The work is done by `history_rows`."""

from typing import Any

import click

from daemon.cli import options
from daemon.cli.options import Format
from daemon.cli.session import CommandSession


@click.command()
@options.config
@options.account
@options.since("1h in a table, else the beginning")
@options.until
@click.option(
    "--fields", metavar="NAMES", help="Only these fields, such as available_margin,margin_usage."
)
@click.option("--changes", is_flag=True, help="Only readings in which a field has changed.")
@options.output
@click.pass_obj
def history(
    session: CommandSession, /, since: str | None, until: str | None, output: Format, **wish: Any
) -> None:
    """List the recorded readings, oldest first.

    A table shows the last of them, and the fields for which it has room; csv and json have all,
    with the exact digits.

    \b
    Examples:
      marginwatch history --account main --since 20:20
      marginwatch history --fields available_margin,margin_usage --changes
      marginwatch history --since 2026-11-01 --until 2026-11-08 --format csv > week.csv
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli import record_access  # noqa: PLC0415 -- on use
    from daemon.cli.show import history_rows  # noqa: PLC0415 -- on use

    default = history_rows.SHOWN if output is Format.TABLE else None
    with record_access.open_record(session, imported=True) as past:
        span = past.span(since or default, until, session.clock.now())
        wanted = history_rows.HistoryOptions(output=output, **wish)
        history_rows.show(past, wanted, span, session.clock.now())
