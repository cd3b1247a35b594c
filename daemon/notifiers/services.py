"""A table of services: message size, rate, pictures, silent messages. Pure.

The facts come from the services' documentation (linked in docs/delivery.md) and from what Apprise
does to a text; unknown facts are left out. A service without an entry gets values derived from
Apprise's limits.
"""

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from daemon.notifiers import Pictures, Traits
from daemon.types import MINUTE, SECOND, Limit


class Form(Enum):
    """The format of a plain text for a service, so that it shows the text unchanged."""

    TEXT = auto()
    ENTITIES = auto()
    """As HTML with line ends kept: Apprise's own conversion loses blank lines. Tags commands."""
    LINES = auto()
    """As HTML with line ends as tags: Apprise's own conversion cannot be wrapped on a phone."""
    UNDECLARED = auto()
    """As text not declared plain: Apprise would escape declared text for Markdown."""


@dataclass(frozen=True, slots=True)
class Service:
    """Known properties of a service, and how to set options of a message on Apprise's plugin."""

    traits: Traits
    quiet: Mapping[str, object] = field(default_factory=dict)
    """Attributes that make a message silent."""
    form: Form = Form.TEXT
    title_above: bool = False
    """The title is sent as the first line of the text: Apprise would write `# ` before a title."""
    raises_incidents: bool = False
    """Messages below a warning close an incident or do nothing, so that nobody would read them."""
    threads: bool = False
    """Messages that refer to the same one are kept together (RFC 5322, 3.6.4)."""
    counts: bool = False
    """Apprise complains once for every recipient that was not reached."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a service according to Apprise."""

    body: int
    """The longest text, which may have to hold the title too."""
    formats: Sequence[str] = ("text",)
    """Accepted formats, the one that Apprise prefers first: `text`, `html`, `markdown`."""


def service(scheme: str, limits: Limits) -> Service:
    """The known properties of a URL scheme's service."""
    known = SERVICES.get(scheme)
    if known is not None:
        return known
    takes_html = limits.formats[0] == "html"
    form = Form.LINES if takes_html else _FORMS.get(scheme, Form.TEXT)
    traits = Traits(room=_room(limits), html=takes_html and limits.body >= _ROOM_OF_HTML)
    return Service(traits, form=form, title_above=scheme in _HEADED)


def pace(scheme: str) -> tuple[Limit, ...]:
    """The message rates that the service accepts, as far as known."""
    found = SERVICES.get(scheme)
    return () if found is None else found.traits.pace


def _room(limits: Limits) -> int:
    """A size that surely fits: at worst each character is escaped and the title is in the text."""
    grown = min(_GROWTH.get(each, 1) for each in limits.formats)
    return max(1, min(Traits().room, (limits.body - _BEFORE_THE_TEXT) // grown))


_FORMS = {
    "rocket": Form.UNDECLARED,
    "rockets": Form.UNDECLARED,
    "simplepush": Form.UNDECLARED,
    "spush": Form.UNDECLARED,
    "webex": Form.UNDECLARED,
    "wxteams": Form.UNDECLARED,
}
"""Rocket.Chat shows the escapes of Markdown; Simplepush and Webex take plain text, too."""

_HEADED = frozenset({"matrix", "matrixs"})

_GROWTH = {"html": len("&nbsp;"), "markdown": len("\\_")}
"""The largest growth of one character."""

_ROOM_OF_HTML = 8 * Traits().room
"""The largest ratio of a message's size as HTML to its text."""

_BEFORE_THE_TEXT = len("<b></b><br />\r\n")


def utf16(text: str) -> int:
    """The length in UTF-16 units, as Telegram and browsers count: most emoji count twice."""
    return len(text) + sum(sign > "\uffff" for sign in text)


def escaped(text: str) -> int:
    """The length with `&`, `<` and `>` written as entities."""
    return len(html.escape(text, quote=False))


def encoded(text: str) -> int:
    """The length as JSON in ASCII, never less than in bytes of UTF-8."""
    return len(json.dumps(text)) - 2


_TELEGRAM = Service(
    Traits(
        room=4_000,  # of 4,096 after the entities
        weigh=utf16,
        pace=(Limit(1, SECOND), Limit(20, MINUTE)),
        pictures=Pictures.AFTER,
    ),
    quiet={"silent": True},
    form=Form.ENTITIES,
    counts=True,
)

_MAIL = Service(Traits(room=20_000, pictures=Pictures.WITH, html=True), threads=True)

_DISCORD = Service(
    Traits(
        room=1_900,  # of 2,000, with the users that the URL pings
        weigh=utf16,
        pace=(Limit(5, 2 * SECOND), Limit(30, MINUTE)),
        pictures=Pictures.AFTER,
    ),
    quiet={"flags": 1 << 12},  # SUPPRESS_NOTIFICATIONS
)

_SLACK = Service(
    Traits(
        room=2_900,  # of 3,000 that a block takes; without blocks it would be more
        weigh=escaped,
        pace=(Limit(1, SECOND),),
    ),
    counts=True,
)

_NTFY = Service(
    Traits(
        room=3_800,  # of 4,096 bytes; what is longer arrives as a file
        weigh=encoded,
        pace=(Limit(60, 5 * MINUTE),),  # 60 at once, then one every 5 s: so many are never refused
        pictures=Pictures.AFTER,
    ),
    quiet={"priority": "low"},
    counts=True,
)

SERVICES: Mapping[str, Service] = {
    "tgram": _TELEGRAM,
    "mailto": _MAIL,
    "mailtos": _MAIL,
    "discord": _DISCORD,
    "slack": _SLACK,
    "ntfy": _NTFY,
    "ntfys": _NTFY,
}
"""Known services by URL scheme."""


def in_plain_text(known: Service) -> Service:
    """The same service for a URL that asks for text instead of HTML."""
    form = Form.TEXT if known.form is Form.LINES else known.form
    return replace(known, traits=replace(known.traits, html=False), form=form)
