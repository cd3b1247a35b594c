"""Login to a mail server by UTF-8, as RFC 4616 wants it: Python's smtplib takes only ASCII, and raises for the rest.

Apprise has no setting for this, so its controller of a connection is replaced by one that logs in here.
"""

import smtplib
from collections.abc import Callable
from typing import Any, Self

from apprise.plugins.email import base
from apprise.plugins.email.smtp import AppriseSMTPController


class _Utf8(str):
    """A text that is UTF-8 whatever encoding is asked for."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:  # noqa: ARG002 -- that of `str`
        return super().encode("utf-8", errors)


class Utf8Controller(AppriseSMTPController):
    """The connection of one message; it is closed where the login fails, as Apprise does it."""

    def __enter__(self) -> Self:
        user, password = self.user, self.password
        self.user = None  # so that nobody is logged in yet
        super().__enter__()
        connection: smtplib.SMTP | None = self._socket
        if connection is not None and user and password:
            try:
                _log_in(connection, user, password)
            except Exception:
                self.__exit__(None, None, None)
                raise
        return self


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
    """Let Apprise's e-mail log in by UTF-8, in this process."""
    vars(base)["AppriseSMTPController"] = Utf8Controller
