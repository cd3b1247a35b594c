"""Intervals stretch evenly when all wishes together exceed the budget."""

import pytest

from daemon.config import Account, Budget, Secret, pace
from daemon.rules.parse import condition
from daemon.types import Limit


def account(name: str, every: int) -> Account:
    return Account(name, Secret("k"), Secret("s"), every=every)


def test_wishes_within_the_budget_are_granted() -> None:
    """B3: with the defaults fifty accounts may be read every ten seconds."""
    accounts = [account(str(index), 10_000) for index in range(50)]
    assert set(pace.effective(accounts, Budget()).values()) == {10_000}


def test_wishes_beyond_the_budget_stretch_evenly() -> None:
    """B3: twice too many wishes double every interval."""
    accounts = [account("fast", 1000), account("slow", 1000)]
    assert pace.effective(accounts, Budget(host=Limit(1, 1000))) == {"fast": 2000, "slow": 2000}


def test_one_user_is_not_read_faster_than_its_own_limit() -> None:
    """B3: the limit for balances holds for each user."""
    assert pace.effective([account("a", 400)], Budget(assets=Limit(1, 2000))) == {"a": 2000}


def test_no_account_has_no_interval() -> None:
    """Without accounts there is nothing to read."""
    assert pace.effective([], Budget()) == {}


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("age > 5s", []),
        ("age > 4s", ['age is compared with 4s, but "main" is read only every 5s']),
        ("3s < age", ['age is compared with 3s, but "main" is read only every 5s']),
        ("available_margin < 1 or age > 1s", ['age is compared with 1s, but "main" is read only every 5s']),
        ("available_margin < 1", []),
    ],
)
def test_an_age_below_the_interval_is_a_mistake(text: str, mistakes: list[str]) -> None:
    """B3: an `age` limit that passes between two readings would alert on every one of them."""
    assert list(pace.age_mistakes(condition(text), {"quick": 1000, "main": 5000})) == mistakes
