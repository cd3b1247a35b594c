"""S13: files of absurd size are refused or handled, in little time and memory."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping

import pytest

from daemon.config.parse import document, size_limits
from tests.config.written import ACCOUNT, WHOLE, problems

CPU = 30
"""Seconds of a processor that all files together may take; one alone took more than 40."""

MEMORY = 700 << 20
"""Bytes of address space; the program itself takes about half of it."""


def rules(number: int, *, circle: bool = False) -> str:
    """Each rule inhibited by the next; in a circle the last one by the first."""
    table = '[[rules]]\nname = "r{}"\nwhen = "al_margin < 1"\ninhibited_by = ["r{}"]\n'
    tables = [table.format(each, (each + 1) % number) for each in range(number - (not circle))]
    end = "" if circle else f'[[rules]]\nname = "r{number - 1}"\nwhen = "al_margin < 1"\n'
    return ACCOUNT + "".join(tables) + end


def channel(url: str) -> str:
    return f'{ACCOUNT}[[channels]]\nname = "c"\nurl = "{url}"\n'


def conditions(number: int) -> str:
    when = " or ".join(f"al_margin < {each}" for each in range(90))
    clear = " and ".join(f"al_margin > {each + 200}" for each in range(80))
    table = '[[rules]]\nname = "r{}"\nwhen = "{}"\nclear_when = "{}"\n'
    return ACCOUNT + "".join(table.format(each, when, clear) for each in range(number))


def numbered(line: str) -> str:
    """As many of these lines as fit into the largest file."""
    return "".join(line.format(each) for each in range(1_000_000 // (len(line) + 3)))


DOTTED = "a" + ".a" * 200_000
TOO_MANY_PARTS = "a key has more than 20 parts between dots"
TOO_MANY_SIGNS = "rules.toml: has more than 100,000 dots, equals signs and brackets"

SILLY: Mapping[str, tuple[str, str]] = {
    "chain of 1,000": (rules(1_000), ""),
    "chain of 3,000": (rules(3_000), "rules: has 3,000 entries; at most 1,000 are possible"),
    "circle of 1,000": (rules(1_000, circle=True), "r8 → r9 → … (1,000 rules) → r0"),
    "circle of 3,000": (
        rules(3_000, circle=True),
        "rules: has 3,000 entries; at most 1,000 are possible",
    ),
    "dotted key": (f"{ACCOUNT}{DOTTED} = 1\n", f"rules.toml: line 6: {TOO_MANY_PARTS}"),
    "dotted table": (f"{ACCOUNT}[{DOTTED}]\n", f"rules.toml: line 6: {TOO_MANY_PARTS}"),
    "dotted inline": (f"{ACCOUNT}x = {{{DOTTED} = 1}}\n", f"rules.toml: line 6: {TOO_MANY_PARTS}"),
    "dotted quotes": (
        ACCOUNT + '"a" . ' * 100_000 + "a = 1\n",
        f"rules.toml: line 6: {TOO_MANY_PARTS}",
    ),
    "separators": (channel("json://h/" + " ,;" * 300_000), "at most 65,536 are possible"),
    "short separators": (
        channel("json://h/" + " ,;" * 10_000),
        'channels "c" (line 6).url: has 30,009 characters',
    ),
    "long secret": (
        channel("{env:LONG}"),
        'channels "c" (line 6).url: has 60,000 characters; an address has at most 8,192',
    ),
    "timezone": (
        f'[daemon]\ntimezone = "{"a/" * 130_000}"\n{ACCOUNT}',
        "daemon.timezone: is a text of 260,000",
    ),
    "short timezone": (
        f'[daemon]\ntimezone = "{"a/" * 400}"\n{ACCOUNT}',
        "no time zone has more than 100",
    ),
    "deep timezone": (
        f'[daemon]\ntimezone = "{"a/" * 30_000}"\n{ACCOUNT}',
        "no time zone has more than 100",
    ),
    "unknown keys": (
        ACCOUNT + "".join(f"a{each} = 1\n" for each in range(90_000)),
        'accounts "main" (line 2): has 90,003 entries',
    ),
    "unknown tables": (
        "".join(f"[t{each}]\n" for each in range(90_000)),
        "rules.toml: has 90,000 entries",
    ),
    "empty tables": (f"rules = [{'{},' * 90_000}]\n{ACCOUNT}", "rules: has 90,000 entries"),
    "references": (
        WHOLE + "channels = [" + '"x",' * 200_000 + "]\n",
        'rules "low" (line 15).channels: has 200,000 entries',
    ),
    "conditions": (conditions(250), "rules: the conditions have"),
    "many mistakes": (
        ACCOUNT
        + "".join(
            f'[[rules]]\nname = "r{each}"\nwhen = "x"\nmute = ["y"]\n' for each in range(1_000)
        ),
        "and 1,900 more mistakes: correct these first",
    ),
    "brackets": (f"x = {'[' * 90_000}\n", "too many brackets inside one another"),
    "more brackets": (f"x = {'[' * 500_000}\n", TOO_MANY_SIGNS),
    "many dotted tables": (numbered("[t{}" + ".a" * 19 + "]\n"), TOO_MANY_SIGNS),
    "many dotted keys": (ACCOUNT + numbered("k{}" + ".a" * 19 + " = 1\n"), TOO_MANY_SIGNS),
    "many inline tables": (ACCOUNT + numbered("k{} = {{a={{b={{c=1}}}}}}\n"), TOO_MANY_SIGNS),
    "many lists": (ACCOUNT + numbered("k{} = [[[[[[1]]]]]]\n"), TOO_MANY_SIGNS),
    "as many signs as possible": (
        "".join(f"[t{each}{'.a' * 18}]\n" for each in range(5_000)),
        "rules.toml: has 5,000 entries",
    ),
    "escaped quotes": (f'x = "{chr(92)}"' + f'{chr(92)}"' * 250_000 + "\n", "is not closed"),
    "quotes": (ACCOUNT + "#" + '"a.' * 300_000 + "\n", ""),
    "words": (ACCOUNT + "#" + "a" * 900_000 + "\n", ""),
}


def _load_all() -> None:
    """Load each under the limits; print what was said of it."""
    problems(WHOLE)  # what is imported on use is not the files' fault
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU))
    environ = {"LONG": "x" * 60_000}
    for name, (text, _) in SILLY.items():
        found = problems(text, environ)
        sys.stdout.write(json.dumps([name, len(found), "\n".join(found)[-9_000:]]) + "\n")
        sys.stdout.flush()


@pytest.fixture(scope="module")
def said() -> dict[str, tuple[int, str]]:
    """The number of problems and their text, by name; an input that killed the child is missing."""
    command = [sys.executable, "-c", f"from {__name__} import _load_all; _load_all()"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    return {
        name: (number, text) for name, number, text in map(json.loads, done.stdout.splitlines())
    }


@pytest.mark.parametrize("name", SILLY)
def test_a_file_of_silly_size(said: dict[str, tuple[int, str]], name: str) -> None:
    """S13: it loads, or is refused with the limit in a short sentence."""
    expected = SILLY[name][1]
    number, text = said[name]
    assert number <= 101
    assert expected in text
    assert bool(number) is bool(expected)


@pytest.mark.parametrize(
    "line",
    [
        'when = "a.b.c.d.e.f.g.h"',
        'url = "json://a.b.c.d.e.f.example.com/x"',
        "# " + "some words. " * 50,
        "x = '" + "1.5, " * 90 + "'",
    ],
)
def test_dots_that_are_no_key(line: str) -> None:
    """S13: texts and comments may hold dots; a host name has fewer parts, a sentence more words."""
    bare = size_limits.without_texts(f"[a]\n{line}\n")
    assert size_limits.line_of_long_key(bare) is None


def test_the_largest_that_is_possible() -> None:
    """S13: exactly as much as the limits say is taken."""
    tables = {"rules": [{"x": "y" * size_limits.MAX_TEXT}] * size_limits.MAX_ENTRIES}
    assert list(size_limits.excesses(tables)) == []
    assert document.MAX_CONDITIONS >= 100 * 2_000
