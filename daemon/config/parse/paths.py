"""Paths as people write them: `~` is the home folder, as in a shell, wherever a path is allowed."""

import pwd
from collections.abc import Mapping
from pathlib import Path


def expanded(written: str | Path, environ: Mapping[str, str]) -> Path:
    """The path with the home folder instead of `~` or `~user`; unchanged for an unknown user."""
    head, slash, rest = str(written).partition("/")
    home = _home(head, environ) if head.startswith("~") else None
    return Path(written) if home is None else Path(home + slash + rest)


def _home(head: str, environ: Mapping[str, str]) -> str | None:
    user = head[1:]
    if not user and environ.get("HOME"):
        return environ["HOME"]
    try:
        return pwd.getpwnam(user).pw_dir if user else str(Path.home())
    except (KeyError, RuntimeError):
        return None
