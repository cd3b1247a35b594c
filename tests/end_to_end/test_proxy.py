"""The daemon as people run it in a company's network: nothing goes out but through a proxy, whose
certificates are its own. Nothing else resolves the exchange's name.
"""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import pytest
import trustme

from daemon.simulator.account import SOCKET_PATH
from tests.end_to_end.running import Stage, stage
from tests.end_to_end.wires import HERE, wire
from tests.notifiers import mailserver
from tests.notifiers.receiver import Receiver, answering
from tests.proxyserver import ProxyServer
from tests.service.lives import rows

NAME = "api.exchange.invalid"
LOGIN, CODED = "planted-user:planted-p@ss", "planted-user:planted-p%40ss"
READINGS = (
    "SELECT source FROM snapshots JOIN accounts ON accounts.id = account_id WHERE name = 'far'"
)
MISSES = (
    "SELECT DISTINCT reason, detail FROM misses JOIN accounts ON accounts.id = account_id WHERE"
    " name = 'far'"
)
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@dataclass
class Company:
    """The stage, with account `far` behind the proxy and account `near` on this machine."""

    it: Stage
    proxy: ProxyServer
    authority: trustme.CA
    folder: Path

    def write(self, **daemon: str) -> None:
        """These keys in [daemon]."""
        text = self.it.config.read_text()
        keys = "".join(f'{key} = "{value}"\n' for key, value in daemon.items())
        self.it.config.write_text(text.replace("[daemon]\n", f"[daemon]\n{keys}"))

    def certificate(self, name: str = HERE) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(name).configure_cert(context)
        return context

    def read(self, source: str = "rest") -> int:
        """How many readings of `far` are on record."""
        return rows(self.it.database, READINGS).count((source,))

    def missed(self) -> set[tuple[object, ...]]:
        return set(rows(self.it.database, MISSES))

    def listens(self) -> bool:
        return any(socket.subscribed for socket in self.it.accounts["far"].sockets)

    def everything(self) -> bytes:
        """All that the daemon has written."""
        files = [self.folder / "stderr", *self.folder.glob("marginwatch.db*")]
        return b"".join(file.read_bytes() for file in files)


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(_company(tmp_path))


@asynccontextmanager
async def _company(folder: Path) -> AsyncIterator[Company]:
    async with stage(folder, ("far", "near")) as it:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(folder / "company.pem"))
        proxy = ProxyServer(login=LOGIN)
        here = Company(it, proxy, authority, folder)
        async with wire(it.simulator.port, tls=here.certificate(NAME)) as behind:
            proxy.names[f"{NAME}:443"] = behind.port
            await proxy.start()
            far, near = it.config.read_text().split('name = "near"')
            far = far.replace(it.simulator.rest_url, f"https://{NAME}")
            far = far.replace('ws_url = ""', f'ws_url = "wss://{NAME}{SOCKET_PATH}"')
            it.config.write_text(f'{far}name = "near"{near}')
            it.environ = {each: "" for name in VARIABLES for each in (name, name.upper())}
            here.write(ca_file="company.pem")
            try:
                yield here
            finally:
                await proxy.stop()


@pytest.mark.parametrize("way", ["an address", "env"])
async def test_a3_a_daemon_behind_a_proxy(company: Company, way: str) -> None:
    """A3: the proxy carries readings and pushes; its faults are `network` misses that name it."""
    it, proxy = company.it, company.proxy
    if way == "env":
        company.write(proxy="env")
        it.environ |= {
            "HTTPS_PROXY": f"http://{CODED}@{proxy.place}",
            "HTTP_PROXY": "http://127.0.0.1:9",
        }
        it.environ |= {"NO_PROXY": HERE}  # the receiver of the channel
    else:
        company.write(proxy=f"http://{CODED}@{proxy.place}")
    await it.start()
    await it.until(lambda: company.read() >= 2 and company.listens())
    for margin in cycle(("150", "160")):  # an answer may come first, and then the push is no news
        before = company.read()
        it.show("far", margin)
        await it.until(lambda: company.read("ws") or company.read() > before + 2)  # noqa: B023
        if company.read("ws"):
            break

    await proxy.stop()
    down = f"the proxy {proxy.place} refused the connection: check proxy and that it is up"
    await it.until(lambda: ("network", down) in company.missed())
    before = company.read()
    await proxy.start()
    await it.until(lambda: company.read() > before)

    proxy.login = "planted-user:another"
    await proxy.stop()
    await proxy.start()
    refused = (
        f"the proxy {proxy.place} does not accept the user or the password (HTTP 407): check proxy"
    )
    await it.until(lambda: ("network", refused) in company.missed())
    assert await it.stop() == 0, it.said()
    assert {reason for reason, _ in company.missed()} == {"network"}
    assert {line.split()[1] for line in proxy.asked} == {f"{NAME}:443"}
    assert it.asked("near")
    everything = company.everything()
    assert [word for word in (b"planted-p", b"s3cret") if word in everything] == []


async def test_a3_a_daemon_that_does_not_use_the_proxy_of_the_environment(company: Company) -> None:
    """A3: the failure names the proxy and the remedy, instead of DNS alone."""
    it = company.it
    it.environ |= {"https_proxy": f"http://{CODED}@{company.proxy.place}"}
    await it.start()
    await it.until(company.missed)
    assert await it.stop() == 0, it.said()
    ((reason, said),) = company.missed()
    hint = '; https_proxy is set, but the exchange is called directly: set [daemon] proxy = "env"'
    assert (reason, str(said)[: len(NAME)], str(said)[-len(hint) :]) == ("network", NAME, hint)
    assert company.proxy.heads == []
    assert b"planted-p" not in company.everything()


async def test_a3_one_file_of_certificates_for_all(company: Company) -> None:
    """A3: `ca_file` verifies exchange, webhook, mail; ~/.netrc and SSLKEYLOGFILE are ignored."""
    it, receiver = company.it, Receiver(answering(200), company.certificate())
    company.write(proxy=f"http://{CODED}@{company.proxy.place}")
    (company.folder / ".netrc").write_text(f"machine {HERE} login planted password of-another\n")
    with receiver.serving(), mailserver.serving(context=company.certificate()) as box:
        mail = f"mailtos://{HERE}:{box.port}?to=me@example.com&from=mw@example.com&mode=starttls"
        hook = f"jsons://{HERE}:{receiver.port}/"
        channels = "".join(
            f'[[channels]]\nname = "{n}"\nurl = "{url}"\n' for n, url in (("m", mail), ("h", hook))
        )
        it.config.write_text(it.config.read_text() + channels)
        it.environ |= {
            "HOME": str(company.folder),
            "SSLKEYLOGFILE": str(company.folder / "gone" / "keys"),
        }
        said = await it.run("check", "--online", "--notify")
    lines = said.splitlines()
    assert [line for line in lines if line.startswith(("m: ", "h: "))] == [
        "m: delivered",
        "h: delivered",
    ]
    (far,) = [line for line in lines if line.startswith("far: user")]
    assert far.endswith(f" (through the proxy {company.proxy.place})")
    assert ("authorization" in str(receiver.got[0].headers).lower(), len(box.got)) == (False, 1)
