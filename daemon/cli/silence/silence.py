"""`marginwatch silence`: holds back notifications. The work is done by `actions`."""

import click

from daemon.cli import options
from daemon.cli.options import Format
from daemon.cli.session import CommandSession


@click.group()
def silence() -> None:
    """Hold back notifications of some alerts for a while.

    The alerts are watched and recorded all the same. One that still fires when the silence ends is
    sent then. The end of an alert that was sent before is sent at once.

    \b
    Example:
      marginwatch silence add --rule low-margin --account main --for 2h
    """  # noqa: D301 -- click's mark for lines to be kept


@silence.command()
@options.config
@click.option(
    "--rule", metavar="GLOB", type=options.NAME, help='Rules whose name matches, such as "low-*".'
)
@click.option(
    "--account",
    metavar="GLOB",
    type=options.NAME,
    help='Accounts whose name matches, such as "grid-*".',
)
@click.option(
    "--alert", metavar="ID", help="Only this alert, by the four-character code in its messages."
)
@click.option("--for", "lasts", metavar="DURATION", help="Duration, such as 2h or 30m.")
@click.option(
    "--until",
    metavar="TIME",
    help="End of the silence: 07:00, tomorrow 07:00, mon 07:00 or 2026-11-22T07:00.",
)
@click.option(
    "--until-resolved",
    is_flag=True,
    help="Until each alert that matches and is open now has ended.",
)
@click.option("--yes", is_flag=True, help="Silence everything for longer than a day, knowingly.")
@click.option(
    "--comment", metavar="TEXT", default="", help="Reason; shown wherever the silence is shown."
)
@options.summary
@click.pass_obj
def add(session: CommandSession, /, output: Format, **wish: object) -> None:
    """Begin a silence at once, also for messages that wait to be sent.

    \b
    Examples:
      marginwatch silence add --rule 'low-*' --account main --for 2h --comment 'moving funds'
      marginwatch silence add --alert k3f9 --for 30m
      marginwatch silence add --rule '*' --until-resolved
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli.silence import actions  # noqa: PLC0415 -- on use

    actions.add(session, actions.SilenceOptions(**wish), output)  # type: ignore[arg-type]


@silence.command(name="list")
@options.config
@click.option("--all", "past", is_flag=True, help="Show ended silences, too.")
@options.output
@click.pass_obj
def show(session: CommandSession, past: bool, output: Format) -> None:
    """The silences that hold, and the alerts that are acknowledged.

    \b
    Example:
      marginwatch silence list --all --format csv
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli.silence import actions  # noqa: PLC0415 -- on use

    actions.show(session, past=past, output=output)


@silence.command()
@options.config
@click.argument("numbers", metavar="NUMBER...", nargs=-1, type=click.IntRange(min=1), required=True)
@options.summary
@click.pass_obj
def end(session: CommandSession, numbers: tuple[int, ...], output: Format) -> None:
    """End silences before their time; `silence list` shows their numbers.

    What still fires is told with the next reading.

    \b
    Example:
      marginwatch silence end 3
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli.silence import actions  # noqa: PLC0415 -- on use

    actions.end(session, numbers, output)
