"""Parsers of the answers of `init`; each raises MistakeError for a bad one."""

import re
from decimal import Decimal, InvalidOperation

from daemon import notifiers
from daemon.cli.setup.secret_file import checked_secret
from daemon.config import secret_references
from daemon.config.parse import values
from daemon.config.problems import MistakeError, did_you_mean, format_value
from daemon.config.secret_references import Surroundings
from daemon.errors import MarginwatchError

NONE = "none"
"""The answer that declines what is proposed."""

TYPED = "type"
"""The answer that asks for a hidden prompt."""

_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+|credential:[^/]+")
_PLACE = re.compile(r"\{(env:[A-Za-z_][A-Za-z0-9_]*|file:[^{}]+|credential:[^/{}]+)\}")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_LARGEST = Decimal("1e12")


def where(answer: object) -> str:
    """A reference to a key, or `type`."""
    text = str(answer)
    if text != TYPED and not _REFERENCE.fullmatch(text):
        raise MistakeError("write env:NAME, file:PATH, credential:NAME, or type")
    return text


def typed(around: Surroundings, answer: object) -> str:
    """A key itself, which must not be taken for a reference."""
    try:
        text = checked_secret(values.secret(answer))
    except MarginwatchError as error:
        raise MistakeError(str(error)) from None
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


def first_channel(around: Surroundings, answer: object) -> str:
    """The address of a channel: without any, nobody would be told."""
    if not answer:
        raise MistakeError(
            "without a channel nobody is told, and check refuses the file; give one address"
        )
    return channel(around, answer)


def loud(names: tuple[str, ...], answer: object) -> frozenset[str]:
    """The names of channels that may ring at night; `none` is none."""
    if answer == NONE:
        return frozenset()
    chosen = [each.strip() for each in str(answer).split(",") if each.strip()]
    for name in chosen:
        if name not in names:
            near = did_you_mean(name, names) or f"; there are {', '.join(names)}"
            raise MistakeError(f"there is no channel {format_value(name)}{near}")
    return frozenset(chosen)


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


def time_of_day(answer: object) -> str:
    """A time such as 08:00; `none` is nothing."""
    if answer != NONE and not _TIME.fullmatch(str(answer)):
        raise MistakeError("write a time such as 08:00, or none")
    return "" if answer == NONE else str(answer)
