"""Check of pushes (SEMANTICS B7): which is newer, and how long a field is believed."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from daemon.readings.push_check import COMPARED_WITHIN, LIMIT, Push, Pushes, take_answer, take_push
from daemon.types import SECOND, Balances, Millis

T: Millis = 1_000_000


def held(available_margin: str = "90", al_margin: str | None = "10", **others: str) -> Balances:
    amounts = {name: Decimal(text) for name, text in others.items()}
    margin = None if al_margin is None else Decimal(al_margin)
    return Balances(available_margin=Decimal(available_margin), al_margin=margin, **amounts)


def after(*pushes: tuple[Balances, Millis], state: Pushes | None = None) -> Pushes:
    found = state or Pushes()
    for balances, at in pushes:
        found, _ = take_push(found, balances, at)
    return found


def disagreements(count: int, al_margin: str = "11") -> Pushes:
    """So many pushes in a row, each compared with an answer that has this al_margin."""
    state = Pushes()
    for number in range(count):
        at = T + number * 10 * SECOND
        state, _ = take_answer(
            after((held(), at), state=state), held(al_margin=al_margin), at + 100
        )
    return state


def test_b7_without_a_push_nothing_is_stale() -> None:
    """An answer alone is the truth."""
    assert take_answer(Pushes(), held(), T) == (Pushes(), False)


def test_b7_an_answer_that_a_push_overtook_is_stale() -> None:
    """It left before the push arrived and says otherwise: a push is newer."""
    state = after((held("90"), T))
    assert take_answer(state, held("500"), T - 1) == (state, True)
    assert take_answer(state, held("500"), T) == (state, True)


def test_b7_an_answer_that_says_the_same_is_none_the_worse_for_its_age() -> None:
    """Up to 1e-6 the two say the same; what only one of them has is no difference."""
    state = after((held("90"), T))
    for margin, stale in (
        ("90", False),
        ("90.000001", False),
        ("90.0000011", True),
        ("89.999999", False),
    ):
        assert take_answer(state, held(margin, cross_un_pnl="5"), T - 1)[1] is stale
    assert take_answer(after((held(al_margin=None), T)), held(al_margin="77"), T - 1)[1] is False


def test_b7_only_the_last_push_counts() -> None:
    """An answer asked for between two pushes is held against the second, which overtook it."""
    state = after((held("80"), T), (held("90"), T + 2_000))
    assert take_answer(state, held("80"), T + 1_000)[1] is True
    assert take_answer(state, held("90"), T + 1_000) == (state, False)


def test_b7_three_disagreements_in_a_row_and_a_field_is_believed_no_more() -> None:
    """From then on pushes come without it, and an answer that differs in it is not stale."""
    state = disagreements(LIMIT)
    assert (disagreements(LIMIT - 1).contradicted, state.contradicted) == ((), ("al_margin",))
    later = T + 100 * SECOND
    state, believed = take_push(state, held("70"), later)
    assert believed == held("70", al_margin=None)
    assert take_answer(state, held("70", al_margin="999"), later - 1)[1] is False


def test_b7_an_agreement_in_between_begins_the_row_anew() -> None:
    """Two, then one that agrees, then two: all fields are believed."""
    state = disagreements(LIMIT - 1)
    for number, al_margin in enumerate(("10", "11", "11")):
        at = T + (100 + number * 10) * SECOND
        state, _ = take_answer(after((held(), at), state=state), held(al_margin=al_margin), at + 1)
    assert (state.contradicted, state.streaks["al_margin"]) == ((), 2)


def test_b7_a_push_is_compared_with_a_request_within_two_seconds_once() -> None:
    """Later and second requests are not compared: one lost push contradicts nothing."""
    state = after((held(), T))
    late = take_answer(state, held(al_margin="11"), T + COMPARED_WITHIN + 1)
    first, _ = take_answer(state, held(al_margin="11"), T + COMPARED_WITHIN)
    again, _ = take_answer(first, held(al_margin="11"), T + COMPARED_WITHIN)
    assert (late, first.streaks["al_margin"], first.compared, again) == (
        (state, False),
        1,
        1,
        first,
    )


def test_b7_what_one_of_them_lacks_is_not_compared() -> None:
    """A field that a push lacks neither agrees nor disagrees."""
    state = replace(disagreements(2), last=Push(T + 99_000, held(al_margin=None)))
    assert take_answer(state, held(), T + 99_001)[0].streaks["al_margin"] == 2


def test_b7_a_push_of_which_nothing_is_believed_is_none() -> None:
    """It neither arrives nor overtakes anything."""
    state = Pushes(streaks={"al_margin": LIMIT})
    assert take_push(state, Balances(al_margin=Decimal(1)), T) == (state, None)


def test_b7_the_limit_is_given() -> None:
    """`push-contradicted` says how many it takes."""
    assert replace(disagreements(2), limit=2).contradicted == ("al_margin",)


amounts = st.none() | st.decimals(-(10**20), 10**20, places=12)
sheets = st.builds(Balances, amounts, amounts, amounts, amounts, amounts, amounts)


@given(st.lists(st.tuples(st.booleans(), sheets, st.integers(0, 5_000)), max_size=30))
def test_b7_nothing_is_made_up(story: list[tuple[bool, Balances, Millis]]) -> None:
    """Believed fields are always pushed ones; an answer that agrees is never stale."""
    state, now = Pushes(), T
    for is_push, balances, later in story:
        now += later
        if is_push:
            state, believed = take_push(state, balances, now)
            for name in Balances.__dataclass_fields__:
                sent = getattr(balances, name)
                dropped = believed is None or name in state.contradicted
                assert getattr(believed or Balances(), name) == (None if dropped else sent)
        else:
            same = state.last.balances if state.last else balances
            assert take_answer(state, same, now - later)[1] is False
            state, _ = take_answer(state, balances, now - later)
