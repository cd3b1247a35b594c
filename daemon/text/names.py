"""What people call a rule and the account of an alert, where the record has a name of its own.
Pure.
"""

from daemon.types import DAEMON_ACCOUNT, FLAPPING, base


def called(rule: str) -> str:
    """`low-margin`, or `low-margin (flapping)` for the alert about its flapping."""
    return f"{base(rule)} (flapping)" if rule.endswith(FLAPPING) else rule


def whose(account: str) -> str:
    """The account's name; `the daemon` for the alerts that belong to none."""
    return "the daemon" if account == DAEMON_ACCOUNT else account
