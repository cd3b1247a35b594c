"""`marginwatch history`: the recorded readings."""

from collections import deque
from collections.abc import Iterator
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click

from daemon.cli.options import Format, account_option, config_option, output_option, since_option, until_option
from daemon.cli.session import Session
from daemon.types import HOUR

if TYPE_CHECKING:
    from daemon.cli.output import Row
    from daemon.store.history import History
    from daemon.types import Millis, Reading

MOST = 100
"""Rows of a table; csv and json have them all."""

FIELDS = ("available_margin", "available_usdt", "almighty_gold", "al_margin", "al_freeze", "cross_un_pnl")
COLUMNS = ("account", "at", "seq", "source", "quality", *FIELDS)


@click.command()
@config_option
@account_option
@since_option("1h in a table, else the beginning")
@until_option
@output_option
@click.pass_obj
def history(
    session: Session, config: Path | None, account: str, since: str | None, until: str | None, output: str
) -> None:
    """The recorded readings, in the order of time.

    A table shows the last of them; csv and json have all, with the exact digits.

    \b
    Examples:
      marginwatch history --account main --since 2h
      marginwatch history --since 2026-11-01 --until 2026-11-08 --format csv > week.csv
    """  # noqa: D301 -- click's mark for lines to be kept
    del config
    from daemon.cli import record  # noqa: PLC0415 -- on use

    with record.opened(session) as (past, zone):
        default = f"{HOUR}ms" if output == Format.TABLE else None
        begin, end = record.span(since or default, until, session.clock.now(), zone)
        found = past.readings(record.matching(past, account), begin, end)
        _print(found, Format(output), zone)


def _print(found: "Iterator[tuple[str, Reading]]", output: Format, zone: tzinfo | None) -> None:
    from daemon.cli.output import Table, write_csv, write_json  # noqa: PLC0415 -- on use

    if output == Format.TABLE:
        last = deque(enumerate(found, 1), MOST)
        ...
