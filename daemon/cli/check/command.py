"""`marginwatch check`: tests the configuration, the keys and the channels.

The work is done by `file`, `keys` and `channels`.
"""

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from daemon.cli import options
from daemon.cli.failures import redacted
from daemon.cli.options import Format
from daemon.cli.output.terminal import say
from daemon.cli.session import CommandSession
from daemon.errors import ConfigError

if TYPE_CHECKING:
    from daemon.cli.check.report import CheckReport


@click.command()
@options.config
@click.option("--online", is_flag=True, help="Query the exchange once for every account.")
@click.option("--notify", is_flag=True, help="Send a test message through every channel.")
@options.summary
@click.pass_obj
def check(session: CommandSession, *, online: bool, notify: bool, output: Format) -> int:
    """List all mistakes in rules.toml (exit status 78), or say that it is good.

    A file without a channel is a mistake, as nobody would be told; `run` only warns of that. If
    only secrets are missing or wrong, the warnings are shown all the same.

    For a good file it also shows what a reload would do: rules that are new, changed or gone, and
    alerts that would be retired. If `run` could not use the database, it says so as `run` would,
    with the same exit status. --online and --notify also test the keys and the channels (exit
    status 1 if one fails).

    \b
    Example:
      marginwatch check --online --notify
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli.check.report import CheckReport  # noqa: PLC0415 -- on use

    report = CheckReport(output)
    try:
        status = _check(session, report, online=online, notify=notify)
    except ConfigError as error:
        if output is not Format.JSON:
            raise
        status = error.exit_status
        report.found["mistakes"] += redacted(session, *error.problems)
    report.finish(str(session.path or "rules.toml"), status)
    return status


def _check(session: CommandSession, report: "CheckReport", *, online: bool, notify: bool) -> int:
    """Test everything that is asked for, and return the exit status.

    Raises:
        ConfigError: with all mistakes of the file.

    """
    from daemon.cli.check import file  # noqa: PLC0415 -- on use
    from daemon.config.checks.warnings import NO_CHANNEL  # noqa: PLC0415 -- on use

    try:
        loaded = session.config()
    except ConfigError as error:
        # A missing secret hides no warning; with another mistake this fails again.
        with suppress(ConfigError):
            without_secrets = session.config(secrets=False)
            file.show_warnings(without_secrets, session.clock.now(), report)
            if not without_secrets.channels:
                error.problems.append(NO_CHANNEL)
        raise
    session.path = loaded.path
    trouble = file.store_trouble(loaded)
    file.show(loaded, session.clock.now(), report, readable=trouble is None)
    if trouble is not None:
        report.found["mistakes"].append(str(trouble))
        say(str(trouble), err=True)
    good = trouble is None
    if online:
        from daemon.cli.check.keys import ask  # noqa: PLC0415 -- on use

        good &= ask(loaded, session.clock, report)
    if not loaded.channels:
        raise ConfigError([NO_CHANNEL])
    if notify:
        from daemon.cli.check.channels import send  # noqa: PLC0415 -- on use

        good &= send(loaded, session.clock, report)
    return 0 if good else 1
