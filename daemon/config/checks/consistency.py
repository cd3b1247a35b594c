"""Checks that the keys of one rule fit each other, and fit how often its accounts are read."""

from collections.abc import Iterable, Iterator, Mapping

from daemon.config.checks import overlap
from daemon.config.effective_intervals import age_mistakes, settled_intervals, slower
from daemon.config.model import Config
from daemon.config.parse.document import Document
from daemon.config.parse.tables import Item
from daemon.config.problems import Problems
from daemon.rules.evaluation.evaluator import recorded_expressions
from daemon.rules.language.build import MAX_LOOK_BACK
from daemon.rules.language.tree import look_back
from daemon.rules.rule import Rule
from daemon.text.durations import duration_text
from daemon.types import Millis, OnMissing


def check(items: Iterable[Item[Rule]], problems: Problems) -> None:
    """Report contradictions that do not depend on the accounts."""
    for item in items:
        if item.complete:
            for key, sentence in _mistakes(item.table):
                problems.add(f"{item.place}.{key}", sentence)


def _mistakes(rule: Rule) -> Iterator[tuple[str, str]]:
    if rule.at_least is not None and rule.hold:
        yield "at_least", "is used instead of for; keep one of the two"
    if rule.at_least is not None and any(recorded_expressions(rule)):
        # The counter is rebuilt from stored readings, and the peaks of then are not known.
        yield "at_least", "cannot be used with peak; write for instead"
    if _reach(rule) > MAX_LOOK_BACK:
        yield "at_least", _too_far(rule)
    found = None if rule.clear_when is None else overlap.example(rule.when, rule.clear_when)
    if found is not None:
        remedy = "let it be true only where when is false"
        yield "clear_when", f"is true together with when, for instance at {found}; {remedy}"


def _too_far(rule: Rule) -> str:
    reach, longest = duration_text(_reach(rule)), duration_text(MAX_LOOK_BACK)
    return (
        f"reaches back up to {reach}, its readings missing_after ="
        f" {duration_text(rule.missing_after)} apart and the windows of the rule added; {longest}"
        " is the most: ask for fewer readings, or a shorter missing_after"
    )


def _reach(rule: Rule) -> Millis:
    """The look-back of the rule: `at_least` plus its windows; 0 without `at_least`."""
    if rule.at_least is None:
        return 0
    windows = max(look_back(each.tree) for each in (rule.when, rule.clear_when) if each is not None)
    return (rule.at_least.of - 1) * rule.missing_after + windows


def check_pace(written: Document, config: Config, problems: Problems) -> None:
    """Report time limits that pass between two regular readings (SEMANTICS B3)."""
    intervals = {
        name: each
        for name, each in settled_intervals(config.accounts, config.budget, {}).items()
        if name
    }
    for item in written.rules:
        if item.complete:
            rule = item.table
            watched = {name: every for name, every in intervals.items() if rule.watches(name)}
            for key, sentence in _too_short(rule, watched):
                problems.add(f"{item.place}.{key}", sentence)
    limit = config.system.no_readings
    slow = None if limit is None else slower(limit, intervals)
    if limit is not None and slow is not None:
        problems.add(
            "system.no-readings",
            f'is {duration_text(limit)}, but {slow}; write a longer time, or "off"',
        )


def _too_short(rule: Rule, intervals: Mapping[str, Millis]) -> Iterator[tuple[str, str]]:
    for key, condition in (("when", rule.when), ("clear_when", rule.clear_when)):
        for sentence in age_mistakes(condition, intervals) if condition else ():
            yield key, sentence
    slow = slower(rule.missing_after, intervals)
    disturbed = _disturbed(rule)
    if slow is not None and disturbed:
        yield (
            "missing_after",
            (
                f"is {duration_text(rule.missing_after)}, but {slow}, so {disturbed}; write a"
                " longer time"
            ),
        )


def _disturbed(rule: Rule) -> str:
    """The effect of readings that count as missing each time; "" when the rule is not affected."""
    if rule.at_least is not None and rule.at_least.of > 1:
        return "at_least would count anew from each reading"
    return (
        "" if rule.on_missing is OnMissing.KEEP else "on_missing would act between any two readings"
    )
