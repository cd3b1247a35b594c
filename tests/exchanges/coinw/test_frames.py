"""CoinW's frames: every form of the fact sheet, other frames, and no invented number."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daemon.exchanges import ExchangeAccount
from daemon.exchanges.coinw.frames import MOST_ENTRIES, frames
from daemon.exchanges.common.stream_protocol import (
    Accepted,
    Ignored,
    Malformed,
    Pinged,
    Pong,
    Pushed,
    StreamEvent,
    Subscribed,
)
from daemon.simulator.balances import SimulatedBalances, push_frame
from daemon.simulator.socket_faults import LOGGED_IN, LOGIN_REFUSED
from daemon.simulator.sockets import MALFORMED, NOT_JSON, PONG, ack, refusal
from daemon.types import Answer, Balances, MissReason, NoAnswer
from tests.exchanges.damage import damaged
from tests.exchanges.recorded import FRAMES
from tests.exchanges.recorded import PUSH as SAMPLE

ME = frames(
    ExchangeAccount(
        "main", "the-key", "the-secret", "https://api.coinw.com", "wss://ws.futurescw.com/perpum"
    )
)


def told(**changes: Any) -> StreamEvent:
    """Parse the sample's entry with these fields changed; None leaves one out."""
    entry = {**json.loads(SAMPLE)["data"][0], **changes}
    return pushed([{name: value for name, value in entry.items() if value is not ...}])


def pushed(data: object) -> StreamEvent:
    return ME.understand(json.dumps({"biz": "futures", "data": data, "type": "assets"}))


def only(heard: StreamEvent) -> Answer:
    assert isinstance(heard, Pushed)
    (answer,) = heard.answers
    return answer


def test_what_is_said() -> None:
    """Fact sheet 2.1, 2.2, 2.5: the secret itself goes in `passphrase`."""
    assert [json.loads(frame) for frame in (ME.login, ME.subscribe, ME.ping)] == [
        {"event": "login", "params": {"api_key": "the-key", "passphrase": "the-secret"}},
        {"event": "sub", "params": {"biz": "futures", "type": "assets"}},
        {"event": "ping"},
    ]


def test_promise_9_no_secret_is_shown() -> None:
    """Neither in the repr nor in what is made of a frame that echoes it."""
    refused = ME.understand(
        '{"data":{"result":false,"errorMsg":"bad the-secret of the-key"},"channel":"login"}'
    )
    odd = told(note="the-secret", margin="the-secret")
    assert not any(
        secret in repr(shown)
        for shown in (ME, refused, odd)
        for secret in ("the-key", "the-secret")
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LOGGED_IN, Accepted()),
        ('{"event":"login","success":true}', Accepted()),
        ('{"event":"login","data":{"result":true}}', Accepted()),
        ('{"channel":"login"}', Accepted()),
        (ack("assets"), Subscribed()),
        (ack("order"), Ignored()),
        (PONG, Pong()),
        ('{"event":"ping"}', Pinged(ME.ping)),
        ('{"event":"news"}', Ignored()),
        ('{"biz":"futures","data":[{"status":1}],"type":"assets_ag"}', Ignored()),
    ],
)
def test_replies(text: str, expected: StreamEvent) -> None:
    """Fact sheet 2.1: all forms of a login's answer are understood; other frames mean nothing."""
    assert ME.understand(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (LOGIN_REFUSED, MissReason.AUTH),
        ('{"event":"login","success":false}', MissReason.AUTH),
        (
            '{"data":{"result":false,"errorCode":77,"errorMsg":"no"},"channel":"login"}',
            MissReason.AUTH,
        ),
        (refusal(1003, "authentication error", "assets"), MissReason.AUTH),
        (refusal(1007, "Invalid parameter", "assets"), MissReason.BAD_ANSWER),
        (MALFORMED, MissReason.BAD_ANSWER),
        (NOT_JSON, MissReason.RATE_LIMITED),
        (
            '{"data":{"result":false,"errorCode":[1003]},"channel":"subscribe"}',
            MissReason.BAD_ANSWER,
        ),
    ],
)
def test_refusals(text: str, reason: MissReason) -> None:
    """A3, fact sheet 2.6: 1003 or a refused login is a refused key, with the remedy."""
    heard = ME.understand(text)
    assert isinstance(heard, NoAnswer)
    assert heard.reason is reason
    assert ": " in heard.detail


def test_what_the_simulator_pushes_has_the_digits_it_shows() -> None:
    """Each field from its own, also where numbers come as text."""
    shown = SimulatedBalances(
        "499.71964459000003", "495.07556766", "4.64407693", '"0.14311"', "7", cross_un_pnl="-1"
    )
    balances = only(ME.understand(push_frame(shown, "5"))).balances
    assert balances == Balances(
        Decimal("499.71964459000003"),
        Decimal("495.07556766"),
        Decimal("4.64407693"),
        Decimal("0.14311"),
        Decimal(7),
    )


@pytest.mark.parametrize("lacking", [..., None, "", " "])
def test_a5_a_field_that_is_not_sent_is_unknown(lacking: object) -> None:
    """A5, promise 5: a missing field is never zero or another field, such as `hold`."""
    found = only(told(margin=lacking, hold=3, profitUnreal=4))
    balances = found.balances
    assert (balances.al_margin, balances.cross_un_pnl, balances.al_freeze) == (
        None,
        None,
        Decimal(0),
    )
    assert (found.missing, only(told()).missing) == (("al_margin",), ())


def test_unknown_fields_are_kept() -> None:
    """As those of answers are; what is documented and of no concern is not."""
    assert only(told(mood="calm")).extra == {"mood": "calm"}


@pytest.mark.parametrize(
    ("currency", "expected"), [("USDT", 1), ("Usdt", 1), ("usdc", 0), (None, 0), (7, 0), (..., 0)]
)
def test_only_entries_in_usdt_count(currency: object, expected: int) -> None:
    """In either case of letters; another currency is of no concern."""
    heard = told(currency=currency)
    assert (len(heard.answers) if isinstance(heard, Pushed) else 0) == expected


def test_entries_that_differ_are_all_told() -> None:
    """Whose they are, and what to make of them, is not decided here."""
    first, second = (only(told(**changes)) for changes in ({}, {"userId": "8"}))
    entry = json.loads(SAMPLE)["data"][0]
    assert pushed([entry, entry, {**entry, "userId": 8}]) == Pushed((first, second))


def test_one_entry_may_stand_without_a_list() -> None:
    """As in answers, whose `data` comes in both ways."""
    assert only(pushed(json.loads(SAMPLE)["data"][0])) == only(ME.understand(SAMPLE))


@pytest.mark.parametrize(
    "heard",
    [
        pushed(None),
        pushed("none"),
        pushed([[]]),
        pushed([{"currency": "usdt", "userId": 1}]),
        pushed([{"currency": "usdt", "availableMargin": 1}]),
        pushed([{"currency": "usdt", "userId": 1, "freeze": n} for n in range(MOST_ENTRIES + 1)]),
        told(availableMargin=float("nan")),
        told(availableMargin=float("inf")),
        told(availableMargin="n/a"),
        told(availableMargin=True),
        told(availableMargin=[0]),
        told(availableMargin="9" * 99),
        told(userId=None),
        told(userId=True),
        ME.understand(SAMPLE.replace("488.53777423", "1e999999999")),
        ME.understand(SAMPLE.replace('"hold"', '"margin"')),
        ME.understand(SAMPLE[:-1]),
        ME.understand("null"),
        ME.understand("[]"),
        ME.understand(""),
        ME.understand("not json"),
        ME.understand("\ud800"),
        ME.understand("[" * 100_000),
        ME.understand('{"a":' * 100_000),
        ME.understand(SAMPLE.replace('"hold":0.0', f'"x":{"[" * 500}{"]" * 500}')),
    ],
)
def test_what_cannot_be_used_is_said_and_nothing_more(heard: StreamEvent) -> None:
    """Bad numbers, users, JSON, depth or count give one sentence and no reading."""
    assert isinstance(heard, Malformed)
    assert heard.detail.startswith("CoinW's push cannot be used: ")
    assert len(heard.detail) < 250


def test_no_push_and_no_refusal() -> None:
    """An empty list tells of nothing."""
    assert pushed([]) == Ignored()


words = st.sampled_from(
    ["event", "channel", "type", "data", "result", "success", "errorCode", "errorMsg", "biz"]
)
known = st.sampled_from(
    ["login", "assets", "subscribe", "ping", "pong", "usdt", True, False, None, 1003, 1001]
)
replies = st.dictionaries(words, known | st.dictionaries(words, known), min_size=1).map(json.dumps)
torn = damaged(FRAMES).map(lambda body: body.decode(errors="surrogateescape"))


@pytest.mark.fuzz
@settings(max_examples=max(500, settings().max_examples))
@given(st.text() | replies | torn)
@example("\x00")
def test_any_frame(text: str) -> None:
    """Whatever arrives, it is understood or said to be unusable: nothing is raised."""
    assert isinstance(
        ME.understand(text),
        Accepted | Subscribed | Pong | Pinged | Pushed | Malformed | Ignored | NoAnswer,
    )
