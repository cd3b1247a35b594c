"""Failures that end a command: one sentence for the person, with the remedy and the exit status.

A result that a caller can act on is returned as a value with a reason instead. No message ever
carries a secret.
"""

import os
from pathlib import Path


class MarginwatchError(Exception):
    """A failure that a person can mend; printed as one sentence, never with a traceback."""

    exit_status = 1


class UsageError(MarginwatchError):
    """The command line asks for something that does not exist."""

    exit_status = 2


class ConfigError(MarginwatchError):
    """The configuration cannot be used. `problems` are all its mistakes, each with its place."""

    exit_status = 78

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class StoreError(MarginwatchError):
    """The database cannot be used as it is."""


class StoreConfigError(StoreError):
    """The configured database can never be used by that name: trying again is useless."""

    exit_status = 78


class AbsentError(StoreError):
    """The configured database does not exist yet; `what` says so without a remedy."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: start marginwatch run, or name another configuration")
        self.what = what


def owner_text(path: Path) -> str:
    """The owner, for a sentence about missing permissions; "" when this user owns it."""
    try:
        uid = path.stat().st_uid
    except (OSError, ValueError):
        return ""
    if uid == os.geteuid():
        return ""
    return f", for it belongs to {user_name(uid)} and not to {user_name(os.geteuid())}"


def user_name(uid: int) -> str:
    """The name of a user, or `user 1000` when the system knows none."""
    import pwd  # noqa: PLC0415 -- on use

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
