"""What services take: how much in one message, how often, whether a picture, whether silently. Pure: a table.

What stands here is from the services' own documents (linked in docs/delivery.md) and from what Apprise does to a text
on its way; what neither says is not here. A service without an entry gets what can be derived from Apprise's limits.
"""

import html
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from daemon.notifiers import Pictures, Traits
from daemon.types import MINUTE, SECOND, Limit


@dataclass(frozen=True, slots=True)
class Service:
    """What is known of one service, and how Apprise's object of it is told what a message asks for."""

    traits: Traits
    quiet: Mapping[str, object] = field(default_factory=dict)
    """The attributes that make a message silent."""
    markup: bool = False
    """It is given HTML: from plain text Apprise makes one that loses blank lines."""
    threads: bool = False
    """It keeps messages together that refer to the same one (RFC 5322, 3.6.4)."""
    counts: bool = False
    """Apprise complains once for every recipient that was not reached."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What Apprise says of a service."""

    body: int
    """The longest text, which may have to hold the title too."""
    formats: Collection[str] = ("text",)
    """Into which a text may be made: `text`, `html`, `markdown`."""


def service(scheme: str, limits: Limits) -> Service:
    """What is known of the service that a URL's scheme names."""
    return SERVICES.get(scheme) or Service(Traits(room=_room(limits)))


def pace(scheme: str) -> tuple[Limit, ...]:
    """How many messages the service takes, as far as it is known."""
    found = SERVICES.get(scheme)
    return () if found is None else found.traits.pace


def _room(limits: Limits) -> int:
    """What surely fits: at worst each sign is escaped, and the title stands before the text, marked as one."""
    grown = min(_GROWTH.get(each, 1) for each in limits.formats)
    return max(1, min(Traits().room, (limits.body - _BEFORE_THE_TEXT) // grown))


_GROWTH = {"html": len("&nbsp;"), "markdown": len("\\_")}
"""How long one sign may become."""

_BEFORE_THE_TEXT = len("<b></b><br />\r\n")


def utf16(text: str) -> int:
    """In the units in which Telegram and browsers count: a sign beyond the basic plane, as most emoji, is two."""
    return len(text) + sum(sign > "\uffff" for sign in text)


def escaped(text: str) -> int:
    """With `&`, `<` and `>` written as entities."""
    return len(html.escape(text, quote=False))


def encoded(text: str) -> int:
    """As JSON in ASCII, which is never less than its bytes in UTF-8."""
    return len(json.dumps(text)) - 2


_TELEGRAM = Service(
    Traits(
        room=4_000,  # of 4,096 after the entities
        weigh=utf16,
        pace=(Limit(1, SECOND), Limit(20, MINUTE)),
        pictures=Pictures.AFTER,
    ),
    quiet={"silent": True},
    markup=True,
    counts=True,
)

_MAIL = Service(Traits(room=20_000, pictures=Pictures.WITH, html=True), threads=True)

_DISCORD = Service(
    Traits(
        room=1_900,  # of 2,000; who is pinged by the URL stands among them
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
"""By the scheme of their URLs."""


def in_plain_text(known: Service) -> Service:
    """The same service where its URL asks for text instead of HTML."""
    return replace(known, traits=replace(known.traits, html=False))
