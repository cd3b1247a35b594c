"""Parsing: every text is a condition or an error with its place, and nothing else."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daemon.readings.fields import SIGNS
from daemon.rules import functions
from daemon.rules.language.build import MAX_DEPTH
from daemon.rules.language.errors import ExpressionError
from daemon.rules.language.parse import MAX_LENGTH, parse_condition, parse_recorded
from daemon.rules.language.tree import Every
from daemon.rules.rule import Condition


def outcome(text: str) -> Condition | ExpressionError:
    """The condition or the error of a text."""
    try:
        return parse_condition(text)
    except ExpressionError as error:
        return error


def refusal(text: str) -> ExpressionError:
    """The error that a text gets."""
    error = outcome(text)
    assert isinstance(error, ExpressionError)
    return error


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("availableMargin<1_000", "available_margin < 1000"),
        (" freeze_ratio >= 20% ", "freeze_ratio >= 0.2"),
        ("al_margin > 0.000_1", "al_margin > 0.0001"),
        ("age > 1h30m", "age > 1h30m"),
        ("age > 250ms or age>7d", "age > 250ms or age > 7d"),
        ("0 < al_margin < 5", "0 < al_margin and al_margin < 5"),
        (
            "1 < al_margin <= al_freeze != 3",
            "1 < al_margin and al_margin <= al_freeze and al_freeze != 3",
        ),
        ("not 0 < al_margin < 5", "not (0 < al_margin and al_margin < 5)"),
        ("al_margin<1\n\tand\r\nal_freeze<2", "al_margin < 1 and al_freeze < 2"),
        (
            "al_margin < 1 or al_freeze < 2 and not age > 1s",
            "al_margin < 1 or al_freeze < 2 and not age > 1s",
        ),
        ("-al_margin--2 < -3", "-al_margin - -2 < -3"),
        ("((al_margin)) * ((2)) < (3)", "al_margin * 2 < 3"),
        ("delta( marginUsage ,10m )>1", "delta(margin_usage, 10m) > 1"),
        (
            "max(min(al_margin, 1m) - al_freeze, 1h) == 0",
            "max(min(al_margin, 1m) - al_freeze, 1h) == 0",
        ),
    ],
)
def test_language(text: str, expected: str) -> None:
    """Texts and their canonical form."""
    parsed = parse_condition(text)
    assert (parsed.text, str(parsed)) == (text, expected)


OPERAND = "expected a field, a number, a duration or a function"
OPERATOR = "expected an operator, such as `<`, `+` or `and`"


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("", 0, "the condition is empty: expected one such as `available_margin < 100`"),
        (" \n ", 0, "the condition is empty: expected one such as `available_margin < 100`"),
        ("al_margin <  ", 11, f"{OPERAND}, found the end"),
        ("al_margin < 1 and", 17, f"{OPERAND}, found the end"),
        ("al_margin < < 1", 12, f"{OPERAND}, found `<`"),
        ("delta(al_margin,)", 16, f"{OPERAND}, found `)`"),
        ("al_margin al_freeze", 10, f"{OPERATOR}, found `al_freeze`"),
        ("age > 10 m", 9, f"{OPERATOR}, found `m`"),
        ("(al_margin < 1", 14, "a `(` is still open: expected `)`, found the end"),
        ("al_margin < 1)", 13, "this `)` closes nothing: no `(` is open"),
        ("al_margin < 1, 2", 13, "`,` stands only between the arguments of a function"),
        ("al_margin = 1", 10, "`=` is not part of the language: for equality write `==`"),
        ("al_margin < 1 && age > 1s", 14, "`&` is not part of the language: write `and`"),
        ("al_margin < 1 OR age > 1s", 14, "`OR` is not part of the language: write `or`"),
        ("al_margin < 1 #", 14, "`#` is not part of the language"),
        (
            'since(equity, "08:00) < 1',
            14,
            (
                '`"` is not part of the language: a time of day stands between two of them, as in'
                ' `since(equity, "08:00")`'
            ),
        ),
        ("al_margin < 1 \x1b", 14, "the character U+001B is not part of the language"),
        ("al_margin\u00a0< 1", 9, "the character U+00A0 is not part of the language"),
    ],
)
def test_refusals(text: str, column: int, message: str) -> None:
    """A text that is no condition gets one sentence in our words, and the place."""
    error = refusal(text)
    assert (error.column, error.message, error.text) == (column, message, text)


NO_COMMA = "a number has no `,`: write"


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("al_margin => 1", 10, "`=>` is not part of the language: write `>=`"),
        ("al_margin =< 1", 10, "`=<` is not part of the language: write `<=`"),
        ("al_margin = > 1", 10, "`= >` is not part of the language: write `>=`"),
        ("al_margin > = 1", 10, "`> =` is not part of the language: write `>=`"),
        ("al_margin <> 1", 10, "`<>` is not part of the language: write `!=`"),
        ("al_margin === 1", 10, "`===` is not part of the language: write `==`"),
        ("al_margin != = 1", 10, "`!= =` is not part of the language: write `!=`"),
        ("1 <= al_margin and al_freeze => 1", 29, "`=>` is not part of the language: write `>=`"),
        ("al_margin <= 1 and al_freeze = 1", 29, "`=` is not part of the language: for equality"),
        ("al_margin < 1,000", 13, f"{NO_COMMA} `1000` or `1_000`, and decimals behind a point"),
        (
            "(al_margin < 1,234,567.5)",
            14,
            f"{NO_COMMA} `1234567.5` or `1_234_567.5`, and decimals behind a point",
        ),
        ("al_margin < 0,5", 13, f"{NO_COMMA} `0.5`"),
        ("al_margin < 0,500", 13, f"{NO_COMMA} `0.500`"),
        ("al_margin < 10,00", 14, f"{NO_COMMA} `10.00`"),
        (
            "al_margin < 10,00.5",
            14,
            f"{NO_COMMA} thousands as in `1_000`, and decimals behind a point",
        ),
        (
            f"al_margin < 1{',000' * 400}",
            13,
            f"{NO_COMMA} thousands as in `1_000`, and decimals behind a point",
        ),
        ("al_margin >" + " " * 50 + "= 1", 10, "`> =` is not part of the language: write `>=`"),
        ("al_margin < 1, 000", 13, "`,` stands only between the arguments of a function"),
        ("greatest(al_margin, 1,000) = 5", 27, "`=` is not part of the language: for equality"),
        ("1,000 < al_margin = 1", 1, f"{NO_COMMA} `1000` or `1_000`"),
        ("al_margin < 200 USDT", 16, "`USDT` is not part of the language: leave it out, as"),
        ("al_margin < 200 usd or age > 1m", 16, "`usd` is not part of the language: leave it out"),
        ("al_margin < 200USDT", 15, "`USDT` is not part of the language: leave it out, as"),
        ("al_margin < 1_000.5usdt", 19, "`usdt` is not part of the language: leave it out, as"),
        ("al_margin < $200", 12, "`$` is not part of the language: leave it out, as amounts are"),
    ],
)
def test_habits_from_elsewhere(text: str, column: int, message: str) -> None:
    """What other languages and other countries write gets the way to write it here."""
    error = refusal(text)
    assert (error.column, error.message.startswith(message)) == (column, True), error.message


@pytest.mark.parametrize("text", ["greatest(al_margin, 1,000) < 5", "al_margin<-1", "1_000<age"])
def test_habits_are_looked_up_only_in_mistakes(text: str) -> None:
    """What is right, or wrong for another reason, gets no hint of that kind."""
    found = outcome(text)
    assert isinstance(found, Condition) or "language" not in found.message


def test_length_is_bounded() -> None:
    """Ten thousand characters are refused before they are read."""
    error = refusal("al_margin < 1 or " * 600)
    assert error.message == "the condition has 10200 characters; at most 2000 are possible"


@pytest.mark.parametrize(
    "text", ["al_margin < 1" + " " * 10_000, "(" * 10_000, "1" * 10_000, "x" * 10_000]
)
def test_ten_thousand_characters_are_refused_unread(text: str) -> None:
    """However long a text, its refusal is a short sentence about its length."""
    error = refusal(text)
    assert (error.column, len(error.message) < 100) == (MAX_LENGTH, True)


@pytest.mark.parametrize(
    "text",
    [
        "1" + "<1" * 5_000,
        "al_margin < " + "9" * 10_000,
        " or ".join(["spike(al_margin, 1h) > 1"] * 400),
    ],
)
def test_recorded_text_may_be_longer(text: str) -> None:
    """Recorded text is read back at any length, because canonical text may be longer."""
    parsed = parse_recorded(text)
    assert parse_recorded(str(parsed)) == parsed


@pytest.mark.parametrize(
    "text",
    [
        "not " * 61 + "0 < al_margin < 5",
        "-" * 62 + "al_margin < 1",
        "-(1 + " * 19 + "1" + ")" * 19 + " < 1",
    ],
)
def test_recorded_text_may_nest_deeper(text: str) -> None:
    """The canonical text of a deep condition, with its parentheses, is read again."""
    tree = parse_condition(text).tree
    assert parse_recorded(str(tree)).tree == tree


def test_recorded_text_is_read_with_the_same_care() -> None:
    """Recorded text has its own bounded depth, and invalid text is refused with its place."""
    with pytest.raises(ExpressionError) as caught:
        parse_recorded("(" * 5_000 + "1 < 2" + ")" * 5_000)
    assert "256 levels" in caught.value.message
    with pytest.raises(ExpressionError) as caught:
        parse_recorded("al_margin < foo")
    assert (caught.value.column, caught.value.text) == (12, "al_margin < foo")
    with pytest.raises(ExpressionError, match="is empty"):
        parse_recorded(" ")


@pytest.mark.parametrize(
    "text",
    [f"{name} > {'1m' if lasts else 1}" for name, lasts in SIGNS.items()]
    + ["exchange_unchanged >= 30s or age > 2m"],
)
def test_d7_only_recorded_rules_name_signs(text: str) -> None:
    """D7: system signals are unknown in a person's rule, and typed in system rules."""
    assert str(parse_recorded(text)) == text
    assert "there is no field" in refusal(text).message


def test_d7_signs_are_not_suggested() -> None:
    """System signals are not suggested either."""
    assert refusal("clock_skews > 1m").message.startswith(
        "there is no field `clock_skews`; the fields are"
    )


def test_longest() -> None:
    """The longest text that is possible is read."""
    row = " or ".join(["al_margin < 1"] * 117)
    assert str(parse_condition(row + " " * (MAX_LENGTH - len(row)))) == row


@pytest.mark.parametrize(
    "text",
    [
        "(" * 900 + "al_margin < 1" + ")" * 900,
        "(" * MAX_LENGTH,
        "-" * 1_900 + "1 < 2",
        "not " * 490 + "al_margin < 1",
        "+".join(["1"] * 900) + " < 2",
        "max(" * 120 + "al_margin" + ",1s)" * 120 + "<1",
    ],
    ids=["parentheses", "open", "signs", "nots", "sums", "windows"],
)
def test_nesting_is_bounded(text: str) -> None:
    """Any nesting gives an error with its place, never an exhausted stack."""
    assert refusal(text).column > 0


def test_long_chain() -> None:
    """A chain of comparisons is flat, however long."""
    parsed = parse_condition("1" + "<1" * 999)
    assert isinstance(parsed.tree, Every)
    assert len(parsed.tree.parts) == 999


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true') < 1",
        "exec(1) < 1",
        "eval(al_margin) < 1",
        "open(1, 1m) < 1",
        "().__class__ < 1",
        "os.system(1) < 1",
        "lambda: 1 < 2",
        "_extreme(al_margin, 1m) < 1",
        "__init__(al_margin, 1m) < 1",
        "__class__ < 1",
        "al_margin.__class__ < 1",
        "f'{al_margin}' < 1",
        "{al_margin} < 1",
        "al_margin < 1; import os",
        "al_margin if 1 < 2 else 3",
        "[x for x in al_margin] < 1",
        "functions < 1",
        "al_margin := 1",
    ],
)
def test_c6_no_text_runs(text: str) -> None:
    """C6: no rule text is ever evaluated as Python: whatever is not the language is refused."""
    assert refusal(text).message


NAMES = [
    "al_margin",
    "availableMargin",
    "age",
    "x",
    "and",
    "or",
    "not",
    "key_refused",
    *functions.names(),
]
MARKS = ["(", ")", ",", "<", "<=", "==", "!=", "+", "-", "*", "/", ".", "%", "="]
words = st.sampled_from([*NAMES, *MARKS, "1", "20%", "1_0", "5m", "1h30m", '"08:00"'])


def nested(depth: int) -> st.SearchStrategy[str]:
    """Nearly correct texts: nested calls and operators with a few errors."""
    if not depth:
        return words
    inner = nested(depth - 1)
    call = st.tuples(st.sampled_from(functions.names()), st.lists(inner, max_size=3)).map(
        lambda drawn: f"{drawn[0]}({', '.join(drawn[1])})"
    )
    between = st.tuples(inner, st.sampled_from([*MARKS, " and ", " or "]), inner).map("".join)
    return inner | call | between | inner.map("({})".format) | inner.map("not {}".format)


@pytest.mark.fuzz
@settings(max_examples=max(500, settings().max_examples))
@given(
    st.text()
    | nested(3)
    | st.lists(words, max_size=25).map(" ".join)
    | st.lists(words, max_size=12).map("".join)
)
@example("")
@example("\n")
def test_any_text(text: str) -> None:
    """Whatever the text, the answer is a condition that reads back, or an error inside the text."""
    told = outcome(text)
    if isinstance(told, ExpressionError):
        assert 0 <= told.column <= len(text)
        assert told.caret()
        assert not {"$END", "NUMBER", "_OPEN", "COMPARE"} & set(told.message.split())
    else:
        assert parse_recorded(str(told)) == told


SOUND = [
    *[
        f"{name}(al_margin, 1h) > 1"
        for name in functions.names()
        if not isinstance(functions.find(name), functions.StatefulFunction)
    ],
    'since(equity - prev(equity), "07:30") < -1 or today(al_margin) > 5',
    "time_to(available_margin, 2 * al_margin, 30m) <= 2h or age > 1m30s",
    (
        "not spike(max(al_freeze / 3, 5m), 1h, 0.5) > 20% and 0 < least(al_margin, -cross_un_pnl)"
        " != 1_000"
    ),
]


@pytest.mark.fuzz
@settings(max_examples=max(500, settings().max_examples))
@given(st.sampled_from(SOUND), st.integers(0, 90), st.integers(0, 90), words | st.text(max_size=3))
def test_a_damaged_condition(text: str, start: int, end: int, put: str) -> None:
    """A damaged condition reads back, or gives an error with its place."""
    damaged = text[:start] + put + text[end:]
    told = outcome(damaged)
    if isinstance(told, ExpressionError):
        assert 0 <= told.column <= len(damaged)
        assert told.caret()
    else:
        assert parse_recorded(str(told)) == told


def test_the_deepest_nesting_of_every_function() -> None:
    """An expression at the depth limit is parsed, compiled and written without a stack overflow."""
    deep = "abs(" * (MAX_DEPTH - 2) + "al_margin" + ")" * (MAX_DEPTH - 2) + " < 1"
    assert str(parse_condition(deep)) == deep
