"""The exchanges: the interface of each, and how one is found by its name.

A new exchange is one new file or folder here. It offers `REST_URL`, `WS_URL`, `problems` and
`connect` (see `Adapter`). One with a push stream also offers `stream_protocol` (see `Streaming`).
Importing this package must stay light: the HTTP library is loaded when an exchange is used, not
when one is named.
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast, runtime_checkable

from daemon.clock import Clock
from daemon.discovery import modules_defining
from daemon.types import DIRECT, SECOND, Answer, Millis, NoAnswer, Route

if TYPE_CHECKING:
    from daemon.exchanges.common.http import HttpSession
    from daemon.exchanges.common.rate_limit import Budget
    from daemon.exchanges.common.stream_protocol import StreamProtocol

MARK = "REST_URL"
"""The name that an exchange's file assigns at its top level; other files are helpers."""

Problem: TypeAlias = tuple[str, str]
"""A key of `[[accounts]]` and one sentence about its value, which never quotes a secret."""


@dataclass(frozen=True, slots=True)
class ExchangeAccount:
    """One watched account with its secrets resolved. `user_id` is "" until it is known."""

    name: str
    api_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    rest_url: str
    ws_url: str = ""
    timeout: Millis = 10 * SECOND
    """Timeout of one call, from the address lookup to the last byte of the answer."""
    user_id: str = ""
    rest_route: Route = DIRECT
    ws_route: Route = DIRECT


@dataclass(frozen=True, slots=True)
class ExchangeDependencies:
    """Dependencies that all exchanges share.

    The session comes from `http.open_session`; its owner closes it.
    """

    session: "HttpSession"
    budget: "Budget"
    clock: Clock


class Exchange(Protocol):
    """One account at its exchange."""

    async def read(self, *, urgent: bool = False) -> Answer | NoAnswer:
        """Fetch the balances once, after waiting for the budget. Exchange errors never raise.

        An `urgent` read (a confirming read) goes before routine polls.
        """
        ...

    async def close(self) -> None: ...


class Adapter(Protocol):
    """The interface that an exchange's file offers."""

    REST_URL: str
    """Default of `rest_url`."""
    WS_URL: str
    """Default of `ws_url`."""

    def problems(self, account: ExchangeAccount) -> Sequence[Problem]:
        """All problems of the account's keys for this exchange."""
        ...

    def connect(self, account: ExchangeAccount, dependencies: ExchangeDependencies) -> Exchange: ...


@runtime_checkable
class Streaming(Protocol):
    """The additional interface of an exchange with a push stream."""

    def stream_protocol(self, account: ExchangeAccount) -> "StreamProtocol": ...


@cache
def names() -> tuple[str, ...]:
    """The names of all exchanges, from the file names; nothing is imported."""
    return modules_defining(__path__, MARK)


def load(name: str) -> Adapter:
    """The exchange of this name.

    Raises LookupError with one sentence when there is none.
    """
    if name not in names():
        raise LookupError(f'there is no exchange "{name}": choose one of {", ".join(names())}')
    return cast("Adapter", importlib.import_module(f"{__name__}.{name}"))


def stream_protocol(name: str, account: ExchangeAccount) -> "StreamProtocol | None":
    """The protocol of the account's push stream.

    None if the exchange has no stream, or none is wanted (`ws_url` is empty).
    """
    adapter: object = load(name)
    if account.ws_url and isinstance(adapter, Streaming):
        return adapter.stream_protocol(account)
    return None
