"""Labels of rules and accounts for people, where the record has a name of its own. Pure."""

from daemon.types import DAEMON_ACCOUNT, FLAPPING, base


def rule_label(rule: str) -> str:
    """Label of a rule: `low-margin`, or `low-margin (flapping)` for its flapping alert."""
    return f"{base(rule)} (flapping)" if rule.endswith(FLAPPING) else rule


def account_label(account: str) -> str:
    """Label of an account: its name, or `the daemon` for alerts that belong to no account."""
    return "the daemon" if account == DAEMON_ACCOUNT else account
