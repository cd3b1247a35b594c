"""Parsers of values, one function per type: it takes the value of the file and returns its meaning.

A wrong value raises MistakeError with the rest of the sentence "KEY: …". The sentence shows the
value, except for keys that may hold a secret.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar
from unicodedata import category
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from daemon import addresses
from daemon.addresses import Flaw
from daemon.alerts.mutes import DAYS
from daemon.alerts.summary_template import template_problem
from daemon.config.parse import zones
from daemon.config.problems import MistakeError, did_you_mean, format_value
from daemon.hidden import Secret, is_cut
from daemon.rules.language.build import MAX_LOOK_BACK
from daemon.rules.language.errors import ExpressionError
from daemon.rules.language.parse import parse_condition
from daemon.rules.rule import AtLeast, Condition
from daemon.text import durations
from daemon.text.printable import is_hidden
from daemon.types import DAY, Limit, Millis

T = TypeVar("T")
Text = TypeVar("Text", bound=str)

LONGEST: Millis = 366 * DAY

MOST_COUNTED = 9_999
"""Most readings that `at_least` may count."""

SMALLEST_STEP: Millis = 250
"""The smallest recorded clock step; smaller ones are ignored (SEMANTICS A5)."""

MAX_ZONE = 100
MAX_UNIT = 12
"""Most characters of a time zone's name; the longest has about 30."""

_NAME = re.compile(r"[\w .-]{1,64}")
_LIMIT = re.compile(r"([0-9]{1,6}) per (\w+)")
_PERCENT = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)%")
_AT_LEAST = re.compile(r"([0-9]{1,100}) of ([0-9]{1,100})")
_TIME_OF_DAY = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00")
_CRON = re.compile(r"[\w*/,#-]+(?: +[\w*/,#-]+){4}")


@dataclass(frozen=True, slots=True)
class Web:
    """The address of the page."""

    host: str
    port: int


def text(raw: object) -> str:
    if not isinstance(raw, str):
        raise MistakeError(f"must be a text in quotes, not {format_value(raw)}")
    return raw


def hidden(raw: object) -> str:
    """A text that may be secret; a value of another type is not shown either."""
    if not isinstance(raw, str):
        raise MistakeError("must be a text in quotes")
    return raw


def secret(raw: object) -> str:
    if not hidden(raw):
        raise MistakeError(
            "is empty; write env:NAME, file:PATH, credential:NAME or the text itself"
        )
    return hidden(raw)


def never_shown(parse: Callable[[object], str]) -> Callable[[object], Secret]:
    """A parser of the same texts, which no printing shows."""
    return lambda raw: Secret(parse(raw))


def reference(raw: object) -> str:
    """The name of an account, channel, rule or mute, or a pattern; composed like names (NFC)."""
    written = unicodedata.normalize("NFC", text(raw))
    unseen = next((each for each in written if is_invisible(each)), None)
    if unseen is not None:
        raise MistakeError(f"holds an invisible character (U+{ord(unseen):04X}); type it again")
    return written


def is_invisible(character: str) -> bool:
    """Whether the character cannot be seen, or cannot be told from a plain space."""
    return is_hidden(character) or (category(character)[0] in "CZ" and character != " ")


def name(raw: object) -> str:
    written = reference(raw)
    if not _NAME.fullmatch(written) or written != written.strip():
        raise MistakeError(
            f"must be 1 to 64 letters, digits, spaces or _ . -, not {format_value(raw)}"
        )
    return written


def optional(parse: Callable[[object], T], empty: T) -> Callable[[object], T]:
    """A parser of the same type that also takes "", which means `empty`."""
    return lambda raw: empty if raw == "" else parse(raw)


def unless_off(parse: Callable[[object], T]) -> Callable[[object], T | None]:
    """A parser of the same type that also takes "off"; messages about mistakes mention it."""

    def or_off(raw: object) -> T | None:
        if raw == "off":
            return None
        try:
            return parse(raw)
        except MistakeError as error:
            raise MistakeError(f'{error}; "off" turns it off') from None

    return or_off


def one_of(known: Iterable[Text]) -> Callable[[object], Text]:
    names = tuple(known)

    def choice(raw: object) -> Text:
        for name in names:
            if raw == name:
                return name
        near = did_you_mean(raw, names) if isinstance(raw, str) else ""
        raise MistakeError(f"must be one of {' '.join(names)}, not {format_value(raw)}{near}")

    return choice


def list_of(parse: Callable[[object], T]) -> Callable[[object], tuple[T, ...]]:
    def items(raw: object) -> tuple[T, ...]:
        if not isinstance(raw, list):
            raise MistakeError(f'must be a list such as ["one", "two"], not {format_value(raw)}')
        return tuple(parse(item) for item in raw)

    return items


def duration(raw: object) -> Millis:
    found = durations.parse_duration(raw) if isinstance(raw, str) else None
    if found is None:
        raise MistakeError(f'must be a duration such as "90s" or "1h30m", not {format_value(raw)}')
    if found > LONGEST:
        raise MistakeError(
            f"must be at most {durations.duration_text(LONGEST)}, not {format_value(raw)}"
        )
    return found


def longer_than(shortest: Millis) -> Callable[[object], Millis]:
    """A parser of durations of at least `shortest`."""

    def long_enough(raw: object) -> Millis:
        if duration(raw) < shortest:
            raise MistakeError(
                f"must be at least {durations.duration_text(shortest)}, not {format_value(raw)}"
            )
        return duration(raw)

    return long_enough


def limit_of_system(shortest: Millis) -> Callable[[object], Millis]:
    """A parser of a system rule's limit. Derived limits look back no further than a window."""

    def within_bounds(raw: object) -> Millis:
        span = longer_than(shortest)(raw)
        if span > MAX_LOOK_BACK:
            raise MistakeError(
                f"must be at most {durations.duration_text(MAX_LOOK_BACK)}, not {format_value(raw)}"
            )
        return span

    return within_bounds


def count(raw: object) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool) or raw < 1:
        raise MistakeError(
            f"must be a whole number from 1 up, without quotes, not {format_value(raw)}"
        )
    return raw


def limit(raw: object) -> Limit:
    return _limit(raw, "50 per 10s")


def flapping(raw: object) -> Limit:
    """A number of episodes within a time. It is limited, as every episode is remembered."""
    found = _limit(raw, "6 per 1h")
    if found.per > DAY:
        raise MistakeError(
            f"must span at most {durations.duration_text(DAY)}, not {format_value(raw)}"
        )
    return found


def _limit(raw: object, example: str) -> Limit:
    found = _LIMIT.fullmatch(raw) if isinstance(raw, str) else None
    per = durations.parse_duration(found[2]) if found else None
    if not found or not per or int(found[1]) < 1:
        raise MistakeError(f'must be a limit such as "{example}", not {format_value(raw)}')
    return Limit(int(found[1]), per)


def percent(raw: object) -> Decimal:
    """The fraction: "50%" is 0.5."""
    found = _PERCENT.fullmatch(raw) if isinstance(raw, str) else None
    if not found or not Decimal(found[1]):
        raise MistakeError(f'must be a percentage such as "50%", not {format_value(raw)}')
    return Decimal(found[1]) / 100


def at_least(raw: object) -> AtLeast:
    """The rule key `M of N`: M of the last N readings."""
    found = _AT_LEAST.fullmatch(raw) if isinstance(raw, str) else None
    if not found:
        raise MistakeError(f'must be like "3 of 5", not {format_value(raw)}')
    count, of = map(int, found.groups())
    if of > MOST_COUNTED:
        raise MistakeError(
            f"must count at most the last {MOST_COUNTED} readings, not {format_value(raw)}"
        )
    if not 1 <= count <= of:
        remedy = "at least 1" if count < 1 else f"no more than the {of} that are counted"
        raise MistakeError(f"must ask for {remedy}, not {format_value(raw)}")
    return AtLeast(count, of)


def time_of_day(raw: object) -> str:
    if not isinstance(raw, str) or not _TIME_OF_DAY.fullmatch(raw):
        raise MistakeError(f'must be times from "00:00" to "24:00", not {format_value(raw)}')
    return raw


def days(raw: object) -> tuple[str, ...]:
    found = list_of(one_of(DAYS))(raw)
    if not found:
        raise MistakeError("names no day; leave it out for every day")
    return found


def between(raw: object) -> tuple[str, ...]:
    times = list_of(time_of_day)(raw)
    if len(times) != 2 or times[0] == times[1]:
        raise MistakeError(
            'must be two different times such as ["23:00", "07:00"]; a whole day is ["00:00",'
            ' "24:00"]'
        )
    if times[0] == "24:00":
        raise MistakeError(
            'must not begin with "24:00"; write "00:00", and in days the day that then begins'
        )
    return times


def cron(raw: object) -> str:
    if not isinstance(raw, str) or not _CRON.fullmatch(raw):
        raise MistakeError(f'must be five fields such as "0 8 * * *", not {format_value(raw)}')
    return raw


def expression(raw: object) -> Condition:
    """A condition. A mistake is reported with the text and a caret under the character."""
    try:
        return parse_condition(text(raw))
    except ExpressionError as error:
        caret = "\n".join(f"    {line}" for line in error.caret().splitlines())
        raise MistakeError(f"{error.message}\n{caret}") from None


def summary(raw: object) -> str:
    """A template for the text about an alert in messages."""
    template = text(raw)
    wrong = template_problem(template)
    if wrong is not None:
        raise MistakeError(wrong)
    return template


def unit(raw: object) -> str:
    word = text(raw)
    if len(word) > MAX_UNIT or word != word.strip() or not word.isprintable():
        known = f'a word of at most {MAX_UNIT} characters such as "USDT"'
        raise MistakeError(f"must be {known}, not {format_value(raw)}")
    return word


def flag(raw: object) -> bool:
    if not isinstance(raw, bool):
        raise MistakeError(f"must be true or false, without quotes, not {format_value(raw)}")
    return raw


def zone(raw: object) -> ZoneInfo:
    if len(text(raw)) > MAX_ZONE:
        raise MistakeError(
            f"has {len(text(raw)):,} characters; no time zone has more than {MAX_ZONE}"
        )
    try:
        return ZoneInfo(text(raw))
    except (KeyError, OSError, ValueError):
        raise MistakeError(
            f"no such time zone as {format_value(raw)}; {zones.remedy(str(raw))}"
        ) from None


def system_zone_works() -> bool:
    """Whether times can be shown in the system's zone: TZ may name one more than a day away."""
    try:
        datetime.fromtimestamp(0, UTC).astimezone()
    except (ValueError, OverflowError, OSError):
        return False
    return True


def web(raw: object) -> Web:
    host, _, port = text(raw).rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise MistakeError(
            f'must be HOST:PORT such as "127.0.0.1:8787", or "" for off, not {format_value(raw)}'
        )
    return Web(host.removeprefix("[").removesuffix("]"), int(port))


def url(*schemes: str) -> Callable[[object], str]:
    """A parser of addresses with one of these schemes and a host; never shown: it may be secret."""

    def address(raw: object) -> str:
        if "@" in hidden(raw):
            raise MistakeError("must not hold a user or password")
        parts = _split(hidden(raw))
        if parts is None or parts.scheme not in schemes or not parts.hostname:
            raise MistakeError(f'must be an address that begins with "{schemes[0]}://"')
        return hidden(raw)

    return address


def heartbeat(raw: object) -> str:
    """The address of a monitor, with a token: plain http only to this machine (promise 9)."""
    address = uncut(hidden(raw))
    found = addresses.flaw(address, "https", token=True)
    if found is not None:
        raise MistakeError(_HEARTBEAT[found])
    return address


_HEARTBEAT = {
    Flaw.CHARACTER: "holds a space or a character that no address has; copy the address again",
    Flaw.SCHEME: 'must be an address that begins with "https://"',
    Flaw.LOGIN: (
        "holds a user or password in plain http, or with a character that must be percent-encoded;"
        " correct it"
    ),
    Flaw.PLACE: "names no host that every library reads in the same way; write https://HOST/…",
    Flaw.TAIL: "must end before any #, as nothing behind it is ever sent",
    Flaw.PLAIN: "plain http shows the address to everyone on the way; write https",
}


def uncut(address: str) -> str:
    """The address, if no character in its user or password ends them early.

    Otherwise the rest of the password would be read as the host.
    """
    if is_cut(address):
        raise MistakeError(
            "holds a second @, or a / ? # in front of the @: in a user or password write @ as %40,"
            " / as %2F, ? as %3F, # as %23, or put the password into {file:PATH}"
        )
    return address


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018  a bad port is found only when it is asked for
    except ValueError:
        return None
    return parts
