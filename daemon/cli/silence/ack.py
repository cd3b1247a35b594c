"""`marginwatch ack`: acknowledges an alert. The work is done by `actions`."""

import click

from daemon.cli import options
from daemon.cli.session import CommandSession


@click.command()
@options.config
@click.argument("code", metavar="ID")
@click.option(
    "--comment", metavar="TEXT", default="", help="Told with it, to whom the alert was told."
)
@click.pass_obj
def ack(session: CommandSession, code: str, comment: str) -> None:
    """Say that you know of an alert: nobody is reminded of it any more.

    ID are the four characters that its messages name. It is told once to all channels that were
    told of the alert; that it got worse, and its end, are told as before.

    \b
    Example:
      marginwatch ack k3f9 --comment 'adding margin'
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli.silence import actions  # noqa: PLC0415 -- on use

    actions.acknowledge(session, code, comment)
