"""`marginwatch run`: runs the daemon until it is told to stop."""

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, NoReturn, Protocol

import click

from daemon import startup_signals
from daemon.cli import options
from daemon.cli.session import CommandSession
from daemon.errors import MarginwatchError

if TYPE_CHECKING:
    from daemon.config import Config
    from daemon.log import LogHandler
    from daemon.redaction import Redactor

_log = logging.getLogger("marginwatch")


@click.command()
@options.config
@click.option(
    "--log-format",
    "style",
    type=click.Choice(["human", "json"]),
    default="human",
    show_default=True,
    help="json: one object per line.",
)
@click.option(
    "--log-level",
    "level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
)
@click.pass_obj
def run(session: CommandSession, style: str, level: str) -> None:
    """Collect, judge and notify until stopped (SIGTERM, or Ctrl-C).

    On SIGHUP the configuration is read anew (systemctl reload marginwatch): alerts of unchanged
    rules go on, and a file with mistakes changes nothing.

    \b
    Example:
      marginwatch run --config /etc/marginwatch/rules.toml --log-format json
    """  # noqa: D301 -- click's mark for lines to be kept
    with startup_signals.Early(session.terminals) as early, _last_words(session):
        from daemon import log, redaction, store  # noqa: PLC0415 -- on use

        redactor = redaction.Redactor()
        handler = log.setup(
            sys.stderr, style="json" if style == "json" else "human", level=level, redactor=redactor
        )
        # The file is read now, so an earlier request to reload is fulfilled.
        early.reload_asked = False
        config = load_config(session, redactor, handler)
        store.preflight(config.daemon.database.reveal())
        session.path = config.path  # a reload reads the same file, even if another one appears
        asyncio.run(_live(config, session, redactor, handler, early))


@contextmanager
def _last_words(session: CommandSession) -> Iterator[None]:
    """Leave the reason why the daemon cannot start with systemd, for `marginwatch last-words`."""
    try:
        yield
    except MarginwatchError as error:
        from daemon.service import systemd  # noqa: PLC0415 -- on use

        systemd.notify(session.environ, systemd.failing(str(error)))
        raise


def load_config(
    session: CommandSession, redactor: "Redactor", handler: "LogHandler | None" = None
) -> "Config":
    """The current configuration, whose secrets the log hides.

    At the start the log takes its time zone at once: `handler`. At a reload it is in force later.
    """
    config = session.config()
    redactor.add(*session.revealed())
    if handler is not None:
        handler.use_zone(config.daemon.timezone)
    for warning in config.exposed:
        _log.warning("%s (a later release will refuse this)", warning)
    for warning in config.replaceable:
        _log.warning("%s", warning)
    if not config.channels:
        from daemon.config.checks.warnings import NO_CHANNEL  # noqa: PLC0415 -- on use

        _log.warning("%s", NO_CHANNEL)
    return config


async def _live(
    config: "Config",
    session: CommandSession,
    redactor: "Redactor",
    handler: "LogHandler",
    early: startup_signals.Early,
) -> NoReturn:
    """Run the daemon, reload after reload, until the end of the process."""
    from daemon.app import App  # noqa: PLC0415
    from daemon.dependencies import Dependencies  # noqa: PLC0415
    from daemon.service.supervisor import Supervisor  # noqa: PLC0415

    dependencies = Dependencies()
    load, tell = partial(load_config, session, redactor), partial(_tell, session.environ)

    def make(config: "Config", former: App | None) -> App:
        handler.use_zone(config.daemon.timezone)
        return App(config, dependencies, former)

    supervisor = Supervisor(make, load, tell, dependencies.clock)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor.stop)
    loop.add_signal_handler(signal.SIGHUP, handle_hangup, supervisor, session.terminals)
    if early.reload_asked:
        handle_hangup(supervisor, session.terminals)
    status = await supervisor.run(config)
    with suppress(OSError):  # the terminal may be gone
        sys.stderr.flush()
    # Exit here, without closing the loop: a hanging receiver would hold a thread, and after the
    # loop is closed a second signal would kill a process that has ended in order.
    os._exit(status)


def _tell(environ: Mapping[str, str], state: str) -> None:
    """Tell the service manager the state.

    At READY all objects are frozen for the garbage collector. They stay anyway, and searching them
    takes tens of milliseconds, by which an alert could be late.
    """
    from daemon.service import systemd  # noqa: PLC0415

    systemd.notify(environ, state)
    if state.startswith(systemd.READY):
        gc.unfreeze()  # objects of the instance before a reload can go
        gc.collect()
        gc.freeze()


class Stoppable(Protocol):
    """An object that can be asked to stop or to reload."""

    def stop(self) -> None: ...

    def reload(self) -> None: ...


def handle_hangup(supervisor: Stoppable, terminals: Sequence[int]) -> None:
    """Handle SIGHUP: reload, or stop if the terminal in which we were started was closed.

    `terminals` are the standard streams that were terminals at the start.
    """
    if startup_signals.are_open(terminals):
        supervisor.reload()
    else:
        supervisor.stop()
