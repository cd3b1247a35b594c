"""What people read where the record has a name of its own."""

from daemon.text.names import called, whose


def test_e4_a_flapping_rule_is_called_by_its_own_name() -> None:
    """With a word about what it does."""
    assert [called("low-margin"), called("low-margin:flapping")] == [
        "low-margin",
        "low-margin (flapping)",
    ]


def test_d7_the_daemons_own_alerts_are_the_daemons() -> None:
    """They belong to no account."""
    assert [whose("main"), whose("")] == ["main", "the daemon"]
