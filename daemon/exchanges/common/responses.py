"""Makes answers safe: strict JSON, exact numbers, plausible amounts, quotable text. Pure.

The same for every exchange. Nothing is guessed: a missing or unusable value raises `MalformedError`
with a sentence, and no number is invented. The standard library's JSON is used because it shows
duplicate keys (msgspec silently keeps the last one) and gives numbers as written.
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
"""Most bytes of an answer that are read; a balance takes about 250."""

MAX_AMOUNT = Decimal("1e24")
MAX_DECIMALS = 40
"""Largest amount and most decimals that are accepted.

No balance has more (CoinW has sent 16 decimals). Exact sums over a window with 1e400 or 1e-400
would take thousands of digits each.
"""

_MAX_QUOTE = 120
_MAX_LABEL = 40
_MAX_WORDS = 4_096
_MAX_DEPTH = 8
_MAX_INT_DIGITS = 18
_MAX_DIGITS = 80
_TITLE = re.compile(rb"<title[^>]{0,99}>([^<]{0,500})<", re.IGNORECASE)
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
"""An escaped character of JSON; a secret written like this must be recognised."""
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Page:
    """One HTTP answer.

    `whole` is False if the body goes on beyond MAX_BODY. `location` is the target of a redirect.
    `date` is the header: the time of writing by the server's clock.
    """

    status: int
    content_type: str
    body: bytes
    location: str = ""
    whole: bool = True
    date: str = ""
    flaw: str = ""
    """Why the body cannot be read, if that is known already."""

    @property
    def is_html(self) -> bool:
        """Whether the body begins like HTML. Content types are often wrong (SEMANTICS B3a)."""
        return self.body.removeprefix(BOM_UTF8).lstrip()[:1] == b"<"


class MalformedError(ValueError):
    """An unusable answer or value; the text continues after the name of the thing."""


def decode(page: Page) -> Mapping[str, object]:
    """Parse the JSON object in the body.

    Fractions become Decimal, integers int (Decimal beyond 18 digits). Raises MalformedError for
    anything else: no UTF-8, duplicate keys, trailing text, deep nesting, too long.
    """
    if not page.whole:
        raise MalformedError("is over 1 MiB long")
    if page.flaw:
        raise MalformedError(page.flaw)
    return decode_bytes(page.body)


def decode_bytes(body: bytes) -> Mapping[str, object]:
    """Parse the JSON object in these bytes, as `decode` does."""
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
    """The number as written. `NaN` and `Infinity` come here too; `amount` rejects them by field."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("Infinity")


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise MalformedError("names a key twice")
    return found


def _read(text: str) -> object:
    return json.loads(
        text,
        parse_float=_decimal,
        parse_int=lambda token: int(token) if len(token) <= _MAX_INT_DIGITS else _decimal(token),
        parse_constant=_decimal,
        object_pairs_hook=_without_duplicates,
    )


def amount(value: object, secrets: Sequence[str] = ()) -> Decimal:
    """The exact number, sent as a JSON number or as text of the same form.

    Raises MalformedError for anything else: null, booleans, NaN, infinities, other text, sizes
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
    """The fields that were sent, under our names; `names` maps theirs to ours.

    A field that is null, absent or empty is unknown and left out (SEMANTICS B3a). Raises
    MalformedError if a field is no number, or if there is none at all.
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
    """Whether a value is empty: null, or text of blanks only."""
    return value is None or (isinstance(value, str) and not value.strip())


def _plausible(number: Decimal) -> bool:
    """Whether the number is within the limits.

    Uses `copy_abs`, because `abs` rounds, and overflows on 1e999999999.
    """
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
    """Foreign text for a sentence: secrets masked, one printable line, shortened."""
    line = one_line(text)
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        line = line.replace(secret, "***")
    return one_line(line, at_most)


def parse_user_id(value: object, secrets: Sequence[str] = ()) -> str:
    """A user id as text: exchanges send it as a number or as text.

    Raises MalformedError for anything else.
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


def storable_value(value: object, secrets: Sequence[str] = (), depth: int = _MAX_DEPTH) -> object:
    """An unknown value, made fit to store: texts tidied but not cut, implausible numbers as text.

    Raises MalformedError if it is nested deeper than any known answer.
    """
    if not depth:
        raise MalformedError("is nested too deeply")
    if isinstance(value, str):
        return tidy(value, secrets, at_most=MAX_BODY)
    if isinstance(value, Decimal):
        return value if _plausible(value) else str(value)
    if isinstance(value, list):
        return [storable_value(item, secrets, depth - 1) for item in value]
    if isinstance(value, dict):
        return {
            tidy(key, secrets): storable_value(item, secrets, depth - 1)
            for key, item in value.items()
        }
    return value


def words(page: Page, secrets: Sequence[str] = ()) -> str:
    """A short answer that is not JSON, as text for a sentence; of a web page, its title.

    A body that was cut is not quoted: the cut may go through a secret, which would not be masked.
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
    """The refusal given by the HTTP status or an HTML body (SEMANTICS A3); None to read the body.

    `said` is the page's own text, `key` the configuration key of the address. `secrets` are masked
    in the target of a redirect.
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
"""Statuses of a wrong address."""

UNKNOWN = "if it lasts, do what it says, or ask its support"
"""Remedy when only the exchange knows what its words mean."""

PAUSING = "pausing; see that nothing else at this address uses up its limits"
BLOCKED = "pausing; if it lasts, ask its support whether this machine's address is blocked"


def _redirected(page: Page, name: str, key: str, secrets: Sequence[str]) -> str:
    try:
        host = urlsplit(page.location).hostname
    except ValueError:
        host = None
    where = tidy(unquote(host), secrets) if host else "another place"
    return (
        f"{name} redirects to {where} (HTTP {page.status}), where the key is not sent: check {key}"
    )
