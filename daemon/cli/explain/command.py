"""`marginwatch explain`: why a rule did, or did not, alert. The work is done by `answer`."""

import click

from daemon.cli import options
from daemon.cli.options import Format
from daemon.cli.session import CommandSession


@click.command()
@options.config
@click.argument("rule", type=options.NAME)
@options.one_account
@click.option("--at", "at", metavar="TIME", default="now", help=f"{options.TIME} Default: now.")
@options.summary
@click.pass_obj
def explain(
    session: CommandSession, rule: str, account: str | None, at: str, output: Format
) -> None:
    """Show why RULE fired or not at a time, with every value, clock, mute and message.

    It replays the record with the rules and mute windows that were in force then. For imported
    readings from before the daemon's own record it uses today's, over at most one week.

    \b
    Examples:
      marginwatch explain low-margin --at 03:12
      marginwatch explain low-margin --account grid-bot --at 2h
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli import record_access  # noqa: PLC0415 -- on use
    from daemon.cli.explain import answer  # noqa: PLC0415 -- on use

    with record_access.open_record(session) as past:
        answer.show(past, answer.Question(rule, account, at), session.clock.now(), output)
