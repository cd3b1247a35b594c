"""Values into rows and back, exactly."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Row

from daemon.store import History, Store
from daemon.store.codec import FIELDS, plain, reading, snapshot, typed, value_columns, value_of
from daemon.types import (
    AccountState,
    Alert,
    Balances,
    NotificationFacts,
    Quality,
    Reading,
    Record,
    Source,
    Unconfirmed,
)
from tests.store.records import ACCOUNT, alert, notice
from tests.values import T0

AMOUNTS = st.none() | st.decimals(
    allow_nan=False, allow_infinity=False, places=22, min_value=-(10**12), max_value=10**12
)
NAMES = st.text(max_size=8) | st.sampled_from([*FIELDS, "al_margin_", "alTotal"])
EXTRA = st.dictionaries(
    NAMES, st.none() | st.booleans() | st.integers() | st.text(max_size=5), max_size=4
)


def stored(columns: dict[str, Any]) -> Row[Any]:
    """The value as SQLite returns it: floats."""
    floats = {
        name: None if columns[name] is None else Decimal(repr(float(columns[name])))
        for name in FIELDS
    }
    return cast("Row[Any]", SimpleNamespace(**{**columns, **floats}))


@given(st.tuples(*[AMOUNTS] * 6), EXTRA)
def test_readings_survive_a_row_of_floats(
    amounts: tuple[Decimal | None, ...], extra: dict[str, object]
) -> None:
    """Promise 7: fields keep every digit; unknown fields are kept, even with names like ours."""
    sent = {name.replace("\0", ""): value for name, value in extra.items()}
    taken = Reading(7, T0, Source.WS, Quality.OK, T0 - 5, Balances(*amounts), sent)
    assert reading(stored(snapshot(taken))) == taken


def test_most_rows_have_no_extra() -> None:
    """`extra` is NULL where nothing is unknown and every value is kept by a float."""
    plain_one = Reading(7, T0, Source.REST, Quality.OK, None, Balances(Decimal("0.1")))
    assert snapshot(plain_one)["extra"] is None


def test_a1_an_unconfirmed_row_has_the_values_of_its_suspect() -> None:
    """A1: its own counter and instant, the suspect's values, quality `unconfirmed`."""
    suspect = Reading(7, T0, Source.REST, Quality.SUSPECT, T0 - 5, Balances(Decimal(0)))
    row = snapshot(Unconfirmed(8, T0 + 3_000, suspect))
    assert (row["seq"], row["at"], row["quality"], row["exchange_at"]) == (
        8,
        T0 + 3_000,
        "unconfirmed",
        T0 - 5,
    )


def test_alerts_and_facts_survive_json() -> None:
    """Everything the next step and the message start from comes back equal."""
    assert typed(Alert, plain(alert())) == alert()
    assert typed(NotificationFacts, plain(notice().facts)) == notice().facts


@pytest.mark.parametrize("name", ["E1234", "1e2024", "9" * 1_500])
def test_names_may_look_like_huge_numbers(name: str) -> None:
    """Only numbers are bounded: an account or a rule of that name is read again after a restart."""
    state = AccountState(name, alerts={name: replace(alert(), rule=name, detail=name)})
    assert typed(dict[str, AccountState], plain({name: state})) == {name: state}


@pytest.mark.parametrize("number", ["1E+1000", "-1E-1000", "9" * 1_000, "0E+999999"])
def test_s12_numbers_of_a_size_that_nothing_computes_are_refused(number: str) -> None:
    """S12: in an alert, and in those of an account's state."""
    huge = replace(alert(), worst=Decimal(number))
    for kind, value in ((Alert, huge), (AccountState, AccountState(ACCOUNT, alerts={"low": huge}))):
        with pytest.raises(ValueError, match="another size"):
            typed(kind, plain(value))


@given(st.none() | st.decimals(allow_nan=False))
def test_transition_values_survive(value: Decimal | None) -> None:
    """A value that a float does not keep has its digits beside it; infinity is kept by it."""
    columns = value_columns(value)
    read = None if value is None else Decimal(repr(float(value)))
    assert (
        value_of(cast("Row[Any]", SimpleNamespace(id=1, value=read, exact=columns["exact"])))
        == value
    )


@given(st.tuples(*[AMOUNTS] * 6))
def test_amounts_are_floats_only_where_floats_do(amounts: tuple[Decimal | None, ...]) -> None:
    """The text beside a value is exactly that of the values a float loses."""
    row = snapshot(Reading(7, T0, Source.REST, Quality.OK, None, Balances(*amounts)))
    extra = cast("dict[str, str]", row["extra"] or {})
    lost = {
        n
        for n, v in zip(FIELDS, amounts, strict=True)
        if v is not None and Decimal(repr(float(v))) != v
    }
    assert set(extra) == lost


def test_strange_answers_survive_the_database(
    store: Store, write: Callable[..., None], url: str
) -> None:
    """Either database keeps NUL, half pairs, nesting and 40 digits of an exchange."""
    amount = Decimal("-12345678901234567890.1234567890123456789")
    extra = {"note": "\0\ud800", "nested": {"a": [1, None, "x"]}, "al_margin": "theirs"}
    sent = Reading(2, T0, Source.REST, Quality.OK, None, Balances(amount, None, Decimal(0)), extra)
    write(Record(ACCOUNT, sent))
    with History.open(url) as history:
        assert list(history.readings([ACCOUNT], T0, T0 + 1)) == [(ACCOUNT, sent)]
