"""`marginwatch rules test`: tests rules. The work is done by `run`."""

from pathlib import Path

import click

from daemon.cli import options
from daemon.cli.options import Format
from daemon.cli.session import CommandSession


@click.command()
@click.argument(
    "files",
    metavar="[FILE …]",
    nargs=-1,
    type=options.ExpandedPath(path_type=Path, dir_okay=False, exists=True),
)
@options.config
@click.option(
    "-k",
    "--case",
    "pattern",
    metavar="GLOB",
    help="Only the cases whose name holds this word, or matches it.",
)
@options.output
@click.pass_obj
def test(
    session: CommandSession, files: tuple[Path, ...], pattern: str | None, output: Format
) -> int:
    """Run your test cases, and show what differs from what you expect.

    A case has series of values that you write, and the alerts and messages that you expect. The
    daemon's own functions judge them. Without FILE, every *.test.toml beside the configuration is
    run. NAME.test.toml tests the rules in NAME.toml beside it, unless the file or --config names
    others. Nothing is recorded, sent or asked of the exchange, and no key is needed. The exit
    status is 1 if a case fails.

    \b
    Examples:
      marginwatch rules test
      marginwatch rules test rules.test.toml -k margin
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli.rules_test import run  # noqa: PLC0415 -- on use

    return run.show(session, run.RulesTestOptions(files, pattern, output))
