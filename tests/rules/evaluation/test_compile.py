"""Compiling: three-valued truth, infinities, and the comparison that decides."""

from decimal import Decimal, DecimalException, localcontext

import pytest

from daemon.rules.evaluation.compile import (
    Frame,
    compile_deciding,
    compile_number,
    compile_truth,
    oriented,
)
from daemon.rules.language.parse import parse_condition
from daemon.rules.language.tree import Call, Comparison, Field, Node
from daemon.types import DecidingComparison

FIELDS = ("al_margin", "al_freeze", "age", "available_margin")
BELOW_5 = "available_margin < 5"


class Fixed:
    """Slots in a fixed order; windows are not asked for here."""

    def field(self, name: str) -> int:
        """The slot of one of these fields."""
        return FIELDS.index(name)

    def window(self, call: Call) -> int:
        """A window's slot, behind the fields."""
        return len(FIELDS)

    stateful = window


def frame(*values: str | None) -> Frame:
    """A frame with these values."""
    return [None if value is None else Decimal(value) for value in values]


def holds(text: str, *values: str | None) -> bool | None:
    """Evaluate a condition for these values and a window."""
    return compile_truth(parse_condition(text).tree, Fixed())(frame(*values))


def judged(text: str, *values: str | None) -> DecidingComparison:
    """The comparison that decides."""
    return compile_deciding(parse_condition(text).tree, Fixed())(frame(*values))


TRUTHS: dict[str, str | None] = {"T": "1", "F": "-1", "U": None}
"""Values of a field for which `field > 0` is true, false, unknown."""


@pytest.mark.parametrize(
    ("pair", "both", "any_"),
    [
        ("TT", True, True),
        ("TF", False, True),
        ("TU", None, True),
        ("FT", False, True),
        ("FF", False, False),
        ("FU", False, None),
        ("UT", None, True),
        ("UF", False, None),
        ("UU", None, None),
    ],
)
def test_three_valued_logic(pair: str, both: bool | None, any_: bool | None) -> None:
    """C2: `and` and `or` know what can be known without the unknown."""
    values = [TRUTHS[composed_message] for composed_message in pair]
    assert holds("al_margin > 0 and al_freeze > 0", *values) is both
    assert holds("al_margin > 0 or al_freeze > 0", *values) is any_


@pytest.mark.parametrize(("value", "expected"), [("1", False), ("-1", True), (None, None)])
def test_three_valued_not(value: str | None, expected: bool | None) -> None:
    """C2: the opposite of unknown is unknown."""
    assert holds("not al_margin > 0", value) is expected


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("<", [True, False, False]),
        ("<=", [True, True, False]),
        (">", [False, False, True]),
        (">=", [False, True, True]),
        ("==", [False, True, False]),
        ("!=", [True, False, True]),
    ],
)
def test_comparisons(operator: str, expected: list[bool]) -> None:
    """Each comparison below, at and above its threshold, in both directions and between fields."""
    values = ["4", "5.0", "6"]
    assert [holds(f"al_margin {operator} 5", value) for value in values] == expected
    assert [holds(f"al_margin {operator} al_freeze", value, "5") for value in values] == expected
    assert [holds(f"5 {operator} al_margin", value) for value in reversed(values)] == expected


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("al_margin / al_freeze > 1_000", ("1", "0"), True),
        ("al_margin / al_freeze > 1_000", ("1", "-0"), True),
        ("al_margin / al_freeze < -1_000", ("-1", "0"), True),
        ("al_margin / al_freeze < 1 or al_freeze < 1", ("0", "0"), True),
        ("al_margin / al_freeze < 1", ("0", "0"), None),
        ("1 / 0 > al_margin", ("5",), True),
        ("0 / 0 > al_margin", ("5",), None),
        ("al_margin > 0 / 0", ("5",), None),
        ("al_margin - al_freeze < 1", ("Infinity", "Infinity"), None),
        ("al_margin * 0 < 1", ("Infinity",), None),
        ("-al_margin < 0", ("Infinity",), True),
        ("-al_margin < 0", (None,), None),
        ("al_margin + al_freeze < 1", (None, "1"), None),
        ("al_margin + al_freeze < 1", ("1", None), None),
        ("al_margin < al_freeze", ("1", None), None),
        ("2 + 3 * 4 - 6 / 3 == 12", (), True),
        ("-(2 - 5) == 3", (), True),
        ("0 < al_margin < 5", ("5",), False),
        ("0 < al_margin < 5", ("4",), True),
        ("age > 1m", ("0", "0", "60001"), True),
        ("max(al_margin, 1m) > 4", ("0", "0", "0", "0", "5"), True),
    ],
)
def test_values(text: str, values: tuple[str | None, ...], expected: bool | None) -> None:
    """C4: arithmetic on fields, with infinities and the unknown."""
    assert holds(text, *values) is expected


def test_own_context() -> None:
    """Promise 7: the thread's context neither rounds nor traps what is judged."""
    with localcontext() as context:
        context.prec = 2
        context.traps = dict.fromkeys(context.traps, True)
        assert holds("al_margin + 0.000_000_1 == 12_345.678_900_1", "12345.6789") is True
        assert holds("al_margin / 3 == 0.333_333_333_333_333_333_333_333_333_3", "1") is True
        with pytest.raises(DecimalException):
            _ = Decimal(1) / 3


def test_rounds_half_even_once() -> None:
    """Promise 7: a result of more than 28 digits is rounded once, half to even."""
    tree = parse_condition("al_margin + 0.5 < 0").tree
    assert isinstance(tree, Comparison)
    add = compile_number(tree.left, Fixed())
    assert [str(add(frame(value))) for value in ("1" * 27 + "2", "1" * 27 + "3")] == [
        "1" * 27 + "2",
        "1" * 27 + "4",
    ]


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("al_margin < 1", ("0",), "al_margin < 1"),
        ("1 > al_margin", ("0",), "al_margin < 1"),
        ("1 >= al_margin", ("0",), "al_margin <= 1"),
        ("1 == al_margin", ("0",), "al_margin == 1"),
        ("1 < 2", (), "1 < 2"),
        ("al_margin < al_freeze", ("0", "1"), "al_margin < al_freeze"),
        ("0 < al_margin < 5", ("3",), "al_margin > 0"),
        ("0 < available_margin < 5", (None, None, None, "3"), BELOW_5),
        (
            "available_margin > 0 and al_margin > 1 and available_margin < 5",
            ("2", None, None, "3"),
            "available_margin < 5",
        ),
        ("available_margin > 0 and al_margin > 1", ("2", None, None, "3"), "available_margin > 0"),
        ("0 < abs(available_margin) < 5", (None, None, None, "3"), "abs(available_margin) > 0"),
        ("0 < al_margin < 5", ("7",), "al_margin < 5"),
        ("al_margin > 0 and al_freeze > 0", (None, "-1"), "al_freeze > 0"),
        ("al_margin > 0 and al_freeze > 0", ("1", None), "al_freeze > 0"),
        ("al_margin > 0 or al_freeze > 0", (None, "1"), "al_freeze > 0"),
        ("al_margin > 0 or al_freeze > 0", ("-1", "-1"), "al_margin > 0"),
        ("al_margin > 0 or al_freeze > 0", ("-1", None), "al_freeze > 0"),
        ("not al_margin > 0", ("-1",), "al_margin <= 0"),
        ("not not al_margin > 0", ("1",), "al_margin > 0"),
        ("not 0 != al_margin", ("0",), "al_margin == 0"),
        ("not (al_margin > 0 or al_freeze >= 0)", ("-1", "1"), "al_freeze < 0"),
        ("not (al_margin > 0 and not al_freeze <= 0)", ("1", "-1"), "al_freeze <= 0"),
    ],
)
def test_deciding(text: str, values: tuple[str | None, ...], expected: str) -> None:
    """The deciding comparison is the first that is as true as the whole, told with the varying side
    first.

    Of two bounds of one field it is the one on the side where that gets worse: that one is to be
    told, and worsens.
    """
    told = judged(text, *values)
    assert told.text == expected
    assert told.falling is ("<" in expected)


def test_judged_numbers() -> None:
    """A judged comparison tells both sides: the field as text, its value, and the threshold."""
    told = judged("2 * 50 > -al_margin + 1", "3")
    expected = DecidingComparison(
        "-al_margin + 1 < 2 * 50", "-al_margin + 1", Decimal(-2), Decimal(100), falling=True
    )
    assert told == expected


def test_judged_duration() -> None:
    """The threshold of `age` is in milliseconds."""
    assert judged("age > 2m", "0", "0", "5") == DecidingComparison(
        "age > 2m", "age", Decimal(5), Decimal(120_000), falling=False, duration=True
    )


def test_judged_unknown() -> None:
    """An unknown side is told as unknown."""
    assert judged("al_margin > 0", None) == DecidingComparison(
        "al_margin > 0", "al_margin", None, Decimal(0), falling=False
    )


def test_oriented_leaves_what_varies() -> None:
    """A comparison with something varying on the left stays as written."""
    one = Comparison("<", Field("al_margin"), Field("al_freeze"))
    assert oriented(one) is one


@pytest.mark.parametrize(
    ("compile_", "tree"),
    [(compile_number, parse_condition("1 < 2").tree), (compile_truth, Field("age"))],
)
def test_wrong_kind(compile_: object, tree: Node) -> None:
    """A tree that the builder never makes is refused."""
    with pytest.raises(TypeError, match="not a"):
        compile_(tree, Fixed())  # type: ignore[operator]
