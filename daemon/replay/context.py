"""The readings around an instant of a test case, with the result of a rule at each. Pure.

Evaluator and session are those of the test case; only the number of kept rows differs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from daemon.alerts.decide import judge
from daemon.alerts.hold_reasons import Muter
from daemon.alerts.mutes import Mutes
from daemon.replay.cases import RuleTestCase, format_side
from daemon.replay.differences import Location
from daemon.replay.explain import running_timers
from daemon.replay.session import ReplaySession, RuleSet, used_fields
from daemon.rules.evaluation.evaluator import Evaluator, Verdict
from daemon.rules.rule import Rule
from daemon.text.durations import duration_text
from daemon.types import AccountState, Input, Millis, Miss, Reading, State, base

NEAR = 2
"""Attempts shown before and after an instant."""

NOT_SENT = "not sent"


@dataclass(frozen=True, slots=True)
class ContextRow:
    """One attempt."""

    at: Millis
    fields: tuple[str, ...]
    """Values, in the order of `ContextRows.fields`."""
    when: str
    clear: str
    state: State
    marked: bool
    """Whether a difference is at this attempt."""
    index: int
    """Index of the attempt; a jump shows that rows were left out."""
    remark: str = ""
    """Running timers of the alert, and its mutes."""


@dataclass(frozen=True, slots=True)
class ContextRows:
    rule: Rule
    account: str
    fields: tuple[str, ...]
    rows: tuple[ContextRow, ...]


def context_rows(case: RuleTestCase, scheme: RuleSet, place: Location) -> ContextRows | None:
    """Rows around a place; None if no such rule watches the account."""
    session = ReplaySession(scheme, AccountState(place.account))
    rule = session.rules.get(base(place.rule))
    if rule is None:
        return None
    inputs = case.inputs[place.account]
    marked = {_nearest(inputs, case.start + at) for at in place.instants}
    shown = {index + off for index in marked for off in range(-NEAR, NEAR + 1)}
    fields = used_fields((rule,))
    evaluator = Evaluator(tuple(session.rules.values()), (), scheme.mutes.zone)
    rows = []
    for index, event in enumerate(inputs[: max(shown) + 1]):
        verdicts = judge(evaluator, event, session.rules)
        session.play(event)
        if index in shown and index > 0:
            alert = session.state.alerts.get(rule.name)
            state = State.OK if alert is None else alert.state
            when, clear = _truths(event, verdicts.get(rule.name), fields, rule)
            values = _values(event, fields)
            remark = _remark(session.state, rule, scheme.mutes) if state is not State.OK else ""
            rows.append(
                ContextRow(
                    event.at - case.start,
                    values,
                    when,
                    clear,
                    state,
                    index in marked,
                    index,
                    remark,
                )
            )
    return ContextRows(rule, place.account, fields, tuple(rows))


def _remark(state: AccountState, rule: Rule, mutes: Mutes) -> str:
    clocks = [
        f"{each.what} {duration_text(each.lasted)} of {duration_text(each.needs)}"
        for each in running_timers(state, rule)
    ]
    alert = state.alerts[rule.name]
    reasons = (
        Muter(state, mutes, (), state.at).reasons(rule, alert)
        if alert.state is State.FIRING
        else ()
    )
    return "; ".join([*clocks, *(f"muted: {each}" for each in reasons)])


def _nearest(inputs: Sequence[Input], at: Millis) -> int:
    """Index of the attempt at or before an instant; never the account's start."""
    return max(1, sum(1 for event in inputs if event.at <= at) - 1)


def _values(event: Input, fields: Sequence[str]) -> tuple[str, ...]:
    if isinstance(event, Miss):
        return (f"miss: {event.reason}", *("" for _ in fields[1:])) if fields else ()
    sent = (getattr(event.balances, name) for name in fields) if isinstance(event, Reading) else ()
    return tuple(NOT_SENT if value is None else format_side(value, None) for value in sent)


def _truths(
    event: Input, verdict: Verdict | None, fields: Sequence[str], rule: Rule
) -> tuple[str, str]:
    """Results of `when` and `clear_when`, with the judged value if it is not one of the fields."""
    if verdict is None:
        return ("not judged" if isinstance(event, Miss) else "no"), ""
    judged = verdict.judged
    value = ""
    if judged is not None and judged.field not in fields:
        value = (
            f" ({judged.field}"
            f" {'unknown' if judged.value is None else format_side(judged.value, judged)})"
        )
    return _word(verdict.when) + value, "" if rule.clear_when is None else _word(verdict.clear)


def _word(truth: bool | None) -> str:
    return {True: "yes", False: "no", None: "unknown"}[truth]
