"""Text that is not TOML is explained in one sentence with line and column."""

from pathlib import Path

import pytest

from daemon.config.parse import syntax
from daemon.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[daemon]\nevery = 5s",
            "line 2, column 10: something follows the value; texts and durations stand in quotes",
        ),
        ("[daemon]\nevery = five", "line 2, column 9: this is no value; texts stand in quotes"),
        ("[daemon]\nevery 5", 'line 2, column 7: a key is followed by "=" and a value'),
        ("[daemon\n", "line 1, column 8: a bracket is not closed"),
        (
            "[a]\n[a]",
            "line 2, column 3: this table stands twice, or once as [table] and once as [[table]]",
        ),
        (
            "[a]\n[[a]]",
            "line 2, column 4: this table stands twice, or once as [table] and once as [[table]]",
        ),
        ('x = "abc\ny = 1', "line 1, column 9: a text is not closed with a quote on its line"),
        ('[a]\nb = "1"\nb = "2"\n', "line 3, column 8: this key stands twice in its table"),
        ("a = ", "line 1, column 5: this is no value; texts stand in quotes"),
        ('a = "\\q"', "line 1, column 8: a backslash in a text is written twice"),
        ("a = 2026-02-31", "line 1, column 5: this is not TOML"),
        (
            "[a]\nb = [['[', 1], 2]\nc = " + "[" * 5_000,
            "line 3: too many brackets inside one another",
        ),
        ("[a]\nc = " + "{a=" * 5_000, "line 2: too many brackets inside one another"),
        ("\na = " + "[\n" * 5_000, "line 102: too many brackets inside one another"),
        ("a = 1\nb = " + "9" * 5_000, "line 2: a number is far too long"),
    ],
)
def test_the_place_and_the_remedy_are_told(text: str, sentence: str) -> None:
    """One sentence says where the text stops being TOML, and what belongs there."""
    with pytest.raises(ConfigError) as caught:
        syntax.parse(text, Path("/x/rules.toml"))
    assert caught.value.problems == [f"rules.toml: {sentence}"]


def test_the_text_itself_is_not_shown() -> None:
    """Promise 9: the line at fault may hold a key, so it does not appear."""
    with pytest.raises(ConfigError) as caught:
        syntax.parse("api_key = planted-secret", Path("rules.toml"))
    assert "planted" not in str(caught.value)


def test_good_text_gives_its_tables() -> None:
    """Valid TOML is returned unchanged."""
    assert syntax.parse("[a]\nb = 1", Path("rules.toml")) == {"a": {"b": 1}}
