"""The pages in docs/: their links, and the rule language, whose worked examples are executed."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from datetime import timedelta, timezone
from decimal import Decimal

import pytest

from daemon.readings.fields import AGE, NAMES
from daemon.rules import functions
from daemon.rules.evaluation.evaluator import Evaluator, Verdict
from daemon.rules.language.errors import ExpressionError
from daemon.rules.language.parse import parse_condition
from daemon.rules.rule import Condition, Rule
from daemon.text.durations import parse_duration
from daemon.types import DAY, MINUTE, Balances, Quality, Reading, Source
from tests.config.written import ACCOUNT, CHANNELS, problems
from tests.docs.markdown import PAGES, RULES, MarkdownTable, Page, code
from tests.fakes import NOON
from tests.values import miss


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path.name)
def test_links_lead_somewhere(page: Page) -> None:
    """A link to a file names one that exists, and a heading in it."""
    for link in page.links():
        name, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = (page.path.parent / name) if name else page.path
        assert target.exists(), link
        text = target.read_text() if anchor else ""  # a picture has no headings
        headings = [line.lstrip("# ").lower() for line in text.splitlines() if line.startswith("#")]
        assert not anchor or anchor.replace("-", " ") in headings, link


EXAMPLES = [table for table in RULES.tables() if table.columns[0] == "at"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.heading)
def test_worked_examples_have_the_values_shown(example: MarkdownTable) -> None:
    """C1 to C4: each row of an example, fed as a reading or a miss, gives the values in its row."""
    expressions = [code(column) for column in example.columns if column.startswith("`")]
    rules = [Rule(text, _condition(text)) for text in expressions]
    # In this zone the clock shows 00:00 at NOON, from which the rows count.
    evaluator = Evaluator(rules, zone=timezone(-timedelta(milliseconds=NOON % DAY)))
    for seq, row in enumerate(example.rows):
        cells = dict(zip(map(code, example.columns), row, strict=True))
        verdicts = _verdicts(evaluator, seq, cells)
        assert {text: _shown(text, verdicts.get(text)) for text in expressions} == {
            text: _read(cells[text]) for text in expressions
        }, cells["at"]


def _condition(text: str) -> Condition:
    """A condition as it is; of a mere value one that holds it."""
    if text == AGE:
        return parse_condition("age >= 0s")
    for ending in ("", " >= 0", " >= 0s"):
        with suppress(ExpressionError):
            return parse_condition(f"{text}{ending}")
    raise AssertionError(text)


def _is_value(text: str) -> bool:
    if text != AGE:
        with suppress(ExpressionError):
            parse_condition(text)
            return False
    return True


def _verdicts(evaluator: Evaluator, seq: int, cells: Mapping[str, str]) -> Mapping[str, Verdict]:
    days = int(cells["at"].startswith("next day "))
    hours, minutes = map(int, cells["at"].removeprefix("next day ").split(":"))
    at = NOON + days * DAY + (60 * hours + minutes) * MINUTE
    if "miss" in cells.values():
        return evaluator.miss(miss(seq, at))
    sent = {
        field.name: Decimal(cells[field.name])
        for field in fields(Balances)
        if cells.get(field.name)
    }
    return evaluator.read(Reading(seq, at, Source.REST, Quality.OK, None, Balances(**sent)))


def _shown(text: str, verdict: Verdict | None) -> object:
    """A verdict in the form in which `_read` reads a cell."""
    if verdict is None:
        return "not judged"
    if not _is_value(text):
        return {True: "yes", False: "no", None: "unknown"}[verdict.when]
    assert verdict.judged is not None
    return "unknown" if verdict.judged.value is None else verdict.judged.value


def _read(cell: str) -> object:
    if cell in {"yes", "no", "unknown", "not judged"}:
        return cell
    span = parse_duration(cell)
    return Decimal(span) if span is not None else Decimal(cell.replace("∞", "Infinity"))


def test_every_field_and_function_is_explained() -> None:
    """The tables name exactly the existing fields and functions, with their minimum of readings."""
    assert [code(cell) for cell in RULES.table("Fields").column("field")] == list(NAMES)
    plain, windows, remembering = (
        table for table in RULES.tables() if table.columns[0] == "function"
    )
    known = dict(
        zip(map(_name, windows.column("function")), windows.column("known from"), strict=True)
    )
    stateful = [*map(_name, remembering.column("function"))]
    assert all(map(functions.stateful, stateful))
    assert sorted([*map(_name, plain.column("function")), *known, *stateful]) == list(
        functions.names()
    )
    assert {name: functions.window(name).known_from for name in known} == {
        name: int(cell.split()[0]) for name, cell in known.items()
    }


def _name(cell: str) -> str:
    return cell.lstrip("`").partition("(")[0]


def test_every_function_has_a_worked_example() -> None:
    """Every function has a table that shows its values."""
    shown = " ".join(column for example in EXAMPLES for column in example.columns)
    assert set(functions.names()) == set(re.findall(r"(\w+)\(", shown))


def test_the_mistake_shown_is_the_one_that_is_told() -> None:
    """The example of a wrong expression is what `check` really prints."""
    (shown,) = RULES.blocks("text")
    rule = '\n[[rules]]\nname = "a"\nwhen = "avalable_margin < 100"\n'
    assert "\n".join(problems(ACCOUNT + CHANNELS + rule)) + "\n" == shown
