"""The parser of `escalate`: its steps, each later than the one before, to different channels."""

from collections.abc import Mapping

from daemon.config.parse import values
from daemon.config.problems import MistakeError, did_you_mean, format_value
from daemon.rules.rule import EscalationStep
from daemon.text.durations import duration_text
from daemon.types import SECOND, Millis

_STEP = '{ after = "15m", channels = ["call"] }'


def escalation(raw: object) -> tuple[EscalationStep, ...]:
    """The steps of `escalate`, each later than the one before, to channels that no other names."""
    if not isinstance(raw, list):
        raise MistakeError(f"must be a list such as [{_STEP}], not {format_value(raw)}")
    steps = tuple(map(_step, raw))
    told: set[str] = set()
    before: Millis = 0
    for step in steps:
        after = duration_text(step.after)
        if step.after <= before:
            raise MistakeError(
                f"the step after {after} must come later than the one before it, which is after"
                f" {duration_text(before)}"
            )
        for channel in step.channels:
            if channel in told:
                raise MistakeError(
                    f"names the channel {format_value(channel)} twice; once is enough"
                )
            told.add(channel)
        before = step.after
    return steps


def _step(raw: object) -> EscalationStep:
    if not isinstance(raw, Mapping):
        raise MistakeError(f"each step must be a table such as {_STEP}, not {format_value(raw)}")
    for key in raw:
        if key not in {"after", "channels"}:
            near = did_you_mean(key, ("after", "channels"))
            raise MistakeError(f"unknown key {format_value(key)} in a step{near}")
    for key in ("after", "channels"):
        if key not in raw:
            raise MistakeError(f"a step has no {key}; write {_STEP}")
    try:
        channels = values.list_of(values.reference)(raw["channels"])
    except MistakeError as error:
        raise MistakeError(f"channels {error}") from None
    if not channels:
        raise MistakeError("channels of a step is empty; name the channels that are told then")
    try:
        after = values.longer_than(SECOND)(raw["after"])
    except MistakeError as error:
        raise MistakeError(f"after {error}") from None
    return EscalationStep(after, channels)
