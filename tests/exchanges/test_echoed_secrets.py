"""Promise 9: an exchange that says a key back, anywhere in an answer: no sentence shows it."""

import pytest

from daemon.clock import SystemClock
from daemon.exchanges import ExchangeAccount, ExchangeDependencies, coinw
from daemon.exchanges.common.http import open_session
from daemon.types import NoAnswer
from tests.exchanges.common.test_http import Raw, serve
from tests.fakes import budget

KEYS = ("k3yQZ71aabbCC9fWq", "Kq83ZmPw72XtRb64VnLs05GhJd19")

WIRES = {
    "no header": b"HTTP/1.1 200 OK\r\nno header %b\r\n\r\n",
    "version": b"HTTP/9.9 %b\r\n\r\n",
    "no HTTP": b"220 %b ESMTP\r\n\r\n",
    "half of it beyond the cut": b"x" * 110 + b" %b\r\n\r\n",
    "reason": b"HTTP/1.1 503 %b\r\nContent-Length: 0\r\n\r\n",
    "refusal": b"HTTP/1.1 403 Forbidden\r\nContent-Type: %b\r\nContent-Length: 0\r\n\r\n",
    "encoding": b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: 2\r\n\r\n\x8b\x02",
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: %b\r\n\r\n{}",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: %b\r\n\r\n{}",
    "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%b\r\n{}",
    "redirect": b"HTTP/1.1 302 Found\r\nLocation: https://%b.example/\r\nContent-Length: 0\r\n\r\n",
    "odd redirect": b"HTTP/1.1 302 Found\r\nLocation: https://[%b\r\nContent-Length: 0\r\n\r\n",
    "date": b"HTTP/1.1 200 OK\r\nDate: %b\r\nContent-Length: 2\r\n\r\n{}",
    "body": b"HTTP/1.1 200 OK\r\nContent-Length: 45\r\n\r\n%b",
}


@pytest.mark.parametrize("case", [str, str.lower, str.upper], ids=["same", "lower", "upper"])
@pytest.mark.parametrize("wire", WIRES)
async def test_s2_what_the_exchange_says_back_is_blanked(wire: str, case: type[str]) -> None:
    """S2: in each part of an answer that a library reads or refuses, by HTTP or not."""
    for said in KEYS:
        async with (
            serve(Raw(WIRES[wire] % case(said).encode())) as where,
            open_session() as session,
        ):
            account = ExchangeAccount("main", *KEYS, f"http://{where}", "")
            clock = SystemClock()
            found = await coinw.connect(
                account, ExchangeDependencies(session, budget(clock), clock)
            ).read()
        assert isinstance(found, NoAnswer)
        assert said[:8].lower() not in found.detail.lower(), found.detail
