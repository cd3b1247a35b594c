"""docs/explain.md: the answers that it shows are those that `explain` gives."""

from pathlib import Path

from daemon.alerts import system_rules
from daemon.types import MINUTE
from tests.cli.explain.test_explain_command import asked
from tests.cli.past import FINE, alone, lived
from tests.docs.markdown import EXPLAIN
from tests.fakes import NOON
from tests.values import answer, rule


def shown(start_result: str) -> str:
    (block,) = (text for text in EXPLAIN.blocks("text") if text.startswith(start_result))
    return block


def test_the_answer_shown_is_the_answer_given(tmp_path: Path) -> None:
    """To the letter, from a record in which a critical rule inhibited the warning."""
    critical = rule("margin-critical", "available_margin < 50", clear_when="available_margin > 60")
    low = rule("low-margin", clear_when="available_margin > 120", inhibited_by=("margin-critical",))
    amounts = ("500", "47.5", "38.5", "42.19527741")
    lived(
        tmp_path, [critical, low], alone(*(answer(available_margin=amount) for amount in amounts))
    )
    assert asked(tmp_path, "low-margin", "2026-01-01T12:00:30").stdout == shown(
        "low-margin on main"
    )


def test_the_gap_shown_is_the_gap_told(tmp_path: Path) -> None:
    """The beginning of what is said of the minutes in which the daemon was stopped."""
    rules = [system_rules.system_rule("no-readings", 2 * MINUTE)]
    lived(tmp_path, rules, alone(FINE, FINE))
    lived(tmp_path, rules, alone(FINE), begin=NOON + 20 * MINUTE)
    start_result = shown("no-readings on main")
    assert (
        asked(tmp_path, "no-readings", "2026-01-01T12:09:30").stdout[: len(start_result)]
        == start_result
    )
