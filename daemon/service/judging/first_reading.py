"""Logs an account's first judged reading after a start: a person sees that it is watched."""

import logging
from collections.abc import Mapping

from daemon.readings.fields import CORE, VALUES
from daemon.rules.evaluation.nearest import nearest_rule
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
        _log.info("%s", first_reading_text(event, state, self._rules))


def first_reading_text(event: Reading, state: AccountState, rules: Mapping[str, Rule]) -> str:
    """The sentence: the margin, and the rule that is nearest to firing."""
    margin = VALUES[CORE[0]](event.balances)
    shown = "unknown" if margin is None else format_amount(rough(margin))
    firing = {base(each.rule) for each in state.alerts.values() if each.state is State.FIRING}
    nearest = nearest_rule(rules.values(), event.balances, firing)
    told = "" if nearest is None else f", {nearest}"
    return f"{state.account}: {CORE[0]} {shown}{told}"
