"""`marginwatch plot`: a field in the terminal or as a picture. The work is done by `plot_draw`."""

import click

from daemon.cli import options
from daemon.cli.session import CommandSession


@click.command()
@options.config
@click.argument("field")
@options.one_account
@options.since("24h")
@options.until
@click.option(
    "--png",
    metavar="FILE",
    type=options.ExpandedPath(allow_dash=True),
    help='Draw a picture into this file instead; "-" is standard output.',
)
@click.pass_obj
def plot(
    session: CommandSession,
    /,
    field: str,
    account: str | None,
    since: str | None,
    until: str | None,
    png: str | None,
) -> None:
    """Draw FIELD in the terminal, or as a picture: available_margin, margin_usage or any other.

    It also shows the thresholds of the configured rules, when these rules fired, and where readings
    are missing. In the terminal each account that matches has a chart; a picture is of one account.

    \b
    Examples:
      marginwatch plot available_margin --since 2h
      marginwatch plot available_margin --since 24h --png margin.png
      marginwatch plot freeze_ratio --account grid-bot --since 2026-11-01 --until 2026-11-08 \
--png week.png
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli import record_access  # noqa: PLC0415 -- on use
    from daemon.cli.show import plot_draw  # noqa: PLC0415 -- on use

    wish = plot_draw.PlotOptions(field, account, since, until, png)
    wish.check()
    with record_access.open_record(session, imported=True) as past:
        if png is None:
            plot_draw.show(past, wish, session)
        else:
            plot_draw.write(past, wish, session, png)
