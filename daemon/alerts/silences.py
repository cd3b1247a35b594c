"""Silences of rules, accounts or single alerts, and acknowledged alerts. Pure."""

from collections.abc import Container, Iterable, Sequence
from fnmatch import fnmatchcase

from daemon.types import Millis, Silence, base

NO_SILENCES: Sequence[Silence] = ()


def unexpired_silences(silences: Iterable[Silence], at: Millis) -> tuple[Silence, ...]:
    """Silences that are in force at `at`, or begin later."""
    return tuple(each for each in silences if each.ended_at is None or each.ended_at > at)


def standing_silences(
    silences: Iterable[Silence], codes: Container[str], at: Millis
) -> list[Silence]:
    """Unexpired silences; one of a single alert stands while the alert is open, as `codes` say."""
    return [
        each for each in unexpired_silences(silences, at) if not each.code or each.code in codes
    ]


def find_silence(
    silences: Iterable[Silence], rule: str, account: str, code: str, at: Millis
) -> Silence | None:
    """Silence in force for this alert at `at`; of several, the one that lasts longest."""
    ours = [
        each
        for each in silences
        if not each.ack and each.holds(at) and matches(each, rule, account, code)
    ]
    return max(ours, key=lambda each: (each.ended_at is None, each.ended_at or 0), default=None)


def find_acknowledgement(silences: Iterable[Silence], code: str, at: Millis) -> Silence | None:
    """Acknowledgement of this alert in force at `at`."""
    return next(
        (each for each in silences if each.ack and each.code == code and each.holds(at)), None
    )


def matches(silence: Silence, rule: str, account: str, code: str) -> bool:
    """Check whether the silence is about this alert. Flapping goes by the rule's plain name."""
    if silence.code:
        return silence.code == code
    return fnmatchcase(base(rule), silence.rule) and fnmatchcase(account, silence.account)
