"""The exchanges: what each of them must offer, and how one is found by its name.

A new exchange is one new file here. It offers `REST_URL`, `WS_URL`, `problems` and `connect` (see
`Adapter`); one that tells of changes by itself offers `dialect` as well (see `Streaming`).
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
"""What a file of this folder assigns at its top level to be an exchange; others are helpers."""

Problem: TypeAlias = tuple[str, str]
"""A key of `[[accounts]]` and what is wrong with its value, in one sentence that never quotes a
secret.
"""


@dataclass(frozen=True, slots=True)
class ExchangeAccount:
    """One watched account with its secrets resolved. `user_id` is "" until it is known."""

    name: str
    api_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    rest_url: str
    ws_url: str = ""
    timeout: Millis = 10 * SECOND
    """Of one call, from looking up the address to the last byte of the answer."""
    user_id: str = ""
    rest_route: Route = DIRECT
    ws_route: Route = DIRECT


@dataclass(frozen=True, slots=True)
class ExchangeDependencies:
    """What all exchanges of the daemon share. The session comes from `http.open_session`, its owner
    closes it.
    """

    session: "HttpSession"
    budget: "Budget"
    clock: Clock


class Exchange(Protocol):
    """One account at its exchange."""

    async def read(self, *, urgent: bool = False) -> Answer | NoAnswer:
        """Ask for the balances once, waiting for the budget first. Never raises for what the
        exchange does.

        What is `urgent`, a confirming read, goes before routine polls.
        """
        ...

    async def close(self) -> None: ...


class Adapter(Protocol):
    """What a file of this folder offers to be an exchange."""

    REST_URL: str
    """The default of `rest_url`."""
    WS_URL: str
    """The default of `ws_url`."""

    def problems(self, account: ExchangeAccount) -> Sequence[Problem]:
        """Everything about the account's keys that this exchange cannot use."""
        ...

    def connect(self, account: ExchangeAccount, dependencies: ExchangeDependencies) -> Exchange: ...


@runtime_checkable
class Streaming(Protocol):
    """What the file of an exchange with a push stream offers, too."""

    def stream_protocol(self, account: ExchangeAccount) -> "StreamProtocol": ...


@cache
def names() -> tuple[str, ...]:
    """The exchanges there are, by file name; nothing is imported."""
    return modules_defining(__path__, MARK)


def load(name: str) -> Adapter:
    """The exchange of that name.

    Raises LookupError with one sentence when there is none.
    """
    if name not in names():
        raise LookupError(f'there is no exchange "{name}": choose one of {", ".join(names())}')
    return cast("Adapter", importlib.import_module(f"{__name__}.{name}"))


def stream_protocol(name: str, account: ExchangeAccount) -> "StreamProtocol | None":
    """How the account's push stream is talked to; None where there is none, or none is wanted
    (`ws_url` is empty).
    """
    adapter: object = load(name)
    return (
        adapter.stream_protocol(account)
        if account.ws_url and isinstance(adapter, Streaming)
        else None
    )
