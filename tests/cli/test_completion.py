"""Completion of commands and options by a shell."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.calls import call

PROGRAM = Path(sys.executable).parent / "marginwatch"


def completed(script: Path, *words: str) -> list[str]:
    """What bash offers for the last of these words, with the script that the program prints."""
    asked = (
        f"source {script}; COMP_WORDS=(marginwatch {' '.join(words)});"
        f' COMP_CWORD={len(words)}; _marginwatch_completion {PROGRAM}; echo "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_bash_completes_commands_and_options(tmp_path: Path) -> None:
    """A half-written command, one of a group, an option with a fixed set of values, a recipe."""
    script = tmp_path / "marginwatch.bash"
    script.write_text(call("completion", "bash").stdout)
    assert completed(script, "stat") == ["status"]
    assert completed(script, "silence", "e") == ["end"]
    assert completed(script, "alerts", "--sev") == ["--severity"]
    assert completed(script, "alerts", "--severity", "w") == ["warning"]
    assert completed(script, "rules", "add", "wi") == ["withdrawal"]


@pytest.mark.parametrize(
    ("shell", "sign"), [("zsh", "#compdef marginwatch"), ("fish", "complete --no-files")]
)
def test_other_shells_get_their_script(shell: str, sign: str) -> None:
    """They ask the program by the same variable."""
    shown = call("completion", shell).stdout
    assert sign in shown
    assert f"_MARGINWATCH_COMPLETE={shell}_complete" in shown


def test_without_a_shell_the_known_ones_are_named() -> None:
    """In one sentence, as every error."""
    done = call("completion")
    sentence = "say which shell: bash, zsh or fish (see marginwatch completion --help)\n"
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", sentence)


def test_an_unknown_shell_is_bad_usage() -> None:
    """The known ones are named."""
    done = call("completion", "tcsh")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "bash" in done.stderr
