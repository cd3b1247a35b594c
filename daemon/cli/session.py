"""The session of one call of the program: its surroundings, and the state that commands share."""

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


@dataclass(slots=True)
class CommandSession:
    """The session, made once by `main` or a test, which click passes to commands as `obj`."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    own_clock: "Clock | None" = None
    """A test's clock; otherwise that of the system is used."""
    path: Path | None = None
    """The value of --config, given before or after the command's name."""
    secrets: set[Secret] = field(default_factory=set)
    """The secrets read so far, which no output may show."""
    terminals: Sequence[int] = ()
    """The standard streams that were terminals when the program began."""
    program_folders: Sequence[Path] | None = None
    """A test's folder of programs; otherwise those of the system are used."""
    rest_url: str = ""
    """A test's exchange, asked by `init`; otherwise the exchange's own address is used."""
    authorities: "Authorities | None" = None
    """The certificate authorities of the process; None in a test."""

    def __post_init__(self) -> None:
        self.environ = HiddenMapping(self.environ)

    @property
    def clock(self) -> "Clock":
        if self.own_clock is None:
            from daemon.clock import SystemClock  # noqa: PLC0415 -- on use: it costs asyncio

            self.own_clock = SystemClock()
        return self.own_clock

    @property
    def debugging(self) -> bool:
        return self.environ.get("MARGINWATCH_DEBUG", "") not in {"", "0"}

    def config(self, *, secrets: bool = True, tolerant: bool = False) -> "Config":
        """The whole configuration; raises ConfigError with all of its mistakes.

        Without `secrets`, keys and channel URLs stay empty. Commands that only read the record use
        this: the daemon's environment and credentials may be missing. If `tolerant`, they also go
        on with mistakes that leave the record certain.
        """
        from daemon.cli.configuration import configuration  # noqa: PLC0415 -- costs lark

        found = configuration(self.path, self.environ, secrets=secrets, tolerant=tolerant)
        self.secrets.update(map(Secret, found.secrets()))
        if self.authorities is not None:
            self.authorities.trust(found.daemon.ca_file)
        return found

    def revealed(self) -> frozenset[str]:
        """The secrets as text, for a redactor."""
        return frozenset(each.reveal() for each in self.secrets)
