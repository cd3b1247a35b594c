"""Turns Apprise's result and its complaints into one outcome and one sentence. Pure.

Apprise only says that something failed. The reason is in the text it logs, and in the exception it
handles meanwhile. A failure that is not surely permanent is `later`; a message that may have
arrived is `unknown` (SEMANTICS F1).
"""

import re
import smtplib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from daemon.notifiers.transport.redirects import RedirectError
from daemon.text.printable import one_line
from daemon.types import SECOND, AttemptResult, Outcome

LONGEST_DETAIL = 200

NEVER_SENT = {
    "ProxyError": (
        "the proxy that the environment names (HTTPS_PROXY) is down, or does not let us through"
    ),
    "NameResolutionError": "its name cannot be resolved",
    "gaierror": "its name cannot be resolved",
    "ConnectTimeout": "it does not take connections",
    "ConnectionRefusedError": "it refuses connections",
    "SSLError": "its certificate or its TLS is not accepted",
    "NewConnectionError": "it cannot be reached",
}
"""Exceptions before anything of the message left, by name, the most telling first."""

CUT_SHORT = {
    "SMTPServerDisconnected": "it ended the connection too early",
    "TimeoutError": "it does not answer in time",
    "ConnectionError": "the connection broke",
}
"""Exceptions of connections of smtplib or a plain socket, by name, the most telling first."""

IN_DOUBT = {
    "UnansweredMailError": (
        "the mail server did not say whether it takes the mail; it may have arrived"
    ),
    "MemoryError": "there was no memory left for the answer; the message may have arrived",
}
"""Exceptions after which a message may have arrived, by name."""

NEVER_RIGHT = {
    "UnicodeEncodeError": "it holds a character that cannot be sent there",
    "InvalidHeader": "one of its headers cannot be sent",
    "HeaderParseError": "one of its headers cannot be sent",
    "InvalidProxyURL": "the proxy of the environment has no usable address",
    "InvalidURL": "its address cannot be used",
    "InvalidSchema": (
        "its address cannot be used, or the proxy of the environment is SOCKS, which is not"
        " supported"
    ),
    "MissingSchema": "its address cannot be used",
    "LocationParseError": "its address cannot be used",
}
"""Exceptions before anything left that no waiting repairs, by name."""

REFUSED_BY: Mapping[str, Mapping[int, tuple[str, ...]]] = {
    "Telegram": {
        401: ("Unauthorized",),
        403: ("Forbidden: ",),
        404: ("Not Found",),
        400: (
            "Bad Request: chat not found",
            "Bad Request: group chat was upgraded to a supergroup chat",
        ),
    },
    "ntfy": {401: ("unauthorized",), 403: ("forbidden",)},
}
"""Errors that only a person can mend. Status and text must match: a proxy's page parks nothing."""

REFUSES = frozenset({410})
"""HTTP statuses with which any receiver says that it is gone for good."""

_STATUS = re.compile(r".*\berror=(\d{3})(?:\d{2})?\b", re.DOTALL)
"""The last status of a line, as a receiver may write another. ntfy's codes have more digits."""

_SAID = {
    "Telegram": re.compile(
        r"Failed to send Telegram notification to [^ ]+: (.*), error=\d{3}\.", re.DOTALL
    ),
    "ntfy": re.compile(
        r"Failed to send ntfy notification to topic '[^']*': (.*), error=\d{5}\.", re.DOTALL
    ),
}
"""A service's own words, in the lines that quote them."""

_SOME = re.compile(r"SMTP recipient .* was refused: (.*)", re.DOTALL)
"""A mail server took the mail, but not for every recipient."""

_PASSING = re.compile(r"rate limiting in effect")
"""An announcement of Apprise; a later line has the result, or it succeeded."""

_RETRY_AFTER = re.compile(r"retry after (\d{1,6})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Complaint:
    """A line that Apprise logged during an attempt, with the exception it was handling."""

    text: str
    error: BaseException | None = None
    broke_off: bool = False
    """Whether the answer broke off by then: some services report the message's fate in it."""
    unsent: bool = False
    """Whether surely nothing of the message had left by then."""


def outcome(
    status: str, service: str, complaints: Sequence[Complaint], recipients: int = 1
) -> AttemptResult:
    """The outcome of an attempt, from Apprise's result and its name of the service.

    `status` is the name of the result. `recipients` is their number in the URL, for services of
    which Apprise complains about each unreached one. The detail is one line of any length; the
    receiver may repeat secrets in it.
    """
    if status == "SUCCESS":
        return AttemptResult(Outcome.DELIVERED)
    if status == "NOMATCH":
        return AttemptResult(
            Outcome.REFUSED,
            f"Apprise finds nobody to notify in this {service} URL; correct its recipients",
        )
    telling = [complaint for complaint in complaints if not _PASSING.search(complaint.text)]
    if status in {"TIMEOUT", "PARTIAL"} or 0 < len(telling) < recipients:
        return AttemptResult(
            Outcome.UNKNOWN,
            f"{service} took the message only in part or not in time; it may have arrived",
        )
    return _worst([_classed(complaint, service) for complaint in telling]) or AttemptResult(
        Outcome.LATER, f"Apprise could not hand the message to {service} and does not say why"
    )


def short(detail: str) -> str:
    """The detail, cut for display. Blank its secrets first: half of one would not be found."""
    return detail if len(detail) <= LONGEST_DETAIL else detail[: LONGEST_DETAIL - 1] + "…"


def _worst(attempts: Sequence[AttemptResult]) -> AttemptResult | None:
    """One outcome for several recipients: refused only if all refuse, unknown if any may have it.

    Of several to be tried again, the one with the longest wait counts.
    """
    for wanted in (Outcome.UNKNOWN, Outcome.LATER, Outcome.REFUSED):
        alike = [attempt for attempt in attempts if attempt.outcome is wanted]
        if alike:
            return max(alike, key=lambda attempt: attempt.retry_after or 0)
    return None


def _classed(complaint: Complaint, service: str) -> AttemptResult:
    if isinstance(complaint.error, RedirectError):
        return _of_redirect(complaint.error, service)
    status = _STATUS.match(complaint.text)
    if complaint.broke_off and not (status and int(status[1]) >= 300):
        return AttemptResult(
            Outcome.UNKNOWN, f"the answer of {service} broke off; the message may have arrived"
        )
    if status:
        return _of_status(int(status[1]), complaint.text, service)
    if complaint.error is not None:
        return _of_error(complaint.error, service, unsent=complaint.unsent)
    some = _SOME.search(complaint.text)
    if some:
        return AttemptResult(
            Outcome.UNKNOWN,
            one_line(f"the mail server took the mail, but not for everybody: {some[1]}"),
        )
    return AttemptResult(Outcome.LATER, one_line(f"{service}: {complaint.text}"))


def _of_redirect(error: RedirectError, service: str) -> AttemptResult:
    place = f"{error.host or 'another place'} (HTTP {error.status})"
    detail = (
        f"{service} sends the message on to {place}, where it does not go: correct the URL of this"
        " channel"
    )
    return AttemptResult(Outcome.LATER, one_line(detail))


def _of_status(status: int, text: str, service: str) -> AttemptResult:
    told = _SAID[service].search(text) if service in _SAID else None
    said = told[1] if told else ""
    detail = one_line(f"{service} answered HTTP {status}{f' ({said})' if said else ''}")
    if status in REFUSES or said.startswith(REFUSED_BY.get(service, {}).get(status, ())):
        return AttemptResult(Outcome.REFUSED, detail)
    if status < 300:
        detail += ", but did not take the message; Apprise does not say why"
    wait = _RETRY_AFTER.search(text) if status == 429 else None
    retry_after = int(wait[1]) * SECOND if wait else None
    return AttemptResult(Outcome.LATER, detail, retry_after=retry_after)


def _of_error(error: BaseException, service: str, *, unsent: bool) -> AttemptResult:
    if isinstance(error, smtplib.SMTPResponseException | smtplib.SMTPNotSupportedError):
        return AttemptResult(Outcome.LATER, one_line(f"the mail server {_said_by_mail(error)}"))
    names = _names(error)
    if doubt := _first(IN_DOUBT, names):
        return AttemptResult(Outcome.UNKNOWN, doubt)
    if wrong := _first(NEVER_RIGHT, names):
        return AttemptResult(
            Outcome.REFUSED, f"the URL of this channel can never be used: {wrong}; correct it"
        )
    if why := unreached(error):
        return AttemptResult(Outcome.LATER, f"{service} was not reached: {why}")
    if unsent and "RequestException" in names:
        detail = (
            f"{service} was not reached: the connection ended before anything of the message was"
            " sent"
        )
        return AttemptResult(Outcome.LATER, detail)
    return _of_connection(error, names, service)


def _of_connection(error: BaseException, names: set[str], service: str) -> AttemptResult:
    """The outcome of a connection that was made, or failed."""
    if {"AnswerTooLongError", "SMTPException"} <= names:
        return AttemptResult(
            Outcome.LATER, "the mail server's replies do not end, so it got no mail"
        )
    if "AnswerTooLongError" in names:
        return AttemptResult(
            Outcome.UNKNOWN, f"{service} answered without an end; the message may have arrived"
        )
    if "RequestException" in names:
        return AttemptResult(
            Outcome.UNKNOWN,
            f"the connection to {service} ended without an answer; the message may have arrived",
        )
    answered = isinstance(error, RecursionError)  # it came of reading what was answered
    # Errors of smtplib and of sockets.
    if isinstance(error, OSError | RuntimeError) and not answered:
        why = _first(CUT_SHORT, names)
        return AttemptResult(
            Outcome.LATER,
            f"{service} was not reached" + (f": {why}" if why else f" ({type(error).__name__})"),
        )
    return AttemptResult(
        Outcome.UNKNOWN,
        f"Apprise broke while it sent to {service} ({type(error).__name__}); the message may have"
        " arrived",
    )


def _said_by_mail(error: smtplib.SMTPResponseException | smtplib.SMTPNotSupportedError) -> str:
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"cannot do what the URL asks for: {error}"
    said = (
        error.smtp_error.decode(errors="replace")
        if isinstance(error.smtp_error, bytes)
        else error.smtp_error
    )
    return f"answered {error.smtp_code} {said}"


def unreached(error: BaseException) -> str | None:
    """The reason why a receiver was surely not reached, without its address; None if it may be."""
    return _first(NEVER_SENT, _names(error))


def _first(sentences: Mapping[str, str], names: set[str]) -> str | None:
    return next((sentence for name, sentence in sentences.items() if name in names), None)


def _names(error: BaseException) -> set[str]:
    return {kind.__name__ for cause in _chain(error) for kind in type(cause).__mro__}


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and its causes, which requests and urllib3 keep in arguments and attributes."""
    waiting, seen = [error], set()
    while waiting:
        cause = waiting.pop()
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inner = (*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__)
        waiting += [further for further in inner if isinstance(further, BaseException)]
