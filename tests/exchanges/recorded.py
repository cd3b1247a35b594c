"""What the exchange was seen to say, by others and in public: its own pages, and clients that kept
an answer.

The official page:
https://www.coinw.com/api-doc/en/futures-trading/assets/get-futures-account-assets and its sisters
on the push stream and on error codes. The older page is that of 2024, whose `data` is a list. The
empty account was kept by a client in October 2025, without its envelope. Texts are as they were,
white space aside.
"""

from dataclasses import dataclass
from decimal import Decimal

from daemon.exchanges.common.stream_protocol import (
    Accepted,
    Ignored,
    Pong,
    Pushed,
    StreamEvent,
    Subscribed,
)
from daemon.types import Answer, Balances, MissReason, Source

OFFICIAL = (
    '{"code":0,"data":{"alFreeze":0,"alMargin":0.14311,"almightyGold":4.64407693,"availableMargin":499.71964459000003,'
    '"availableUsdt":495.07556766,"time":1742374984772,"userId":1162061},"msg":""}'
)
OLDER = (
    '{"code":0,"data":[{"availableMargin":996660.6064387699998485,"userId":600001274,"almightyGold":0,'
    '"availableUsdt":996660.6064387699998485,"alMargin":10000,"alFreeze":10000,"time":1705785391000}],"msg":""}'
)
EMPTY = (
    '{"code":0,"data":{"availableMargin":0.0,"availableUsdt":0,"almightyGold":0.0,"alMargin":0,"alFreeze":0,'
    '"time":1761055905797,"userId":1757458},"msg":""}'
)
_ENTRY = (
    '{"margin":0.0,"profitUnreal":0,"freeze":0.0,"size":0,"available":488.53777423,"currency":"usdt","type":7,'
    '"almightyGold":0,"transferAvailable":488.53777423,"userId":1162061,"availableMargin":488.53777423,"hold":0.0}'
)
PUSH = f'{{"biz":"futures","pairCode":"USDT","data":[{_ENTRY},{_ENTRY}],"type":"assets"}}'


def _balances(*values: str) -> Balances:
    return Balances(*map(Decimal, values))


ANSWERS = {
    OFFICIAL: Answer(
        "1162061",
        1742374984772,
        _balances("499.71964459000003", "495.07556766", "4.64407693", "0.14311", "0"),
    ),
    OLDER: Answer(
        "600001274",
        1705785391000,
        _balances("996660.6064387699998485", "996660.6064387699998485", "0", "10000", "10000"),
    ),
    EMPTY: Answer("1757458", 1761055905797, _balances("0.0", "0", "0.0", "0", "0")),
}
"""Of getUserAssets, and what each says."""


@dataclass(frozen=True, slots=True)
class Refusal:
    status: int
    body: str
    reason: MissReason
    names: str
    """What the sentence has of it."""


REFUSALS = (
    Refusal(
        200,
        '{"code":29001,"msg":"API access frequently"}',
        MissReason.RATE_LIMITED,
        "API access frequently",
    ),
    Refusal(
        200,
        '{"code":6003,"message":"require more permission","retry":false,"success":false}',
        MissReason.PERMISSION,
        "require more permission",
    ),
    Refusal(
        404,
        '{"code":404,"msg":"Requested address does not exist"}',
        MissReason.BAD_ANSWER,
        "does not exist",
    ),
    Refusal(
        400,
        '{"code":904,"msg":"Method parameters verification failed"}',
        MissReason.BAD_ANSWER,
        "904",
    ),
    Refusal(
        200,
        '{"code":9001,"msg":"Contract not found."}',
        MissReason.BAD_ANSWER,
        "Contract not found.",
    ),
    Refusal(
        200,
        '{"code":9016,"data":null,"msg":"Incorrect parameter format/type or missing information."}',
        MissReason.BAD_ANSWER,
        "9016: Incorrect parameter format/type",
    ),
)
"""Of REST."""

FRAMES: dict[str, StreamEvent | MissReason] = {
    PUSH: Pushed(
        (
            Answer(
                "1162061",
                None,
                _balances("488.53777423", "488.53777423", "0", "0.0", "0.0"),
                {},
                Source.WS,
            ),
        )
    ),
    '{"data":{"result":true},"channel":"login"}': Accepted(),
    '{"biz":"futures","data":{"result":true},"channel":"subscribe","type":"assets"}': Subscribed(),
    '{"event":"pong"}': Pong(),
    (
        '{"biz":"futures","data":[{"agRecordId":475,"updateDate":1713192123887,"backAmount":0,'
        '"currentAmount":11,"remark":"","userId":600001274,"totalAmount":11,'
        '"createdDate":1713192123887,"kyc":1,"assetsOut":1,"startTime":1713192110000,'
        '"endTime":1713278512000,"status":1}],"type":"assets_ag"}'
    ): (Ignored()),
    (
        '{"biz":"futures","pairCode":"BTC","data":{"result":false,"errorCode":1007,'
        '"errorMsg":"Invalid parameter"},"channel":"subscribe","type":"deep"}'
    ): (MissReason.BAD_ANSWER),
    '{"result":false,"errorCode":500,"errorMsg":"exception"}': MissReason.BAD_ANSWER,
    '{"result":false,"errorCode":1001,"errorMsg":"Rate Limit"}': MissReason.RATE_LIMITED,
    '{"data":{"result":false,"errorCode":1003,"errorMsg":"x"},"channel":"login"}': MissReason.AUTH,
}
"""Of the push stream, and what each means; for a refusal its reason."""
