"""`marginwatch check`: tests the configuration, the keys and the channels.

The work is done by `file`, `keys` and `channels`.
"""

import click

from daemon.cli import options
from daemon.cli.output.terminal import echo
from daemon.cli.session import CommandSession


@click.command()
@options.config
@click.option("--online", is_flag=True, help="Ask the exchange once about every account.")
@click.option(
    "--notify", is_flag=True, help="Send a message that says it is a test through every channel."
)
@click.pass_obj
def check(session: CommandSession, *, online: bool, notify: bool) -> int:
    """Say everything that is wrong with rules.toml (exit status 78), or that it is good.

    Of a good one also what a reload would do with it: rules that are new, changed or gone, alerts
    that will be retired. A database into which `run` could not collect is told as `run` would tell
    it, with the same exit status. With --online and --notify also whether keys and channels work
    (exit status 1 where one does not).

    \b
    Example:
      marginwatch check --online --notify
    """  # noqa: D301 -- click's mark for lines to be kept
    loaded = session.config()
    from daemon.cli.check import file  # noqa: PLC0415 -- on use

    trouble = file.store_trouble(loaded)
    file.show(loaded, session.clock.now(), readable=trouble is None)
    if trouble is not None:
        echo(str(trouble), err=True)
    good = trouble is None
    if online:
        from daemon.cli.check.keys import ask  # noqa: PLC0415 -- on use

        good &= ask(loaded, session.clock)
    if notify:
        from daemon.cli.check.channels import send  # noqa: PLC0415 -- on use

        good &= send(loaded, session.clock)
    return 0 if good else 1
