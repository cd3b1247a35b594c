"""Compares the expected with the actual result of a test case, line by line by time. Pure."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Generic, TypeVar

from daemon.replay.cases import (
    CaseOutcome,
    ExpectedMessage,
    ExpectedNews,
    ExpectedTransition,
    RuleTestCase,
    format_digits,
)
from daemon.text.durations import duration_text
from daemon.text.numbers import format_amount
from daemon.types import Millis

T = TypeVar("T", bound=ExpectedTransition | ExpectedMessage)

BOTH, MISSING, UNEXPECTED = " ", "-", "+"
_ORDER = {BOTH: 0, MISSING: 1, UNEXPECTED: 2}


@dataclass(frozen=True, slots=True)
class DifferenceLine:
    """One line: `-` is expected and missing, `+` is unexpected, a blank is both."""

    sign: str
    at: Millis
    cells: tuple[str, ...]
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Location:
    """Account, rule and instants at which to look for the reason of a difference."""

    account: str
    rule: str
    instants: tuple[Millis, ...]


@dataclass(frozen=True, slots=True)
class Differences:
    """Differences of one case; no lines for a part without expectations."""

    changes: tuple[DifferenceLine, ...] = ()
    posts: tuple[DifferenceLine, ...] = ()
    texts: tuple[ExpectedMessage, ...] = ()
    """Messages that came as expected but lack an expected text."""
    place: Location | None = None
    """Place of the first difference; None if only texts differ, or nothing."""

    @property
    def any(self) -> bool:
        return any(line.sign != BOTH for line in (*self.changes, *self.posts))


@dataclass(frozen=True, slots=True)
class _Match(Generic[T]):
    both: list[T]
    missing: list[T]
    unexpected: list[T]

    def twins(self, alike: Callable[[T, T], bool]) -> Iterator[tuple[T, T | None]]:
        """Each missing item, with the unexpected item that it probably is."""
        left = [*self.unexpected]
        for each in self.missing:
            near = sorted(
                (other for other in left if alike(each, other)),
                key=lambda other: abs(other.at - each.at),
            )
            if near:
                left.remove(near[0])
            yield each, near[0] if near else None


def differences(case: RuleTestCase, outcome: CaseOutcome) -> Differences:
    """Compare the outcome with the expectations of the case."""
    changes = _matched(case.changes, outcome.changes, _same_change)
    posts = _matched(case.posts, outcome.posts, _same_post)
    twins = () if posts is None else posts.twins(_alike_post)
    return Differences(
        changes=() if changes is None else _in_time(_change_lines(changes, case)),
        posts=() if posts is None else _over_channels(_in_time(_post_lines(posts, case))),
        texts=tuple(twin for each, twin in twins if twin is not None and _lacks(each, twin)),
        place=_place(changes, posts),
    )


def _matched(
    expected: Sequence[T] | None, seen: Sequence[T], same: Callable[[T, T], bool]
) -> _Match[T] | None:
    if expected is None:
        return None
    match: _Match[T] = _Match([], [], [*seen])
    for each in expected:
        found = next((other for other in match.unexpected if same(each, other)), None)
        if found is None:
            match.missing.append(each)
        else:
            match.unexpected.remove(found)
            match.both.append(found)
    return match


def _same_change(expected: ExpectedTransition, seen: ExpectedTransition) -> bool:
    return (
        expected.at == seen.at
        and _alike_change(expected, seen)
        and _is_value(expected.value, seen.value)
    )


def _is_value(expected: Decimal | None, seen: Decimal | None) -> bool:
    """Whether an expected value equals the actual value, or the actual value as shown."""
    if expected is None or expected == seen:
        return True
    return seen is not None and seen.is_finite() and expected == Decimal(format_amount(seen))


def _alike_change(expected: ExpectedTransition, seen: ExpectedTransition) -> bool:
    return (expected.account, expected.rule, expected.to) == (seen.account, seen.rule, seen.to)


def _same_post(expected: ExpectedMessage, seen: ExpectedMessage) -> bool:
    return expected.at == seen.at and _alike_post(expected, seen) and not _lacks(expected, seen)


def _alike_post(expected: ExpectedMessage, seen: ExpectedMessage) -> bool:
    return expected.channel == seen.channel and Counter(expected.news) == Counter(seen.news)


def _lacks(expected: ExpectedMessage, seen: ExpectedMessage) -> str:
    """The first expected text that the message lacks; empty if none."""
    return next((part for part in expected.contains if part not in seen.text), "")


def _change_lines(
    match: _Match[ExpectedTransition], case: RuleTestCase
) -> Iterator[DifferenceLine]:
    yield from (DifferenceLine(BOTH, each.at, _change_cells(each, case)) for each in match.both)
    twins = list(match.twins(_alike_change))
    for each, twin in twins:
        remark = "" if twin is not None else _impossible(each.at, (each.account,), case)
        yield DifferenceLine(MISSING, each.at, _change_cells(each, case), remark)
    apart = {id(twin): _apart(each.at, twin.at) for each, twin in twins if twin is not None}
    exactly = {
        id(twin)
        for each, twin in twins
        if twin is not None and _differs_in_digits(each.value, twin.value)
    }
    for each in match.unexpected:
        seen = each
        if each.value is not None and id(each) in exactly:
            seen = replace(each, shown=format_digits(each.value))
        yield DifferenceLine(
            UNEXPECTED, each.at, _change_cells(seen, case), apart.get(id(each), "")
        )


def _differs_in_digits(expected: Decimal | None, seen: Decimal | None) -> bool:
    """Whether the two values look the same but differ."""
    if expected is None or seen is None or _is_value(expected, seen):
        return False
    return format_amount(expected) == format_amount(seen)


def _post_lines(match: _Match[ExpectedMessage], case: RuleTestCase) -> Iterator[DifferenceLine]:
    yield from (DifferenceLine(BOTH, each.at, _post_cells(each, case)) for each in match.both)
    twins = list(match.twins(_alike_post))
    for each, twin in twins:
        lacking = "" if twin is None else _lacks(each, twin)
        yield DifferenceLine(
            MISSING,
            each.at,
            _post_cells(each, case),
            f"with {json.dumps(lacking, ensure_ascii=False)}" if lacking else "",
        )
    apart = {id(twin): _apart(each.at, twin.at) for each, twin in twins if twin is not None}
    for each in match.unexpected:
        yield DifferenceLine(UNEXPECTED, each.at, _post_cells(each, case), apart.get(id(each), ""))


def _apart(expected: Millis, seen: Millis) -> str:
    if seen == expected:
        return ""
    return (
        f"{duration_text(abs(seen - expected))} {'earlier' if seen < expected else 'later'} than"
        " expected"
    )


def _impossible(at: Millis, accounts: Iterable[str], case: RuleTestCase) -> str:
    """Why no transition can happen at an instant without an attempt (SEMANTICS A2)."""
    for account in accounts:
        if at > case.last(account):
            return f"the last attempt is at {duration_text(case.last(account))}"
        if all(each.at - case.start != at for each in case.inputs[account]):
            return f"there is no attempt at {duration_text(at)}"
    return ""


def rule_label(account: str, rule: str, case: RuleTestCase) -> str:
    """Name of a rule; with the account if the case has several."""
    return f"{account}/{rule}" if len(case.inputs) > 1 else rule


def _change_cells(each: ExpectedTransition, case: RuleTestCase) -> tuple[str, ...]:
    return rule_label(each.account, each.rule, case), each.to.value, each.shown


def _post_cells(each: ExpectedMessage, case: RuleTestCase) -> tuple[str, ...]:
    return f"{each.channel}:", ", ".join(_told(news, case) for news in each.news)


def _told(news: ExpectedNews, case: RuleTestCase) -> str:
    return f"{rule_label(news.account, news.rule, case)} {news.kind.value}"


def _in_time(lines: Iterable[DifferenceLine]) -> tuple[DifferenceLine, ...]:
    return tuple(sorted(lines, key=lambda line: (line.at, _ORDER[line.sign])))


def _over_channels(lines: Iterable[DifferenceLine]) -> tuple[DifferenceLine, ...]:
    """Join lines of the same message to several channels."""
    channels: dict[tuple[str, Millis, str, str], list[str]] = {}
    for line in lines:
        channel, told = line.cells
        channels.setdefault((line.sign, line.at, told, line.remark), []).append(
            channel.removesuffix(":")
        )
    return tuple(
        DifferenceLine(sign, at, (f"{', '.join(names)}:", told), remark)
        for (sign, at, told, remark), names in channels.items()
    )


def _place(
    changes: _Match[ExpectedTransition] | None, posts: _Match[ExpectedMessage] | None
) -> Location | None:
    """Place of the first differing transition and its twin, else of the first differing message."""
    if changes is not None and (changes.missing or changes.unexpected):
        return _first(
            [
                Location(each.account, each.rule, (each.at,))
                for each in (*changes.missing, *changes.unexpected)
            ]
        )
    several = [] if posts is None else list(_elsewhere(posts))
    if several:
        return _first(
            [Location(each.news[0].account, each.news[0].rule, (each.at,)) for each in several]
        )
    return None


def _elsewhere(posts: _Match[ExpectedMessage]) -> Iterator[ExpectedMessage]:
    """Differing messages, without those that came in time and differ in their text only."""
    twins = list(posts.twins(_alike_post))
    late = {id(twin) for each, twin in twins if twin is not None and twin.at == each.at}
    yield from (each for each, twin in twins if twin is None or id(twin) not in late)
    yield from (each for each in posts.unexpected if id(each) not in late)


MOST_INSTANTS = 2


def _first(places: Sequence[Location]) -> Location:
    """The earliest place, with the first instants at which the same alert differs."""
    first = min(places, key=lambda place: place.instants)
    same = sorted(
        {
            each.instants[0]
            for each in places
            if (each.account, each.rule) == (first.account, first.rule)
        }
    )
    return replace(first, instants=tuple(same[:MOST_INSTANTS]))
