"""`marginwatch export`: the record in a file or a pipe. The work is done by `run`."""

from typing import Any

import click

from daemon.cli import options
from daemon.cli.session import CommandSession

KINDS = ("readings", "alerts", "notifications", "gaps")


@click.command()
@options.config
@click.argument("kind", metavar="|".join(KINDS), type=click.Choice(KINDS))
@options.account
@options.since("the beginning")
@options.until
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["csv", "jsonl"]),
    help="jsonl has an object a line. Default: csv, or jsonl for a FILE that ends in .jsonl.",
)
@click.option(
    "--after",
    metavar="SEQ",
    help="Only what was recorded later than this seq; of several accounts main=81234,grid=512.",
)
@click.option(
    "-o",
    "--output",
    "target",
    metavar="FILE",
    type=options.ExpandedPath(allow_dash=True),
    help="The file to write; - is standard output. Default: - unless that is a terminal.",
)
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@click.pass_obj
def export(session: CommandSession, /, **wish: Any) -> None:
    """Write a part of the record into a file or a pipe, with every digit, also while a daemon runs.

    Rows come in the order of recording, and memory does not grow with them. The file is complete or
    not there at all, and only you can read it. The last line printed is the command that later
    exports what came since.

    \b
    readings       the columns of history --format csv; import reads them back
    alerts         a row for each transition, as alerts --format csv
    notifications  as notifications --format csv; what still waits comes again later
    gaps           as gaps --format csv; goes on with --since, as gaps have no seq

    \b
    Examples:
      marginwatch export readings -o readings.csv
      marginwatch export readings --account main --after 81234 -o more.csv
      marginwatch export alerts --since 30d --format jsonl | gzip > alerts.jsonl.gz
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli.export import run  # noqa: PLC0415 -- on use

    run.export(session, run.ExportOptions(**wish))
