"""The name of the machine's time zone, as a replay on another machine needs it.

The machine says only how its clock shows an instant. Names are taken from where systems keep them,
and a name counts only if its zone shows all instants as the machine does.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

_MONTHS = [
    datetime(year, month, 15, tzinfo=UTC) for year in range(2015, 2038) for month in range(1, 13)
]
_ZONES = "zoneinfo/"
"""End of the folder with the zones, wherever it is."""


def system_zone_name(environ: Mapping[str, str], root: Path) -> str:
    """The name, such as `Europe/Berlin`; empty if none is found, as for TZ="CET-1CEST".

    `root` is the root of the file system, without a test `/`.
    """
    found = (name for name in _candidates(environ, root) if _is_system_zone(name))
    return next(found, "")


def _candidates(environ: Mapping[str, str], root: Path) -> Iterator[str]:
    """The variable TZ rules alone (tzset(3)). Without a file the machine is in UTC."""
    variable = environ.get("TZ")
    if variable is not None:
        yield _name(variable.removeprefix(":"))
    else:
        yield _name(str(root / "etc/localtime"))
        yield _text(root / "etc/timezone")
    yield "UTC"


def _name(written: str) -> str:
    """The name of a zone, or of the one that a file is a link to."""
    if not written.startswith("/"):
        return written
    return os.path.realpath(written).rpartition(_ZONES)[2]


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def _is_system_zone(name: str) -> bool:
    """Whether the zone exists and shows every month as the machine does, so also its summers."""
    try:
        zone = ZoneInfo(name)
        return all(
            each.astimezone(zone).utcoffset() == each.astimezone().utcoffset() for each in _MONTHS
        )
    except (KeyError, OSError, ValueError, OverflowError):
        return False
