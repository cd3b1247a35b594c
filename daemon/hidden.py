"""Values that must never be shown: they print as `***` wherever they end up (promise 9).

Imports nothing of marginwatch: the command line needs it before anything else.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TypeVar, final
from urllib.parse import unquote

_QUERY = re.compile(r"\?[\w+:-]+=")
_CUTS = re.compile(r"[@/?#]")
"""Characters at which a URL parser may end the user and password."""

K = TypeVar("K")
V_co = TypeVar("V_co", covariant=True)

STARS = "***"


@final
class Secret:
    """A key, a token or a URL with one. Only `reveal` gives it away; equal by value."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return STARS

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


@final
class HiddenMapping(Mapping[K, V_co]):
    """A mapping that also holds secrets: the environment, or a configuration table as written."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[K, V_co]) -> None:
        self._values = values

    def __getitem__(self, key: K) -> V_co:
        return self._values[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return STARS


def is_cut(address: str) -> bool:
    """Whether a parser would end the user or password before the address's last "@"."""
    return _CUTS.search(_user_info(address.partition("://")[2])) is not None


def passwords(address: str) -> frozenset[str]:
    """The part before an address's last "@", if it holds a password: whole, and each part of it.

    A parser may cut a password at a special character and read its rest as a host.
    """
    user_info = _user_info(_QUERY.split(address.partition("://")[2])[0])
    password = user_info.partition(":")[2]
    if not password:
        return frozenset()
    found = {user_info, password, *_CUTS.split(password)}
    return frozenset({*found, *map(unquote, found)} - {""})


def _user_info(rest: str) -> str:
    return rest.rpartition("@")[0]
