"""Errors of expressions: how their place is shown."""

from daemon.errors import MarginwatchError
from daemon.rules.language.errors import ExpressionError


def test_caret() -> None:
    """The caret stands under the character at fault."""
    assert ExpressionError("no", 4, "a < $ 3").caret() == "a < $ 3\n    ^"


def test_caret_at_the_end() -> None:
    """A missing part at the end is shown behind the text."""
    assert ExpressionError("no", 3, "a <").caret() == "a <\n   ^"


def test_caret_shows_one_line() -> None:
    """Only the line at fault of several is shown, a tab as one space."""
    assert ExpressionError("no", 10, "a < 1\nand\t$ 3\nor b").caret() == "and $ 3\n    ^"


def test_caret_in_a_long_line() -> None:
    """A long line is cut around the place."""
    assert ExpressionError("no", 500, "x" * 500 + "$" + "y" * 500).caret() == (
        "x" * 60 + "$" + "y" * 59 + "\n" + " " * 60 + "^"
    )


def test_caret_obeys_nothing() -> None:
    """Control characters of a hostile text do not reach the terminal."""
    assert ExpressionError("no", 1, "a\x1b[2Jb").caret() == "a\\x1b[2Jb\n ^"
    assert ExpressionError("no", 2, "\x1b<$").caret() == "\\x1b<$\n     ^"


def test_kind() -> None:
    """An expression error is a mistake of the configuration, told as one sentence."""
    error = ExpressionError("expected a number", 3, "text")
    assert isinstance(error, MarginwatchError)
    assert (str(error), error.exit_status) == ("expected a number", 78)
