"""`marginwatch plot`: fields in the terminal or as a picture. The work is done by `plot_draw`."""

import click

from daemon.cli import options
from daemon.cli.session import CommandSession


@click.command()
@options.config
@click.argument("fields", metavar="FIELD...", nargs=-1)
@click.option(
    "--field", "more", metavar="FIELD", multiple=True, help="One more FIELD; may be repeated."
)
@click.option(
    "--account",
    metavar="GLOB",
    type=options.NAME,
    help='The account, or several, such as "grid-*"; not needed if there is only one.',
)
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
    fields: tuple[str, ...],
    more: tuple[str, ...],
    account: str | None,
    since: str | None,
    until: str | None,
    png: str | None,
) -> None:
    """Draw a FIELD in the terminal, or as a picture: available_margin, margin_usage or any other.

    It also shows the limits of the configured rules, when these rules fired, and where readings are
    missing. Several fields or accounts are charts one above the other.

    \b
    Examples:
      marginwatch plot available_margin --since 2h
      marginwatch plot available_margin --since 24h --png margin.png
      marginwatch plot available_margin al_freeze --account "grid-*" --png bots.png
      marginwatch plot freeze_ratio --account grid-bot --since 2026-11-01 --until 2026-11-08 \
--png week.png
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli import record_access  # noqa: PLC0415 -- on use
    from daemon.cli.show import plot_draw  # noqa: PLC0415 -- on use

    wish = plot_draw.PlotOptions((*fields, *more), account, since, until, png)
    wish.check()
    with record_access.open_record(session, imported=True) as past:
        plot_draw.show(past, wish, session)
