"""The error for an invalid expression, with its place in the text."""

from daemon.errors import MarginwatchError
from daemon.text.printable import printable

_SHOWN = 60
"""Characters of a long line that are shown on either side of the place."""


class ExpressionError(MarginwatchError):
    """An invalid condition.

    `message` is one sentence. `column` counts characters of `text` from 0.
    """

    exit_status = 78

    def __init__(self, message: str, column: int, text: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.column = column
        self.text = text

    def caret(self) -> str:
        """The line at fault with a caret under the character.

        Long lines are cut, and control characters are made harmless.
        """
        start = self.text.rfind("\n", 0, self.column) + 1
        end = self.text.find("\n", self.column)
        left = max(start, self.column - _SHOWN)
        right = min(len(self.text) if end < 0 else end, self.column + _SHOWN)
        plain = "".join(
            " " if character.isspace() else character for character in self.text[left:right]
        )
        before, line = printable(plain[: self.column - left]), printable(plain)
        return f"{line}\n{' ' * len(before)}^"
