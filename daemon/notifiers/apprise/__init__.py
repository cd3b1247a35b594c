"""Sends to a channel through Apprise: one service, one text and one picture, one try a call.

It must not retry, wait, join or cut (the channel worker does), keep anything on disk, or let
Apprise write to our logs. It reads and classifies Apprise's complaints; the caller reports them
once. Only this module, `plugins` and `mail` import Apprise.
"""

import copy
import html
import logging
import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from typing import Any
from urllib.parse import quote
from urllib.request import getproxies

import apprise
from apprise.attachment.memory import AttachMemory
from apprise.plugins import NotifyBase

from daemon.clock import Clock
from daemon.config.parse import proxy
from daemon.notifiers import Pictures, Traits
from daemon.notifiers.apprise import outcomes, plugins
from daemon.notifiers.apprise.outcomes import Complaint
from daemon.notifiers.services import Form
from daemon.notifiers.transport import connections
from daemon.notifiers.transport.bounded_calls import BoundedCalls, Unfinished
from daemon.redaction import Redactor
from daemon.text.printable import printable
from daemon.types import SECOND, AttemptResult, Message, Millis, Outcome, Severity

TIMEOUT: Millis = 20 * SECOND
"""Longest duration of an attempt before it counts as unknown; mail servers greet slowly."""

PICTURE = "chart.png"
"""The file name of a picture."""

_SHOWN = (
    f'<div style="margin-top:12px"><img src="cid:{PICTURE}" alt=""'
    ' style="display:block;width:100%;max-width:640px;height:auto"></div>'
)
"""The picture in a mail: below the text, as wide as a phone's screen."""

_BLOCKS = re.compile(r"\s*(</?div\b[^>]*>|<br\s*/?>)\s*", re.IGNORECASE)
"""Tags around which white space means nothing in HTML, but Apprise makes blank lines of it."""

_TYPES = {
    Severity.INFO: apprise.NotifyType.INFO,
    Severity.WARNING: apprise.NotifyType.WARNING,
    Severity.CRITICAL: apprise.NotifyType.FAILURE,
}


class AppriseNotifier:
    """Sends to one Apprise URL. A URL with a `problem` raises ValueError with that sentence.

    HTML goes out as the HTML part of a mail. Apprise makes the text part from it, which reads well
    for `div`, `span`, `b`, `a` and `br`: a line for each `div`, a blank line for each `br` between
    two. What is `code` begins a line. Other tags read badly: each table cell becomes a line, lists
    lose text, paragraphs their distance.
    """

    def __init__(self, url: str, clock: Clock, timeout: Millis = TIMEOUT) -> None:
        plugin, refusal = plugins.load(url)
        if plugin is None:
            raise ValueError(refusal)
        self._name = str(plugin.service_name)
        self._timeout = timeout
        # A proxy that answers for a receiver may repeat its own login.
        logins = chain.from_iterable(map(proxy.secrets, getproxies().values()))
        self._redactor = Redactor((*plugins.secrets(url), *logins))
        self._service = plugins.known(plugin, url)
        self._apprise = _in_apprise(plugins.bounded(plugin, self._service, timeout, url))
        self._texts: BoundedCalls[AttemptResult] = BoundedCalls(clock, timeout, _is_delivered)
        self._pictures: BoundedCalls[AttemptResult] = BoundedCalls(clock, timeout, _is_delivered)

    @property
    def traits(self) -> Traits:
        return self._service.traits

    async def send(self, message: Message) -> AttemptResult:
        """Try once. At the timeout the connections are ended and the outcome is unknown."""
        fitted = _fitted(message, self.traits)
        if not (fitted.body or fitted.picture):
            return AttemptResult(
                Outcome.DELIVERED, f"{self._name} takes no picture alone, and there was no text"
            )
        # No text waits for a picture (SEMANTICS F8).
        calls = self._texts if fitted.body else self._pictures
        ended = await calls.run(lambda: self._attempt(fitted))
        if ended is Unfinished.TIMED_OUT:
            detail = (
                f"{self._name} did not answer within {self._timeout / SECOND:g} s; the message may"
                " have arrived"
            )
            return AttemptResult(Outcome.UNKNOWN, detail)
        if ended is Unfinished.UNSENT:
            detail = (
                f"{self._name} did not answer within {self._timeout / SECOND:g} s; nothing of the"
                " message was sent"
            )
            return AttemptResult(Outcome.LATER, detail)
        if ended is Unfinished.CROWDED:
            detail = (
                f"earlier attempts to reach {self._name} still hang, so this one was not begun:"
                " check that this machine can look up names (DNS)"
            )
            return AttemptResult(Outcome.LATER, detail)
        return replace(ended, detail=outcomes.short(self._redactor.redact(ended.detail)))

    def _attempt(self, message: Message) -> AttemptResult:
        """Make one blocking call, in a thread of its own."""
        complaints: list[Complaint] = []

        def hear(entry: apprise.NotifyLogEntry, _plugin: object) -> None:
            call = connections.current()
            broke_off = call is not None and call.broke_off
            unsent = call is not None and call.sent is False
            complaints.append(Complaint(entry.message, sys.exc_info()[1], broke_off, unsent))

        picture = None
        if message.picture:
            picture = AttachMemory(content=message.picture, name=PICTURE, mimetype="image/png")
        result = self._with_options(message).notify(
            **self._written(message),
            notify_type=self._type(message),
            attach=picture,
            log_callback=hear,
            log_level=logging.WARNING,
        )
        recipients = len(self._apprise[0]) if self._service.counts else 1
        return outcomes.outcome(result.status.name, self._name, complaints, recipients)

    def _type(self, message: Message) -> apprise.NotifyType:
        """The message type, by which Apprise chooses a colour."""
        if self._service.raises_incidents and message.severity is Severity.INFO:
            return apprise.NotifyType.WARNING
        return apprise.NotifyType.SUCCESS if message.good else _TYPES[message.severity]

    def _written(self, message: Message) -> dict[str, Any]:
        """Title, body and format for Apprise."""
        title, body, form = message.title, message.body, self._service.form
        if message.html:
            return {"title": title, "body": message.html, "body_format": apprise.NotifyFormat.HTML}
        if self._service.title_above and title:
            title, body = "", f"{title}\n{body}"
        if form is Form.TEXT:
            return {"title": title, "body": body, "body_format": apprise.NotifyFormat.TEXT}
        if form is Form.UNDECLARED:
            return {"title": title, "body": body, "body_format": None}
        escaped = html.escape(body, quote=False)
        if form is Form.ENTITIES:
            escaped = _tappable(escaped, message.commands)
        if form is Form.LINES:
            return {
                "title": title,
                "body": escaped.replace("\n", "<br/>"),
                "body_format": apprise.NotifyFormat.HTML,
            }
        title = html.escape(title, quote=False)
        return {"title": title, "body": escaped, "body_format": apprise.NotifyFormat.HTML}

    def _with_options(self, message: Message) -> apprise.Apprise:
        """The plugin with the options of this message.

        It is a copy: an attempt that was given up may still be sending with another one.
        """
        plugin = self._apprise[0]
        wishes: dict[str, object] = dict(self._service.quiet) if message.quiet else {}
        if self._service.threads:
            wishes["inline"] = bool(message.html)
            wishes["headers"] = plugins.headers(plugin) | _threaded(message.thread)
        if not wishes:
            return self._apprise
        twin = copy.copy(plugin)
        vars(twin).update(wishes)
        return _in_apprise(twin)


def _tappable(escaped: str, commands: Iterable[str]) -> str:
    """The text with its commands as code, which Telegram copies at a tap."""
    known = {html.escape(each, quote=False) for each in commands}
    pattern = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
    return re.sub(pattern, r"<code>\g<0></code>", escaped) if pattern else escaped


def _is_delivered(attempted: AttemptResult) -> bool:
    return attempted.outcome is Outcome.DELIVERED


def _in_apprise(plugin: NotifyBase) -> apprise.Apprise:
    """The plugin within an Apprise object, which keeps its URL out of every `repr`."""
    alone = apprise.Apprise(asset=plugin.asset)
    alone.add(plugin)
    return alone


def _fitted(message: Message, traits: Traits) -> Message:
    """The message without parts that the channel cannot send or a reader would not see."""
    title, body = printable(message.title), printable(message.body or message.title, keep="\n")
    fragment = printable(message.html, keep="\n")
    picture = (
        message.picture if traits.pictures is (Pictures.WITH if body else Pictures.AFTER) else b""
    )
    fragment = _BLOCKS.sub(r"\1", fragment) + (_SHOWN if fragment and picture else "")
    return replace(
        message,
        title=title,
        body=body,
        html=fragment if traits.html and body else "",
        picture=picture,
        quiet=message.quiet or not body,
    )


def _threaded(thread: str) -> dict[str, str]:
    """Headers that put a mail in a thread. They name one common beginning, which is no mail."""
    if not thread:
        return {}
    name = re.sub(r"^\.|\.(?=\.|$)", "%2E", quote(thread, safe=""))
    return {"In-Reply-To": f"<{name}@marginwatch>", "References": f"<{name}@marginwatch>"}
