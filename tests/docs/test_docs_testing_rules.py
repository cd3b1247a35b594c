"""docs/testing-rules.md: examples are played, and the failure shown is real."""

import re
from pathlib import Path

from daemon import bundled
from daemon.cli.rules_test.case_file import CaseTable
from daemon.config.parse import tables
from daemon.replay.series import parse_series
from daemon.types import MissReason
from tests.cli.calls import call
from tests.config.written import ACCOUNT, CHANNELS
from tests.docs.markdown import TESTING, code

SHIPPED = bundled.path("rules.toml").read_text(encoding="utf-8")


def _played(folder: Path, tests: str, rules: str = SHIPPED) -> tuple[int, str]:
    (folder / "rules.toml").write_text(rules, encoding="utf-8")
    (folder / "rules.test.toml").write_text(tests, encoding="utf-8")
    result = call("rules", "test", folder / "rules.test.toml", environ={})
    return result.exit_code, result.output


def _examples() -> list[tuple[str, str]]:
    """Each block of tests, with the rules that stand right before it, or else those that ship."""
    blocks = TESTING.blocks("toml")
    return [
        (
            block,
            SHIPPED if "[[rules]]" not in before else ACCOUNT + CHANNELS + before,
        )
        for before, block in zip(["", *blocks], blocks, strict=False)
        if "[[tests]]" in block
    ]


def test_every_example_is_good(tmp_path: Path) -> None:
    """Played against the rules that it is about."""
    examples = _examples()
    assert len(examples) == 4
    for tests, rules in examples:
        status, output = _played(tmp_path, tests, rules)
        assert status == 0, output


def test_the_failure_shown_is_the_real_one(tmp_path: Path) -> None:
    """The output when a rule is changed, except for the duration."""
    (shown,) = TESTING.blocks("text")
    changed = SHIPPED.replace('"available_margin < 100"', '"available_margin < 90"')
    status, output = _played(tmp_path, TESTING.blocks("toml")[0], changed)
    assert status == 1
    assert _timeless(output.replace(f"{tmp_path}/", "")) == _timeless(shown)


def _timeless(text: str) -> str:
    return re.sub(r"in \d+\.\d+ s", "in … s", text)


def test_every_key_is_explained() -> None:
    """The table has the keys of a case."""
    assert list(map(code, TESTING.table("Keys").column("key"))) == list(tables.keys(CaseTable))


def test_every_word_of_a_series_is_one() -> None:
    """Each word stands where a word can stand; the reasons of a miss are those of attempts."""
    words = [
        word
        for cell in TESTING.table("Series").column("word")
        for word in re.findall(r"`([^`]+)`", cell)
    ]
    for word in words:
        assert len(parse_series(f"1 {word} 1").slots) >= 2
    meaning = " ".join(TESTING.table("Series").column("what it is"))
    reasons = {word[1:] for word in re.findall(r"`(_\w+)`", meaning)}
    assert reasons == set(MissReason) - {MissReason.TIMEOUT, MissReason.STORE_DOWN}
