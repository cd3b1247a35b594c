"""What people asked not to be told: silences of rules and accounts, or of one alert, and
acknowledged alerts. Pure.
"""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from daemon.types import Millis, Silence, base

NO_SILENCES: Sequence[Silence] = ()


def lasting(silences: Iterable[Silence], at: Millis) -> tuple[Silence, ...]:
    """Those that hold at `at`, or will."""
    return tuple(each for each in silences if each.ended_at is None or each.ended_at > at)


def silenced(
    silences: Iterable[Silence], rule: str, account: str, code: str, at: Millis
) -> Silence | None:
    """The silence that holds news of this alert back at `at`; of several the one that lasts
    longest.
    """
    ours = [
        each
        for each in silences
        if not each.ack and each.holds(at) and matches(each, rule, account, code)
    ]
    return max(ours, key=lambda each: (each.ended_at is None, each.ended_at or 0), default=None)


def acknowledged(silences: Iterable[Silence], code: str, at: Millis) -> Silence | None:
    """The word that somebody knows of this alert."""
    return next(
        (each for each in silences if each.ack and each.code == code and each.holds(at)), None
    )


def matches(silence: Silence, rule: str, account: str, code: str) -> bool:
    """Whether it is about this alert; one that tells of a rule's flapping goes by the rule's
    name.
    """
    if silence.code:
        return silence.code == code
    return fnmatchcase(base(rule), silence.rule) and fnmatchcase(account, silence.account)
