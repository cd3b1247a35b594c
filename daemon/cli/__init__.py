"""The command line: `marginwatch COMMAND`, each command imported by its name when it is used.

    arguments ──► Commands.main ──► the command's own file ──► exit status
                       └── a failure: one sentence on stderr, never a traceback, never a secret

Importing this package loads click and nothing heavier. A command imports what it needs when it
runs, so every `--help` answers at once. Nothing here knows what a command does.
"""

import io
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any, NoReturn

import click

from daemon import __version__, core_dumps, startup_signals
from daemon.cli import failures, options
from daemon.cli.libraries import Authorities, isolate
from daemon.cli.session import CommandSession

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": (
        "daemon.cli.demo.command:demo",
        "try the whole daemon on a built-in exchange",
    ),
    "init": ("daemon.cli.setup.init:init", "ask a few questions and write rules.toml"),
    "secret": (
        "daemon.cli.setup.secret:secret",
        "type a secret, hidden, into a file that only you can read",
    ),
    "check": (
        "daemon.cli.check.command:check",
        "find mistakes in rules.toml, and test keys and channels",
    ),
    "run": ("daemon.cli.run:run", "collect, judge and notify until stopped"),
    "status": (
        "daemon.cli.status.command:status",
        "state of the daemon, the accounts and the channels",
    ),
    "history": ("daemon.cli.show.history:history", "the recorded readings"),
    "gaps": ("daemon.cli.show.gaps:gaps", "when readings were missing, and why"),
    "plot": ("daemon.cli.show.plot:plot", "a field as a picture, with thresholds, alerts and gaps"),
    "alerts": ("daemon.cli.show.alerts:alerts", "the open and recent alerts"),
    "notifications": (
        "daemon.cli.show.notifications:notifications",
        "what was sent to whom, what waits, and why",
    ),
    "silence": (
        "daemon.cli.silence.silence:silence",
        "hold back notifications of some alerts for a while",
    ),
    "ack": ("daemon.cli.silence.ack:ack", "acknowledge an alert: no more reminders"),
    "import": (
        "daemon.cli.import_csv.command:bring_in",
        "add readings that others recorded, from a CSV file",
    ),
    "export": (
        "daemon.cli.export.command:export",
        "write readings, alerts, notifications or gaps into a file",
    ),
    "rules": ("daemon.cli.rules:rules", "add ready rules, and test your rules"),
    "backtest": (
        "daemon.cli.backtest.command:backtest",
        "what rules would have announced over the recorded history",
    ),
    "explain": ("daemon.cli.explain.command:explain", "why a rule did, or did not, wake you"),
    "last-words": (
        "daemon.cli.last_words.command:last_words",
        "tell every channel that the daemon is down: for systemd",
    ),
    "db": ("daemon.cli.db.command:db", "back up, restore, measure and upgrade the database"),
    "completion": (
        "daemon.cli.completion:completion",
        "print the completion script for bash, zsh or fish",
    ),
}
"""Maps a command's name to its place and its summary, in the order in which help shows them."""

HIDDEN = frozenset({"last-words"})
"""The commands that help does not list, as no person needs to call them."""

LONG_RUNNING = frozenset({"demo", "run"})
"""The commands that handle their signals themselves."""


class Commands(click.Group):
    """Finds commands by name and turns every failure into an exit status."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS:
            near = get_close_matches(args[0], COMMANDS, 1)
            ctx.fail(
                f'there is no command "{args[0]}"'
                + (f'; did you mean "{near[0]}"?' if near else "")
            )
        if args[0] not in LONG_RUNNING:
            startup_signals.release()
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, so that none of them is imported for it."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, summary) for name, (_, summary) in COMMANDS.items() if name not in HIDDEN]
            )

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        session: CommandSession = extra.setdefault("obj", CommandSession())
        extra["standalone_mode"] = False
        with failures.exit_on_failure(session):
            sys.exit(failures.exit_status(super().main(*args, **extra)))


@click.command(
    "marginwatch",
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, message="marginwatch %(version)s")
@options.config
def commands() -> None:
    """Watches futures accounts, and wakes you before the margin is gone.

    \b
    New here?
      marginwatch demo --for 30s     see it at work
      marginwatch init               write rules.toml; then check, and run
    """  # noqa: D301 -- click's mark for lines to be kept


def main(terminals: Sequence[int] = ()) -> NoReturn:
    """Run the program; `terminals` are the standard streams that were terminals at its start."""
    if sys.stdout is None:  # the caller closed it: output is dropped
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 -- for good
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    core_dumps.forbid()
    isolate(os.environ)
    with startup_signals.repeated_interrupt():
        commands.main(
            prog_name="marginwatch",
            obj=CommandSession(authorities=Authorities(os.environ), terminals=terminals),
        )
