"""Access of commands to the record: opened from the configuration, in its time zone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import tzinfo
from fnmatch import fnmatchcase

from daemon.cli.output import instants
from daemon.cli.output.terminal import say
from daemon.cli.recorded_config import as_recorded
from daemon.cli.session import CommandSession
from daemon.config import Config
from daemon.config.problems import did_you_mean
from daemon.errors import AbsentError, MarginwatchError, StoreError, UsageError
from daemon.rules.rule import is_pattern
from daemon.store.database.running_daemon import running_daemon
from daemon.store.history import History
from daemon.types import Millis

BEGINNING: Millis = 0
END: Millis = 2**62
"""An instant later than any recorded one."""


@dataclass(frozen=True, slots=True)
class OpenRecord:
    """The open record and its configuration."""

    history: History
    config: Config
    """The configuration without secrets."""

    @property
    def url(self) -> str:
        """The URL of the database; it may contain a password."""
        return self.config.daemon.database.reveal()

    @property
    def zone(self) -> tzinfo | None:
        """The configured time zone; None is the system's."""
        return self.config.daemon.timezone

    def span(self, since: str | None, until: str | None, now: Millis) -> tuple[Millis, Millis]:
        """The span from `since` up to but not including `until`; by default the whole record.

        Raises:
            UsageError: for a text that is no time, or a span that ends before it begins.

        """
        begin = BEGINNING if since is None else instants.parse_instant(since, now, self.zone)
        end = END if until is None else instants.parse_instant(until, now, self.zone)
        if begin > end:
            raise UsageError(
                "--until lies before --since, so there is nothing in between: exchange them"
            )
        return begin, end

    def matching(self, pattern: str) -> list[str]:
        """The recorded accounts whose name matches.

        Raises:
            UsageError: when there are accounts, and none of them matches.

        """
        names = self.history.accounts()
        found = [name for name in names if fnmatchcase(name, pattern)]
        if names and not found:
            hint = did_you_mean(pattern, names) or f": there are {', '.join(names)}"
            raise UsageError(f'no recorded account matches "{pattern}"{hint}')
        return found

    def must_know(self, pattern: str) -> None:
        """Raise UsageError for a name of no recorded account: an empty list would look well.

        A pattern may match none.
        """
        if not is_pattern(pattern):
            self.matching(pattern)

    def one(self, name: str | None) -> str:
        """The recorded account of that name or pattern, or the only one if no name is given.

        Raises:
            UsageError: when there is no such account, or several to choose from.
            MarginwatchError: when nothing is recorded.

        """
        names = self.history.accounts()
        if name in names:
            return str(name)
        found = [each for each in names if name is None or fnmatchcase(each, name)]
        if len(found) == 1:
            return found[0]
        if not names:
            raise MarginwatchError(
                "nothing is recorded yet: let the daemon run first, or import readings"
            )
        if name is None or found:
            several = "" if name is None else f'"{name}" matches several; '
            there = ", ".join(found)
            raise UsageError(f"{several}say which account: --account NAME; there are {there}")
        hint = did_you_mean(name, names) or f"; there are {', '.join(names)}"
        raise UsageError(f'no account "{name}" is recorded{hint}')


@contextmanager
def open_record(
    session: CommandSession, *, imported: bool = False, strict: bool = False
) -> Iterator[OpenRecord]:
    """Open the record of the session's configuration.

    `imported` says that imported readings are enough for the command, without a daemon. Unless it
    is `strict`, mistakes that leave the record certain are only a warning.

    Raises:
        ConfigError: where there is no usable configuration.
        StoreError: where its database is missing, unreadable or of another version.

    """
    loaded = session.config(secrets=False, tolerant=not strict)
    if loaded.mistakes:
        _warn(loaded)
    with _history(loaded, imported=imported) as history:
        yield OpenRecord(history, as_recorded(loaded, history) if loaded.mistakes else loaded)


def _warn(config: Config) -> None:
    """Say on stderr what is wrong with the file, and that the command goes on."""
    first, *others = config.mistakes
    for line in first.split("\n"):
        say(line, err=True)
    more = f", and {len(others)} more (marginwatch check shows all)" if others else ""
    say(
        f"warning: {config.path.name} has this mistake{more}; until it is corrected, this command"
        " uses the rules that the daemon read last, and so does a running daemon",
        err=True,
    )


def _history(config: Config, *, imported: bool) -> History:
    try:
        return History.open(config.daemon.database.reveal())
    except AbsentError as error:
        _refuse_if_lost(config, error)
        if not imported:
            raise
        remedy = (
            "start marginwatch run, bring readings in with marginwatch import, or name another"
            " configuration"
        )
        raise StoreError(f"{error.what}: {remedy}") from None


def _refuse_if_lost(config: Config, error: AbsentError) -> None:
    """Raise StoreError if a daemon is running: then the database's file was taken away."""
    daemon = running_daemon(config.daemon.database.reveal())
    if daemon is not None:
        named = f"a daemon (pid {daemon.pid})" if daemon.pid else "a daemon"
        trouble = daemon.trouble or "its file was moved or deleted: put it back"
        raise StoreError(
            f"{error.what}; {named} is running, but records nothing: {trouble}"
        ) from None


@contextmanager
def open_existing_record(config: Config) -> Iterator[History | None]:
    """Open the record for commands that can do without; None if it does not exist yet.

    Raises:
        StoreError: where it exists but cannot be read.

    """
    try:
        history = _history(config, imported=False)
    except AbsentError:
        yield None
        return
    with history:
        yield history
