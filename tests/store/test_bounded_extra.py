"""Reading of `extra`, limited on either database."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import text

from daemon.errors import StoreError
from daemon.readings.unknown_fields import bound_fields
from daemon.store import History, Store
from daemon.store.bounded_extra import MOST
from daemon.store.database import engine as engines
from daemon.types import Reading, Record
from tests.store.records import ACCOUNT
from tests.values import T0, reading

Write = Callable[..., None]

DIGITS = Decimal("996660.6064387699998485")
EXACT = replace(
    reading(2, T0 + 2_000), balances=replace(reading(2).balances, available_margin=DIGITS)
)


def held(url: str, store: Store) -> list[list[Reading]]:
    """The readings of everything that reads them."""
    with History.open(url) as history:
        return [
            [each for page in store.recent(ACCOUNT, 0) for each in page],
            store.latest(ACCOUNT),
            [each for _, each in history.readings([ACCOUNT], 0, 2 * T0)],
            [each for each in history.inputs(ACCOUNT, 1) if isinstance(each, Reading)],
            list(history.warm(ACCOUNT, 99, 0)),
        ]


def put(url: str, **extra: str) -> None:
    """Write into the last reading what an earlier version, or another program, may have written."""
    engine = engines.writing(engines.parse(url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE snapshots SET extra = :extra"), extra)
    engine.dispose()


@pytest.mark.parametrize("name", ["noise", "available_margin_"])
def test_s3_of_a_large_extra_the_digits_alone_are_read(
    url: str, store: Store, write: Write, name: str
) -> None:
    """S3: rows of an earlier version cost no more than others; judged values keep all digits."""
    write(Record(ACCOUNT, EXACT))
    put(url, extra=json.dumps({name: "x" * MOST, "available_margin": str(DIGITS), "al_margin_": 5}))
    assert held(url, store) == [[EXACT]] * 5


def test_s3_what_a_reading_keeps_at_most_is_read_as_it_is(
    url: str, store: Store, write: Write
) -> None:
    """S3: the largest written `extra` is small; windows are rebuilt without unknown fields."""
    kept, _ = bound_fields(
        {f"field {number:02}": "\x7f\u00e9" * 5 for number in range(100)} | {"large": "x" * 3_000}
    )
    digits = Decimal(f"-{'9' * 20}.{'9' * 38}1")
    full = replace(EXACT, balances=type(EXACT.balances)(*[digits] * 6), extra=kept)
    write(Record(ACCOUNT, full))
    assert held(url, store) == [[replace(full, extra={})], *[[full]] * 4]


@pytest.mark.parametrize(
    "extra",
    [
        '{"available_margin": "1e999999999"}',
        '{"available_margin": "1e-41"}',
        '{"available_margin": 5}',
        '{"available_margin": "' + "9" * 81 + '"}',
        '{"available_margin": "' + "9" * 5_000 + '"}',
        '{"available_margin": "Infinity"}',
        '["available_margin"]',
    ],
)
def test_s12_digits_of_no_amount_are_damage(
    url: str, store: Store, write: Write, extra: str
) -> None:
    """S12: in a small or large `extra`; nothing is cut to fit or computed with."""
    write(Record(ACCOUNT, EXACT))
    put(url, extra=extra)
    for read in (
        lambda: list(store.recent(ACCOUNT, 0)),
        lambda: store.latest(ACCOUNT),
        lambda: held(url, store),
    ):
        with pytest.raises(StoreError, match=r"the table snapshots .* seq 2: mend it"):
            read()
