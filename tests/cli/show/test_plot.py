"""`plot`: a field as a picture (daemon/cli/show/plot.py, plotted.py)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result

from daemon.cli.show import plot_draw
from daemon.readings.fields import NAMES
from daemon.types import HOUR, Millis, Record
from tests.cli.calls import CHANNEL, RULE, account, call, collecting, record, write
from tests.cli.past import EVERY, alone, lived
from tests.fakes import NOON, ManualClock
from tests.values import answer, reading, rule

LATER = ManualClock(NOON + HOUR)
PNG = b"\x89PNG\r\n\x1a\n"
SIZE = (800, 450)


def plotted_by(
    folder: Path, *arguments: object, config: Path | None = None, clock: ManualClock = LATER
) -> Result:
    return call("plot", *arguments, "--config", config or write(folder), clock=clock)


def read(seq: int, at: Millis, name: str = "main") -> Record:
    return Record(name, reading(seq, at))


def is_picture(data: bytes) -> bool:
    return size(data) == SIZE


def size(data: bytes) -> tuple[int, int]:
    """Width and height of a PNG."""
    assert data.startswith(PNG)
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """A folder with the record of a minute."""
    record(tmp_path, *(read(seq, NOON + seq * EVERY) for seq in range(1, 13)))
    return tmp_path


@pytest.mark.parametrize("field", ["availableMargin", "freezeRatio", "free_margin"])
def test_f8_any_field_is_a_picture(few: Path, field: str) -> None:
    """F8: in either spelling, sent or derived; a line says what it is."""
    result = plotted_by(few, field, "--png", few / "a.png")
    assert (result.exit_code, result.stderr) == (0, "")
    assert is_picture((few / "a.png").read_bytes())
    assert (
        result.stdout
        == f"{few}/a.png: {plot_draw.drawable(field)} of main, 2026-01-01 12:00:05 to 2026-01-01"
        " 13:00:00; nothing is recorded before that\n"
    )


def test_f8_beside_a_running_daemon(tmp_path: Path) -> None:
    """F8: the record is read as the daemon writes it, and stays as it is."""
    with collecting(tmp_path, read(1, NOON), read(2, NOON + EVERY)):
        assert plotted_by(tmp_path, "al_freeze", "--png", tmp_path / "a.png").exit_code == 0


def test_f8_the_rules_that_watch_the_account_are_in_it(tmp_path: Path) -> None:
    """F8: levels on this field and firing times, without other accounts and other fields."""
    others = '[[rules]]\nname = "grid"\nwhen = "available_margin < 300"\naccounts = ["grid-*"]\n'
    config = write(tmp_path, account(), account("grid-1"), RULE, others, CHANNEL)
    low = rule("low", clear_when="available_margin > 120")
    lived(tmp_path, [low], alone(answer(), answer(available_margin="90"), answer()))
    same, clock = ["--since", "2026-01-01T11:59", "--until", "2026-01-01T12:01"], LATER
    pictures = {}
    for name, rules in {"both": (RULE, others), "one": (RULE,), "none": ()}.items():
        config = write(tmp_path, account(), account("grid-1"), CHANNEL, *rules)
        call(
            "plot",
            "available_margin",
            "--png",
            tmp_path / name,
            *same,
            "--config",
            config,
            clock=clock,
        )
        pictures[name] = (tmp_path / name).read_bytes()
    assert pictures["both"] == pictures["one"] != pictures["none"]
    assert all(map(is_picture, pictures.values()))


def test_f8_a_minus_is_standard_output(few: Path) -> None:
    """F8: the picture and nothing else."""
    result = plotted_by(few, "available_margin", "--png", "-")
    assert (result.exit_code, result.stderr) == (0, "")
    assert is_picture(result.stdout_bytes)


def test_f8_no_readings_are_a_picture_too(few: Path) -> None:
    """F8: whoever waits for a picture gets one that says so, and a sentence; the status is 0."""
    span = ["--since", "2026-01-01T12:02", "--until", "2026-01-01T12:04"]
    result = plotted_by(few, "available_margin", *span, "--png", few / "a.png")
    assert (result.exit_code, is_picture((few / "a.png").read_bytes())) == (0, True)
    assert (
        result.stderr
        == "no reading of main has available_margin in this span, and the picture says so; "
        "an earlier --since looks further back\n"
    )


def test_f8_a_span_before_the_record_says_when_that_begins(few: Path) -> None:
    """F8: an earlier --since would be no help."""
    span = ["--since", "2025-11-01", "--until", "2025-11-02"]
    result = plotted_by(few, "available_margin", *span, "--png", few / "a.png")
    assert (result.exit_code, is_picture((few / "a.png").read_bytes())) == (0, True)
    sentence = "the record of main begins later, at 2026-01-01 12:00:05, and the picture says so\n"
    assert result.stderr == sentence


def test_f8_the_future_is_not_drawn(few: Path) -> None:
    """F8: a picture ends now, so that nothing that is yet to come looks missing."""
    result = plotted_by(few, "available_margin", "--until", "2026-02-01", "--png", few / "a.png")
    assert " to 2026-01-01 13:00:00;" in result.stdout


def test_f8_several_fields_are_charts_of_one_picture(few: Path) -> None:
    """F8: each once, by either way to name them; one line says what they are."""
    more = ["al_freeze", "availableMargin", "--field", "margin_usage"]
    result = plotted_by(few, "available_margin", *more, "--png", few / "a.png")
    assert (result.exit_code, result.stderr) == (0, "")
    named = "available_margin, al_freeze, margin_usage of main, 2026-01-01 12:00:05"
    assert result.stdout.startswith(f"{few}/a.png: {named}")
    width, height = size((few / "a.png").read_bytes())
    assert (width, height > 700) == (800, True)


def test_f8_several_accounts_are_charts_of_one_picture(tmp_path: Path) -> None:
    """F8: all whose name matches; one without readings of the span is named."""
    names = ("grid-1", "grid-2", "main")
    record(tmp_path, read(1, NOON, "grid-1"), read(1, NOON + 2 * HOUR, "grid-2"), accounts=names)
    result = plotted_by(
        tmp_path, "--field", "al_margin", "--account", "grid-*", "--png", tmp_path / "a.png"
    )
    assert result.exit_code == 0
    assert "al_margin of grid-1, grid-2, 2026-01-01 12:00:00 to" in result.stdout
    assert result.stderr.startswith("the record of grid-2 begins later, at 2026-01-01 14:00:00")
    assert size((tmp_path / "a.png").read_bytes())[1] > 450


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["availableMargn"],
            'there is no field "availableMargn": did you mean "available_margin"?',
        ),
        (["margin"], 'there is no field "margin": did you mean "available_margin"?'),
        (["xyz"], f'there is no field "xyz": there are {", ".join(NAMES[:-1])}'),
        (["age"], "age is no value of a reading: in the picture of any other field a gap shows it"),
        (
            ["al_margin", "--account", "grid"],
            'no account "grid" is recorded; did you mean "grid-1"?',
        ),
        (
            ["al_margin", "--account", "elsewhere"],
            'no account "elsewhere" is recorded; there are main, grid-1',
        ),
        (["al_margin"], "say which account: --account NAME; there are main, grid-1"),
        (
            ["al_margin", "--account", "x-*"],
            'no recorded account matches "x-*": there are main, grid-1',
        ),
        ([], "name a field to draw, such as available_margin"),
        (
            [*NAMES[:-1], "--account", "*"],
            (
                f"these are {2 * len(NAMES[:-1])} charts, and a picture has room for 12:"
                " name fewer fields or accounts"
            ),
        ),
        (
            ["al_margin", "--account", "main", "--since", "soon"],
            (
                '"soon" is not a time: write 03:12, yesterday 20:20, mon 07:00, 2026-11-22T03:12,'
                " 24h for a day ago, or now"
            ),
        ),
        (
            ["al_margin", "--account", "main", "--since", "2026-02-01", "--until", "2026-02-02"],
            "nothing has been between --since and --until yet: let --since name an earlier time",
        ),
        (
            ["al_margin", "--account", "main", "--since", "now"],
            "nothing has been between --since and --until yet: let --since name an earlier time",
        ),
    ],
)
def test_f8_what_cannot_be_drawn_is_bad_usage(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    """F8: one sentence, status 2, no file."""
    record(tmp_path, read(1, NOON), read(1, NOON, "grid-1"), accounts=("main", "grid-1"))
    result = plotted_by(tmp_path, *arguments, "--png", tmp_path / "a.png")
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"{sentence}\n")
    assert not (tmp_path / "a.png").exists()


def test_f8_a_picture_is_drawn_only_where_it_is_asked_for(few: Path) -> None:
    """F8: without the option the chart is text."""
    result = plotted_by(few, "al_margin")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("al_margin of main\n")
    assert not any(each.read_bytes().startswith(PNG) for each in few.iterdir() if each.is_file())


@pytest.mark.parametrize("account", [(), ("--account", "grid-*")])
def test_f8_a_record_without_accounts_has_no_picture(
    tmp_path: Path, account: tuple[str, ...]
) -> None:
    """F8: status 1, and what to do."""
    record(tmp_path, accounts=())
    result = plotted_by(tmp_path, "al_margin", *account, "--png", tmp_path / "a.png")
    assert (result.exit_code, result.stderr) == (
        1,
        "nothing is recorded yet: let the daemon run first, or import readings\n",
    )


def test_f8_a_place_that_cannot_be_written_is_one_sentence(few: Path) -> None:
    """F8: status 1, with the file, the reason and the remedy."""
    result = plotted_by(few, "al_margin", "--png", few / "nowhere" / "a.png")
    remedy = "name another place with --png, or let this user write there"
    sentence = f"{few}/nowhere/a.png cannot be written (No such file or directory): {remedy}\n"
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", sentence)


def test_f8_a_drawing_that_failed_says_why(few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F8: status 1, and a picture of before stays as it is."""
    (few / "a.png").write_text("of before")
    monkeypatch.setattr(
        plot_draw, "DRAWING", [sys.executable, "-c", "raise SystemExit('no room for it')"]
    )
    result = plotted_by(few, "al_margin", "--png", few / "a.png")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "the picture could not be drawn: no room for it\n"
    assert (few / "a.png").read_text() == "of before"


def test_f8_a_drawing_that_takes_too_long_says_so(
    few: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F8: status 1."""
    monkeypatch.setattr(
        plot_draw, "DRAWING", [sys.executable, "-c", "import time; time.sleep(600)"]
    )
    result = plotted_by(few, "al_margin", "--png", few / "a.png", clock=HastyClock(NOON + HOUR))
    assert (result.exit_code, result.stderr) == (
        1,
        "the picture could not be drawn: it took longer than 60 s\n",
    )


class HastyClock(ManualClock):
    """On which nobody waits."""

    async def sleep(self, duration: Millis) -> None:
        del duration


def test_f8_a_terminal_gets_no_picture(few: Path) -> None:
    """F8: the bytes would be noise there: status 2, before anything is read."""
    parent, child = os.openpty()
    arguments = [
        sys.executable,
        "-m",
        "daemon",
        "plot",
        "al_margin",
        "--png",
        "-",
        "--config",
        str(write(few)),
    ]
    shown = subprocess.run(arguments, stdout=child, stderr=subprocess.PIPE, text=True, check=False)
    os.close(child)
    os.close(parent)
    sentence = "a picture is nothing for a terminal: name a file, or send the output to one\n"
    assert (shown.returncode, shown.stderr) == (2, sentence)
