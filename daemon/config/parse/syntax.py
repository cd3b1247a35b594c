"""Reads the text of a rules.toml into plain tables, or reports where it cannot be read."""

import re
import tomllib
from pathlib import Path

from daemon.config.parse import size_limits
from daemon.config.places import Places
from daemon.config.problems import Problems
from daemon.errors import ConfigError

_DEEPEST = 100
"""Most nested brackets, far more than needed; thousands would exhaust the interpreter's stack."""

_ENDLESS = re.compile(r"[0-9][0-9_]{1000,}")

_POSITION = re.compile(r"^(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)$", re.DOTALL)

KEY_TWICE = "this key stands twice in its table"
TABLE_TWICE = "this table stands twice, or once as [table] and once as [[table]]"

_HINTS = (
    ("Invalid value", "this is no value; texts stand in quotes"),
    ("Expected '=' after a key", 'a key is followed by "=" and a value'),
    (
        "Expected newline or end of document",
        "something follows the value; texts and durations stand in quotes",
    ),
    ("Invalid statement", "a line is a [table], a key = value, or a # comment"),
    ("Invalid initial character for a key", "a key begins with a letter"),
    ("Expected ']'", "a bracket is not closed"),
    ("Unclosed array", "a list is not closed with ]"),
    ("Unclosed inline table", "a table is not closed with }"),
    ("Unterminated string", "a text is not closed with a quote"),
    ("Illegal character", "a text is not closed with a quote on its line"),
    ("Unescaped '\\'", "a backslash in a text is written twice"),
    ("Cannot declare", TABLE_TWICE),
    ("Cannot overwrite a value", KEY_TWICE),
    ("Duplicate inline table key", KEY_TWICE),
)
"""Messages of tomllib, and their meaning. The text itself is not shown: it may hold a secret."""


def parse(text: str, path: Path) -> dict[str, object]:
    """The tables of the file.

    Raises:
        ConfigError: with the line and column where the text stops being TOML, or all excesses.
    """
    bare = size_limits.without_texts(text)
    line = size_limits.line_of_long_key(bare)
    if line is not None:
        parts = f"more than {size_limits.MAX_KEY_PARTS} parts between dots"
        raise ConfigError([f"{path.name}: line {line}: a key has {parts}"])
    if size_limits.signs(bare) > size_limits.MAX_SIGNS:
        limit = f"{size_limits.MAX_SIGNS:,} dots, equals signs and brackets"
        raise ConfigError([f"{path.name}: has more than {limit}; write fewer keys and tables"])
    tables = _tables(text, path)
    problems = Problems(Places(text, tables).shown)
    for place, sentence in size_limits.excesses(tables):
        problems.add(place or path.name, sentence)
    problems.raise_if_any()
    return tables


def _tables(text: str, path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        sentence = _explained(str(error), text)
    except RecursionError:
        sentence = f"line {_line_of_depth(text)}: too many brackets inside one another"
    except ValueError:  # of int(), which refuses thousands of digits
        found = _ENDLESS.search(text)
        line = text.count("\n", 0, found.start() if found else None) + 1
        sentence = f"line {line}: a number is far too long"
    raise ConfigError([f"{path.name}: {sentence}"])


def _explained(message: str, text: str) -> str:
    found = _POSITION.match(message)
    line, column = (found[2], found[3]) if found and found[2] else _end(text)
    hint = next((hint for known, hint in _HINTS if message.startswith(known)), "this is not TOML")
    if hint is KEY_TWICE and _line(text, int(line)).startswith("["):
        hint = TABLE_TWICE  # tomllib says the same of both
    return f"line {line}, column {column}: {hint}"


def _line_of_depth(text: str) -> int:
    """The line where brackets are nested deepest, approximately: TOML is not parsed."""
    depth, line = 0, 1
    for sign in size_limits.without_texts(text):
        depth += (sign in "[{") - (sign in "]}")
        line += sign == "\n"
        if depth > _DEEPEST:
            break
    return line


def _line(text: str, number: int) -> str:
    return text.split("\n")[number - 1].lstrip()


def _end(text: str) -> tuple[int, int]:
    """The place behind the last character: line and column."""
    return text.count("\n") + 1, len(text) - text.rfind("\n")
