"""Secrets print as stars wherever they end up."""

from dataclasses import asdict, dataclass

import pytest

from daemon.config import Secret


@dataclass(frozen=True)
class Holder:
    secret: Secret


@pytest.mark.parametrize(
    "shown",
    [
        str(Secret("planted")),
        repr(Secret("planted")),
        f"{Secret('planted')}",
        repr(Holder(Secret("planted"))),
        str(asdict(Holder(Secret("planted")))),
    ],
)
def test_a_secret_never_prints(shown: str) -> None:
    """Promise 9: no way of printing a secret, or its holder, shows it."""
    assert "planted" not in shown
    assert "***" in shown


def test_only_reveal_gives_it_away() -> None:
    """The value comes out when asked for by name."""
    assert Secret("planted").reveal() == "planted"


def test_secrets_are_equal_by_value() -> None:
    """A reload compares configurations, secrets included."""
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


def test_an_empty_secret_is_false() -> None:
    """Whether there is one can be asked without looking at it."""
    assert [bool(Secret("")), bool(Secret("a"))] == [False, True]
