"""When an account is due."""

from hypothesis import given
from hypothesis import strategies as st

from daemon.readings.slots import slot, slots_passed
from tests.values import T0

NAMES = st.text(min_size=1, max_size=64)


@given(NAMES, st.integers(400, 3_600_000))
def test_b1_a_slot_is_stable_and_within_the_interval(account: str, every: int) -> None:
    """B1: the same in every life of the daemon."""
    assert slot(account, every) == slot(account, every)
    assert 0 <= slot(account, every) < every


def test_b1_slots_are_spread() -> None:
    """B1: two hundred accounts do not fire in the same instant."""
    assert len({slot(f"account {n}", 5_000) for n in range(200)}) > 150


@given(NAMES, st.integers(1, 50), st.integers(0, 300), st.integers(0, 300))
def test_b3_the_slots_of_a_span_are_counted(
    account: str, every: int, begin: int, length: int
) -> None:
    """B3: those after its beginning, up to and with its end; no other instant is one."""
    since, until = T0 + begin, T0 + begin + length
    due = [at for at in range(since + 1, until + 1) if at % every == slot(account, every)]
    assert slots_passed(account, every, since, until) == len(due)
    assert slots_passed(account, every, until, since) == 0
