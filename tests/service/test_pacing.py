"""Wishes beyond the budget stretch evenly, by whose accounts they are."""

from daemon.config import Account, Budget, Secret
from daemon.service import pacing


def accounts(count: int, every: int, key: str = "key-{}", user_id: str = "") -> list[Account]:
    return [
        Account(f"a{n}", Secret(key.format(n)), Secret("secret"), every=every, user_id=user_id) for n in range(count)
    ]


def test_b3_a_wish_within_the_budget_is_granted() -> None:
    """B3: ten accounts every five seconds are far from any limit."""
    assert set(pacing.settled(accounts(10, 5_000), Budget(), {}).values()) == {5_000}


def test_b3_all_intervals_stretch_evenly() -> None:
    """B3: fifty calls in ten seconds, and what is under way: eight accounts ask for twenty a second."""
    assert set(pacing.settled(accounts(8, 400), Budget(), {}).values()) == {1_632}


def test_b3_unknown_users_share_one_allowance() -> None:
    """B3: until the first answers tell them apart, four accounts are paced as if they were one user's."""
    unknown = pacing.intervals(accounts(4, 1_000), Budget(), {})
    known = pacing.intervals(accounts(4, 1_000), Budget(), {f"a{n}": str(n) for n in range(4)})
    assert (set(unknown.values()), set(known.values())) == ({1_760}, {1_000})


def test_b3_the_settled_pace_takes_each_key_for_a_user() -> None:
    """B3: what `check` shows before any answer is what the accounts will have after it."""
    own, shared = accounts(4, 1_000), accounts(4, 1_000, key="one")
    known = pacing.settled(accounts(4, 1_000), Budget(), dict.fromkeys(("a0", "a1", "a2", "a3"), "7"))
    paces = [pacing.settled(each, Budget(), {}) for each in (own, shared, accounts(4, 1_000, user_id="7"))]
    assert [each["a0"] for each in (*paces, known)] == [1_000, 1_760, 1_760, 1_760]
