"""A channel through Apprise: one service of its own, one call at a time, one try per call.

The only module that imports Apprise. It must not retry, wait, join or cut (the outbox does), keep anything on disk,
or let Apprise write to our logs: what Apprise says is read here, classed, and told once by whoever called.
"""

import difflib
import logging
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import apprise
from apprise.asset import N_MGR
from apprise.plugins import NotifyBase

from daemon.clock import Clock
from daemon.log import Redactor
from daemon.notifiers import Traits, outcomes, urls
from daemon.notifiers.calls import Calls, Unfinished
from daemon.notifiers.outcomes import Complaint
from daemon.types import SECOND, Attempted, Message, Millis, Outcome, Severity

TIMEOUT: Millis = 20 * SECOND
"""How long one attempt may take before it counts as unknown; mail servers greet slowly."""

_SERVICES: Any = N_MGR
"""All services that Apprise knows, by the scheme of their URL."""

_TYPES = {
    Severity.INFO: apprise.NotifyType.INFO,
    Severity.WARNING: apprise.NotifyType.WARNING,
    Severity.CRITICAL: apprise.NotifyType.FAILURE,
}


class AppriseNotifier:
    """Sends to one Apprise URL. Raises ValueError, with the sentence of `problem`, for a URL that has one."""

    def __init__(self, url: str, clock: Clock, timeout: Millis = TIMEOUT) -> None:
        service, refusal = _load(url)
        if service is None:
            raise ValueError(refusal)
        self._name = str(service.service_name)
        self._timeout = timeout
        self._redactor = Redactor(urls.secrets(url))
        self._apprise = apprise.Apprise(asset=service.asset)
        self._apprise.add(_bounded(service, timeout, url))
        self._calls: Calls[Attempted] = Calls(clock, timeout)
        self.traits = Traits()

    async def send(self, message: Message) -> Attempted:
        """Try once; what is not known after the timeout is unknown, and its thread is left to itself."""
        ended = await self._calls.run(lambda: self._attempt(message))
        if ended is Unfinished.TIMED_OUT:
            detail = f"{self._name} did not answer within {self._timeout / SECOND:g} s; the message may have arrived"
            return Attempted(Outcome.UNKNOWN, detail)
        if ended is Unfinished.CROWDED:
            return Attempted(Outcome.LATER, f"{self._name} still holds earlier attempts; this one was not begun")
        return replace(ended, detail=outcomes.short(self._redactor.redact(ended.detail)))

    def _attempt(self, message: Message) -> Attempted:
        """One blocking call, in a thread of its own."""
        complaints: list[Complaint] = []

        def hear(entry: apprise.NotifyLogEntry, _service: object) -> None:
            complaints.append(Complaint(entry.message, sys.exc_info()[1]))

        result = self._apprise.notify(
            body=message.body,
            title=message.title,
            notify_type=_TYPES[message.severity],
            body_format=apprise.NotifyFormat.TEXT,
            log_callback=hear,
            log_level=logging.WARNING,
        )
        return outcomes.outcome(result.status.name, self._name, complaints)


def problem(url: str) -> str | None:
    """Why Apprise cannot use this URL; see `daemon.notifiers.problem`."""
    return _load(url)[1] or None


def caution(url: str) -> str | None:
    """What is unwise about a usable URL; see `daemon.notifiers.caution`."""
    service, _ = _load(url)
    if service is None or _is_encrypted(service) or urls.is_loopback(_host(service)):
        return None
    advice = "use the service's encrypted scheme, or a receiver on this machine"
    return f"{urls.scheme(url)}:// sends every message unencrypted; {advice}"


def _is_encrypted(service: NotifyBase) -> bool:
    mode = getattr(service, "secure_mode", None)
    if mode is not None:
        return bool(mode != "insecure")
    over_the_cloud = getattr(service, "mode", None) == "cloud"  # ntfy://topic goes to https://ntfy.sh
    return bool(service.secure) or over_the_cloud or "host" not in service.template_tokens


def _host(service: NotifyBase) -> str:
    return str(getattr(service, "smtp_host", "") or service.host or "")


def _load(url: str) -> tuple[NotifyBase | None, str]:
    """The service of a URL, or None and the sentence why there is none."""
    kind, refusal = _kind(url)
    if kind is None:
        return None, refusal
    with _listening() as heard:
        try:
            service = apprise.Apprise.instantiate(url.strip(), asset=_asset(), suppress_exceptions=False)
        except Exception:  # noqa: BLE001 - its text may hold the token; the form below says what is wanted
            service = None
    if service is None:
        return None, f"Apprise refuses this {kind.service_name} URL; it has the form {_form(kind, urls.scheme(url))}"
    if heard:
        said = Redactor(_all_of(url)).redact(heard[0])
        return None, f"Apprise would leave out a part of this {kind.service_name} URL: {said}"
    return service, ""


def _kind(url: str) -> tuple[type[NotifyBase] | None, str]:
    """The class of service that a URL names, or None and the sentence why there is none."""
    scheme = urls.scheme(url)
    if not scheme:
        return None, "this is no Apprise URL; it begins with a service, as in tgram:// or mailto://"
    if urls.are_several(url):
        return None, "this is more than one URL; give each a channel of its own"
    if scheme not in _SERVICES:
        near = difflib.get_close_matches(scheme, _SERVICES.schemas(), 1)
        hint = f"; did you mean {near[0]}://?" if near else ""
        return None, f"Apprise knows no service {scheme}://{hint}"
    kind: type[NotifyBase] = _SERVICES[scheme]
    if not kind.enabled:
        return None, f"{scheme}:// needs something that is not installed here; see {kind.setup_url}"
    return kind, ""


def _form(kind: type[NotifyBase], scheme: str) -> str:
    """The fullest form that a service's URL takes, its parts named."""
    forms: tuple[Any, ...] = kind.templates
    return max(map(str, forms), key=len, default="{schema}://…").replace("{schema}", scheme)


def _asset() -> apprise.AppriseAsset:
    """How Apprise behaves for us: in memory, in our thread, without retries, redirects or surprises.

    A redirect is refused because it turns a POST into a GET, whose 200 would pass for a delivery.
    """
    return apprise.AppriseAsset(
        app_id="marginwatch",
        app_desc="balance alerts",
        app_url="",
        async_mode=False,
        service_timeout=0,
        storage_mode=apprise.PersistentStoreMode.MEMORY.value,
        http_redirects=False,
        pgp_autogen=False,
        pem_autogen=False,
    )


def _bounded(service: NotifyBase, timeout: Millis, url: str) -> NotifyBase:
    """The service with what a URL may ask for taken back: retries, and failures that count as success.

    Its sockets give up just after we do, so that we see a timeout as one, and abandoned threads end by themselves.
    """
    service.retry = 0
    service.optional = False
    service.request_rate_per_sec = 0  # the outbox keeps the pace
    patience = timeout / SECOND + 1
    if "cto=" not in url:
        service.socket_connect_timeout = patience
    if "rto=" not in url:
        service.socket_read_timeout = patience
    return service


def _all_of(url: str) -> Iterator[str]:
    """Every piece of a URL: for sentences about one that Apprise does not take, where anything may be a token."""
    yield from urls.secrets(url)
    yield from re.split(r"[/?&=:@,;]|%2F", url.partition("://")[2])


@contextmanager
def _listening() -> Iterator[list[str]]:
    """What Apprise warns of meanwhile; its lines go nowhere else."""
    heard: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    ear = Ear(logging.WARNING)
    logger = logging.getLogger("apprise")
    logger.addHandler(ear)
    try:
        yield heard
    finally:
        logger.removeHandler(ear)


def _prepare() -> None:
    """Apprise's lines are heard by whoever captures them and never printed; its services are loaded now.

    Loaded later they would be in the middle of something, with whatever their imports warn of.
    """
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.WARNING)
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        len(_SERVICES)


_prepare()
