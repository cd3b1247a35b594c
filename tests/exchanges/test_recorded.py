"""Recorded answers have their documented meaning; damaged, exact digits or a reason."""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

import pytest
from hypothesis import given, settings

from daemon.exchanges import ExchangeAccount
from daemon.exchanges.coinw import parse
from daemon.exchanges.coinw.frames import frames
from daemon.exchanges.common.responses import Page
from daemon.exchanges.common.stream_protocol import Malformed, Pushed, StreamEvent
from daemon.types import Answer, Balances, MissReason, NoAnswer
from tests.exchanges.damage import damaged
from tests.exchanges.recorded import ANSWERS, FRAMES, PUSH, REFUSALS, Refusal

ME = frames(
    ExchangeAccount(
        "main", "the-key", "the-secret", "https://api.coinw.com", "wss://ws.futurescw.com/perpum"
    )
)
ASKED = {
    "available_margin": "availableMargin",
    "available_usdt": "availableUsdt",
    "almighty_gold": "almightyGold",
    "al_margin": "alMargin",
    "al_freeze": "alFreeze",
}
HEARD = {**ASKED, "available_usdt": "available", "al_margin": "margin", "al_freeze": "freeze"}


def page(body: bytes, status: int = 200) -> Page:
    return Page(status, "application/json", body)


@pytest.mark.parametrize(("text", "expected"), ANSWERS.items(), ids=["official", "older", "empty"])
def test_a_recorded_answer_is_read_to_the_last_digit(text: str, expected: Answer) -> None:
    """Promise 7: an object or a list of one gives every digit; a missing field is None."""
    found = parse(page(text.encode()))
    assert (found, repr(found)) == (expected, repr(expected))


@pytest.mark.parametrize("sent", REFUSALS, ids=lambda sent: sent.body[:14])
def test_a3_a_recorded_refusal_has_its_reason(sent: Refusal) -> None:
    """A3: the code ranks before the status, the exchange's words are in the sentence."""
    found = parse(page(sent.body.encode(), sent.status))
    assert isinstance(found, NoAnswer)
    assert (found.reason, sent.names in found.detail) == (sent.reason, True)


@pytest.mark.parametrize(("text", "expected"), FRAMES.items(), ids=lambda shown: str(shown)[:20])
def test_b7_a_recorded_frame_has_its_meaning(text: str, expected: StreamEvent | MissReason) -> None:
    """B7, fact sheet 2: the two equal entries of the official push are one reading."""
    found = ME.understand(text)
    assert expected == (found.reason if isinstance(found, NoAnswer) else found)


class Number(str):
    """As it was written."""

    __slots__ = ()


class Refused(Exception):  # noqa: N818 -- it is what has to become of the text
    pass


def _integer(text: str) -> Number:
    """There is no integer -0."""
    return Number("0" if text == "-0" else text)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(dict(pairs)) < len(pairs):
        raise Refused
    return dict(pairs)


def written(body: bytes) -> Mapping[str, object]:
    """The object of the text, with numbers as written. Raises Refused if it cannot be read."""
    try:
        value = json.loads(
            body.decode(), parse_float=Number, parse_int=_integer, object_pairs_hook=_once
        )
    except ValueError:
        raise Refused from None
    if not isinstance(value, dict):
        raise Refused
    return value


_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,16})?")

_USER = re.compile(r"[1-9][0-9]{0,30}")


def plain(entry: Mapping[str, object], names: Mapping[str, str]) -> bool:
    """Whether nothing at all is odd about it, so that it has to be read."""
    known = {
        *names.values(),
        "userId",
        "time",
        "currency",
        "profitUnreal",
        "size",
        "type",
        "transferAvailable",
        "hold",
    }
    amounts = [entry.get(sent) for sent in names.values()]
    user = entry.get("userId")
    return (
        entry.keys() <= known
        and all(isinstance(amount, Number) and _PLAIN.fullmatch(amount) for amount in amounts)
        and isinstance(user, Number)
        and _USER.fullmatch(user) is not None
        and not isinstance(entry.get("time"), list | dict)
    )


def same(ours: Decimal | None, sent: object) -> bool:
    """Whether this is the number sent, to its last digit; null, empty and missing are None."""
    if sent is None or (isinstance(sent, str) and not sent.strip()):
        return ours is None
    if ours is None or not isinstance(sent, str):
        return False
    number = Decimal(sent)
    return ours == number and (not number or str(ours) == str(number))


def read_right(found: Answer, entry: Mapping[str, object], names: Mapping[str, str]) -> bool:
    sent = {**names, "cross_un_pnl": "crossUnPnl"} if names is ASKED else names
    numbers = {field: getattr(found.balances, field) for field in Balances.__dataclass_fields__}
    user = entry.get("userId")
    blank = user is None or (isinstance(user, str) and not user.strip())
    return found.user_id == ("" if blank else str(user)) and all(
        same(ours, entry.get(sent[field])) if field in sent else ours is None
        for field, ours in numbers.items()
    )


def explained(reason: str, detail: str) -> bool:
    return bool(reason) and 0 < len(detail) < 400 and [detail] == detail.splitlines()


def the_one(body: bytes) -> Mapping[str, object] | None:
    """The entry of an answer that says it is one; None where there is none."""
    try:
        envelope = written(body)
    except Refused:
        return None
    data = envelope.get("data")
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
    success = isinstance(code := envelope.get("code"), Number) and code == "0"
    return data if success and isinstance(data, dict) else None


@pytest.mark.fuzz
@settings(max_examples=max(500, settings().max_examples))
@given(damaged(ANSWERS))
def test_a_damaged_answer_is_read_to_the_last_digit_or_refused(body: bytes) -> None:
    """Promises 5 and 7: the numbers as sent, or a reason; a correct answer is never refused."""
    found, entry = parse(page(body)), the_one(body)
    if isinstance(found, NoAnswer):
        assert explained(found.reason, found.detail)
        assert entry is None or not plain(entry, ASKED)
    else:
        assert entry is not None
        assert found.balances != Balances()
        assert read_right(found, entry, ASKED)


def in_usdt(body: bytes) -> Iterator[Mapping[str, object]]:
    """The entries of a push that are about us; nothing where it is none."""
    try:
        data = written(body).get("data")
    except Refused:
        return
    for entry in data if isinstance(data, list) else [data]:
        if isinstance(entry, dict) and str(entry.get("currency")).lower() == "usdt":
            yield entry


@pytest.mark.fuzz
@settings(max_examples=max(500, settings().max_examples))
@given(damaged([PUSH]))
def test_a_damaged_push_is_read_to_the_last_digit_or_said_to_be_unusable(body: bytes) -> None:
    """Promises 5 and 7, B7: each USDT entry with its own numbers, equal ones once."""
    found, entries = ME.understand(body.decode(errors="surrogateescape")), list(in_usdt(body))
    match found:
        case Pushed(answers):
            assert entries
            assert all(
                any(read_right(answer, entry, HEARD) for entry in entries) for answer in answers
            )
            assert all(
                any(read_right(answer, entry, HEARD) for answer in answers) for entry in entries
            )
            assert len(set(map(repr, answers))) == len(answers)
        case Malformed(detail):
            assert explained("unusable", detail)
            assert not entries or not all(plain(entry, HEARD) for entry in entries)
        case NoAnswer(reason, detail):
            assert explained(reason, detail)
