"""`marginwatch backtest`: replays rules over the recorded history, or verifies the record.

The work is done by `run` (one set of rules), `diff` (two of them) and `verify` (promise 6).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from daemon.cli import options
from daemon.cli.options import Format
from daemon.cli.session import CommandSession
from daemon.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestOptions:
    """The options of one call."""

    account: str
    since: str | None
    until: str | None
    other: Path | None
    """The file whose rules replace those of the configuration."""
    output: Format
    diff: bool
    verify: bool

    def check(self) -> None:
        """Raise UsageError for options that contradict each other."""
        if self.diff and self.other is None:
            raise UsageError("--diff compares with another file: add --rules FILE")
        if self.verify and (self.other or self.diff):
            raise UsageError(
                "--verify replays the rules that were in force: leave --rules and --diff out"
            )
        if self.verify and (self.since or self.until):
            raise UsageError("--verify covers the whole record: leave --since and --until out")


@click.command()
@options.config
@options.account
@options.since("the beginning of the record")
@options.until
@click.option(
    "--rules",
    "other",
    metavar="FILE",
    type=options.ExpandedPath(path_type=Path, dir_okay=False, exists=True),
    help="Play the rules of this file instead; what it leaves out is as in the configuration.",
)
@click.option(
    "--diff", is_flag=True, help="Compare the configuration's rules with those of --rules FILE."
)
@click.option(
    "--verify", is_flag=True, help="Check that replay gives exactly the recorded transitions."
)
@options.output
@click.pass_obj
def backtest(session: CommandSession, /, **asked: Any) -> int:
    """Play the recorded readings through the rules: what would have been announced, when, to whom.

    Messages count as delivered at once. With --verify the exit status is 1 where replay and record
    differ.

    \b
    Examples:
      marginwatch backtest --since 30d
      marginwatch backtest --since 30d --rules other.toml --diff
      marginwatch backtest --verify
    """  # noqa: D301 -- click's mark for lines to be kept
    wish = BacktestOptions(**asked)
    wish.check()
    from daemon.cli import record_access  # noqa: PLC0415 -- on use, as all below

    with record_access.open_record(session, imported=not wish.verify, strict=True) as past:
        if wish.verify:
            from daemon.cli.backtest import verify  # noqa: PLC0415

            return verify.show(past, past.matching(wish.account), wish.output)
        from daemon.cli.backtest import run  # noqa: PLC0415

        return run.show(past, wish, session)
