"""`marginwatch history`: the recorded readings. The work is done by `history_rows`."""

from typing import Any

import click

from daemon.cli import options
from daemon.cli.options import Format
from daemon.cli.session import CommandSession
from daemon.errors import UsageError


@click.command()
@options.config
@options.account
@options.since("1h in a table, else the beginning")
@options.until
@click.option(
    "--fields", metavar="NAMES", help="Only these fields, such as available_margin,margin_usage."
)
@click.option(
    "--every",
    metavar="DURATION",
    help="Figures for each step of this length, such as 5m, 1h or 1d, instead of readings.",
)
@click.option(
    "--field",
    metavar="NAME",
    help="The field of --every. Default: available_margin.",
)
@click.option("--changes", is_flag=True, help="Only readings in which a field has changed.")
@options.output
@click.pass_obj
def history(
    session: CommandSession,
    /,
    since: str | None,
    until: str | None,
    every: str | None,
    field: str | None,
    output: Format,
    **wish: Any,
) -> None:
    """List the recorded readings, oldest first.

    A table shows the last of them, and the fields for which it has room; csv and json have all,
    with the exact digits. With --every it lists steps of time, each with the first, last, lowest
    and highest value of a field, and the mean of its judged readings.

    \b
    Examples:
      marginwatch history --account main --since 20:20
      marginwatch history --fields available_margin,margin_usage --changes
      marginwatch history --every 1h --field margin_usage --since yesterday
      marginwatch history --since 2026-11-01 --until 2026-11-08 --format csv > week.csv
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli import record_access  # noqa: PLC0415 -- on use
    from daemon.cli.show import history_rows, history_steps  # noqa: PLC0415 -- on use

    if every is not None:
        wanted = history_steps.step_options(every, field, output, **wish)
        with record_access.open_record(session, imported=True) as past:
            history_steps.show(past, wanted, since, until, session.clock.now())
        return
    if field is not None:
        raise UsageError("--field belongs to --every; --fields names the columns of a list")
    default = history_rows.SHOWN if output is Format.TABLE else None
    with record_access.open_record(session, imported=True) as past:
        span = past.span(since or default, until, session.clock.now())
        listed = history_rows.HistoryOptions(output=output, **wish)
        history_rows.show(past, listed, span, session.clock.now())
