"""Tables are inserted into a file, of which nothing else changes."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon import bundled
from daemon.config.recipes import NoPlaceError, insert_tables

NEW = '# why\n[[rules]]\nname = "new"\n'


def test_a_table_stands_behind_the_last_of_its_section() -> None:
    """Comments that introduce the next section stay with it."""
    text = '[[rules]]\nname = "a"\n# own = 1\n\n\n# The budget.\n[budget]\nhost = 1\n'
    assert insert_tables(text, NEW, "rules") == (
        '[[rules]]\nname = "a"\n# own = 1\n\n'
        '# why\n[[rules]]\nname = "new"\n\n\n# The budget.\n[budget]\nhost = 1\n'
    )


def test_a_comment_right_above_the_next_table_belongs_to_that() -> None:
    """Without an empty line between, the comment is about what follows."""
    text = '[[rules]]\nname = "a"\n# The budget.\n[budget]\nhost = 1\n'
    assert insert_tables(text, NEW, "rules") == (
        '[[rules]]\nname = "a"\n\n# why\n[[rules]]\nname = "new"\n\n'
        "# The budget.\n[budget]\nhost = 1\n"
    )


def test_without_its_section_it_stands_at_the_end() -> None:
    """Also in a file that is empty, or that ends without a line break."""
    assert insert_tables("", NEW, "rules") == NEW
    assert insert_tables("# only\n\n\n", NEW, "rules") == f"# only\n\n{NEW}\n\n"
    assert insert_tables("[daemon]\nevery = 1", NEW, "rules") == f"[daemon]\nevery = 1\n\n{NEW}"
    assert insert_tables('[[rules]]\nname = "a"', NEW, "rules") == f'[[rules]]\nname = "a"\n\n{NEW}'


def test_the_shipped_configuration_stays_as_it_is() -> None:
    """Of the whole example only the new lines differ, right behind its last rule."""
    text = bundled.path("rules.toml").read_text(encoding="utf-8")
    result = insert_tables(text, NEW, "rules")
    at = result.index(NEW)
    assert result[:at] + result[at + len(NEW) + 1 :] == text
    assert result[:at].rstrip().endswith("the spike itself is what delta compares with")


@pytest.mark.parametrize(
    "text",
    [
        '[[rules]]\nname = "a"\n[[rules.escalate]]\nafter = 1\n\n[budget]\nhost = 1\n',
        '[[ rules ]]\nname = "a # [[rules]]"\nl = [\n "x", # [budget]\n]\n\n[budget]\nhost = 1\n',
        '[[rules]]\nname = "a"\n\n[system]\nx = 1\n\n[[rules]]\nname = "b"\n\n[budget]\nhost = 1\n',
        '[budget]\nhost = 1\n\n[[rules]] # the rules\nname = "a"\n',
    ],
)
def test_tables_are_found_however_they_are_written(text: str) -> None:
    """Sub-tables, sections that stand apart, comments and texts that look like headers."""
    found = tomllib.loads(insert_tables(text, NEW, "rules"))
    assert found["rules"][-1] == {"name": "new"}
    assert found["budget"] == {"host": 1}


def test_line_breaks_and_byte_order_mark_are_kept() -> None:
    """A file written on Windows stays one."""
    text = '\ufeff[[rules]]\r\nname = "a"\r\n\r\n[budget]\r\nhost = 1\r\n'
    result = insert_tables(text, NEW, "rules")
    assert result == (
        '\ufeff[[rules]]\r\nname = "a"\r\n\r\n# why\r\n[[rules]]\r\nname = "new"\r\n\r\n'
        "[budget]\r\nhost = 1\r\n"
    )
    assert insert_tables("[budget]\r\nhost = 1", NEW, "rules") == (
        '[budget]\r\nhost = 1\r\n\r\n# why\r\n[[rules]]\r\nname = "new"\r\n'
    )


@pytest.mark.parametrize(
    "text",
    [
        'rules = [{ name = "a" }]\n',
        "rules = []\n",
        "rules = 5\n",
        '[rules]\nname = "a"\n',
        '[[rules]]\nname = """\n[[rules]]\n"""\nmore = [\n["a"]\n]\n',
    ],
)
def test_a_file_written_otherwise_is_refused(text: str) -> None:
    """A list in one line takes no further table; what is not understood is not touched."""
    with pytest.raises(NoPlaceError) as caught:
        insert_tables(text, NEW, "rules")
    assert (
        str(caught.value) == "writes rules in another way than as tables that begin with [[rules]]"
    )


SECTIONS = st.sampled_from(
    [
        '[[rules]]\nname = "a"\n',
        '[[rules]]\n# comment\nname = "b" # [x]\n# [[rules]]\n',
        '[[mutes]]\nname = "m"\n',
        "# a comment\n",
        "\n",
        "\n\n",
    ]
)


@given(st.lists(SECTIONS), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_nothing_else_changes(parts: list[str], newline: str, whole: bool) -> None:
    """Without the new lines, every line is as it was, in its order."""
    text = "".join(parts) if whole else "".join(parts).rstrip("\n")
    result = insert_tables(text.replace("\n", newline), NEW, "rules").replace(newline, "\n")
    at = result.index(NEW)
    rest = result[:at] + result[at + len(NEW) :]
    assert [line for line in rest.split("\n") if line] == [
        line for line in text.split("\n") if line
    ]
    assert tomllib.loads(result)["rules"][-1] == {"name": "new"}
