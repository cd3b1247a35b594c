"""A day of a trader who never existed: balances that move as margin balances do, the same for the same seed.

Positions open and close, orders freeze margin and fill or are cancelled, prices drift, funding is settled every eight
hours, a deposit saves the day. Pure; chance comes from hashing the seed. How an order or a position moves the other
fields is our own simplification: it keeps availableUsdt + alMargin + alFreeze together (one client's reading of the
fields) and availableMargin = availableUsdt + almightyGold (which held in all samples).
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from daemon.exchanges.simulator.sheet import UNIT, Sheet, sheet
from daemon.exchanges.simulator.stories import Story
from daemon.types import DAY, HOUR, SECOND, Millis

STEP: Millis = 5 * SECOND
"""Balances change at most once per step."""
FUNDING: Millis = 8 * HOUR
PPM = 1_000_000
FEE_PPM = 600
"""0.06 %, the taker fee of the official sample."""
TRENDS_PPM = (-260, -60, 0, 60, 200)
"""How the market moves an account with positions, in millionths of its balance per step."""


@dataclass(frozen=True, slots=True)
class Book:
    """The trader's balances, in hundred-millionths of a USDT, and the trend that moves them."""

    usdt: int
    gold: int
    margin: int = 0
    freeze: int = 0
    trend: int = 0


def trading_day(seed: int) -> Story:
    """The balances of one day as a function of elapsed time; the next day begins as this one did."""
    books = tuple(_day(_draws(seed)))

    def story(elapsed: Millis, _answered: int) -> Sheet:
        book = books[elapsed // STEP % len(books)]
        return sheet(book.usdt, book.gold, book.margin, book.freeze)

    return story


def _draws(seed: int) -> Iterator[int]:
    """Endless whole numbers below 2**64, a function of the seed alone."""
    counter = 0
    while True:
        digest = hashlib.sha256(f"trading day {seed} {counter}".encode()).digest()
        for at in range(0, len(digest), 8):
            yield int.from_bytes(digest[at : at + 8])
        counter += 1


def _day(draws: Iterator[int]) -> Iterator[Book]:
    gold = _between(draws, 0, 10 * UNIT) if _chance(draws, 2) else 0
    book = start = Book(usdt=_between(draws, 200 * UNIT, 2_000 * UNIT), gold=gold)
    for at in range(0, DAY, STEP):
        yield book
        book = _order(_position(_drift(book, draws), draws), draws)
        book = _funding(book, at + STEP, draws)
        book = _deposit(book, start, draws)


def _drift(book: Book, draws: Iterator[int]) -> Book:
    """Only open positions move with the market; an idle account stands still."""
    if not book.margin:
        return book
    trend = TRENDS_PPM[_between(draws, 0, len(TRENDS_PPM) - 1)] if _chance(draws, 120) else book.trend
    moved = book.usdt * (trend + _between(draws, -300, 300)) // PPM
    return replace(book, usdt=max(0, book.usdt + moved), trend=trend)


def _position(book: Book, draws: Iterator[int]) -> Book:
    """Close what is open, at up to 10 % of its margin gained or lost."""
    if not book.margin or not _chance(draws, 720):
        return book
    back = book.margin * _between(draws, 900_000, 1_100_000) // PPM
    return replace(book, usdt=book.usdt + back, margin=0, trend=0)


def _order(book: Book, draws: Iterator[int]) -> Book:
    """Place an order, or let the one that stands be filled or cancelled."""
    if not book.freeze:
        placed = book.usdt * _between(draws, 50_000, 400_000) // PPM if _chance(draws, 240) else 0
        return replace(book, usdt=book.usdt - placed, freeze=placed)
    if not _chance(draws, 8):
        return book
    if _chance(draws, 2):
        return replace(book, usdt=book.usdt + book.freeze, freeze=0)
    fee = book.freeze * FEE_PPM // PPM
    return replace(book, margin=book.margin + book.freeze - fee, freeze=0)


def _funding(book: Book, at: Millis, draws: Iterator[int]) -> Book:
    """Every eight hours positions pay or are paid up to 0.3 % of their margin."""
    if at % FUNDING or not book.margin:
        return book
    paid = book.margin * _between(draws, -3_000, 3_000) // PPM
    return replace(book, usdt=max(0, book.usdt - paid))


def _deposit(book: Book, start: Book, draws: Iterator[int]) -> Book:
    """Who has almost nothing left adds half of what the day began with, sooner or later."""
    broke = book.usdt + book.margin + book.freeze < start.usdt // 10
    return replace(book, usdt=book.usdt + start.usdt // 2) if broke and _chance(draws, 60) else book


def _chance(draws: Iterator[int], one_in: int) -> bool:
    return next(draws) % one_in == 0


def _between(draws: Iterator[int], low: int, high: int) -> int:
    """Both ends included."""
    return low + next(draws) % (high - low + 1)
