import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.alerts.ids import ALPHABET, alert_code
from tests.values import T0


@given(st.text(max_size=64), st.text(max_size=64), st.integers(0, 2**43))
def test_a_code_is_four_characters_that_are_hard_to_misread(
    rule: str, account: str, at: int
) -> None:
    """Four characters of the alphabet, the same for the same alert."""
    first = alert_code(rule, account, at, ())
    assert alert_code(rule, account, at, ()) == first
    assert len(first) == 4
    assert set(first) <= set(ALPHABET)


def test_a_taken_code_gives_way_to_the_next_free_one() -> None:
    """A collision changes the code, and only then."""
    first = alert_code("low", "main", T0, ())
    second = alert_code("low", "main", T0, {first})
    third = alert_code("low", "main", T0, {first, second})
    assert len({first, second, third}) == 3
    assert second == alert_code("low", "main", T0, {first, third})


class _Everything:
    def __contains__(self, _: object) -> bool:
        return True


def test_when_all_codes_are_taken_it_says_so() -> None:
    """A full history of codes is an error with a remedy, not an endless search."""
    with pytest.raises(OverflowError, match="prune"):
        alert_code("low", "main", T0, _Everything())
