"""The answer of `explain` that the README shows is the one that it gives."""

from pathlib import Path

from tests.cli.test_cli_explain import asked, lived
from tests.docs.markdown import README
from tests.values import answer, rule


def test_the_answer_shown_is_the_answer_given(tmp_path: Path) -> None:
    """To the letter, from a record in which a critical rule inhibited the warning."""
    critical = rule("margin-critical", "available_margin < 50", clear_when="available_margin > 60")
    low = rule("low-margin", clear_when="available_margin > 120", inhibited_by=("margin-critical",))
    amounts = ("500", "47.5", "38.5", "42.19527741")
    lived(tmp_path, [critical, low], *(answer(available_margin=amount) for amount in amounts))
    (block,) = (text for text in README.blocks("text") if text.startswith("low-margin on main"))
    assert asked(tmp_path, "low-margin").stdout == block
