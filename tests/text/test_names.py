"""Labels of rules and accounts for people."""

from daemon.text.names import account_label, rule_label


def test_e4_a_flapping_rule_is_called_by_its_own_name() -> None:
    """With a word about what it does."""
    assert [rule_label("low-margin"), rule_label("low-margin:flapping")] == [
        "low-margin",
        "low-margin (flapping)",
    ]


def test_d7_the_daemons_own_alerts_are_the_daemons() -> None:
    """They belong to no account."""
    assert [account_label("main"), account_label("")] == ["main", "the daemon"]
