"""The questions of `marginwatch init`, answered on a terminal or from a pipe.

Each answer is checked at once. Nothing is written here; `daemon.config` makes rules.toml of the
answers.
"""

import re
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import TypeVar

import click

from daemon import notifiers
from daemon.cli.output.terminal import STDOUT, echo
from daemon.config import Answers, ChannelAnswer, new_config, secret_references
from daemon.config.parse import values
from daemon.config.problems import MistakeError
from daemon.config.secret_references import Surroundings
from daemon.errors import MarginwatchError
from daemon.hidden import HiddenMapping
from daemon.text.printable import printable

T = TypeVar("T")

TYPED = "type"
"""The answer that asks for a hidden prompt."""

_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+|credential:[^/]+")
_PLACE = re.compile(r"\{(env:[A-Za-z_][A-Za-z0-9_]*|file:[^{}]+|credential:[^/{}]+)\}")
_NAMES = {"tgram": "telegram", "mailto": "email", "mailtos": "email"}
_LARGEST = Decimal("1e12")

_ABOUT_KEYS = (
    "\nWhere are its keys? env:NAME, file:PATH or credential:NAME; or `type`, to type one in,"
    " hidden.\n"
)
_ABOUT_CHANNELS = """
How can you be reached? \
Any address that Apprise knows (https://appriseit.com/services/), for instance
  tgram://{env:TELEGRAM_TOKEN}/{env:TELEGRAM_CHAT}
  mailtos://{env:SMTP_USER}:{env:SMTP_PASSWORD}@smtp.example.com?to=you@example.com
Best give two of different kinds: one may fail. An empty answer ends the list.
"""
_ABOUT_HEARTBEAT = (
    "\nA daemon that is down warns nobody; a monitor does whose address it fetches while all is"
    " well.\n"
)


def ask(environ: Mapping[str, str], path: Path) -> str:
    """The text of a rules.toml that will stand at `path`.

    Raises:
        MarginwatchError: when the answers end before the questions do.

    """
    try:
        return new_config(_answers(Surroundings(HiddenMapping(environ), path.absolute().parent)))
    except click.Abort as abort:
        if isinstance(abort.__context__, EOFError):
            raise MarginwatchError(
                "the answers ended before the questions did: nothing is written"
            ) from None
        raise


def _answers(around: Surroundings) -> Answers:
    account = _asked("Name of the account", values.name, "main")
    STDOUT.write(_ABOUT_KEYS)
    api_key = _key("API key", "env:COINW_API_KEY", around)
    secret_key = _key("Secret key", "env:COINW_SECRET_KEY", around)
    STDOUT.write(_ABOUT_CHANNELS)
    channels = _channels(around)
    echo()
    warning = _asked("Warn when available_margin falls below, in USDT", amount, "100")
    critical = _asked("Critical below", partial(below, warning), f"{warning / 2:f}")
    timezone = _asked(
        "Time zone of messages, such as Europe/Berlin; empty is the system's", zone, ""
    )
    heartbeat = _heartbeat(around)
    return Answers(account, api_key, secret_key, channels, warning, critical, timezone, heartbeat)


def _asked(
    question: str, meant: Callable[[object], T], default: str | None, *, hidden: bool = False
) -> T:
    """Ask until the answer is valid."""

    def checked(answer: str) -> T:
        try:
            return meant(answer.strip())
        except MistakeError as mistake:
            raise click.UsageError(printable(str(mistake))) from None

    hide = hidden and sys.stdin.isatty()
    answer: T = click.prompt(
        question, default, value_proc=checked, show_default=bool(default), hide_input=hide
    )
    return answer


def _key(question: str, default: str, around: Surroundings) -> str:
    answer = _asked(question, where, default)
    if answer == TYPED:
        return _asked(f"{question}, typed", partial(typed, around), None, hidden=True)
    _note(lambda: secret_references.key(answer, around))
    return answer


def _channels(around: Surroundings) -> tuple[ChannelAnswer, ...]:
    found: list[ChannelAnswer] = []
    while url := _asked(f"Channel {len(found) + 1}", partial(channel, around), ""):
        _note(lambda: secret_references.url(url, around))
        found.append(ChannelAnswer(_named(url, {each.name for each in found}), url))
    return tuple(found)


def _heartbeat(around: Surroundings) -> str:
    STDOUT.write(_ABOUT_HEARTBEAT)
    url = _asked(
        "Heartbeat, such as https://hc-ping.com/your-uuid; empty is none",
        partial(monitor, around),
        "",
    )
    if url:
        _note(lambda: secret_references.url(url, around))
    return url


def _named(url: str, taken: set[str]) -> str:
    """A free name for the channel, after its service."""
    scheme = url.partition("://")[0]
    plain = scheme if scheme.isalnum() and scheme != url else "channel"
    name = _NAMES.get(plain, plain)
    return next(
        each for each in (name, *(f"{name}-{n}" for n in range(2, 99))) if each not in taken
    )


def _note(look_up: Callable[[], object]) -> None:
    """Print a remark if a reference cannot be resolved yet; it may be when the daemon starts."""
    try:
        look_up()
    except MistakeError as mistake:
        echo(f"  noted, but for now {mistake}")


# Parsers of answers; each raises MistakeError for a bad one.


def where(answer: object) -> str:
    """A reference to a key, or `type`."""
    text = str(answer)
    if text != TYPED and not _REFERENCE.fullmatch(text):
        raise MistakeError("write env:NAME, file:PATH, credential:NAME, or type")
    return text


def typed(around: Surroundings, answer: object) -> str:
    """A key itself, which must not be taken for a reference."""
    text = values.secret(answer)
    if secret_references.is_reference(text):
        raise MistakeError("this is a reference, not a key")
    return secret_references.key(text, around).text.reveal()


def channel(around: Surroundings, answer: object) -> str:
    """The address of a channel, or nothing; checked by Apprise if its references resolve."""
    text = str(answer)
    address = _put_together(text, around) if text else ""
    problem = notifiers.problem(address) if address else None
    if problem is not None:
        raise MistakeError(problem)
    return text


def monitor(around: Surroundings, answer: object) -> str:
    """The address of the heartbeat, or nothing; checked if its references resolve."""
    text = str(answer)
    if text and (address := _put_together(text, around)):
        values.heartbeat(address)
    return text


def _put_together(text: str, around: Surroundings) -> str:
    """The address with its references resolved; empty where one cannot be resolved yet."""
    try:
        return secret_references.url(text, around).text.reveal()
    except MistakeError:
        if _REFERENCE.fullmatch(text) or _PLACE.search(text):
            return ""
        raise


def amount(answer: object) -> Decimal:
    """A level in USDT."""
    try:
        level = Decimal(str(answer))
    except InvalidOperation:
        raise MistakeError("write a number such as 100 or 99.5") from None
    if not level.is_finite() or not 0 < level < _LARGEST:
        raise MistakeError("write a number above 0, in USDT")
    return level


def below(warning: Decimal, answer: object) -> Decimal:
    """The critical level, which must be below that of the warning."""
    level = amount(answer)
    if level >= warning:
        raise MistakeError(f"must be below the level of the warning, {warning:f}")
    return level


def zone(answer: object) -> str:
    """A time zone by its name, or nothing."""
    return str(values.zone(answer)) if answer else ""
