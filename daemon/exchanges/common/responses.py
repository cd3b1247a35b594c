"""What an exchange sent, made safe: strict JSON with exact numbers, amounts of a plausible size,
quotable text.

Pure, and the same for every exchange. Nothing here guesses: what is not there or not usable is
`MalformedError`, with a sentence; no number is ever invented. The standard library's JSON is used
because it lets duplicate keys be seen (msgspec silently keeps the last one) and hands over numbers
as written.
"""

import html
import json
import re
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from urllib.parse import unquote, urlsplit

from daemon.text.printable import one_line
from daemon.types import MissReason, NoAnswer

MAX_BODY = 1 << 20
"""Bytes of an answer that are read; a balance takes some 250."""

MAX_AMOUNT = Decimal("1e24")
MAX_DECIMALS = 40
"""An amount beyond these is refused: no balance has them (CoinW has sent 16 decimals), and exact
sums over a window of amounts that may be 1e400 or 1e-400 would take thousands of digits each."""

_MAX_QUOTE = 120
_MAX_LABEL = 40
_MAX_WORDS = 4_096
_MAX_DEPTH = 8
_MAX_INT_DIGITS = 18
_MAX_DIGITS = 80
_TITLE = re.compile(rb"<title[^>]{0,99}>([^<]{0,500})<", re.IGNORECASE)
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
"""A character as JSON may write it: a secret that is written so is to be recognised."""
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Page:
    """One HTTP answer. `whole` is False when the body went on after MAX_BODY; `location` is that of
    a redirect.

    `date` is the header of that name: when it was written, by the clock there.
    """

    status: int
    content_type: str
    body: bytes
    location: str = ""
    whole: bool = True
    date: str = ""
    flaw: str = ""
    """Why there is no body to be read, where that was found already."""

    @property
    def is_html(self) -> bool:
        """Whether the body begins as HTML does: the body decides, as content types are often wrong
        (SEMANTICS B3a).
        """
        return self.body.removeprefix(BOM_UTF8).lstrip()[:1] == b"<"


class MalformedError(ValueError):
    """The answer, or the value, cannot be used; the text says why and reads on after the thing's
    name.
    """


def decode(page: Page) -> Mapping[str, object]:
    """The JSON object in the body: fractions as Decimal, integers as int (Decimal beyond 18
    digits).

    Raises MalformedError for anything else: no UTF-8, duplicate keys, trailing text, deep nesting,
    too long.
    """
    if not page.whole:
        raise MalformedError("is over 1 MiB long")
    if page.flaw:
        raise MalformedError(page.flaw)
    return decoded(page.body)


def decoded(body: bytes) -> Mapping[str, object]:
    """As `decode`, of the bytes alone."""
    try:
        value = _read(body.decode("utf-8-sig"))
    except MalformedError:
        raise
    except UnicodeDecodeError:
        raise MalformedError("is not UTF-8 text") from None
    except RecursionError:
        raise MalformedError("is nested too deeply") from None
    except ValueError:
        raise MalformedError("is not JSON") from None
    if not isinstance(value, dict):
        raise MalformedError("is not a JSON object")
    return value


def _decimal(text: str) -> Decimal:
    """The number as written; the hooks also pass `NaN` and `Infinity` here, for `amount` to name
    their field.
    """
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("Infinity")


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= _MAX_INT_DIGITS else _decimal(text)


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise MalformedError("names a key twice")
    return found


def _read(text: str) -> object:
    return json.loads(
        text,
        parse_float=_decimal,
        parse_int=_integer,
        parse_constant=_decimal,
        object_pairs_hook=_without_duplicates,
    )


def amount(value: object, secrets: Sequence[str] = ()) -> Decimal:
    """The exact number, sent as a JSON number or as text of the same form.

    Raises MalformedError for everything else: null, booleans, NaN, infinities, other text, sizes
    beyond MAX_AMOUNT and MAX_DECIMALS.
    """
    if isinstance(value, str) and len(value) <= _MAX_DIGITS and _NUMBER.fullmatch(value):
        value = _decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise MalformedError(f"is {_shown(value, secrets)}, not a number")
    number = Decimal(value)
    if number.is_nan():
        raise MalformedError("is NaN, not a number")
    if not _plausible(number):
        raise MalformedError("is no plausible amount (1e24 and more, or over 40 decimals)")
    return number


def amounts(
    entry: Mapping[str, object], names: Mapping[str, str], secrets: Sequence[str] = ()
) -> dict[str, Decimal]:
    """The fields that were sent, under our names; `names` are ours by those of the exchange.

    A field that is null, absent or empty is unknown and left out (SEMANTICS B3a). Raises
    MalformedError where one is no number, and where there is none at all.
    """
    sent = {name: entry[name] for name in names if not is_blank(entry.get(name))}
    if not sent:
        raise MalformedError("no balance is in it")
    return {names[name]: _named(name, value, secrets) for name, value in sent.items()}


def _named(name: str, value: object, secrets: Sequence[str]) -> Decimal:
    try:
        return amount(value, secrets)
    except MalformedError as why:
        raise MalformedError(f"{name} {why}") from None


def is_blank(value: object) -> bool:
    """Whether a value says nothing: null, or text of blanks only."""
    return value is None or (isinstance(value, str) and not value.strip())


def _plausible(number: Decimal) -> bool:
    """`copy_abs`, as `abs` rounds, and overflows on 1e999999999."""
    exponent = number.as_tuple().exponent
    return (
        isinstance(exponent, int) and -exponent <= MAX_DECIMALS and number.copy_abs() < MAX_AMOUNT
    )


def _shown(value: object, secrets: Sequence[str]) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{tidy(value, secrets)}"'
    return "a list" if isinstance(value, list) else "an object"


def tidy(text: str, secrets: Sequence[str] = (), at_most: int = _MAX_QUOTE) -> str:
    """Foreign text for a sentence: own secrets blotted out, one printable line, cut."""
    line = one_line(text)
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        line = line.replace(secret, "***")
    return one_line(line, at_most)


def label(value: object, secrets: Sequence[str] = ()) -> str:
    """A user id, which is opaque: a number in one answer and text in another, so always text here.

    Raises MalformedError for what is none.
    """
    if isinstance(value, int | Decimal | str) and not isinstance(value, bool):
        text = str(value)
        if (
            0 < len(text) <= _MAX_LABEL
            and text == tidy(text, secrets)
            and (isinstance(value, str) or text.isdigit())
        ):
            return text
    raise MalformedError("userId is missing or no user id")


def plain(value: object, secrets: Sequence[str] = (), depth: int = _MAX_DEPTH) -> object:
    """An unknown value, fit to be stored: its texts tidied (uncut), numbers of no plausible size as
    text.

    Raises MalformedError when it is nested deeper than any answer known.
    """
    if not depth:
        raise MalformedError("is nested too deeply")
    if isinstance(value, str):
        return tidy(value, secrets, at_most=MAX_BODY)
    if isinstance(value, Decimal):
        return value if _plausible(value) else str(value)
    if isinstance(value, list):
        return [plain(item, secrets, depth - 1) for item in value]
    if isinstance(value, dict):
        return {tidy(key, secrets): plain(item, secrets, depth - 1) for key, item in value.items()}
    return value


def words(page: Page, secrets: Sequence[str] = ()) -> str:
    """A short answer that is no JSON, as text for a sentence; of a web page, its title.

    A body that was cut is not quoted, as the cut may go through a secret and hide it from being
    blotted out.
    """
    if page.is_html:
        title = _TITLE.search(page.body)
        return tidy(html.unescape(title[1].decode(errors="replace")), secrets) if title else ""
    if not page.whole or len(page.body) > _MAX_WORDS:
        return ""
    text = page.body.decode("utf-8-sig", errors="replace")
    return tidy(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), text), secrets)


def refusal(
    page: Page, name: str, said: str = "", key: str = "rest_url", secrets: Sequence[str] = ()
) -> NoAnswer | None:
    """What the HTTP status or an HTML body alone says (SEMANTICS A3); None when the body has to be
    read.

    `said` is what the page says in its own words, `key` that of the address in the configuration.
    `secrets` are blotted out of where a redirect leads.
    """
    status = page.status
    if 300 <= status < 400:
        return NoAnswer(MissReason.BAD_ANSWER, _redirected(page, name, key, secrets))
    heard = ", ".join(filter(None, (f"HTTP {status}", "a web page" if page.is_html else "", said)))
    if status == 401:
        return NoAnswer(
            MissReason.AUTH, f"{name} refused the key ({heard}): check api_key and secret_key"
        )
    if status == 429:
        return NoAnswer(MissReason.RATE_LIMITED, f"{name} says too many calls ({heard}): {PAUSING}")
    if status >= 500:
        return NoAnswer(MissReason.HTTP_5XX, f"{name} failed to answer ({heard}): asking again")
    if status == 403 or page.is_html:
        return NoAnswer(MissReason.BLOCKED, f"{name} {_kept_out(page, heard, said, key)}")
    return None


def _kept_out(page: Page, heard: str, said: str, key: str) -> str:
    if not page.is_html and said:
        return f"refused the call ({heard}): pausing; {UNKNOWN}"
    if page.status in MISPLACED:
        return f"answered with a web page ({heard}): pausing; check {key}"
    return f"keeps this machine out ({heard}): {BLOCKED}"


MISPLACED = frozenset({404, 405})
"""The statuses that say that nothing, or nothing to be read, is at this address."""

UNKNOWN = "if it lasts, do what it says, or ask its support"
"""The remedy where only the exchange knows what its words mean."""

PAUSING = "pausing; see that nothing else at this address uses up its limits"
BLOCKED = "pausing; if it lasts, ask its support whether this machine's address is blocked"


def _redirected(page: Page, name: str, key: str, secrets: Sequence[str]) -> str:
    try:
        host = urlsplit(page.location).hostname
    except ValueError:
        host = None
    where = tidy(unquote(host), secrets) if host else "another place"
    return (
        f"{name} sends us on to {where} (HTTP {page.status}), where the key must not go: check"
        f" {key}"
    )
