"""`marginwatch notifications`: sent and waiting ones. The work is done by `notification_rows`."""

import click

from daemon.cli import options
from daemon.cli.session import CommandSession


@click.command()
@options.config
@options.account
@click.option(
    "--channel",
    metavar="GLOB",
    type=options.NAME,
    default="*",
    help='Only channels whose name matches, such as "tele*".',
)
@options.since("24h in a table, else the beginning; with --waiting the beginning")
@options.until
@click.option("--waiting", is_flag=True, help="Only what is not delivered yet.")
@options.output
@click.pass_obj
def notifications(session: CommandSession, /, **wish: object) -> None:
    """List what was sent to each channel, what waits, and the reason.

    Reasons for waiting are a mute window, a failing channel, the send rate of a service, or that no
    daemon runs. marginwatch status shows the state of the channels themselves.

    \b
    Examples:
      marginwatch notifications
      marginwatch notifications --waiting --channel telegram
      marginwatch notifications --account main --since 7d --format csv
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli import record_access  # noqa: PLC0415 -- on use
    from daemon.cli.show import notification_rows  # noqa: PLC0415 -- on use

    with record_access.open_record(session) as past:
        wanted = notification_rows.NotificationFilter(**wish)  # type: ignore[arg-type]
        notification_rows.show(past, wanted, session.clock.now())
