"""An SMTP server on loopback that fares as it is told, and keeps the mail it took."""

import asyncio
import email
import email.policy
import hmac
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from threading import Event
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session, syntax


@dataclass(slots=True)
class Mailbox:
    """Takes recipients except `nobody` (550) and `busy` (450), and logins by one of `PASSWORDS`."""

    port: int = 0
    got: list[EmailMessage] = field(default_factory=list)
    holds: Event | None = None
    """While it is there and not set, a mail that was read is not answered."""
    reading: Event = field(default_factory=Event)
    """Set when a mail was read."""
    taken: Event = field(default_factory=Event)
    """Set when one was kept."""
    answer: str = "250 taken"
    """The answer to a mail that was read."""

    async def handle_RCPT(  # noqa: N802 -- the names of aiosmtpd
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        name = address.partition("@")[0]
        if name in _REFUSED:
            return _REFUSED[name]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return await asyncio.shield(
            asyncio.ensure_future(self._take(envelope))
        )  # also when the sender has gone

    async def _take(self, envelope: Envelope) -> str:
        self.reading.set()
        if self.holds is not None:
            await asyncio.to_thread(self.holds.wait, 60)
        if self.answer.startswith("2"):
            assert isinstance(envelope.content, bytes)
            self.got.append(email.message_from_bytes(envelope.content, policy=email.policy.SMTP))
            self.taken.set()
        return self.answer


_REFUSED = {"nobody": "550 5.1.1 no such user", "busy": "450 4.2.1 try again later"}


class Dropping(SMTP):
    """Ends the connection when it has read a line of the mail."""

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        await self.push("354 go on")
        await self._reader.readline()
        assert isinstance(self.transport, asyncio.Transport)
        self.transport.abort()


class CramMd5(SMTP):
    """Takes only logins by which no password is sent."""

    async def auth_CRAM__MD5(self, _server: SMTP, _arguments: list[str]) -> AuthResult:  # noqa: N802
        challenge = b"<1896.697170952@example.com>"
        answer = await self.challenge_auth(challenge)
        assert isinstance(answer, bytes)
        good = any(
            answer.endswith(hmac.digest(each, challenge, "md5").hex().encode())
            for each in PASSWORDS
        )
        return AuthResult(success=good)


PASSWORDS = (b"right", "hünter22 €".encode())


def check(
    _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, login: Any
) -> AuthResult:
    assert isinstance(login, LoginPassword)
    good = login.password in PASSWORDS
    return AuthResult(
        success=good,
        handled=False,
        message=None if good else "535 5.7.8 Bad credentials: " + login.password.decode(),
    )


@contextmanager
def serving(
    kind: type[SMTP] = SMTP, context: ssl.SSLContext | None = None, without: Sequence[str] = ()
) -> Iterator[Mailbox]:
    """A mailbox; `context` requires STARTTLS, `without` names logins that it does not take."""
    box = Mailbox(port=_free_port())

    class Server(Controller):
        def factory(self) -> SMTP:
            return kind(self.handler, **self.SMTP_kwargs)

    controller = Server(
        box,
        hostname="127.0.0.1",
        port=box.port,
        tls_context=context,
        require_starttls=context is not None,
        authenticator=check,
        auth_require_tls=False,
        auth_exclude_mechanism=without,
    )
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def address(
    port: int | str,
    to: str = "me@example.com",
    login: str = "",
    mode: str = "insecure",
    query: str = "",
) -> str:
    """The channel URL of such a server."""
    return f"mailto://{login}127.0.0.1:{port}?smtp=127.0.0.1&mode={mode}&from=watch@example.com&to={to}{query}"
