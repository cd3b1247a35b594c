"""The pattern that is suggested for one that matches no name."""

import pytest

from daemon.text.similar_pattern import similar_pattern

NAMES = ("low-margin", "low-equity", "frozen", "no-readings", "main", "grid-1")


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("lwo-*", "low-*"),
        ("LOW-*", "low-*"),
        ("loww-*", "low-*"),
        ("lo-*", "low-*"),
        ("low_*", "low*"),
        ("lwo*", "low*"),
        ("gird-?", "grid-?"),
        ("gird-[12]", "grid-[12]"),
        ("mian-*", "main*"),
        ("*-margn", "*-margin"),
        ("?rozn", "?rozen"),
        ("*-redings", "*-readings"),
        ("xyz*", None),
        ("*xyz", None),
        ("[xy]", None),
        ("?", None),
        ("lwo", None),
        ("", None),
    ],
)
def test_suggested(pattern: str, meant: str | None) -> None:
    """A typing error before or behind the signs; only a pattern that matches a name."""
    assert similar_pattern(pattern, NAMES) == meant


def test_without_names_nothing_is_suggested() -> None:
    """A configuration may have no rule."""
    assert similar_pattern("lwo-*", ()) is None
