"""`marginwatch import`: adds readings that others recorded. The work is done by `run`."""

import click

from daemon.cli import options
from daemon.cli.options import Format
from daemon.cli.session import CommandSession


@click.command("import")
@options.config
@click.argument("file", metavar="FILE.csv")
@click.option(
    "--new-accounts",
    "--new-account",
    is_flag=True,
    help="Take accounts too that neither rules.toml nor the database knows.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be added, and change nothing.")
@options.summary
@click.pass_obj
def bring_in(
    session: CommandSession, file: str, *, new_accounts: bool, dry_run: bool, output: Format
) -> int:
    """Import readings that others recorded, from a CSV file; "-" reads standard input.

    The first line names the columns: account, time (ISO 8601, or seconds or milliseconds since
    1970; without a zone in the configured one) and any of the fields, in either spelling. An empty
    cell is an unknown field. A file from export readings or history --format csv can be imported as
    it is: its quality is kept, seq and source are not.

    Imported readings lie before the account's own readings; later lines are skipped and counted.
    history, backtest and explain see them, the running daemon does not. Importing a file twice adds
    nothing. Where a line contradicts the record, the record stays. If one line is bad, nothing is
    imported. A database that does not exist yet is created.

    \b
    Examples:
      account,time,available_margin,alFreeze
      main,2026-01-01T03:12:00+01:00,996660.60643876,12.5

    \b
      marginwatch import last-year.csv --dry-run
      marginwatch import last-year.csv
      marginwatch export readings --config old/rules.toml | marginwatch import -
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli.import_csv import run  # noqa: PLC0415 -- on use

    config, now = session.config(secrets=False), session.clock.now()
    options_ = run.ImportOptions(file, new_accounts, dry_run, output)
    return run.bring_in(options_, config, now)
