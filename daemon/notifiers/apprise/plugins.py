"""Loads Apprise's plugin for a channel URL, limited to one call that sends the whole message.

It must not send. Its sentences must not show a URL: anything in one may be a token.
"""

import difflib
import logging
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import apprise
from apprise.asset import N_MGR
from apprise.plugins import NotifyBase, url_to_dict
from apprise.plugins.telegram import NotifyTelegram
from urllib3.exceptions import InsecureRequestWarning

from daemon.addresses import is_loopback
from daemon.notifiers.apprise import channel_url
from daemon.notifiers.apprise.telegram import Telegram
from daemon.notifiers.services import Form, Limits, Service, in_plain_text, service
from daemon.notifiers.transport import answers, redirects
from daemon.redaction import Redactor
from daemon.text import url_secrets
from daemon.types import SECOND, Millis

_SERVICES: Any = N_MGR
"""All services of Apprise, by the scheme of their URL."""

_OWN = frozenset(
    {
        "bcc",
        "cc",
        "content-transfer-encoding",
        "content-type",
        "date",
        "from",
        "message-id",
        "mime-version",
        "to",
    }
    | {"in-reply-to", "references", "reply-to", "subject"}
)
"""Headers of a mail that a URL (`+Message-ID=…`) would make appear twice."""


_REPAIRED: dict[type[NotifyBase], type[NotifyBase]] = {NotifyTelegram: Telegram}
"""Plugins of Apprise, and ours in their place."""

_LOGIN_IN_HEADER = frozenset(
    f"{scheme}{secure}"
    for scheme in ("json", "xml", "form", "ntfy", "gotify")
    for secure in ("", "s")
)
"""Schemes whose user, password and token become an HTTP header."""

_MAIL = frozenset({"mailto", "mailtos"})
"""Schemes whose headers may hold any text, as a mail encodes them."""

_LOGIN = re.compile(r":\{\w+\}@")
"""A form of a URL in which the service takes a password before its host."""

_MODE = re.compile(r"[?&]mode=", re.IGNORECASE)
"""A mail URL's parameter that sets the encryption, which outranks the scheme."""

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CONTROL = re.compile(r"[\0-\x1f\x7f]")
_UNENCODABLE = re.compile(r"[^\0-\xff]")
"""Characters that no HTTP header can carry: requests writes headers in Latin-1."""


def problem(url: str) -> str | None:
    """The reason why Apprise cannot use this URL; see `daemon.notifiers.problem`."""
    return load(url)[1] or None


def caution(url: str) -> str | None:
    """Risks of a usable URL; see `daemon.notifiers.caution`."""
    plugin, _ = load(url)
    return None if plugin is None else "; ".join(_cautions(plugin, url)) or None


def _cautions(plugin: NotifyBase, url: str) -> Iterator[str]:
    leaves = not is_loopback(_host(plugin))
    if leaves and not _is_encrypted(plugin):
        yield _unencrypted(plugin, url)
    if leaves and not plugin.verify_certificate:
        advice = "leave verify out, and name an authority of your own in [daemon] ca_file"
        yield f"verify=no lets anybody on the way read every message, and the login; {advice}"
    if plugin.redirects:
        advice = "leave redirect out, and write the address that the receiver leads to"
        yield f"redirect=yes has no effect, as no message follows a redirect; {advice}"
    if recipients(plugin) > 1:
        yield (
            f"this {plugin.service_name} URL has several recipients: while one of them cannot be"
            " reached, the others get every message again and again; give each a channel of"
            " its own"
        )


def _unencrypted(plugin: NotifyBase, url: str) -> str:
    """A sentence about a URL without encryption: the cause, and the text to write instead."""
    scheme = channel_url.scheme(url)
    if getattr(plugin, "secure_mode", None) == "insecure" and _MODE.search(url):
        what, remedy = "mode=insecure", "write mode=starttls or mode=ssl in its place"
    elif encrypted := _encrypted_scheme(plugin, scheme):
        what, remedy = f"{scheme}://", f"write {encrypted}:// in its place"
    else:
        what, remedy = (
            f"{scheme}://",
            f"{plugin.service_name} has no encrypted scheme: use another service",
        )
    return f"{what} sends every message unencrypted; {remedy}, or use a receiver on this machine"


def _encrypted_scheme(plugin: NotifyBase, scheme: str) -> str:
    """The scheme of the same service with TLS; "" when it has none."""
    declared: Any = plugin.secure_protocol
    schemes = (declared,) if isinstance(declared, str) else tuple(declared or ())
    return f"{scheme}s" if f"{scheme}s" in schemes else next(iter(schemes), "")


def secrets(url: str) -> frozenset[str]:
    """Every text of a URL that must not be seen: parts that look secret or are declared so."""
    kind, _ = _kind(url)
    return url_secrets.secrets(url) | (
        frozenset() if kind is None else frozenset(_declared_private(kind, url))
    )


def _declared_private(kind: type[NotifyBase], url: str) -> Iterator[str]:
    """Parts of a URL that its service marks as private, without short words.

    See `daemon.text.url_secrets`.
    """
    try:
        parts: Mapping[str, Any] = kind.parse_url(url.strip()) or {}
    except Exception:  # noqa: BLE001 - a URL that its service cannot take apart has no such parts
        return
    for name, about in {**kind.template_args, **kind.template_tokens}.items():
        found = parts.get(about.get("map_to", name)) if about.get("private") else None
        for part in found if isinstance(found, list | tuple | set) else [found]:
            if isinstance(part, str) and (
                len(part) >= url_secrets.TOKEN_LENGTH or not url_secrets.is_word(part)
            ):
                yield part


def recipients(plugin: NotifyBase) -> int:
    """The number of people or rooms that a URL names."""
    copied = len(getattr(plugin, "cc", ())) + len(getattr(plugin, "bcc", ()))
    try:
        named = len(plugin) // (plugin.retry + 1)
    except TypeError:  # Twitter's plugin cannot count useless parts of a URL
        named = 1
    return max(1, named) + copied


def known(plugin: NotifyBase, url: str) -> Service:
    """The properties of a URL's service, adapted to the URL."""
    kind = type(plugin)
    limits = Limits(plugin.body_maxlen, [each.value for each in _declared(kind)])
    found = service(channel_url.scheme(url), limits)
    # "map" goes from the type of a message to what becomes of an incident.
    if getattr(plugin, "action", "") == "map":
        found = replace(found, raises_incidents=True)
    shown = plugin.resolve_format(apprise.NotifyFormat.HTML) is apprise.NotifyFormat.HTML
    return found if shown else in_plain_text(found)


def bounded(plugin: NotifyBase, found: Service, timeout: Millis, url: str) -> NotifyBase:
    """The plugin without the options by which a URL could break a delivery.

    A URL may ask for retries, waits, redirects, cut or split texts, another format, or a failure
    reported as success. The timeout of its sockets is a little longer than ours, so that we see it.
    """
    plugin.retry = 0
    plugin.optional = False
    plugin.redirects = False
    plugin.request_rate_per_sec = 0
    vars(plugin)["throttle"] = _no_pause
    plugin.overflow_mode = apprise.OverflowMode.UPSTREAM
    plugin.body_max_line_count = 0
    vars(plugin)["interpret_emojis"] = (
        None  # as if the URL said nothing; False would make Discord's texts longer
    )
    patience = timeout / SECOND + 1
    if "cto=" not in url:
        plugin.socket_connect_timeout = patience
    if "rto=" not in url:
        plugin.socket_read_timeout = patience
    _of_one_format(plugin, found)
    return plugin


def _no_pause(*_args: object, **_named: object) -> None:
    """Switch off pauses: the channel worker keeps the pace.

    A plugin that sleeps (Discord, after a 429) would send a message that was given up long ago.
    """


def _of_one_format(plugin: NotifyBase, found: Service) -> None:
    """Keep a text in its own format; for mail, which supports both, the URL decides."""
    if found.threads:
        vars(plugin)["headers"] = {
            name: text for name, text in headers(plugin).items() if name.lower() not in _OWN
        }
        return
    formats = _declared(type(plugin))
    wanted = (
        apprise.NotifyFormat.HTML
        if found.form in (Form.ENTITIES, Form.LINES)
        else apprise.NotifyFormat.TEXT
    )
    plugin.notify_format = (
        wanted if wanted in formats or found.form is Form.UNDECLARED else formats[0]
    )


def headers(plugin: NotifyBase) -> dict[str, str]:
    """HTTP headers that a URL adds; empty for services without them."""
    added: dict[str, str] = vars(plugin).get("headers") or {}
    return added


def _declared(kind: type[NotifyBase]) -> list[apprise.NotifyFormat]:
    formats: Any = kind.notify_format
    return [
        apprise.NotifyFormat(each) for each in ([formats] if isinstance(formats, str) else formats)
    ]


def _is_encrypted(plugin: NotifyBase) -> bool:
    mode = getattr(plugin, "secure_mode", None)
    if mode is not None:
        return bool(mode != "insecure")
    over_the_cloud = getattr(plugin, "mode", None) == "cloud"  # ntfy://topic: https://ntfy.sh
    return bool(plugin.secure) or over_the_cloud or "host" not in plugin.template_tokens


def _host(plugin: NotifyBase) -> str:
    return str(getattr(plugin, "smtp_host", "") or plugin.host or "")


def load(url: str) -> tuple[NotifyBase | None, str]:
    """The plugin of a URL, or None and the sentence why there is none."""
    kind, refusal = _kind(url)
    if kind is None:
        return None, refusal
    forms: tuple[Any, ...] = kind.templates
    if cut := channel_url.misread(url, login=any(_LOGIN.search(str(form)) for form in forms)):
        return None, cut
    with _collect_warnings() as heard:
        try:
            plugin = _made(kind, url)
        except Exception:  # noqa: BLE001 -- its text may hold the token
            plugin = None
    if plugin is None:
        fullest = max(map(str, forms), key=len, default="{schema}://…")
        form = fullest.replace("{schema}", channel_url.scheme(url))
        return None, f"Apprise refuses this {kind.service_name} URL; it has the form {form}"
    if heard:
        # Anything in a URL that Apprise does not accept may be a token.
        pieces = re.split(r"[/?&=:@,;]|%2F", url.partition("://")[2])
        said = Redactor((*secrets(url), *pieces)).redact(heard[0])
        return None, f"Apprise would leave out a part of this {kind.service_name} URL: {said}"
    unsendable = _unsendable(plugin, channel_url.scheme(url))
    return (None, unsendable) if unsendable else (plugin, "")


def _unsendable(plugin: NotifyBase, scheme: str) -> str:
    """One sentence about a part of a usable URL that no message could carry; "" if none."""
    added = headers(plugin)
    if not all(_HEADER_NAME.fullmatch(name) for name in added):
        return (
            f"a header of this {plugin.service_name} URL (+NAME=…) has a name that no header can"
            " have; correct it"
        )
    kept = vars(plugin)
    login = (
        [kept.get(part) for part in ("user", "password", "token")]
        if scheme in _LOGIN_IN_HEADER
        else []
    )
    by_http = () if scheme in _MAIL else added.values()
    if any(_UNENCODABLE.search(text) for text in (*login, *by_http) if text):
        return (
            f"the login or a header of this {plugin.service_name} URL holds a character that HTTP"
            " headers cannot carry; choose another password or token, or write the header in ASCII"
        )
    return ""


def _made(kind: type[NotifyBase], url: str) -> NotifyBase | None:
    parts: dict[str, Any] | None = url_to_dict(url.strip())
    return None if parts is None else _REPAIRED.get(kind, kind)(**parts | {"asset": _asset()})


def _kind(url: str) -> tuple[type[NotifyBase] | None, str]:
    """The plugin class of a URL, or None and the sentence why there is none."""
    scheme = channel_url.scheme(url)
    if _CONTROL.search(unquote(url.strip())):
        return (
            None,
            "this URL holds a line break or another control character, plain or as %0A; remove it",
        )
    if not scheme:
        return None, "this is no Apprise URL; it begins with a service, as in tgram:// or mailto://"
    if channel_url.are_several(url):
        return None, "this is more than one URL; give each a channel of its own"
    if scheme not in _SERVICES:
        near = difflib.get_close_matches(scheme, _SERVICES.schemas(), 1)
        hint = f"; did you mean {near[0]}://?" if near else ""
        return None, f"Apprise knows no service {scheme}://{hint}"
    kind: type[NotifyBase] = _SERVICES[scheme]
    if not kind.enabled:
        return None, f"{scheme}:// needs something that is not installed here; see {kind.setup_url}"
    return kind, ""


def _asset() -> apprise.AppriseAsset:
    """Settings of Apprise: in memory, in our thread, without retries or redirects."""
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


@contextmanager
def _collect_warnings() -> Iterator[list[str]]:
    """Collect Apprise's warnings meanwhile; they are logged nowhere else."""
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
    """Keep Apprise's lines from being printed, and load its services now.

    Loaded later, they would interrupt other work with the warnings of their imports.
    """
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.WARNING)
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        len(_SERVICES)
        from daemon.notifiers.transport import mail  # noqa: PLC0415 - its imports warn, too

    warnings.filterwarnings("ignore", category=InsecureRequestWarning)  # `check` says it, once
    mail.install()
    redirects.install()
    answers.install()


_prepare()
