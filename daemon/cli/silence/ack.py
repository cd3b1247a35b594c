"""`marginwatch ack`: acknowledges an alert. The work is done by `actions`."""

import click

from daemon.cli import options
from daemon.cli.options import Format
from daemon.cli.session import CommandSession


@click.command()
@options.config
@click.argument("code", metavar="ID", required=False)
@click.option("--comment", metavar="TEXT", default="", help="Comment that is sent with it.")
@options.summary
@click.pass_obj
def ack(session: CommandSession, code: str | None, comment: str, output: Format) -> None:
    """Acknowledge an alert: no more reminders.

    ID is the four-character code in its messages; without one the ids of the open alerts are
    listed. Every channel that was told of the alert is told of this once. If the alert gets worse
    or ends, that is sent as usual. silence end takes the acknowledgement back.

    \b
    Example:
      marginwatch ack k3f9 --comment 'adding margin'
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli.silence import actions  # noqa: PLC0415 -- on use

    actions.acknowledge(session, code, comment, output)
