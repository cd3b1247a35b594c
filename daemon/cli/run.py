"""`marginwatch run`: the daemon, until it is told to stop."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from daemon.cli import options
from daemon.cli.session import Session

if TYPE_CHECKING:
    from daemon.config import Config


@click.command()
@options.config
@click.option(
    "--log-format",
    "style",
    type=click.Choice(["human", "json"]),
    default="human",
    show_default=True,
    help="json is one object a line.",
)
@click.option(
    "--log-level",
    "level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
)
@click.pass_obj
def run(session: Session, style: str, level: str) -> None:
    """Collect, judge and notify until stopped (SIGTERM, or Ctrl-C).

    \b
    Example:
      marginwatch run --config /etc/marginwatch/rules.toml --log-format json
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon import log  # noqa: PLC0415 -- on use, as all that a command needs

    redactor = log.Redactor()
    log.setup(sys.stderr, style="json" if style == "json" else "human", level=level, redactor=redactor)
    config = session.config()
    redactor.add(*session.secrets)
    lost = asyncio.run(_live(config, session.environ))
    sys.stderr.flush()
    os._exit(1 if lost else 0)  # a receiver that hangs holds a thread of its own: nothing is left to wait for


async def _live(config: "Config", environ: Mapping[str, str]) -> int:
    """One life of the daemon; how many operations it could not store."""
    from daemon.app import App, World  # noqa: PLC0415
    from daemon.service import systemd  # noqa: PLC0415

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    app = App(config, World())
    await app.start()
    systemd.notify(environ, systemd.READY)
    await stop.wait()
    systemd.notify(environ, systemd.STOPPING)
    return await app.stop()
