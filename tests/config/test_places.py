"""Places are named as people find them in the file: the table's name, its line and the key."""

import tomllib

import pytest

from daemon.config.places import Places
from tests.config.written import WHOLE, problems

FILE = """\
# [[rules]] in a comment is none
title = "[[rules]]"
  [[ rules ]]  # spaces are allowed
name = "low-margin"
text = '''
'''

[[rules]]
name = ""
[rules.inner]
[[rules]]
name = 5

[[mutes]]
name = "night\\u001b"
"""


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("rules[0].when", 'rules "low-margin" (line 3).when'),
        ("rules[1].name", "rules (line 8).name"),
        ("rules[2]", "rules (line 11)"),
        ("rules[0]: never fires", 'rules "low-margin" (line 3): never fires'),
        ("mutes[0].between", 'mutes "night\\u001b" (line 14).between'),
        ("rules", "rules"),
        ("daemon.every", "daemon.every"),
    ],
)
def test_a_table_is_shown_by_its_name_and_line(place: str, shown: str) -> None:
    """The line is that of its header; a table without a name has its line alone."""
    assert Places(FILE, tomllib.loads(FILE)).shown(place) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('rules = [{}, { name = "b" }]', 'rules "b"'),
        ("rules = [{}, { when = 5 }]", "rules (number 2)"),
        ("rules = 5", "rules[1]"),
    ],
)
def test_where_no_line_is_known_it_is_left_out(text: str, shown: str) -> None:
    """Tables in braces have no header; without a name either they are counted from 1."""
    assert Places(text, tomllib.loads(text)).shown("rules[1]") == shown


def test_a_header_inside_a_text_leads_to_no_wrong_line() -> None:
    """Where headers and tables do not match, a name alone is better than a wrong line."""
    text = 'x = """\n[[rules]]\n"""\n[[rules]]\nname = "a"\n'
    assert Places(text, tomllib.loads(text)).shown("rules[0].when") == 'rules "a".when'


def test_a_name_that_is_too_long_is_cut() -> None:
    """A place stays short, whatever stands in the file."""
    (problem,) = problems(WHOLE + f'[[mutes]]\nname = "{"x" * 99}"\nbetween = ["01:00", "02:00"]\n')
    assert problem.startswith(f'mutes "{"x" * 39}…" (line 18).name: must be 1 to 64 letters')
