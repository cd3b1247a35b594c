"""Calls and push streams through a real proxy, and what people read when that fails."""

import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import trustme

from daemon.exchanges import ExchangeAccount, ExchangeDependencies, coinw
from daemon.exchanges.common import http, proxies, stream_connection
from daemon.exchanges.common.stream_connection import StreamConnection
from daemon.simulator.account import SOCKET_PATH
from daemon.types import SECOND, Answer, MissReason, NoAnswer, Route
from tests.end_to_end.wires import wire
from tests.exchanges.common.test_http import Mute, Raw, serve
from tests.exchanges.simulated import World, dependencies
from tests.fakes import budget
from tests.proxyserver import HERE, ProxyServer

NAME = "api.exchange.invalid"
"""No name server knows it: only the proxy does."""
LOGIN = "me:s3cret-p@ss/wörd"
CODED = "me:s3cret-p%40ss%2Fw%C3%B6rd"
ONWARD = f"{NAME}:443"


@dataclass
class Network:
    """An exchange behind TLS, known to a proxy alone, and an account there."""

    here: World
    proxy: ProxyServer
    session: http.HttpSession
    account: ExchangeAccount
    authority: trustme.CA

    def by(self, route: Route) -> ExchangeAccount:
        return replace(self.account, rest_route=route, ws_route=route)

    async def read(self, route: Route, rest_url: str = "") -> Answer | NoAnswer:
        account = self.by(route)
        account = replace(account, rest_url=rest_url or account.rest_url)
        return await coinw.connect(
            account, ExchangeDependencies(self.session, budget(self.here.clock), self.here.clock)
        ).read()

    async def listen(self, route: Route, ws_url: str = "") -> StreamConnection | NoAnswer:
        account, speech = self.by(route), coinw.stream_protocol(self.account)
        url = ws_url or account.ws_url
        return await stream_connection.connect(
            self.session, url, speech, self.here.clock, 60 * SECOND, account.ws_route
        )

    async def both(self, route: Route) -> set[NoAnswer]:
        """How a call and a stream fail."""
        found = [await self.read(route), await self.listen(route)]
        assert all(isinstance(each, NoAnswer) for each in found), found
        return {each for each in found if isinstance(each, NoAnswer)}


def certified(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture
async def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Network]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(dependencies(tick=1_000 * SECOND))
        main = here.simulator.account("main")
        main.set(available_margin="500")
        behind = await stack.enter_async_context(
            wire(here.simulator.port, tls=certified(authority, NAME))
        )
        proxy = ProxyServer({ONWARD: behind.port})
        await proxy.start()
        stack.push_async_callback(proxy.stop)
        session = await stack.enter_async_context(http.open_session())
        keys = main.keys
        urls = f"https://{NAME}", f"wss://{NAME}{SOCKET_PATH}"
        account = ExchangeAccount("main", keys.api_key, keys.secret_key, *urls, timeout=60 * SECOND)
        yield Network(here, proxy, session, account, authority)


def to(proxy: ProxyServer, login: str = "", scheme: str = "http") -> Route:
    return Route(f"{scheme}://{login + '@' if login else ''}{proxy.place}")


async def test_a3_calls_and_pushes_go_through_the_proxy(network: Network) -> None:
    """A3: calls and streams are tunnelled, so the proxy learns the exchange's name and no more."""
    connection = await network.listen(to(network.proxy))
    assert isinstance(connection, StreamConnection), connection
    answer = await network.read(to(network.proxy))
    assert isinstance(answer, Answer), answer
    await connection.close()
    assert network.proxy.asked == [f"CONNECT {ONWARD} HTTP/1.1"] * 2
    assert str(answer.balances.available_margin) == "500"
    heads = "".join(network.proxy.heads).lower()
    assert [
        word for word in ("api_key", "sign", network.account.api_key.lower()) if word in heads
    ] == []


async def test_a3_the_proxy_is_given_its_password(network: Network) -> None:
    """A3: user and password in UTF-8 (RFC 7617), for calls and pushes, tunnelled and plain ones."""
    network.proxy.login, route = LOGIN, to(network.proxy, CODED)
    simulator = network.here.simulator
    for connected in (await network.listen(route), await network.listen(route, simulator.ws_url)):
        assert isinstance(connected, StreamConnection), connected
        await connected.close()
    for got in (await network.read(route), await network.read(route, simulator.rest_url)):
        assert isinstance(got, Answer), got
    methods = [line.split()[0] for line in network.proxy.asked]
    assert methods == ["CONNECT", "GET", "CONNECT", "GET"]


async def test_a3_a_proxy_behind_tls(network: Network) -> None:
    """A3: TLS in TLS, for an https:// proxy, whose certificate is verified as well."""
    secure, foreign = ProxyServer(network.proxy.names, LOGIN), ProxyServer(network.proxy.names)
    await secure.start(certified(network.authority, HERE))
    await foreign.start(certified(trustme.CA(), HERE))
    try:
        assert isinstance(await network.read(to(secure, CODED, "https")), Answer)
        connection = await network.listen(to(secure, CODED, "https"))
        assert isinstance(connection, StreamConnection), connection
        await connection.close()
        said = (
            f"the proxy {foreign.place} has no valid certificate: check proxy, or name its"
            " authority in ca_file"
        )
        assert await network.both(to(foreign, scheme="https")) == {
            NoAnswer(MissReason.NETWORK, said)
        }
    finally:
        await secure.stop()
        await foreign.stop()


REFUSALS: dict[str, tuple[Callable[[Network], Route], str]] = {
    "wants a password": (
        lambda it: to(it.proxy),
        "wants a user and a password (HTTP 407): write proxy as http://USER:PASSWORD@HOST:PORT",
    ),
    "wrong password": (
        lambda it: to(it.proxy, "me:planted-wrong"),
        "does not accept the user or the password (HTTP 407): check proxy",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
async def test_a3_407_says_what_the_proxy_wants(network: Network, case: str) -> None:
    """A3: a missing or wrong password names the proxy, never the password."""
    network.proxy.login, (route, said) = LOGIN, REFUSALS[case]
    way = route(network)
    expected = NoAnswer(MissReason.NETWORK, f"the proxy {network.proxy.place} {said}")
    plain = {
        await network.read(way, network.here.simulator.rest_url),
        await network.listen(way, network.here.simulator.ws_url),
    }
    assert await network.both(way) | plain == {expected}


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            403,
            f"does not let calls to {NAME} through (HTTP 403): ask whoever runs it to allow {NAME}",
        ),
        (
            405,
            f"does not let calls to {NAME} through (HTTP 405): ask whoever runs it to allow {NAME}",
        ),
        (502, f"did not reach {NAME} (HTTP 502): check that it has a way out; asking again"),
        (302, f"did not reach {NAME} (HTTP 302): check that it has a way out; asking again"),
    ],
)
async def test_a3_what_a_proxy_answers_is_told_of_it(
    network: Network, status: int, said: str
) -> None:
    """A3: a proxy failure is a network failure: no pause, no doubt about the key."""
    network.proxy.answer = status
    expected = NoAnswer(MissReason.NETWORK, f"the proxy {network.proxy.place} {said}")
    assert await network.both(to(network.proxy)) == {expected}


async def test_a3_a_proxy_that_is_down_or_unknown(network: Network) -> None:
    """A3: the sentence names the proxy, not the exchange, and never DNS of the exchange."""
    await network.proxy.stop()
    refused = (
        f"the proxy {network.proxy.place} refused the connection: check proxy and that it is up"
    )
    assert await network.both(to(network.proxy, CODED)) == {NoAnswer(MissReason.NETWORK, refused)}
    unknown = (
        "the proxy proxy.invalid:3128 was not found (DNS): check proxy and this machine's name"
        " servers"
    )
    assert await network.both(Route("http://proxy.invalid:3128")) == {
        NoAnswer(MissReason.NETWORK, unknown)
    }


async def test_a3_what_is_no_proxy(network: Network) -> None:
    """A3: a service that is no proxy is reported, whatever it answers."""
    said = {}
    for what, server in (("ssh", Raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")), ("closes", Raw(b""))):
        async with serve(server) as place:
            found = await network.read(Route(f"http://{place}"))
            assert isinstance(found, NoAnswer)
            said[what] = found.detail.replace(place, "IT")
    async with serve(Mute(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as place:
        found = await network.read(Route(f"https://{place}"))
        assert isinstance(found, NoAnswer)
        said["no TLS"] = found.detail.replace(place, "IT")
    assert said == {
        "ssh": "the proxy IT does not speak HTTP: check proxy",
        "closes": (
            f"{NAME} closed the connection without answering: asking again (called through the"
            " proxy IT)"
        ),
        "no TLS": (
            "the proxy IT cannot agree on TLS with this machine: see whether proxy should begin"
            " with http://"
        ),
    }


async def test_a3_silence_names_the_proxy() -> None:
    """A3: who did not answer in time is not known, so both are named."""
    async with http.open_session() as session, serve(Mute()) as place:
        found = await http.get(session, f"https://{NAME}/x", {}, 50, (), Route(f"http://{place}"))
    said = (
        f"{NAME} did not answer within 0.05s: check the network (called through the proxy {place})"
    )
    assert found == NoAnswer(MissReason.TIMEOUT, said)


async def test_a3_a_variable_that_is_not_used_is_named(network: Network) -> None:
    """A3: a call that fails without the proxy of the environment says so, and what to write."""
    said = 'HTTPS_PROXY is set, but the exchange is called directly: set [daemon] proxy = "env"'
    for found in await network.both(Route(unused="HTTPS_PROXY")):
        assert found.detail.endswith(f"; {said}")


@pytest.mark.parametrize(
    "proxy", ["http://me:planted-pw@127.0.0.1:3128", "https://planted-pw@proxy.example"]
)
def test_promise_9_a_route_shows_no_password(proxy: str) -> None:
    """Promise 9: the password is in no `repr` of a route or proxy, and in no sentence."""
    route = Route(proxy)
    account = ExchangeAccount("main", "k", "s", "", rest_route=route)
    shown = f"{route!r} {account!r} {proxies.proxy(route)!r} {proxies.describe_route(route)}"
    assert "planted-pw" not in shown
    assert proxies.options("https://x", route)["proxy"].startswith(proxy.partition("//")[0])


@pytest.mark.parametrize(
    "page", [b"HTTP/1.1 502 -\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 401 -\r\n\r\n", b""]
)
async def test_promise_9_a_proxy_that_says_the_password_back(network: Network, page: bytes) -> None:
    """Promise 9: neither itself nor in base64 is it quoted with what came instead of an answer."""
    login = b64encode(LOGIN.encode()).decode()
    echo = f"Proxy-Authorization: Basic {login} planted: {LOGIN}\r\n\r\n".encode()
    async with serve(Raw(page + echo)) as place:
        found = await network.read(Route(f"http://{CODED}@{place}"), "http://127.0.0.1:9")
    assert isinstance(found, NoAnswer)
    assert [text for text in (login, LOGIN, "s3cret") if text in found.detail] == []
    assert "***" in found.detail


async def test_promise_9_no_error_holds_the_password(network: Network) -> None:
    """Promise 9: the password is not in exceptions, whose `repr` shows the address."""
    network.proxy.login = LOGIN
    way = proxies.options("https://x", to(network.proxy, "me:planted-wrong"))
    with pytest.raises(proxies.ProxyError) as caught:
        await network.session.fresh.get(f"https://{NAME}/", **way)
    chain = [repr(caught.value), repr(caught.value.__cause__), repr(vars(caught.value.__cause__))]
    assert [text for text in chain if "planted-wrong" in text] == []
