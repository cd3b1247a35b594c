"""`db backup` and `db restore`: calls the store, and says what became of it."""

import sys
from pathlib import Path

from daemon.cli.output.tables import counted
from daemon.cli.output.terminal import echo_progress, say
from daemon.cli.session import CommandSession
from daemon.store.maintenance.backup import make_backup
from daemon.store.maintenance.restore import restore_backup
from daemon.text.numbers import format_bytes, format_instant


def back_up(session: CommandSession, path: Path, keep: int | None) -> None:
    """Make a backup, and print its name, size and last reading."""
    settings, now = session.config(secrets=False).daemon, session.clock.now()
    made = make_backup(settings.database.reveal(), path, now, keep, _progress)
    last = "without readings"
    if made.last_reading is not None:
        last = f"readings up to {format_instant(made.last_reading, now, settings.timezone)}"
    say(f"{made.path}: {format_bytes(made.size)}, {last}, every page checked")
    if made.removed:
        say(f"removed {counted(len(made.removed), 'older backup')}")


def restore(session: CommandSession, path: Path, *, force: bool) -> None:
    """Put a backup in place of the database, and print what to do next."""
    url = session.config(secrets=False).daemon.database.reveal()
    found = restore_backup(url, path, session.clock.now(), _progress, force=force)
    say(f"{found.path} is restored from {path}, every page checked")
    if found.former is not None:
        say(f"the database that was there is now {found.former}; remove it if you are sure")
    if found.is_older:
        say("it is of an older version: a start, or marginwatch db upgrade, brings it up to date")


def _progress(done: int, whole: int) -> None:
    """Show a percentage on a terminal, in a line that the next output overwrites."""
    if sys.stderr.isatty():
        echo_progress(f"copying {100 * done // max(1, whole)} %")
