"""The ways in which the exchange can fail, as a table for tests.

Tests iterate over it, or inject a fault by its name. Only data and pure changes of the regular
answer. Shapes and codes are those of fact sheet 2.6, 3, 4 and 7. Cases that it does not cover, such
as the look of a ban or absurd numbers, are faults that a careful reader must survive.
"""

import gzip
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from daemon.simulator.balances import Fields, render
from daemon.simulator.socket_faults import SOCKET_FAULTS, Moment, SocketFault
from daemon.simulator.wire import (
    MIB,
    Manner,
    Reply,
    cut_short,
    dripping,
    late,
    never,
    padded,
    stalling,
    unanswered,
    whole,
)
from daemon.types import Millis, MissReason

PAGE = (
    b'<!DOCTYPE html><html lang="en-US">'
    b"<head><title>Attention Required! | Cloudflare</title></head>\n"
    b"<body><h1>Sorry, you have been blocked</h1>"
    b"<p>You are unable to access api.coinw.com</p></body></html>"
)
"""A page like Cloudflare's block page."""


Altered: TypeAlias = Callable[[Fields], Reply]
"""Makes the faulty answer from the tokens of the regular one."""


@dataclass(frozen=True, slots=True)
class RestFault:
    """One fault of getUserAssets, or an unusual answer if None is in `means`."""

    name: str
    means: frozenset[MissReason | None]
    """Results that SEMANTICS A3 allows; None is a reading. Several where it leaves a choice."""
    altered: Altered
    manner: Manner = whole
    on: Moment = Moment.REQUEST
    true: bool = True
    """Whether balances read from it are those of the account."""


Fault: TypeAlias = RestFault | SocketFault


def success(fields: Fields) -> Reply:
    """The regular answer."""
    return data(render(fields))


def data(token: str) -> Reply:
    """An answer with code 0 around the token of `data`."""
    return Reply(f'{{"code":0,"data":{token},"msg":""}}'.encode())


def refusal(code: int, text: str) -> Reply:
    """A refusal with HTTP 200 and the reason in `code`."""
    return Reply(f'{{"code":{code},"data":null,"msg":"{text}"}}'.encode())


RATE_LIMITED = Reply(b'{"code":29001,"msg":"API access frequently"}')
NO_SUCH_PATH = Reply(b'{"code":404,"msg":"Requested address does not exist"}', status=404)
BAD_KEY = refusal(6000, "authentication error")
BAD_SIGNATURE = refusal(6001, "invalid signature")
PARAM_REQUIRED = refusal(402, "param required")
BAD_FORMAT = refusal(9016, "Incorrect parameter format/type or missing information.")
NO_PERMISSION = Reply(
    b'{"code":6003,"message":"require more permission","retry":false,"success":false}'
)


def slow(by: Millis) -> RestFault:
    """The regular answer, late by `by` milliseconds."""
    return RestFault("slow", frozenset({None}), success, late(by))


def _fixed(reply: Reply) -> Altered:
    return lambda _fields: reply


def _status(status: int, body: bytes = b'{"msg":"error"}', **headers: str) -> Altered:
    return _fixed(Reply(body, status=status, headers=headers))


def _page(status: int) -> Altered:
    headers = {"Server": "cloudflare"}
    return _fixed(
        Reply(PAGE, status=status, content_type="text/html; charset=UTF-8", headers=headers)
    )


def _raw(body: bytes) -> Altered:
    return _fixed(Reply(body))


def _with(**tokens: str) -> Altered:
    return lambda fields: success({**fields, **tokens})


def _without(*names: str) -> Altered:
    return lambda fields: success(
        {name: token for name, token in fields.items() if name not in names}
    )


def _quoted(fields: Fields) -> Reply:
    return success({name: f'"{token.strip(chr(34))}"' for name, token in fields.items()})


def _truncated(fields: Fields) -> Reply:
    body = success(fields).body
    return Reply(body[: len(body) * 2 // 3])


def _not_utf8(fields: Fields) -> Reply:
    return Reply(success(fields).body.replace(b'"msg":""', b'"msg":"\xff\xfe\xc3("'))


def _typed(content_type: str) -> Altered:
    return lambda fields: Reply(success(fields).body, content_type=content_type)


def _bomb(fields: Fields) -> Reply:
    packed = gzip.compress(success(fields).body + b" " * (30 * MIB), compresslevel=4)
    return Reply(packed, headers=_packed("gzip"))


def _packed(encoding: str) -> Mapping[str, str]:
    return {"Content-Encoding": encoding}


READING = frozenset({None})
TIMEOUT = frozenset({MissReason.TIMEOUT})
NETWORK = frozenset({MissReason.NETWORK})
HTTP_5XX = frozenset({MissReason.HTTP_5XX})
LIMITED = frozenset({MissReason.RATE_LIMITED})
BLOCKED = frozenset({MissReason.BLOCKED})
AUTH = frozenset({MissReason.AUTH})
PERMISSION = frozenset({MissReason.PERMISSION})
WRONG_USER = frozenset({MissReason.WRONG_USER})
BAD_ANSWER = frozenset({MissReason.BAD_ANSWER})
EITHER = READING | BAD_ANSWER
"""A reading without the field in question, or a miss; never a zero."""

_AMOUNTS = ("availableMargin", "availableUsdt", "almightyGold", "alMargin", "alFreeze")

_REST: tuple[RestFault, ...] = (
    RestFault("http_500", HTTP_5XX, _status(500)),
    RestFault("http_502", HTTP_5XX, _status(502, b"bad gateway")),
    RestFault("http_503", HTTP_5XX, _status(503)),
    RestFault("http_429", LIMITED, _status(429)),
    RestFault("http_403", BLOCKED, _status(403)),
    RestFault("http_401", AUTH, _status(401)),
    RestFault("http_404", BAD_ANSWER, _fixed(NO_SUCH_PATH)),
    RestFault(
        "http_400",
        BAD_ANSWER,
        _status(400, b'{"code":904,"msg":"Method parameters verification failed"}'),
    ),
    RestFault(
        "redirect", BAD_ANSWER, _status(302, b"")
    ),  # the server fills in a Location with another host name of its own
    RestFault("html", BLOCKED, _page(403)),
    RestFault("html_200", BLOCKED, _page(200)),
    RestFault("html_503", HTTP_5XX | BLOCKED, _page(503)),
    RestFault("code_29001", LIMITED, _fixed(RATE_LIMITED)),
    RestFault("code_6000", AUTH, _fixed(BAD_KEY)),
    RestFault("code_6001", AUTH, _fixed(BAD_SIGNATURE)),
    RestFault("code_6003", PERMISSION, _fixed(NO_PERMISSION)),
    RestFault("code_500", BAD_ANSWER, _fixed(refusal(500, "Internal server error"))),
    RestFault("code_9016", BAD_ANSWER, _fixed(BAD_FORMAT)),
    RestFault("code_402", BAD_ANSWER, _fixed(PARAM_REQUIRED)),
    RestFault("code_9105", BAD_ANSWER, _fixed(refusal(9105, "API key has expired"))),
    RestFault(
        "code_missing",
        BAD_ANSWER,
        _raw(b'{"message":"gateway error","retry":true,"success":false}'),
    ),
    RestFault("data_null", BAD_ANSWER, _fixed(data("null"))),
    RestFault("data_missing", BAD_ANSWER, _raw(b'{"code":0,"msg":""}')),
    RestFault("data_text", BAD_ANSWER, _fixed(data('"none"'))),
    RestFault("data_list_empty", BAD_ANSWER, _fixed(data("[]"))),
    RestFault("data_list", READING, lambda fields: data(f"[{render(fields)}]")),
    RestFault("data_empty", BAD_ANSWER, _fixed(data("{}"))),
    RestFault("field_missing", READING, _without("availableMargin"), true=False),
    RestFault("fields_missing", READING, _without("almightyGold", "alFreeze"), true=False),
    RestFault("field_null", READING, _with(availableMargin="null"), true=False),
    RestFault("coupon_null", READING, _with(almightyGold="null"), true=False),
    RestFault("coupon_empty_text", READING, _with(almightyGold='""'), true=False),
    RestFault("fields_null", BAD_ANSWER, _with(**dict.fromkeys(_AMOUNTS, "null"))),
    RestFault("field_nan", BAD_ANSWER, _with(availableMargin="NaN")),
    RestFault("field_nan_text", BAD_ANSWER, _with(availableMargin='"NaN"')),
    RestFault("field_infinity", BAD_ANSWER, _with(availableMargin="Infinity")),
    RestFault("field_infinity_text", BAD_ANSWER, _with(availableMargin='"-Infinity"')),
    RestFault("field_text", BAD_ANSWER, _with(availableMargin='"n/a"')),
    RestFault("field_empty_text", READING, _with(availableMargin='""'), true=False),
    RestFault("field_blank_text", READING, _with(availableMargin='" "'), true=False),
    RestFault("field_boolean", BAD_ANSWER, _with(availableMargin="false")),
    RestFault("field_list", BAD_ANSWER, _with(availableMargin="[0]")),
    RestFault("field_huge", BAD_ANSWER, _with(availableMargin="1e999999999")),
    RestFault("field_long", EITHER, _with(availableMargin="9" * 5_000)),
    RestFault(
        "field_twice",
        BAD_ANSWER,
        lambda fields: data(render(fields)[:-1] + ',"availableMargin":0}'),
    ),
    RestFault("zeros", READING, _with(**dict.fromkeys(_AMOUNTS, "0")), true=False),
    RestFault("time_missing", READING, _without("time")),
    RestFault("time_null", READING, _with(time="null")),
    RestFault("time_back", READING, _with(time="1742374984772")),
    RestFault(
        "extra_fields",
        READING,
        _with(ts="1742374984772", leverageMap='{"BTC":{"cross":20}}', note='"x"'),
    ),
    RestFault("cross_un_pnl", READING, _with(crossUnPnl="-12.5")),
    RestFault("strings", READING, _quoted),
    RestFault("foreign_user", WRONG_USER, _with(userId="9999999")),
    RestFault("user_missing", EITHER, _without("userId")),
    RestFault("user_null", EITHER, _with(userId="null")),
    RestFault("hang", TIMEOUT, success, never),
    RestFault("stall", TIMEOUT, success, stalling),
    RestFault("drip", TIMEOUT, success, dripping),
    RestFault("body_2_mib", BAD_ANSWER, success, padded(2 * MIB)),
    RestFault("body_30_mib", BAD_ANSWER, success, padded(30 * MIB)),
    RestFault("gzip_bomb", BAD_ANSWER, _bomb),
    RestFault("json_deep", BAD_ANSWER, _with(leverageMap="[" * 100_000 + "]" * 100_000)),
    RestFault("json_truncated", BAD_ANSWER, _truncated),
    RestFault("json_scalar", BAD_ANSWER, _raw(b"null")),
    RestFault("not_utf8", BAD_ANSWER, _not_utf8),
    RestFault("body_empty", BAD_ANSWER, _raw(b"")),
    RestFault("json_as_text", READING, _typed("text/plain")),
    RestFault("json_as_html", READING, _typed("text/html")),
    RestFault("json_as_latin", READING, _typed("application/json; charset=iso-8859-1")),
    RestFault("json_bom", READING, lambda fields: Reply(BOM_UTF8 + success(fields).body)),
    RestFault(
        "json_unpacked",
        READING,
        lambda fields: Reply(success(fields).body, headers=_packed("gzip")),
    ),
    RestFault(
        "gzip",
        READING,
        lambda fields: Reply(gzip.compress(success(fields).body), headers=_packed("gzip")),
    ),
    RestFault("brotli", BAD_ANSWER, _fixed(Reply(b"\x8b\x02\x80{}\x03", headers=_packed("br")))),
    RestFault("html_as_json", BLOCKED, _fixed(Reply(PAGE, content_type="application/json"))),
    RestFault("drop", NETWORK, success, unanswered),
    RestFault("drop_in_body", NETWORK, success, cut_short),
    slow(300),
)

FAULTS: Mapping[str, RestFault] = {fault.name: fault for fault in _REST}
"""Faults of getUserAssets by name. `foreign_user` gives wrong_user once the user id is known."""


def find_fault(name: str) -> Fault:
    """The fault of this name. Raises KeyError with all names if there is none."""
    known: Mapping[str, Fault] = {**FAULTS, **SOCKET_FAULTS}
    if name not in known:
        raise KeyError(f"There is no fault {name!r}; there are {', '.join(sorted(known))}.")
    return known[name]
