"""What the daemon says on stderr: lines for people or for machines, never a secret, no failure twice.

Three parts: `Redactor` blanks every known secret in a finished line, tracebacks and third-party loggers included;
`setup` puts one handler on the root logger; `Episodes` logs a failure when it begins and when it ends. Fields of a
line are the `extra` of the standard library: `log.info("polled", extra={"account": name})`. Nothing here knows
what is logged, and nothing here reads the clock.
"""

import base64
import html
import json
import logging
import re
import traceback
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TextIO, TypeAlias
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import msgspec

from daemon.clock import Clock
from daemon.text.printable import printable, printable_json
from daemon.types import HOUR, MINUTE, SECOND, Millis

Style: TypeAlias = Literal["auto", "human", "json"]
"""`auto` is `human`; the name is kept so that a command line can say "whatever suits"."""

BLANK = "***"

SHORTEST_SECRET = 4
"""Shorter texts are not blanked: they protect nothing, and blanking them would make every line unreadable."""

SHORTEST_BASE64 = 8
"""Characters of base64 that must be a secret's own before they are blanked."""

CAPPED = ("aiohttp", "alembic", "apprise", "apscheduler", "asyncio", "mail", "requests", "sqlalchemy", "urllib3")
"""Third-party loggers that speak from WARNING on, whatever our own level: below, some print tokens."""

SCHEDULER = "apscheduler.scheduler"
"""Warns of each slot that found its account busy, which `service.schedule` tells once."""

INDENT = "    "
"""Begins each line of a traceback: none can pass for a line of the log, whatever an error's text holds."""

_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class Redactor:
    """Blanks known secrets in any text, in each form in which they are commonly written.

    The forms: as it is, percent-encoded and decoded, escaped as in JSON, `repr` and HTML, and inside base64
    (an Authorization header). Secrets shorter than four characters are ignored.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._pattern = re.compile("(?!)")
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Blank these too, from the next line on."""
        before = len(self._forms)
        self._forms.update(form for secret in secrets for form in _forms(secret))
        if len(self._forms) > before:
            self._pattern = re.compile("|".join(map(re.escape, self.forms)))

    @property
    def forms(self) -> tuple[str, ...]:
        """Every text that is blanked, the longest first."""
        return tuple(sorted(self._forms, key=lambda form: (-len(form), form)))

    def redact(self, text: str) -> str:
        """The text without any secret. Repeated, because a blank may complete another secret."""
        while self._pattern.search(text):
            text = self._pattern.sub(BLANK, text)
        return text


def _forms(secret: str) -> Iterator[str]:
    """Every text by which a secret may appear in a line, none shorter than a secret."""
    lines = [line.strip() for line in secret.splitlines()]
    spoken = {secret, secret.strip(), *(line for line in lines if len(line) >= SHORTEST_BASE64)}
    spoken |= {unquote(text) for text in spoken} | {unquote_plus(text) for text in spoken}
    for text in spoken:
        if len(text.strip()) >= SHORTEST_SECRET:
            yield text
            yield from (form for form in _written(text) if len(form) >= SHORTEST_SECRET)
            yield from (form for form in _base64(text) if len(form) >= SHORTEST_BASE64)


def _written(text: str) -> Iterator[str]:
    for encoded in (
        quote(text, safe="", errors="replace"),
        quote(text, errors="replace"),
        quote_plus(text, errors="replace"),
    ):
        yield encoded
        yield re.sub("%..", lambda found: found.group().lower(), encoded)
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield repr(text)[1:-1]
    yield printable(text)
    yield printable_json(json.dumps(text, ensure_ascii=False))[1:-1]
    yield html.escape(text)


def _base64(text: str) -> Iterator[str]:
    """What of a text's base64 does not depend on its neighbours, at each of the three alignments."""
    data = text.encode(errors="replace")
    for before in range(3):
        end = (before + len(data)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(b"\0" * before + data).decode()[(0, 2, 3)[before] : end]


class _Formatter(logging.Formatter, ABC):
    """What both styles share: the values are cleaned before they are laid out, the finished line once more."""

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

    def trace(self, record: logging.LogRecord) -> str:
        """The traceback, if the record carries one; never cached on the record, which others may print."""
        if not record.exc_info or record.exc_info[1] is None:
            return ""
        return self.clean("".join(traceback.format_exception(record.exc_info[1])).rstrip())


class _Human(_Formatter):
    """`12:00:07 warning no answer account=main reason=timeout`; with date and offset away from a terminal."""

    def __init__(self, redactor: Redactor, time_format: str) -> None:
        super().__init__(redactor)
        self._time_format = time_format

    def line(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).astimezone()
        words = [at.strftime(self._time_format)]
        if record.levelno != logging.INFO:
            words.append(record.levelname.lower())
        words.append(printable(self.clean(record.getMessage())))
        words += [f"{key}={self._value(value)}" for key, value in fields(record).items()]
        trace = self.trace(record)
        return " ".join(words) + "".join(f"\n{INDENT}{printable(line)}" for line in trace.split("\n") if trace)

    def _value(self, value: object) -> str:
        text = printable(self.clean(value))
        plain = text and not re.search(r'[\s"=]', text)
        return text if plain else json.dumps(text, ensure_ascii=False)


class _Json(_Formatter):
    """One object a line: `time` (ISO 8601), `level`, `logger`, `message`, the fields, `traceback` if there is one."""

    def line(self, record: logging.LogRecord) -> str:
        said: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.clean(record.getMessage()),
        }
        for key, value in fields(record).items():
            said[f"{key}_" if key in said else key] = self._value(value)
        trace = self.trace(record)
        return printable_json(msgspec.json.encode(said | ({"traceback": trace} if trace else {})).decode())

    def _value(self, value: object) -> object:
        """Numbers stay numbers, floats and decimals become the digits as they are written."""
        return value if value is None or isinstance(value, bool | int) else self.clean(value)


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """The `extra` of a record, in the order given."""
    return {key: value for key, value in record.__dict__.items() if key not in _OWN}


class _Handler(logging.StreamHandler[TextIO]):
    """Writes to the stream. A line that cannot be formatted or written never stops the daemon, nor shows itself raw."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name of the standard library
        try:
            self.stream.write(f"a log line of {printable(record.name)}:{record.lineno} could not be written\n")
        except (OSError, ValueError):
            return


def setup(stream: TextIO, *, style: Style = "auto", level: str = "info", redactor: Redactor) -> logging.Handler:
    """Log everything to one stream, once; a second call replaces the first.

    `level` is `debug`, `info`, `warning` or `error`. Third-party loggers are capped at WARNING at every level, and
    Python's own warnings become log lines.
    """
    handler = _Handler(stream)
    handler.setFormatter(_formatter(stream, style, redactor))
    handler.setLevel(level.upper())
    root = logging.getLogger()
    for former in [known for known in root.handlers if isinstance(known, _Handler)]:
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in CAPPED:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger(SCHEDULER).setLevel(logging.ERROR)
    logging.captureWarnings(capture=True)
    return handler


def _formatter(stream: TextIO, style: Style, redactor: Redactor) -> logging.Formatter:
    if style == "json":
        return _Json(redactor)
    return _Human(redactor, "%H:%M:%S" if stream.isatty() else "%Y-%m-%d %H:%M:%S%z")


@dataclass(slots=True)
class _Episode:
    since: Millis
    failures: int = 0
    reasons: set[str] = field(default_factory=set)


class Episodes:
    """The same failure is logged once, and its end once.

    A failure is known by its key (say, `("poll", account)`). Within an episode each `reason` is logged once: let it
    be a class (`timeout`), not a text that differs each time.
    """

    def __init__(self, logger: logging.Logger, clock: Clock) -> None:
        self._logger = logger
        self._clock = clock
        self._open: dict[Hashable, _Episode] = {}

    def failed(self, key: Hashable, message: str, *, reason: str = "", **extra: object) -> None:
        """It failed, again or for the first time."""
        episode = self._open.setdefault(key, _Episode(since=self._clock.elapsed()))
        episode.failures += 1
        if reason in episode.reasons:
            return
        episode.reasons.add(reason)
        named = {"reason": reason} if reason else {}
        self._logger.warning("%s", message, extra=named | extra)

    def ended(self, key: Hashable, message: str, **extra: object) -> None:
        """It works: logged only if it had failed, with how long that lasted and how often."""
        episode = self._open.pop(key, None)
        if episode is not None:
            lasted = _duration(self._clock.elapsed() - episode.since)
            self._logger.info("%s", message, extra={"lasted": lasted, "failures": episode.failures, **extra})


def _duration(span: Millis) -> str:
    """As durations are written in rules.toml, in its two largest units: `250ms 42s 1m30s 2h5m`."""
    if span < SECOND:
        return f"{span}ms"
    units = (("h", HOUR), ("m", MINUTE), ("s", SECOND))
    parts = []
    for name, size in units:
        count, span = divmod(span, size)
        if count:
            parts.append(f"{count}{name}")
    return "".join(parts[:2])
