"""Redaction: known secrets in a text become `***`, in all spellings that libraries use.

The caller names the secrets: `text.url_secrets` finds those of a URL, `notifiers.apprise.plugins`
adds what a service declares private, `config.model` all of a configuration.
"""

import base64
import html
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from daemon.text.printable import printable, printable_json

BLANK = "***"

SHORTEST_SECRET = 4
"""Shorter texts are not blanked: they protect nothing, and the log would become unreadable."""

SHORTEST_BASE64 = 8
"""Fewest own characters of base64 for which a secret is blanked."""

_ADDRESS = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]*://)[^\s'\"<>]+")


class Redactor:
    """Blanks known secrets in any text, in each form in which they are commonly written.

    The forms: as it is, percent-encoded (also every character) and decoded, in lower and upper
    case, escaped as in JSON, `repr` and HTML, in hex, and inside base64 (an Authorization header).
    Secrets shorter than four characters are ignored.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: frozenset[str] = frozenset()
        self._pattern = re.compile("(?!)")
        self._by_head: Mapping[str, Sequence[str]] = {}
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Blank these too, from the next line on."""
        forms = self._forms.union(*map(_forms, secrets))
        if len(forms) > len(self._forms):
            # A reload adds some in its own thread, while lines are written: the pattern must know
            # them first.
            self._pattern = re.compile("|".join(map(re.escape, _longest_first(forms))))
            self._by_head = _by_head(forms)
            self._forms = forms

    @property
    def forms(self) -> tuple[str, ...]:
        """Every text that is blanked, the longest first."""
        return tuple(_longest_first(self._forms))

    def redact(self, text: str) -> str:
        """The text without any secret. Repeated, because a blank may complete another secret."""
        while self._holds_secret(text):  # much faster than the pattern, which rarely matches
            text = self._pattern.sub(BLANK, text)
        return text

    def _holds_secret(self, text: str) -> bool:
        """Whether the text holds a form. Fast also for thousands of forms: only the text counts."""
        by_head = self._by_head
        heads = {text[at : at + SHORTEST_SECRET] for at in range(len(text) - SHORTEST_SECRET + 1)}
        return any(form in text for head in by_head.keys() & heads for form in by_head[head])


def _by_head(forms: Iterable[str]) -> dict[str, list[str]]:
    """The forms by their first characters; the head is as long as the shortest form."""
    found = defaultdict[str, list[str]](list)
    for form in forms:
        found[form[:SHORTEST_SECRET]].append(form)
    return dict(found)


def _longest_first(forms: Iterable[str]) -> list[str]:
    return sorted(forms, key=lambda form: (-len(form), form))


def _forms(secret: str) -> Iterator[str]:
    """Every text in which a secret may appear in a line, none shorter than a secret."""
    lines = [line.strip() for line in secret.splitlines()]
    spoken = {secret, secret.strip(), *(line for line in lines if len(line) >= SHORTEST_BASE64)}
    spoken |= {unquote(text) for text in spoken} | {unquote_plus(text) for text in spoken}
    for text in spoken:
        if len(text.strip()) >= SHORTEST_SECRET:
            written = {text, *_written(text)}
            cases = {case for form in written for case in (form, form.lower(), form.upper())}
            yield from (form for form in cases if len(form) >= SHORTEST_SECRET)
            yield from (form for form in _base64(text) if len(form) >= SHORTEST_BASE64)


def _written(text: str) -> Iterator[str]:
    for encoded in (
        *(quote(text, safe=safe, errors="replace") for safe in _LEFT_AS_THEY_ARE),
        quote_plus(text, errors="replace"),
    ):
        yield encoded
        yield re.sub("%..", lambda found: found.group().lower(), encoded)
    data = text.encode(errors="replace")
    yield "".join(f"%{byte:02x}" for byte in data)
    yield data.hex()
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield repr(text)[1:-1]
    yield repr(data)[2:-1]
    yield printable(text)
    yield printable_json(json.dumps(text, ensure_ascii=False))[1:-1]
    yield html.escape(text)


_LEFT_AS_THEY_ARE = (
    "",
    "/",
    "!#$%&'()*+,/:;=?@[]~",
    "!$&'()*+,;=:@/",
    "!$&'()*+,;=:@/?",
    "!$&'()*+,;=:",
)
"""Characters left as they are by Apprise, requests, and urllib3 in a path, query or login."""


def _base64(text: str) -> Iterator[str]:
    """Parts of a text's base64 that do not depend on its neighbours, for all three alignments."""
    data = text.encode(errors="replace")
    yield base64.b64encode(data).decode()
    yield base64.urlsafe_b64encode(data).decode()
    for before in range(3):
        end = (before + len(data)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(b"\0" * before + data).decode()[(0, 2, 3)[before] : end]


def without_addresses(text: str) -> str:
    """The text with only the scheme of each address left."""
    return _ADDRESS.sub(rf"\1{BLANK}", text)
