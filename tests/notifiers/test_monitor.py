"""The heartbeat monitor over real sockets: answers, refusals, silence. Its address stays secret."""

import asyncio
import base64
import io
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import trustme

from daemon import __version__
from daemon.clock import SystemClock
from daemon.log import Style, setup
from daemon.notifiers.monitor import TIMEOUT, HeartbeatMonitor
from daemon.redaction import Redactor
from tests.fakes import ManualClock, settle
from tests.notifiers.hostile import no_call_is_left
from tests.notifiers.receiver import Answer, Post, Receiver, answering, dropping, hanging, resetting

TOKEN = "planted-0af3"


async def beat(port: int, scheme: str = "http", login: str = "") -> str | None:
    return await HeartbeatMonitor(
        f"{scheme}://{login}127.0.0.1:{port}/{TOKEN}?status=up", SystemClock()
    ).beat()


async def answered(answer: Answer) -> str | None:
    with Receiver(answer).serving() as receiver:
        return await beat(receiver.port)


async def test_the_address_is_fetched_once_and_names_us() -> None:
    """One GET with all of the address, and no more."""
    with Receiver(answering(200, "OK")).serving() as receiver:
        assert await beat(receiver.port) is None
    (got,) = receiver.got
    assert (got.path, got.headers["User-Agent"], got.body) == (
        f"/{TOKEN}?status=up",
        f"marginwatch/{__version__}",
        b"",
    )


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (answering(204), None),
        (answering(200, b"x" * 1_000_000), None),
        (answering(200, "OK (not found)"), "it knows no check at this address"),
        (answering(404), "it answers 404"),
        (answering(503, TOKEN), "it answers 503"),
        (dropping, "it gives no answer (ConnectionError)"),
        (resetting, "it gives no answer (ConnectionError)"),
    ],
)
async def test_what_became_of_it_is_told_without_the_address(
    answer: Answer, told: str | None
) -> None:
    """Promise 9: a failure is named by its kind."""
    assert await answered(answer) == told


async def test_a_redirect_is_not_followed() -> None:
    """The token goes to nobody else."""
    with Receiver(answering(200)).serving() as elsewhere:
        told = await answered(answering(302, Location=f"http://127.0.0.1:{elsewhere.port}/{TOKEN}"))
    assert (
        told
        == "it answers 302, a redirect, which is not followed: write the address that it leads to"
    )
    assert elsewhere.got == []


@pytest.mark.usefixtures("restored_logging")
@pytest.mark.parametrize("style", ["human", "json"])
async def test_s2_a_malformed_header_tells_no_token(style: Style) -> None:
    """S2: the answer is taken; the log shows no address, which is spelled with a port there."""

    def malformed(handler: BaseHTTPRequestHandler, _post: Post) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nthis is no header\r\n\r\n")

    stream = io.StringIO()
    setup(stream, style=style, level="debug", redactor=Redactor())
    assert await answered(malformed) is None
    assert stream.getvalue() == ""


async def test_a_login_in_the_address_goes_where_http_has_it() -> None:
    """A name and a password, with what an address must escape."""
    with Receiver(answering(200)).serving() as receiver:
        assert await beat(receiver.port, login="me:p%40ss@") is None
    assert (
        receiver.got[0].headers["Authorization"] == "Basic " + base64.b64encode(b"me:p@ss").decode()
    )


async def test_a_monitor_that_is_not_there_is_told() -> None:
    """Nothing listens; a name that is none."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert await beat(closed.getsockname()[1]) == "it refuses connections"
    assert (
        await HeartbeatMonitor(f"https://planted.invalid/{TOKEN}", SystemClock()).beat()
        == "its name cannot be resolved"
    )


async def test_what_speaks_no_http_is_told() -> None:
    """Another service on that port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak() -> None:
            visitor, _ = server.accept()
            with visitor:
                visitor.sendall(b"220 mail.example.com ESMTP\r\n")

        thread = threading.Thread(target=speak)
        thread.start()
        assert await beat(server.getsockname()[1]) == "it gives no answer (ConnectionError)"
        thread.join()


async def test_a_monitor_that_hangs_is_given_up() -> None:
    """The limit is ten seconds from beginning to end; given-up fetches do not pile up."""
    release, clock = threading.Event(), ManualClock()
    with Receiver(hanging(release)).serving() as receiver:
        monitor = HeartbeatMonitor(f"http://127.0.0.1:{receiver.port}/{TOKEN}", clock)
        for _ in range(5):
            fetching = _task(monitor)
            await settle()
            await clock.advance(TIMEOUT)
            assert await fetching == "it does not answer in time"
        await asyncio.to_thread(no_call_is_left)
        release.set()


def _task(monitor: HeartbeatMonitor) -> asyncio.Task[str | None]:
    return asyncio.create_task(monitor.beat())


async def test_a_certificate_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Promise 9: only trusted authorities count; an own one is set up as for the channels."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Receiver(answering(200), context).serving() as receiver:
        assert await beat(receiver.port, "https") == "its certificate or its TLS is not accepted"
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        assert await beat(receiver.port, "https") is None
    assert len(receiver.got) == 1
