"""A case in marginwatch: the replay session of `backtest`, with evaluator and alerts."""

from decimal import Decimal

from daemon.replay.session import ReplaySession, RuleSet
from daemon.rules.language.parse import parse_condition
from daemon.rules.rule import Rule
from daemon.types import AccountState, Balances, Miss, MissReason, Quality, Reading, Source, State
from tests.prometheus.case import MISS, Case, Known

LETTERS = {State.OK: ".", State.PENDING: "p", State.FIRING: "F", State.RESOLVED: "."}


def evaluate(case: Case) -> Known:
    """The case with our states, as its transitions tell them."""
    rule = Rule(
        case.name, parse_condition(case.when), hold=case.hold, keep_firing_for=case.keep_firing_for
    )
    player = ReplaySession(RuleSet([rule], ["phone"]), AccountState("main"))
    state, letters = State.OK, ""
    for event in events(case):
        for transition in player.play(event).transitions:
            if transition.rule == rule.name:  # another alert may tell of its flapping
                state = transition.to_state
        letters += MISS if isinstance(event, Miss) else LETTERS[state]
    return Known(case, letters)


def events(case: Case) -> list[Reading | Miss]:
    """The series as inputs of an account, one per evaluation."""
    return [_event(seq, seq * case.every, value) for seq, value in enumerate(case.values)]


def _event(seq: int, at: int, value: str) -> Reading | Miss:
    if value == MISS:
        return Miss(seq, at, MissReason.TIMEOUT, "no answer within 10 s")
    return Reading(seq, at, Source.REST, Quality.OK, at, Balances(available_margin=Decimal(value)))
