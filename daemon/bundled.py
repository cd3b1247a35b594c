"""Files that ship with the program: in the wheel beside this file, in a checkout at its top."""

from pathlib import Path


def path(name: str) -> Path:
    """The place of `rules.toml`, its tests, `migrations` or `systemd` on this machine."""
    here = Path(__file__).parent
    installed = here / "_bundled" / name
    return installed if installed.exists() else here.parent / name
