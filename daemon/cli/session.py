"""What one call of the program is given from outside, and what its commands share."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.hidden import HiddenMapping, Secret

if TYPE_CHECKING:
    from daemon.cli.libraries import Authorities
    from daemon.clock import Clock
    from daemon.config import Config


def _system_clock() -> "Clock":
    from daemon.clock import SystemClock  # noqa: PLC0415 -- on use: it costs asyncio

    return SystemClock()


@dataclass(slots=True)
class CommandSession:
    """Made once, by `main` or a test; found by every command as click's `obj`."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    own_clock: "Clock | None" = None
    """Of a test; else the system's."""
    path: Path | None = None
    """The option --config, wherever on the line it stood."""
    secrets: set[Secret] = field(default_factory=set)
    """What no line may show."""
    terminals: Sequence[int] = ()
    """The standard streams that were terminals when the program began."""
    program_folders: Sequence[Path] | None = None
    """Of a test; else where the system's own programs are."""
    authorities: "Authorities | None" = None
    """Of the process; None in a test."""

    def __post_init__(self) -> None:
        self.environ = HiddenMapping(self.environ)

    @property
    def clock(self) -> "Clock":
        if self.own_clock is None:
            self.own_clock = _system_clock()
        return self.own_clock

    @property
    def debugging(self) -> bool:
        return self.environ.get("MARGINWATCH_DEBUG", "") not in {"", "0"}

    def config(self, *, secrets: bool = True) -> "Config":
        """The whole configuration; raises ConfigError with all of its mistakes.

        Without `secrets` keys and channel URLs stay empty, for commands that only read the record:
        they may be called where the daemon's environment and credentials are not.
        """
        from daemon.cli.configuration import configuration  # noqa: PLC0415 -- on use: it costs pydantic

        found = configuration(self.path, self.environ, secrets=secrets)
        self.secrets.update(map(Secret, found.secrets()))
        if self.authorities is not None:
            self.authorities.trust(found.daemon.ca_file)
        return found

    def revealed(self) -> frozenset[str]:
        """The secrets as text, for what blanks them."""
        return frozenset(each.reveal() for each in self.secrets)
