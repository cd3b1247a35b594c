"""A text that must never be shown: it prints as `***` wherever it ends up by accident."""

from typing import final


@final
class Secret:
    """Holds a key, a token or a URL that contains one. Only `reveal` gives it away; equal by value."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)
