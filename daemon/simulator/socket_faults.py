"""The ways in which the private WebSocket can fail, as a table for tests. See `faults`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from daemon.simulator.balances import render
from daemon.simulator.wire import MIB


class Moment(StrEnum):
    """When a fault strikes."""

    REQUEST = "request"
    LOGIN = "login"
    SUB = "sub"
    PING = "ping"
    PUSH = "push"


@dataclass(frozen=True, slots=True)
class RawText:
    """A text frame with these bytes, even if they are not valid text."""

    body: bytes


Frame: TypeAlias = str | bytes | RawText | None
"""A WebSocket frame; None drops the connection."""


@dataclass(frozen=True, slots=True)
class SocketFault:
    """One fault of the private WebSocket: the frames to send in place of the regular one."""

    name: str
    on: Moment
    frames: Callable[[str], Sequence[Frame]]
    denies: bool = False
    """Whether the request of the client (login, subscription) has no effect."""


def _login_reply(**fields: str) -> str:
    return f'{{"data":{render(fields)},"channel":"login"}}'


LOGGED_IN = _login_reply(result="true")
LOGIN_REFUSED = _login_reply(result="false", errorCode="1003", errorMsg='"authentication error"')


def _nothing(_frame: str) -> Sequence[Frame]:
    return ()


def _dropped(_frame: str) -> Sequence[Frame]:
    return (None,)


def _instead(*frames: Frame) -> Callable[[str], Sequence[Frame]]:
    return lambda _frame: frames


def _marked(old: str, new: str) -> Callable[[str], Sequence[Frame]]:
    return lambda frame: (frame.replace(old, new),)


def _differing(frame: str) -> Sequence[Frame]:
    """Change the second entry, so that it differs from the first."""
    first, between, second = frame.partition("},{")
    return (first + between + second.replace('"availableMargin":', '"availableMargin":9'),)


_EXCEPTION = '{"result":false,"errorCode":500,"errorMsg":"exception"}'

_SOCKET: tuple[SocketFault, ...] = (
    SocketFault("ws_login_refused", Moment.LOGIN, _instead(LOGIN_REFUSED), denies=True),
    SocketFault("ws_login_silent", Moment.LOGIN, _nothing, denies=True),
    SocketFault("ws_login_drop", Moment.LOGIN, _dropped, denies=True),
    SocketFault(
        "ws_login_failed", Moment.LOGIN, _instead('{"event":"login","success":false}'), denies=True
    ),
    SocketFault("ws_login_exception", Moment.LOGIN, _instead(_EXCEPTION), denies=True),
    SocketFault("ws_login_event", Moment.LOGIN, _instead('{"event":"login","success":true}')),
    SocketFault("ws_login_unheard", Moment.LOGIN, _nothing),
    SocketFault(
        "ws_login_both", Moment.LOGIN, _instead('{"event":"login","data":{"result":true}}')
    ),
    SocketFault(
        "ws_sub_refused",
        Moment.SUB,
        _instead(
            '{"biz":"futures","data":{"result":false,"errorCode":1007,"errorMsg":"Invalid'
            ' parameter"},"channel":"subscribe","type":"assets"}'
        ),
        denies=True,
    ),
    SocketFault("ws_sub_exception", Moment.SUB, _instead(_EXCEPTION), denies=True),
    SocketFault("ws_sub_silent", Moment.SUB, _nothing, denies=True),
    SocketFault("ws_no_pong", Moment.PING, _nothing),
    SocketFault("ws_ping_drop", Moment.PING, _dropped),
    SocketFault("ws_drop", Moment.PUSH, _dropped),
    SocketFault("ws_lost_push", Moment.PUSH, _nothing),
    SocketFault("ws_duplicate", Moment.PUSH, lambda frame: (frame, frame)),
    SocketFault("ws_foreign_user", Moment.PUSH, _marked('"userId":', '"userId":9')),
    SocketFault("ws_other_currency", Moment.PUSH, _marked('"usdt"', '"usdc"')),
    SocketFault("ws_currency_upper", Moment.PUSH, _marked('"usdt"', '"USDT"')),
    SocketFault(
        "ws_time",
        Moment.PUSH,
        _marked('"biz":"futures"', '"biz":"futures","time":913517412345678901'),
    ),
    SocketFault(
        "ws_field_missing", Moment.PUSH, _marked('"availableMargin"', '"availableMargins"')
    ),
    SocketFault(
        "ws_field_nan", Moment.PUSH, _marked('"availableMargin":', '"availableMargin":NaN,"was":')
    ),
    SocketFault("ws_garbage", Moment.PUSH, _instead("not json")),
    SocketFault("ws_not_utf8", Moment.PUSH, lambda frame: (RawText(frame.encode() + b"\xff"),)),
    SocketFault("ws_deep", Moment.PUSH, _instead("[" * 100_000)),
    SocketFault("ws_30_mib", Moment.PUSH, lambda frame: (frame + " " * (30 * MIB),)),
    SocketFault("ws_differs", Moment.PUSH, _differing),
    SocketFault("ws_margin_wrong", Moment.PUSH, _marked('"margin":', '"margin":7')),
    SocketFault("ws_binary", Moment.PUSH, lambda frame: (frame.encode(),)),
    SocketFault("ws_list", Moment.PUSH, _instead("[]")),
    SocketFault(
        "ws_data_null", Moment.PUSH, _instead('{"biz":"futures","data":null,"type":"assets"}')
    ),
    SocketFault("ws_server_ping", Moment.PUSH, lambda frame: ('{"event":"ping"}', frame)),
)

SOCKET_FAULTS: Mapping[str, SocketFault] = {fault.name: fault for fault in _SOCKET}
"""Faults of the private WebSocket by name."""
