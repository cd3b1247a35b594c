"""`marginwatch explain`: why a rule did, or did not, alert. The work is done by `answer`."""

import click

from daemon.cli import options
from daemon.cli.session import CommandSession


@click.command()
@options.config
@click.argument("rule", type=options.NAME)
@options.one_account
@click.option(
    "--at", "at", metavar="TIME", required=True, help="ISO 8601, or 24h, 7d for ago, or now."
)
@click.pass_obj
def explain(session: CommandSession, rule: str, account: str | None, at: str) -> None:
    """Replay the record up to a time and show how RULE stood there, with every value, clock, mute
    and message.

    The rules and mute windows are those that were in force. For a time before the daemon's own
    record, of which there are imported readings, today's are played, at most over the week before.

    \b
    Examples:
      marginwatch explain low-margin --at 2026-11-22T03:12
      marginwatch explain low-margin --account grid-bot --at 2h
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli import record_access  # noqa: PLC0415 -- on use
    from daemon.cli.explain import answer  # noqa: PLC0415 -- on use

    with record_access.open_record(session) as past:
        answer.show(past, answer.Question(rule, account, at), session.clock.now())
