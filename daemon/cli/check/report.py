"""The report of `check`: printed line by line for people, or gathered into one object."""

from dataclasses import dataclass, field
from typing import Any

from daemon.cli.options import Format
from daemon.cli.output.tables import to_json
from daemon.cli.output.terminal import STDOUT, say

LISTS = ("mistakes", "warnings", "reload", "accounts", "keys", "channels", "notes")
"""The lists of the object, which are there also when they are empty."""


@dataclass(slots=True)
class CheckReport:
    """Takes each finding once, as a line for people and as an entry of one of LISTS."""

    output: Format = Format.TABLE
    found: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in LISTS})

    def warn(self, warning: str) -> None:
        self.add("warnings", f"warning: {warning}", warning)

    def note(self, line: str) -> None:
        self.add("notes", line, line)

    def add(self, name: str, line: str, entry: object) -> None:
        """Print the line, or keep the entry."""
        if self.output is Format.JSON:
            self.found[name].append(entry)
        else:
            say(line)

    def finish(self, file: str, status: int) -> None:
        """Print the object, where one is wanted; `status` is the exit status."""
        if self.output is Format.JSON:
            head = {"file": file, "good": status == 0, "exit_status": status}
            STDOUT.write(to_json({**head, **self.found}, indent=2) + "\n")
