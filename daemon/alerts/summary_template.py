"""Summary templates of rules: `summary = "margin {available_margin:.2f} USDT"`. Pure.

A name in braces is a field as it is now, or a word about the alert. A number format may follow
after a colon. `problem` finds every mistake before anything fires. If a value is unknown when the
alert fires, the message says so and uses its own words instead.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from string import Formatter

from daemon.readings.fields import AGE, VALUES, find_field
from daemon.readings.similar_fields import similar_field
from daemon.text.numbers import format_duration, format_rounded
from daemon.text.printable import one_line
from daemon.types import NoticeKey, NotificationFacts, base

LONGEST = 500
"""Maximum length of a template; the filled text is cut after `SHOWN` characters."""

SHOWN = 200

EXAMPLE = 'such as "margin {available_margin:.2f} USDT"'

_NUMBER = re.compile(r"\+?,?(?:(?:\.\d{1,2})?[f%])?")
"""Number format after the colon: sign, thousands, and decimals or a percentage."""

_ABOUT: Mapping[str, Callable[[NoticeKey, NotificationFacts], str]] = {
    "rule": lambda key, _: base(key.rule),
    "account": lambda key, _: key.account,
    "severity": lambda _, facts: facts.severity.value,
    "id": lambda _, facts: facts.code,
    "firing_for": lambda _, facts: format_duration(facts.at - (facts.fired_at or facts.since)),
}
"""Words about the alert, by name."""

_JUDGED = ("value", "threshold", "worst")
"""Numbers of the judged comparison, which may be durations."""

NAMES = (*VALUES, *_JUDGED, *_ABOUT)
"""All names that may stand in braces."""


class UnknownError(Exception):
    """Error: a value is unknown at present. The message is its name."""


def template_problem(template: str) -> str | None:
    """Mistake in a template, as the rest of the sentence "summary …"; None if it is correct."""
    if len(template) > LONGEST:
        return (
            f"has {len(template):,} characters; {LONGEST} are read by nobody at night, write less"
        )
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        return (
            f"has a brace without its other one: names stand in braces, {EXAMPLE}; {{{{ is a brace"
            " itself"
        )
    return next(
        (
            said
            for _, name, spec, turn in parts
            if name is not None and (said := _wrong(name, spec, turn))
        ),
        None,
    )


def _wrong(name: str, spec: str | None, turn: str | None) -> str | None:
    if turn or (spec and not _NUMBER.fullmatch(spec)):
        return (
            f"has {{{name}…}} with something that is no way to write a number; there are :.2f,"
            " :,.0f, :+.2f and :.1%"
        )
    if _meant(name) is None:
        near = get_close_matches(name, (*_JUDGED, *_ABOUT), 1)
        similar = near[0] if near else similar_field(name, VALUES)
        known = f"did you mean {{{similar}}}?" if similar else f"there are {', '.join(NAMES)}"
        return f"names {{{name}}}, which there is not; {known}"
    if spec and _meant(name) in _ABOUT:
        return f"has {{{name}:{spec}}}, but that is a text: write {{{name}}}"
    return None


def _meant(name: str) -> str | None:
    """Our own name for a name in a template; None if there is none."""
    field = find_field(name)
    meant = name if field is None else field
    return meant if meant in NAMES and meant != AGE else None


def fill_template(template: str, key: NoticeKey, facts: NotificationFacts) -> tuple[str, str]:
    """Filled text, and the reason why there is none. One of the two is empty."""
    try:
        text = "".join(
            literal + ("" if name is None else _value(name, spec or "", key, facts))
            for literal, name, spec, _ in Formatter().parse(template)
        )
    except UnknownError as error:
        return "", f"{error} is unknown"
    return one_line(text, SHOWN), ""


def _value(name: str, spec: str, key: NoticeKey, facts: NotificationFacts) -> str:
    meant = _meant(name)
    if meant is None:  # another version checked it and knew this name
        raise UnknownError(name)
    if meant in _ABOUT:
        return _ABOUT[meant](key, facts)
    judged = None if meant in VALUES else facts.judged
    value = VALUES[meant](facts.balances) if meant in VALUES else _of_judged(meant, facts)
    if value is None:
        raise UnknownError(name)
    lasts = judged is not None and judged.duration
    return (
        format_rounded(value, judged, _compared_with(meant, facts))
        if lasts or not spec or not value.is_finite()
        else format(value, spec)
    )


def _compared_with(name: str, facts: NotificationFacts) -> Decimal | None:
    judged = facts.judged
    if judged is None or (name in VALUES and name != judged.field):
        return None
    return judged.value if name == "threshold" else judged.threshold


def _of_judged(name: str, facts: NotificationFacts) -> Decimal | None:
    if name == "worst":
        return facts.worst
    if facts.judged is None:
        return None
    return facts.judged.value if name == "value" else facts.judged.threshold
