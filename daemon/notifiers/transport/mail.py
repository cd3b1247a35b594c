"""Connections to mail servers: replies are limited, and a login is sent as UTF-8.

Python's smtplib reads a reply however long it is, and takes only ASCII for a login, where RFC 4616
wants UTF-8. Apprise has no setting for either. So its connection controller is replaced by ours.
"""

import io
import smtplib
import ssl
from collections.abc import Callable
from typing import Any, Self

from apprise.plugins.email import base
from apprise.plugins.email.smtp import AppriseSMTPController, SMTPSecureMode

from daemon.notifiers.transport import connections
from daemon.notifiers.transport.answers import (
    PART,
    AnswerTooLongError,
    UnansweredMailError,
    limited,
)

GO_ON = 354
"""The reply after which a mail is sent."""

LEAST_CODE = 100
"""A reply's code has three digits."""


class _BoundedSmtp(smtplib.SMTP):
    """A connection that limits the length of replies."""

    _last_code = 0

    def getreply(self) -> tuple[int, bytes]:
        """The next reply. For a mail the first line is enough, whatever follows."""
        assert self.sock is not None  # it is connected  # noqa: S101
        if self.file is None:
            self.file = limited(self.sock)
        lines, failure = _read_lines(self.file)
        if failure is not None or not lines[-1].endswith(b"\n"):
            self.close()
            self._must_be_answered(lines, failure)
        self._last_code = _code(lines[0])
        if self._last_code == GO_ON and (call := connections.current()) is not None:
            call.sending()
        return self._last_code, b"\n".join(line[4:].strip() for line in lines)

    def _must_be_answered(self, lines: list[bytes], failure: OSError | None) -> None:
        """Raise for a reply that broke off, unless it is to a mail and has its first line."""
        if failure is None and len(lines[-1]) == PART:
            failure = AnswerTooLongError()
        if self._last_code != GO_ON:
            raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed") from failure
        if not lines or _code(lines[0]) < LEAST_CODE:
            raise UnansweredMailError from failure


class _BoundedSmtpSsl(_BoundedSmtp, smtplib.SMTP_SSL):
    """The same within TLS from the start."""


def _read_lines(file: io.BufferedReader) -> tuple[list[bytes], OSError | None]:
    """The lines of one reply, and the failure that ended it early, if any."""
    lines = list[bytes]()
    while not lines or _is_continued(lines[-1]):
        try:
            lines.append(file.readline(PART))
        except OSError as error:
            return lines, error
    return lines, None


def _is_continued(line: bytes) -> bool:
    return line[3:4] == b"-" and line.endswith(b"\n") and _code(line) >= 0


def _code(line: bytes) -> int:
    try:
        return int(line[:3])
    except ValueError:
        return -1


class Controller(AppriseSMTPController):
    """The connection of one message; closed when TLS or the login fails, as Apprise does."""

    def __enter__(self) -> Self:
        # Authorities are many and slow to read: for those connections only that have a certificate
        # to verify.
        context = None if self.secure_mode == SMTPSecureMode.INSECURE else self._context()
        connection = self._connected(context)
        self._socket = connection  # type: ignore[assignment]  # of Apprise, which sets None first
        try:
            if self.secure_mode == SMTPSecureMode.STARTTLS:
                connection.starttls(context=context)
            if self.user and self.password:
                _log_in(connection, self.user, self.password)
        except Exception:
            self.__exit__(None, None, None)
            raise
        return self

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if not self.verify_certificate:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _connected(self, context: ssl.SSLContext | None) -> smtplib.SMTP:
        patience = self.socket_connect_timeout
        if (call := connections.current()) is not None:
            call.connecting()
        if self.secure_mode == SMTPSecureMode.SSL:
            return _BoundedSmtpSsl(self.host, self.port, timeout=patience, context=context)
        return _BoundedSmtp(self.host, self.port, timeout=patience)


class _Utf8(str):
    """A text that encodes as UTF-8, whatever encoding is requested."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:  # noqa: ARG002
        return super().encode("utf-8", errors)


def _log_in(connection: smtplib.SMTP, user: str, password: str) -> None:
    by_ascii = connection.auth

    def by_utf8(mechanism: str, answer: Callable[..., str | None], **options: Any) -> Any:
        def answer_in_utf8(*challenge: bytes) -> str | None:
            text = answer(*challenge)
            return None if text is None else _Utf8(text)

        return by_ascii(mechanism, answer_in_utf8, **options)  # type: ignore[arg-type]

    vars(connection)["auth"] = by_utf8
    connection.login(_Utf8(user), _Utf8(password))


def install() -> None:
    """Make Apprise's e-mail use this connection in this process."""
    vars(base)["AppriseSMTPController"] = Controller
