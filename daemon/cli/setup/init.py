"""`marginwatch init`: asks the questions of `questions`, then writes rules.toml."""

from pathlib import Path

import click

from daemon.cli import options
from daemon.cli.output.terminal import say
from daemon.cli.session import CommandSession


@click.command()
@options.config
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.pass_obj
def init(session: CommandSession, *, force: bool) -> None:
    """Ask a few questions and write rules.toml, readable by you alone.

    Keys and tokens are best left where they are: answer with env:NAME, file:PATH or
    credential:NAME.

    \b
    Examples:
      marginwatch init
      marginwatch init --config /etc/marginwatch/rules.toml
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli.setup.questions import ask  # noqa: PLC0415 -- on use
    from daemon.cli.setup.write_file import refuse_to_overwrite, write  # noqa: PLC0415
    from daemon.config.parse.paths import expanded  # noqa: PLC0415

    path = expanded(
        session.path or session.environ.get("MARGINWATCH_CONFIG") or "rules.toml", session.environ
    )
    if not force:
        refuse_to_overwrite(path)
    write(path, ask(session.environ, path), force=force)
    named = "" if path == Path("rules.toml") else f" --config {path}"
    say("")
    say(f"{path} is written. Next:")
    say(f"  marginwatch check --online --notify{named}")
    say(f"  marginwatch run{named}")
