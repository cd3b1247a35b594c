"""A strategy of damaged recordings: values changed, doubled, wrapped, removed, bytes torn."""

import json
import re
from collections.abc import Iterable
from contextlib import suppress

from hypothesis import strategies as st

WORDS = (
    *(
        "null",
        "true",
        "false",
        '""',
        '"n/a"',
        '"NaN"',
        "NaN",
        "Infinity",
        "-Infinity",
        '"Infinity"',
        "[]",
        "{}",
        "[0]",
    ),
    *(
        "0",
        "-0",
        "-0.0",
        "1e5",
        "1E-7",
        "0E+3",
        "1e400",
        "1e-400",
        "1e999999999",
        "9" * 19,
        "9" * 30,
        "9" * 5_000,
    ),
    *(
        '"12.50"',
        '"-0"',
        '" 1"',
        '"1 "',
        '"1,5"',
        '"+1"',
        '"1_0"',
        '"٣"',
        '"0x1F"',
        '"1e3"',
        f'"{"1" * 90}"',
    ),
    *("01", "1.", ".5", "+1", "-", "0x10", "'1'", "nul", '"', "\\", "]", "}", ",", ":"),
    *(
        '"usdt"',
        '"USDT"',
        '"usdc"',
        '"assets"',
        '"login"',
        '"a\\u0000b"',
        '"\\ud800"',
        '"<html>"',
        "29001",
        '"6003"',
    ),
    "[" * 12 + "]" * 12,
    '{"a":' * 9 + "1" + "}" * 9,
)
"""What may stand where a value was; not all of it is JSON."""


BLOWS = (
    '"{name}":{word}',
    '"x{name}":{sent}',
    '"{name}":{quoted}',
    '"{name}":[{sent}]',
    '"{name}":[{sent},{sent}]',
    '"{name}":{{"value":{sent}}}',
    '"{name}":{sent},"{name}":{word}',
    '"odd":{word},"{name}":{sent}',
    "",
)
"""What may stand where a key with its value was."""

_KEY = re.compile(r'"(\w+)":')


def _places(text: str) -> list[tuple[re.Match[str], int]]:
    """Each key, and where its value ends."""
    found = []
    for key in _KEY.finditer(text):
        with suppress(ValueError):
            found.append((key, json.JSONDecoder().raw_decode(text, key.end())[1]))
    return found


def _struck(text: str, where: int, blow: str, word: str) -> str:
    places = _places(text)
    if not places:
        return text
    key, end = places[where % len(places)]
    before, sent, after = text[: key.start()], text[key.end() : end], text[end:]
    if not blow:
        return before + after[1:] if after.startswith(",") else before.removesuffix(",") + after
    return before + blow.format(name=key[1], sent=sent, quoted=json.dumps(sent), word=word) + after


def _changed(text: str, blows: Iterable[tuple[int, str, str]]) -> bytes:
    for where, blow, word in blows:
        text = _struck(text, where, blow, word)
    return text.encode(errors="surrogatepass")


def _torn(text: str, begin: int, length: int, instead: bytes) -> bytes:
    body = text.encode()
    begin %= len(body) + 1
    return body[:begin] + instead + body[begin + length :]


_numbers = st.builds("{}.{}".format, st.integers(), st.integers(0))
_words = (
    st.sampled_from(WORDS)
    | _numbers
    | _numbers.map(json.dumps)
    | st.text(max_size=9).map(json.dumps)
)
_blows = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(BLOWS), _words), min_size=1, max_size=3
)


def damaged(texts: Iterable[str]) -> st.SearchStrategy[bytes]:
    """One of these texts, struck a few times, or torn."""
    text = st.sampled_from(list(texts))
    torn = st.builds(
        _torn, text, st.integers(0, 999), st.integers(0, 999) | st.just(0), st.binary(max_size=6)
    )
    return st.builds(_changed, text, _blows) | torn
