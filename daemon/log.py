"""Log lines on stderr, for people or for machines: never a secret, and no failure twice.

Every known secret in a finished line is blanked, tracebacks included (`daemon.redaction`). `setup`
puts one handler on the root logger; it takes lines of a library only from its level on.
`FailureLog` logs a failure when it begins and when it ends. Fields of a line are the `extra` of the
standard library: `log.info("polled", extra={"account": name})`. Fields that the sentence has in its
own words are only for json: `extra={IN_SENTENCE: {"seconds": 5}}`. This module knows no subject of
its lines and does not read the clock.
"""

import json
import logging
import re
import traceback
from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal, TextIO, TypeAlias

import msgspec

from daemon.clock import Clock
from daemon.redaction import Redactor, without_addresses
from daemon.text.printable import printable, printable_json
from daemon.types import HOUR, MINUTE, SECOND, Millis

Style: TypeAlias = Literal["auto", "human", "json"]
"""`auto` chooses by itself, as `human`; the name lets a command line say so."""

OWN = frozenset({"daemon", "marginwatch"})
"""The first part of our own loggers' names: they log from the requested level."""

UNHEARD = logging.CRITICAL + 1

LIBRARIES: Mapping[str, int] = {
    "aiohttp": logging.WARNING,
    "alembic": logging.WARNING,
    "apscheduler": logging.WARNING,
    "apscheduler.scheduler": (logging.ERROR),  # it warns of busy slots, which `service` reports
    "asyncio": logging.WARNING,
    "py.warnings": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    # These log the addresses that they call, which are tokens. The caller logs the result.
    "apprise": UNHEARD,
    "charset_normalizer": UNHEARD,
    "http": UNHEARD,
    "oauthlib": UNHEARD,
    "requests": UNHEARD,
    "requests_oauthlib": UNHEARD,
    "smtplib": UNHEARD,
    "urllib3": UNHEARD,
}
"""Loggers of libraries and their fixed lowest levels: below, some print tokens.

Others log from WARNING on, without tracebacks.
"""

INDENT = "    "
"""Prefix of each traceback line, so that no error text can imitate a log line."""

IN_SENTENCE = "in_sentence"
"""Key of an `extra`: a mapping of the fields that people read in the sentence."""

_NAME = re.compile(r"[^\W\d_][\w-]{2,}")
"""Matches names of rules, accounts and channels."""

_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class _Formatter(logging.Formatter, ABC):
    """Base of both styles: cleans the values before the layout, and the finished line again."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.redact(self.line(record))

    @abstractmethod
    def line(self, record: logging.LogRecord) -> str:
        """The record laid out, its values cleaned."""

    def clean(self, value: object) -> str:
        return self._redactor.redact(str(value))

    def message(self, record: logging.LogRecord) -> str:
        """The sentence of a record. A library's shows no address: any part may be a token."""
        said = self.clean(record.getMessage())
        return said if _root(record.name) in OWN else without_addresses(said)

    def trace(self, record: logging.LogRecord) -> str:
        """The traceback of the record, if any; never cached on the record, which others may print.

        For an unknown library it is only the name of its exception.
        """
        if not record.exc_info or record.exc_info[1] is None:
            return ""
        error = record.exc_info[1]
        if _root(record.name) not in OWN and _level(record.name) is None:
            return type(error).__name__
        return without_addresses(self.clean("".join(traceback.format_exception(error)).rstrip()))


class _Human(_Formatter):
    """A line `12:00:07 warning no answer account=main`; with date and offset off a terminal."""

    def __init__(self, redactor: Redactor, time_format: str) -> None:
        super().__init__(redactor)
        self._time_format = time_format
        self.zone: tzinfo | None = None

    def line(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).astimezone(self.zone)
        words = [at.strftime(self._time_format)]
        if record.levelno != logging.INFO:
            words.append(record.levelname.lower())
        sentence = self.message(record)
        words.append(printable(sentence))
        words += [
            f"{key}={self._value(value)}"
            for key, value in fields(record).items()
            if not _says(sentence, value)
        ]
        trace = self.trace(record)
        return " ".join(words) + "".join(
            f"\n{INDENT}{printable(line)}" for line in trace.split("\n") if trace
        )

    def _value(self, value: object) -> str:
        text = printable(self.clean(value))
        plain = text and not re.search(r'[\s"=]', text)
        return text if plain else json.dumps(text, ensure_ascii=False)


def _says(sentence: str, value: object) -> bool:
    """Whether a sentence has the name in the value already; numbers may mean something else."""
    if not isinstance(value, str) or _NAME.fullmatch(value) is None:
        return False
    return re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", sentence) is not None


class _JsonFormatter(_Formatter):
    """One object a line: `time` (ISO 8601), `level`, `logger`, `message`, fields, `traceback`."""

    def line(self, record: logging.LogRecord) -> str:
        said: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.message(record),
        }
        for key, value in (fields(record) | getattr(record, IN_SENTENCE, {})).items():
            said[f"{key}_" if key in said else key] = self._value(value)
        trace = self.trace(record)
        return printable_json(
            msgspec.json.encode(said | ({"traceback": trace} if trace else {})).decode()
        )

    def _value(self, value: object) -> object:
        """The value for JSON: integers stay numbers, floats and decimals become their digits.

        Instants are ISO 8601 with the offset that they have.
        """
        if isinstance(value, datetime):
            return value.isoformat(timespec="milliseconds")
        return value if value is None or isinstance(value, bool | int) else self.clean(value)


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """The `extra` of a record, in the order given, without what the sentence has."""
    return {
        key: value
        for key, value in record.__dict__.items()
        if key not in _OWN and key != IN_SENTENCE
    }


def _root(name: str) -> str:
    return name.partition(".")[0]


def _level(name: str) -> int | None:
    """The level from which a library is logged, by its longest listed name; None if unlisted."""
    while name not in LIBRARIES and "." in name:
        name = name.rpartition(".")[0]
    return LIBRARIES.get(name)


def _is_heard(record: logging.LogRecord) -> bool:
    """Whether a record may reach the log: a library's only from its own level on."""
    if _root(record.name) in OWN:
        return True
    least = _level(record.name)
    return record.levelno >= (logging.WARNING if least is None else least)


class LogHandler(logging.StreamHandler[TextIO]):
    """Writes to the stream. A line that fails to format or write is dropped; the daemon goes on."""

    def use_zone(self, zone: tzinfo | None) -> None:
        """Begin lines for people with the time in this zone from now on; None is the system's.

        So it is the zone of the times in their sentences. Lines of json stay in UTC.
        """
        if isinstance(self.formatter, _Human):
            self.formatter.zone = zone

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- of the library
        try:
            self.stream.write(
                f"a log line of {printable(record.name)}:{record.lineno} could not be written\n"
            )
        except (OSError, ValueError):
            return


def setup(
    stream: TextIO, *, style: Style = "auto", level: str = "info", redactor: Redactor
) -> LogHandler:
    """Log everything to one stream, once; a second call replaces the first.

    `level` is `debug`, `info`, `warning` or `error`. Libraries are heard as `LIBRARIES` says at
    every level, and Python's own warnings become log lines. Times are in the system's zone until
    `use_zone` names another one.
    """
    handler = LogHandler(stream)
    if style == "json":
        handler.setFormatter(_JsonFormatter(redactor))
    else:
        shown = "%H:%M:%S" if stream.isatty() else "%Y-%m-%d %H:%M:%S%z"
        handler.setFormatter(_Human(redactor, shown))
    handler.setLevel(level.upper())
    handler.addFilter(_is_heard)
    root = logging.getLogger()
    for former in [known for known in root.handlers if isinstance(known, LogHandler)]:
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in LIBRARIES:
        # They need not format lines that are dropped. Not higher: `notifiers` reads Apprise's
        # warnings itself.
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    return handler


@dataclass(slots=True)
class _Episode:
    since: Millis
    failures: int = 0
    reasons: set[str] = field(default_factory=set)


class FailureLog:
    """Logs the same failure once, and its end once.

    A failure is known by its key (say, `("poll", account)`). Within an episode each `reason` is
    logged once: let it be a class (`timeout`), not a text that differs each time.
    """

    def __init__(self, logger: logging.Logger, clock: Clock) -> None:
        self._logger = logger
        self._clock = clock
        self._open: dict[Hashable, _Episode] = {}

    def failed(self, key: Hashable, message: str, *, reason: str = "", **extra: object) -> None:
        """Note a failure, new or repeated."""
        episode = self._open.setdefault(key, _Episode(since=self._clock.elapsed()))
        episode.failures += 1
        if reason in episode.reasons:
            return
        episode.reasons.add(reason)
        named = {"reason": reason} if reason else {}
        self._logger.warning("%s", message, extra=named | extra)

    def ended(self, key: Hashable, message: str, **extra: object) -> None:
        """Note a success: logged only after a failure, with its duration and count."""
        episode = self._open.pop(key, None)
        if episode is not None:
            lasted = _duration(self._clock.elapsed() - episode.since)
            self._logger.info(
                "%s", message, extra={"lasted": lasted, "failures": episode.failures, **extra}
            )


def _duration(span: Millis) -> str:
    """The duration as in rules.toml, in its two largest units: `250ms 42s 1m30s 2h5m`."""
    if span < SECOND:
        return f"{span}ms"
    units = (("h", HOUR), ("m", MINUTE), ("s", SECOND))
    parts = []
    for name, size in units:
        count, span = divmod(span, size)
        if count:
            parts.append(f"{count}{name}")
    return "".join(parts[:2])
