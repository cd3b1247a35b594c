"""Servers that cannot prove to be the exchange: nothing that is secret is said to them, and people
learn why.
"""

import json
import ssl
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import trustme

from daemon.simulator.account import SOCKET_PATH
from tests.end_to_end.running import ACCOUNT, Stage, stage
from tests.end_to_end.wires import HERE, wire
from tests.service.lives import rows

KNOWN = trustme.CA()
"""Whom the daemon's machine trusts."""


def certified(
    authority: trustme.CA, name: str = HERE, *, year: int | None = None
) -> ssl.SSLContext:
    """A server whose certificate is of that year, or of today."""
    begin, end = (
        (None, None)
        if year is None
        else (datetime(year, 1, 1, tzinfo=UTC), datetime(year, 12, 31, tzinfo=UTC))
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, not_before=begin, not_after=end).configure_cert(context)
    return context


CERTIFICATES = {
    "fine": certified(KNOWN),
    "untrusted": certified(trustme.CA()),
    "misnamed": certified(KNOWN, "api.coinw.example"),
    "expired": certified(KNOWN, year=2024),
}
NAMELESS = "api.coinw.invalid"
CHECK = "check the address and this machine's clock"
OPENED = "check the address; if your network opens TLS, name its certificates in [daemon] ca_file"
SAID = {
    "untrusted": f"has no valid certificate (unable to get local issuer certificate): {OPENED}",
    "misnamed": (
        f"has no valid certificate (IP address mismatch, certificate is not valid for '{HERE}'):"
        f" {CHECK}"
    ),
    "expired": f"has no valid certificate (certificate has expired): {CHECK}",
    "nameless": "was not found (DNS): check the address and this machine's name servers",
}

RESOLVER = f"""
import socket

genuine = socket.getaddrinfo


def known(host, *args, **kwargs):
    if host == "{NAMELESS}":
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return genuine(host, *args, **kwargs)


socket.getaddrinfo = known
"""
MISSES = "SELECT name, reason, detail FROM misses JOIN accounts ON accounts.id = account_id"


def trusting(folder: Path) -> dict[str, str]:
    """The environment of a process that trusts one authority and uses a local name server."""
    authority = folder / "authority.pem"
    KNOWN.cert_pem.write_to_path(str(authority))
    (folder / "sitecustomize.py").write_text(RESOLVER)
    return {"PYTHONPATH": str(folder), "SSL_CERT_FILE": str(authority)}


def addressed(it: Stage, places: dict[str, str]) -> None:
    """One account of each pair has its balances there, the other one its push stream."""
    text = it.config.read_text()
    for what, place in places.items():
        ask, hear = (
            ACCOUNT.format(name=f"{way}-{what}", rest_url=it.simulator.rest_url)
            for way in ("ask", "hear")
        )
        text = text.replace(ask, ask.replace(it.simulator.rest_url, f"https://{place}"))
        text = text.replace(
            hear, hear.replace('ws_url = ""', f'ws_url = "wss://{place}{SOCKET_PATH}"')
        )
    it.config.write_text(text)


def warned(it: Stage) -> Iterator[tuple[str, str]]:
    """The accounts and texts of the warnings."""
    for line in (it.folder / "stderr").read_text().splitlines():
        said = json.loads(line)
        if said["level"] == "warning" and "account" in said:
            yield said["account"], said["message"]


async def test_promise_9_an_exchange_that_is_not_who_it_says(tmp_path: Path) -> None:
    """A3, promise 9: no key or login reaches a host without a valid certificate; others go on."""
    pairs = [f"{way}-{what}" for way in ("ask", "hear") for what in ("fine", *SAID)]
    async with stage(tmp_path, pairs) as it, AsyncExitStack() as wires:
        places = {"nameless": NAMELESS}
        for what, tls in CERTIFICATES.items():
            places[what] = (
                f"{HERE}:{(await wires.enter_async_context(wire(it.simulator.port, tls=tls))).port}"
            )
        addressed(it, places)
        it.environ = trusting(tmp_path)
        await it.begin("--log-format", "json")
        await it.until(
            lambda: len(list(warned(it))) == 2 * len(SAID) and it.asked("ask-fine") and listens(it)
        )
        assert await it.stop() == 0, it.said()
        heard = {entry.account for entry in it.simulator.log}
    said = {
        f"{way}-{what}": f"{before}{places[what]} {why}"
        for what, why in SAID.items()
        for way, before in WAYS.items()
    }
    assert dict(warned(it)) == said
    assert len(list(warned(it))) == len(said)
    assert {(str(name), reason, detail) for name, reason, detail in rows(it.database, MISSES)} == {
        (f"ask-{what}", "network", said[f"ask-{what}"]) for what in SAID
    }
    assert heard == {"ask-fine", *(pair for pair in pairs if pair.startswith("hear-"))}
    assert listens(it) == {"hear-fine"}


WAYS = {"ask": "", "hear": "no pushes from the exchange, polling goes on: "}


def listens(it: Stage) -> set[str]:
    """Whose login the exchange has heard."""
    return {entry.account for entry in it.simulator.log if entry.said in {"login", "sub"}}
