"""The values of a configuration."""

from pathlib import Path

from daemon.config import SYSTEM_RULES, Account, Config, Daemon, Secret
from tests.config.written import PATH


def test_the_system_rules_are_the_keys_of_the_system_table() -> None:
    """DESIGN §5: their names may stand wherever a rule is named."""
    assert sorted(SYSTEM_RULES) == [
        "account-not-judged",
        "answers-unusable",
        "channel-failing",
        "clock-skew",
        "clock-stepped",
        "database-failing",
        "disk-full",
        "exchange-frozen",
        "key-refused",
        "no-readings",
        "push-contradicted",
        "rate-limited",
        "rule-unknown",
        "upkeep-failing",
    ]


def test_very_short_texts_are_not_hidden() -> None:
    """Hiding "42" would blot digits out of unrelated numbers."""
    account = Account("a", Secret("key-text"), Secret("abc"))
    config = Config(
        PATH,
        Daemon(Secret("sqlite:////x")),
        (account,),
        hidden=frozenset(map(Secret, ("42", "longer"))),
    )
    assert config.secrets() == {"key-text", "longer"}


def test_warnings_do_not_make_a_configuration_another() -> None:
    """A reload compares what is in force."""
    one = Config(Path("a"), Daemon(Secret("x")), ())
    assert one == Config(
        Path("a"), Daemon(Secret("x")), (), warnings=("w",), hidden=frozenset({Secret("h")})
    )
