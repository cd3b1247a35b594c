"""What an attempt's end means: Apprise's result and its complaints, as one outcome and one sentence. Pure.

Apprise says only that something failed; the reason stands in the text it logs, and in the exception being handled
while it logs. What is not surely permanent is `later`; what may have arrived is `unknown` (SEMANTICS F1).
"""

import re
import smtplib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from daemon.types import SECOND, Attempted, Millis, Outcome

LONGEST_DETAIL = 200

NEVER_SENT = {
    "NameResolutionError": "its name cannot be resolved",
    "gaierror": "its name cannot be resolved",
    "ConnectTimeout": "it does not take connections",
    "ConnectionRefusedError": "it refuses connections",
    "SSLError": "its certificate or its TLS is not accepted",
    "ProxyError": "the proxy does not let us through",
    "NewConnectionError": "it cannot be reached",
}
"""Failures before anything of the message left, by the name of the exception, the most telling first."""

TELEGRAM_REFUSES = {401: "Unauthorized", 403: "Forbidden: ", 404: "Not Found", 400: "Bad Request: chat not found"}
"""What the Bot API says when only a person can help; the text too must match, lest a proxy's page parks a channel."""

REFUSES = frozenset({410})
"""HTTP statuses by which any receiver says for good that it is gone."""

_STATUS = re.compile(r"\berror=(\d{3})\b")
_TELEGRAM = re.compile(r"Failed to send Telegram notification to [^ ]+: (?P<said>.*), error=\d{3}\.", re.DOTALL)
_RETRY_AFTER = re.compile(r"retry after (\d{1,6})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Complaint:
    """One line that Apprise logged during an attempt, with the exception it was then handling."""

    text: str
    error: BaseException | None = None


def outcome(status: str, service: str, complaints: Sequence[Complaint]) -> Attempted:
    """How an attempt ended. `status` is the name of Apprise's result, `service` how it calls the receiver.

    The detail is one line of any length, in which the receiver may say secrets back.
    """
    if status == "SUCCESS":
        return Attempted(Outcome.DELIVERED)
    if status == "NOMATCH":
        return Attempted(
            Outcome.REFUSED, f"Apprise finds nobody to notify in this {service} URL; correct its recipients"
        )
    if status in {"TIMEOUT", "PARTIAL"}:
        return Attempted(
            Outcome.UNKNOWN, f"{service} took the message only in part or not in time; it may have arrived"
        )
    return _worst([_classed(complaint, service) for complaint in complaints]) or Attempted(
        Outcome.LATER, f"Apprise could not hand the message to {service} and does not say why"
    )


def short(detail: str) -> str:
    """A detail fit to be shown. For the last step, after secrets have been blanked: half of one would not be found."""
    return detail if len(detail) <= LONGEST_DETAIL else detail[: LONGEST_DETAIL - 1] + "…"


def _worst(attempts: Sequence[Attempted]) -> Attempted | None:
    """One outcome for several recipients: refused only if all refuse, unknown if any may have been reached."""
    for wanted in (Outcome.UNKNOWN, Outcome.LATER, Outcome.REFUSED):
        for attempt in attempts:
            if attempt.outcome is wanted:
                return attempt
    return None


def _classed(complaint: Complaint, service: str) -> Attempted:
    status = _STATUS.search(complaint.text)
    if status:
        return _of_status(int(status.group(1)), complaint.text, service)
    if complaint.error is not None:
        return _of_error(complaint.error, service)
    return Attempted(Outcome.LATER, _one_line(f"{service}: {complaint.text}"))


def _of_status(status: int, text: str, service: str) -> Attempted:
    told = _TELEGRAM.search(text)
    said = told.group("said") if told else ""
    detail = _one_line(f"{service} answered HTTP {status}{f' ({said})' if said else ''}")
    if status in REFUSES or (told and status in TELEGRAM_REFUSES and said.startswith(TELEGRAM_REFUSES[status])):
        return Attempted(Outcome.REFUSED, detail)
    return Attempted(Outcome.LATER, detail, retry_after=_retry_after(status, text))


def _retry_after(status: int, text: str) -> Millis | None:
    found = _RETRY_AFTER.search(text) if status == 429 else None
    return int(found.group(1)) * SECOND if found else None


def _of_error(error: BaseException, service: str) -> Attempted:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        return Attempted(Outcome.LATER, _one_line(f"the mail server answered {error.smtp_code} {said}"))
    names = {kind.__name__ for cause in _chain(error) for kind in type(cause).__mro__}
    for name, sentence in NEVER_SENT.items():
        if name in names:
            return Attempted(Outcome.LATER, f"{service} was not reached: {sentence}")
    if "RequestException" in names:
        return Attempted(
            Outcome.UNKNOWN, f"the connection to {service} ended without an answer; the message may have arrived"
        )
    return Attempted(Outcome.LATER, f"{service} was not reached ({type(error).__name__})")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and all it stands for: requests and urllib3 wrap each other in arguments and attributes."""
    waiting, seen = [error], set()
    while waiting:
        cause = waiting.pop()
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inner = (*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__)
        waiting += [further for further in inner if isinstance(further, BaseException)]


def _one_line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
