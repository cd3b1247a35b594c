"""The answer of `explain` for programs: one object, with the parts that its lines have."""

from collections.abc import Iterable

from daemon.cli.channel_news import channel_row
from daemon.cli.explain.lines import ExplainTable, HypotheticalTable, NotWatched
from daemon.cli.explain.not_judged import NotJudged
from daemon.cli.explain.question import ResolvedQuestion
from daemon.cli.output.tables import Row, exact, rule_row, value_unit
from daemon.cli.output.times import DisplayClock
from daemon.replay.explain import Explanation, Move
from daemon.rules.evaluation.trace import Trace
from daemon.rules.language.types import ValueType
from daemon.store.read.recorded import PastMove, PastNotice
from daemon.text.numbers import transition_comparison
from daemon.types import Alert, Miss, Reading


def answer_row(answer: ExplainTable | NotWatched) -> Row:
    """The answer; `answer` says which of the three kinds it is."""
    asked = answer.asked
    clock = DisplayClock(asked.at, asked.past.zone)
    head = {"rule": asked.rule, "account": asked.account, "at": clock.iso(asked.at)}
    if isinstance(answer, NotWatched):
        return {
            **head,
            "answer": "not_watched",
            "watched_until": clock.iso(answer.over.started_at),
            **_history(asked, clock),
        }
    found = answer.found
    if isinstance(answer, HypotheticalTable):
        moves = [_move_row(each, clock) for each in found.moves]
        history: Row = {"transitions": moves, "notifications": []}
        return {**head, "answer": "hypothetical", **_state(found, clock), **history}
    return {
        **head,
        "answer": "watched",
        "gap": NotJudged(asked, found).sentence() or None,
        **_state(found, clock),
        "channels": [channel_row(each, clock) for each in answer.channels],
        **_history(asked, clock),
    }


def _state(found: Explanation, clock: DisplayClock) -> Row:
    """The state of the rule at the last input."""
    return {
        "input_at": clock.iso(found.at),
        "input": _input(found),
        "read_at": clock.iso(found.judged_at),
        "when": _tree(found.when),
        "clear_when": None if found.clear_when is None else _tree(found.clear_when),
        "alert": None if found.alert is None else _alert(found.alert, clock),
        "flapping": None if found.flapping is None else _alert(found.flapping, clock),
        "timers": [
            {"key": each.what, "lasted_ms": each.lasted, "needs_ms": each.needs}
            for each in found.running
        ],
        "at_least": None
        if found.agreement is None
        else dict(zip(("hold", "of"), found.agreement, strict=True)),
        "muted": [
            {"why": each.reason.value, "text": str(each), "until": clock.iso(each.until)}
            for each in found.muted
        ],
    }


def _input(found: Explanation) -> Row:
    match found.event:
        case Miss(reason=reason, detail=detail):
            return {"what": "miss", "reason": reason.value, "detail": detail}
        case Reading(quality=quality, source=source):
            return {"what": "reading", "source": source.value, "quality": quality.value}
        case _:
            return {"what": type(found.event).__name__.lower()}


def _tree(part: Trace) -> Row:
    """A part of a condition, with its own parts."""
    duration = part.kind is ValueType.DURATION and not isinstance(part.value, bool)
    value = part.value if part.value is None or isinstance(part.value, bool) else exact(part.value)
    return {
        "text": part.text,
        "value": value,
        **({"unit": "ms"} if duration and value is not None else {}),
        "unknown": part.why or None,
        "readings": None if part.held is None else part.held.count,
        "parts": [_tree(each) for each in part.children],
    }


def _alert(alert: Alert, clock: DisplayClock) -> Row:
    return {
        "id": alert.code,
        "state": alert.state.value,
        "severity": alert.severity.value,
        "started_at": clock.iso(alert.started_at),
        "fired_at": clock.iso(alert.fired_at),
        "worst": exact(alert.worst),
        **value_unit(alert.worst, alert.judged),
    }


def _history(asked: ResolvedQuestion, clock: DisplayClock) -> Row:
    """The last recorded transitions and notifications up to the instant."""
    moves: Iterable[PastMove] = asked.moves()
    return {
        "transitions": [_move_row(each, clock) for each in moves],
        "notifications": [_notification(each, clock) for each in asked.notifications()],
    }


def _move_row(each: PastMove | Move, clock: DisplayClock) -> Row:
    move = each.transition
    return {
        "at": clock.iso(move.at),
        **rule_row(move.rule),
        "from": move.from_state.value,
        "to": move.to_state.value,
        "value": exact(move.value),
        **value_unit(move.value, transition_comparison(move, each.alert)),
        "reason": move.reason,
    }


def _notification(past: PastNotice, clock: DisplayClock) -> Row:
    key = past.notice.key
    return {
        "at": clock.iso(past.notice.at),
        **rule_row(key.rule),
        "kind": key.kind.value,
        "channel": key.channel,
        "state": past.state.value,
        "done_at": clock.iso(past.done_at),
        "attempts": past.attempts,
        "detail": past.detail or None,
    }
