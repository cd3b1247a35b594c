"""Modules are found by what they define."""

from pathlib import Path

import pytest

from daemon import exchanges
from daemon.discovery import modules_defining
from daemon.rules import functions


@pytest.mark.parametrize(
    ("file", "source", "found"),
    [
        ("one.py", 'REST_URL = "https://one.invalid"\n', True),
        ("one.py", 'import os\n\nREST_URL: str = "https://one.invalid"\n', True),
        ("one/__init__.py", 'REST_URL = "https://one.invalid"\n', True),
        ("one.py", "raise RuntimeError  # nothing is imported\nREST_URL = 1\n", True),
        ("one.py", "", False),
        ("one.py", "from daemon.exchanges.coinw import REST_URL\n", False),
        ("one.py", "def connect(url):\n    REST_URL = url\n    return REST_URL\n", False),
        ("one.py", "# REST_URL = 1\n", False),
        ("one.py", "REST_URLS = {}\nif REST_URLS == {}:\n    pass\n", False),
        ("one/__init__.py", "", False),
        ("one/two.py", "REST_URL = 1\n", False),
        ("one.txt", "REST_URL = 1\n", False),
        ("one.so", "REST_URL = 1\n", False),
    ],
)
def test_strict_9_a_file_is_found_by_what_it_carries(
    tmp_path: Path, file: str, source: str, found: bool
) -> None:
    """Strict 9: a helper file is nothing, whatever its name is."""
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(source, encoding="utf-8")
    assert modules_defining([str(tmp_path)], "REST_URL") == (("one",) if found else ())


def test_strict_9_nothing_is_on_a_list_of_exceptions(tmp_path: Path) -> None:
    """Strict 9: a helper beside the exchanges, or beside the rule functions, is none of them."""
    (tmp_path / "helper.py").write_text("def connect() -> None: ...\n", encoding="utf-8")
    assert (
        modules_defining([*exchanges.__path__, str(tmp_path)], exchanges.MARK)
        == exchanges.names()
        == ("coinw",)
    )
    assert (
        modules_defining([*functions.__path__, str(tmp_path)], functions.MARK) == functions.names()
    )
    assert "helper" not in functions.names()
