"""Intervals stretch evenly when all wishes together exceed the budget."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.config import Account, BudgetLimits, Secret
from daemon.config import effective_intervals as intervals
from daemon.config.effective_intervals import WantedInterval, stretch
from daemon.rules.language.parse import parse_condition
from daemon.types import SECOND, Limit

HOST, USER, ASSETS = BudgetLimits().host, BudgetLimits().user, BudgetLimits().assets


def accounts(count: int, every: int, key: str = "key-{}", user_id: str = "") -> list[Account]:
    return [
        Account(f"a{n}", Secret(key.format(n)), Secret("secret"), every=every, user_id=user_id)
        for n in range(count)
    ]


def test_b3_a_wish_within_the_budget_is_granted() -> None:
    """B3: ten accounts every five seconds are far from any limit."""
    assert set(intervals.settled_intervals(accounts(10, 5_000), BudgetLimits(), {}).values()) == {
        5_000
    }


def test_b3_all_intervals_stretch_evenly() -> None:
    """B3: fifty calls in ten seconds, with those in flight: eight accounts want twenty a second."""
    assert set(intervals.settled_intervals(accounts(8, 400), BudgetLimits(), {}).values()) == {
        1_632
    }


def test_b3_unknown_users_share_one_allowance() -> None:
    """B3: until first answers tell them apart, four accounts count as one user's."""
    unknown = intervals.intervals(accounts(4, 1_000), BudgetLimits(), {})
    known = intervals.intervals(
        accounts(4, 1_000), BudgetLimits(), {f"a{n}": str(n) for n in range(4)}
    )
    assert (set(unknown.values()), set(known.values())) == ({1_760}, {1_000})


def test_b3_the_settled_pace_takes_each_key_for_a_user() -> None:
    """B3: `check` shows before any answer the intervals that hold afterwards."""
    own, shared = accounts(4, 1_000), accounts(4, 1_000, key="one")
    known = intervals.settled_intervals(
        accounts(4, 1_000), BudgetLimits(), dict.fromkeys(("a0", "a1", "a2", "a3"), "7")
    )
    paces = [
        intervals.settled_intervals(each, BudgetLimits(), {})
        for each in (own, shared, accounts(4, 1_000, user_id="7"))
    ]
    assert [each["a0"] for each in (*paces, known)] == [1_000, 1_760, 1_760, 1_760]


def test_strict_7_each_host_has_the_limits_for_itself() -> None:
    """Strict 7: accounts elsewhere stretch no interval, and a halved host halves none elsewhere."""
    here = accounts(8, 400)
    there = [
        replace(each, name=f"b{each.name}", rest_url="https://api.other.example")
        for each in here[:2]
    ]
    found = intervals.settled_intervals([*here, *there], BudgetLimits(), {})
    halved = intervals.settled_intervals([*here, *there], BudgetLimits(), {}, {"api.coinw.com"})
    assert {found[each.name] for each in here} == {1_632}
    assert {halved[each.name] for each in here} == {3_264}
    assert {found[each.name] for each in there} == {halved[each.name] for each in there} == {440}
    assert list(found) == [each.name for each in (*here, *there)]


@pytest.mark.parametrize(
    "spelt",
    [
        "https://API.coinw.com",
        "https://api.coinw.com:443",
        "https://api.coinw.com./",
        "https://api.coinw.com:/",
    ],
)
def test_strict_7_one_host_has_one_budget_however_it_is_written(spelt: str) -> None:
    """Strict 7: two spellings of an address are one host, which has its limits only once."""
    one = accounts(1, 1_000)[0]
    assert replace(one, rest_url=spelt).host == one.host == "api.coinw.com"


def test_strict_7_ports_that_are_written_stay_apart() -> None:
    """Strict 7: another port is another service; an IPv6 address keeps its brackets."""
    one = accounts(1, 1_000)[0]
    urls = (
        "https://api.coinw.com:8443",
        "http://127.0.0.1:80",
        "http://[::1]:8080",
        "http://[::1]",
    )
    found = [replace(one, rest_url=url).host for url in urls]
    assert found == ["api.coinw.com:8443", "127.0.0.1", "[::1]:8080", "[::1]"]


def test_strict_7_one_key_at_two_hosts_is_two_users() -> None:
    """Strict 7: limits of a user hold at one host; its name holds no part of the key."""
    one = accounts(1, 1_000, key="planted-key")[0]
    twins = [
        one,
        replace(one, name="b"),
        replace(one, name="c", rest_url="https://api.other.example"),
    ]
    found = intervals.settled_intervals(twins, BudgetLimits(assets=Limit(1, 2 * SECOND)), {})
    assert found["a0"] == found["b"] == 2 * found["c"]


def test_b3_wishes_within_the_budget_stay() -> None:
    """B3: intervals that fit are what was asked for, to the millisecond."""
    wishes = {
        "a": WantedInterval(400, "u"),
        "b": WantedInterval(1_000, "v"),
        "c": WantedInterval(5_001, "w"),
    }
    assert stretch(wishes, HOST, (USER, ASSETS)) == {"a": 400, "b": 1_000, "c": 5_001}


def test_b3_one_user_stretches_evenly() -> None:
    """B3: intervals of one user's accounts grow by one factor, other users' do not."""
    wishes = {
        "a": WantedInterval(400, "u"),
        "b": WantedInterval(800, "u"),
        "c": WantedInterval(400, "v"),
    }
    assert stretch(wishes, HOST, (USER, ASSETS)) == {"a": 600, "b": 1_200, "c": 400}


def test_b3_the_host_stretches_all_evenly() -> None:
    """B3: fifty accounts of fifty users at 5 s are 100 calls per 10 s, so each gets 10 s."""
    wishes = {str(number): WantedInterval(5_000, str(number)) for number in range(50)}
    assert dict.fromkeys(wishes, 10_000) == stretch(wishes, HOST, (USER, ASSETS))


def test_a_flight_takes_its_share() -> None:
    """The flight time keeps a place taken longer, and so lengthens the shortest interval."""
    assert stretch({"a": WantedInterval(400)}, HOST, (USER, ASSETS), held=250) == {"a": 450}


wishes = st.dictionaries(
    st.text(max_size=3),
    st.builds(WantedInterval, st.integers(400, 60_000), st.sampled_from(["", "u", "v"])),
)


@given(wishes)
def test_b3_stretched_wishes_fit(wishes: Mapping[str, WantedInterval]) -> None:
    """B3: the effective intervals fit every limit, and none is shorter than was wished."""
    found = stretch(wishes, HOST, (USER, ASSETS))
    assert all(found[name] >= wish.every for name, wish in wishes.items())
    for user in ("", "u", "v"):
        rate = sum(
            (Fraction(1, found[name]) for name, wish in wishes.items() if wish.user_id == user),
            Fraction(0),
        )
        assert rate <= min(Fraction(limit.count, limit.per) for limit in (USER, ASSETS))
    assert sum((Fraction(1, every) for every in found.values()), Fraction(0)) <= Fraction(
        HOST.count, HOST.per
    )


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("age > 5s", []),
        ("age > 4s", ['age is compared with 4s, but "main" is read only every 5s']),
        ("3s < age", ['age is compared with 3s, but "main" is read only every 5s']),
        (
            "available_margin < 1 or age > 1s",
            ['age is compared with 1s, but "main" is read only every 5s'],
        ),
        ("available_margin < 1", []),
    ],
)
def test_b3_an_age_below_the_interval_is_a_mistake(text: str, mistakes: list[str]) -> None:
    """B3: an `age` limit that passes between two readings would alert on every one of them."""
    assert (
        list(intervals.age_mistakes(parse_condition(text), {"quick": 1000, "main": 5000}))
        == mistakes
    )
