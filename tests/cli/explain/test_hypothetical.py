"""`explain` over imported readings: today's rules, replayed as `backtest` does."""

from pathlib import Path

from click.testing import Result

from daemon.cli.explain.hypothetical import REACH
from daemon.cli.output.times import format_iso
from daemon.cli.reload_command import START
from daemon.types import DAY, HOUR, MINUTE, Millis
from tests.cli.calls import CHANNEL, account, call, write
from tests.cli.explain.test_explain_command import LATER, asked, change, lines
from tests.cli.past import FINE, lived
from tests.fakes import NOON
from tests.values import rule

BEFORE = "2026-01-01T11:00"
"""An hour before NOON, in Berlin."""

NOBODY = "no daemon watched main then: today's rules are played over the imported readings"


def bring_in(
    folder: Path, *margins: str, every: Millis = MINUTE, until: Millis = NOON - HOUR
) -> None:
    """Import readings of the account main, the last of them at `until`."""
    begin = until - (len(margins) - 1) * every
    rows = [
        f"main,{format_iso(begin + number * every, None)},{margin}"
        for number, margin in enumerate(margins)
    ]
    (folder / "old.csv").write_text(
        "\n".join(["account,time,available_margin", *rows]), encoding="utf-8"
    )
    assert call("import", folder / "old.csv", "--config", write(folder), clock=LATER).exit_code == 0


def test_what_was_imported_is_explained_by_todays_rules(tmp_path: Path) -> None:
    """DESIGN §5: replayed as by `backtest`; it says that nobody watched, and from when it plays."""
    bring_in(tmp_path, "500", "90", "80", "110")
    assert asked(tmp_path, "low", BEFORE).stdout.splitlines() == [
        "low on main at 2026-01-01 11:00:00",
        f"supposed    {NOBODY} from 2026-01-01 10:57:00 on",
        "last input  2026-01-01 11:00:00  a reading (import, ok)",
        "",
        "when        available_margin < 100  no",
        "              available_margin      110",
        "clear_when  available_margin > 120  no",
        "              available_margin      110",
        "",
        "alert       firing since 2026-01-01 10:58:00, worst 80",
        "muted       no",
        "would be    2026-01-01 10:58:00  ok → firing (condition) at 90",
        "told        nobody; backtest shows what would have been announced",
    ]


def test_it_stands_as_it_would_have_stood_then(tmp_path: Path) -> None:
    """The instant counts also among imported readings; the age of the last one is shown."""
    bring_in(tmp_path, "500", "90", "500")
    assert "alert firing since 2026-01-01 10:59:00, worst 90" in lines(
        tmp_path, "low", "2026-01-01T10:59:30"
    )
    shown = lines(tmp_path, "low", "2026-01-01T11:30")
    assert shown[2] == "gap nothing is recorded of the 30 min before that"
    assert "as it stood at the last input, 30 min before:" in shown
    assert "would be 2026-01-01 11:00:00 firing → resolved (cleared) at 500" in shown


def test_the_daemons_own_record_decides_from_its_beginning_on(tmp_path: Path) -> None:
    """Imported readings come before it; the rules of that time are others than today's."""
    lived(tmp_path, [rule("other")], [{"main": FINE}])
    bring_in(tmp_path, "90")
    assert "supposed" in asked(tmp_path, "low", BEFORE).stdout
    assert 'no rule "lo" watched main then; there were other' in asked(tmp_path, "lo").stderr
    assert "supposed" not in asked(tmp_path, "other").stdout


def test_a_rule_that_no_daemon_has_loaded_yet_is_said_to_be_so(tmp_path: Path) -> None:
    """It is in the file, and the newest start does not know it; how to load it stands there."""
    lived(tmp_path, [rule("other")], [{"main": FINE}])
    assert refused(asked(tmp_path, "low")) == (
        f'the rule "low" is in rules.toml but not loaded yet: {START}'
    )
    lived(tmp_path, [rule("low")], [{"main": FINE}], begin=NOON + HOUR)
    assert 'no rule "low" watched main then; there were other' in asked(tmp_path, "low").stderr


def test_an_account_that_was_added_later_was_not_watched_before(tmp_path: Path) -> None:
    """Although a daemon ran."""
    lived(tmp_path, [rule("low")], [{"other": FINE}], begin=NOON - 2 * HOUR)
    bring_in(tmp_path, "90")
    lived(tmp_path, [rule("low")], [{"other": FINE, "main": FINE}])
    shown = asked(tmp_path, "low", BEFORE, "--account", "main").stdout
    assert NOBODY in shown
    assert (
        "supposed" not in asked(tmp_path, "low", "2026-01-01T12:00:05", "--account", "main").stdout
    )


def test_a_play_is_no_longer_than_a_week(tmp_path: Path) -> None:
    """A long import is replayed only from REACH before, and earlier readings only fill windows."""
    bring_in(tmp_path, *["90"] * 40, every=6 * HOUR)
    shown = lines(tmp_path, "low", BEFORE)
    assert shown[1].endswith("from 2025-12-25 11:00:00 on")
    assert "alert firing since 2025-12-25 11:00:00, worst 90" in shown
    assert REACH == 7 * DAY


def test_c1_windows_are_full_where_the_play_begins(tmp_path: Path) -> None:
    """C1: readings from before it fill them."""
    bring_in(tmp_path, *["700"] * 3, *["500"] * 29, every=6 * HOUR)
    deep = '\n[[rules]]\nname = "deep"\nwhen = "max(available_margin, 1d) > 600"\n'
    shown = lines(tmp_path, "deep", BEFORE, tables=(account(), deep, CHANNEL))
    assert "would be 2025-12-25 11:00:00 ok → firing (condition) at 700" in shown


def test_what_cannot_be_supposed_is_said(tmp_path: Path) -> None:
    """One sentence: no such rule today, no readings that early, none at all."""
    bring_in(tmp_path, "90")
    assert (
        refused(asked(tmp_path, "lo", BEFORE))
        == 'no rule "lo" watches main in rules.toml; did you mean "low"?'
    )
    without = asked(tmp_path, "xyz", BEFORE, tables=(account(), CHANNEL))
    assert refused(without).startswith(
        'no rule "xyz" watches main in rules.toml; there are no-readings, '
    )
    early = asked(tmp_path, "low", "2026-01-01T10:00")
    assert refused(early) == "the record of main begins only at 2026-01-01 11:00:00"
    change(tmp_path, "DELETE FROM snapshots")
    nothing = "nothing is recorded of main yet: let the daemon run first, or import readings"
    assert refused(asked(tmp_path, "low", BEFORE)) == nothing


def refused(answered: Result) -> str:
    assert answered.exit_code == 2
    return answered.stderr.strip()
