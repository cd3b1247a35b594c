"""Logs an account's first judged reading after a start: a person sees that it is watched."""

import logging
from collections.abc import Mapping
from decimal import Decimal

from daemon.log import IN_SENTENCE
from daemon.readings.fields import CORE, VALUES
from daemon.rules.evaluation.nearest import NearestRule, nearest_rule
from daemon.rules.rule import Rule
from daemon.text.numbers import format_amount, rough
from daemon.types import JUDGED, AccountState, Input, Reading, State, base

_log = logging.getLogger("marginwatch")


class FirstReading:
    """Waits for the first reading of one account, which `rules` watch."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._rules = rules
        self._logged = False

    def adopt(self, event: Input, state: AccountState) -> None:
        """Log the first judged reading, given the state after it."""
        if self._logged or not isinstance(event, Reading) or event.quality not in JUDGED:
            return
        self._logged = True
        firing = {base(each.rule) for each in state.alerts.values() if each.state is State.FIRING}
        nearest = nearest_rule(self._rules.values(), event.balances, firing)
        margin = VALUES[CORE[0]](event.balances)
        shown = "unknown" if margin is None else format_amount(rough(margin))
        told = "" if nearest is None else f", {nearest}"
        _log.info(
            "%s",
            f"{state.account}: {CORE[0]} {shown}{told}",
            extra={IN_SENTENCE: {"account": state.account, **_fields(margin, nearest)}},
        )


def _fields(margin: Decimal | None, nearest: NearestRule | None) -> dict[str, object]:
    """The same for programs, named as in `status --json`, with all digits."""
    if nearest is None:
        return {"field": CORE[0], "value": _digits(margin)}
    distance = nearest.distance
    return {
        "field": distance.field,
        "value": _digits(distance.value),
        "rule": nearest.rule,
        "fires": nearest.fires,
        "limit": _digits(distance.limit),
        "distance": _digits(distance.left),
    }


def _digits(value: Decimal | None) -> str | None:
    """All digits, without trailing zeros."""
    text = "" if value is None else format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or None
