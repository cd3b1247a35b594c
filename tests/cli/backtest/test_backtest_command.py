"""`backtest`: what rules would have announced, from records that real owners made."""

import csv
import io
import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from daemon.cli.backtest.headline import NO_MISSES
from daemon.types import HOUR, MissReason, NoAnswer
from tests.cli.calls import CHANNEL, RULE, SECRETS, account, beside_a_terminal, call, record, write
from tests.cli.past import FINE, LOW, alone, lived
from tests.fakes import NOON, ManualClock
from tests.service.lives import Step
from tests.values import answer, rule

LATER = ManualClock(NOON + HOUR)
MISS = NoAnswer(MissReason.TIMEOUT, "no answer within 10 s")
MAIL = '\n[[channels]]\nname = "mail"\nurl = "json://127.0.0.1:9/mail"\n'
MUTED = f'[[mutes]]\nname = "dawn"\nbetween = ["05:00", "07:00"]\n{RULE}mute = ["dawn"]\n'


def backtest(
    folder: Path, *options: object, tables: tuple[str, ...] = (account(), RULE, CHANNEL, MAIL)
) -> Result:
    return call("backtest", *options, "--config", write(folder, *tables), clock=LATER)


def shown(folder: Path, *options: object, **how: Any) -> list[str]:
    """The output for people, without the spaces that align it."""
    answered = backtest(folder, *options, **how)
    assert answered.exit_code == 0, answered.output
    return [" ".join(line.split()) for line in answered.stdout.splitlines()]


def data(folder: Path, *options: object, **how: Any) -> dict[str, list[dict[str, Any]]]:
    answered = backtest(folder, *options, "--format", "json", **how)
    assert answered.exit_code == 0, answered.output
    found: dict[str, list[dict[str, Any]]] = json.loads(answered.stdout)
    return found


def test_people_see_what_was_replayed_told_and_counted(tmp_path: Path) -> None:
    """A headline, a line per message with channels, a line per rule; system rules if they fired."""
    lived(tmp_path, [rule("other")], alone(FINE, LOW, answer(available_margin="80"), FINE))
    headline, _, columns, fired, resolved, *rest = shown(tmp_path)
    assert (
        headline == "2026-01-01 12:00:00 to 2026-01-01 12:00:15, 15 s: 1 account, 1 rule, 4 inputs"
    )
    assert columns == "time message to"
    assert fired.startswith("2026-01-01 12:00:06 WARNING main: available_margin 90 (below 100)")
    assert resolved.startswith("2026-01-01 12:00:16 OVER main: available_margin 500 (low, 10 s)")
    assert fired.endswith(" hook, mail")
    assert resolved.endswith(" hook, mail")
    assert rest == [
        "",
        "rule alerts at night firing longest worst early",
        "low 1 0 10 s 10 s 80 5 s",
    ]


def test_json_is_as_documented(tmp_path: Path) -> None:
    """DESIGN §5: transitions, notifications, summary; instants with offset, exact digits."""
    lived(tmp_path, [], alone(FINE, answer(available_margin="90.00000000000000000001"), FINE))
    found = data(tmp_path, tables=(account(), RULE, CHANNEL))
    assert found["transitions"] == [
        {
            "rule": "low",
            "account": "main",
            "at": "2026-01-01T12:00:05.000+01:00",
            "from": "ok",
            "to": "firing",
            "value": "90.00000000000000000001",
            "reason": "condition",
        },
        {
            "rule": "low",
            "account": "main",
            "at": "2026-01-01T12:00:10.000+01:00",
            "from": "firing",
            "to": "resolved",
            "value": "500",
            "reason": "cleared",
        },
    ]
    told = [
        {key: value for key, value in each.items() if key != "text"}
        for each in found["notifications"]
    ]
    assert told == [
        {
            "channel": "hook",
            "at": f"2026-01-01T12:00:{second}.000+01:00",
            "kind": kind,
            "rules": ["low"],
            "accounts": ["main"],
            "news": [{"rule": "low", "account": "main", "kind": kind}],
        }
        for second, kind in (("06", "firing"), ("11", "resolved"))
    ]
    title, *_, ids, _ = found["notifications"][0]["text"].splitlines()
    assert title == "WARNING main: available_margin 90 (below 100)"
    assert ids.startswith("low · alert ")
    assert found["summary"][0] == {
        "rule": "low",
        "alerts": 1,
        "firing_seconds": 5.0,
        "longest_seconds": 5.0,
        "at_night": 0,
        "worst": "90.00000000000000000001",
        "worsts": [{"comparison": "available_margin < 100", "value": "90.00000000000000000001"}],
        "early_seconds": None,
    }


def test_csv_has_a_row_for_each_transition_and_message(tmp_path: Path) -> None:
    """In the order of time, with empty cells where a column says nothing."""
    lived(tmp_path, [], alone(LOW, FINE))
    rows = list(csv.DictReader(io.StringIO(backtest(tmp_path, "--format", "csv").stdout)))
    assert [
        (row["what"], row["at"][17:19], row["to"] or row["kind"], row["channel"]) for row in rows
    ] == [
        ("transition", "00", "firing", ""),
        ("notification", "01", "firing", "hook"),
        ("notification", "01", "firing", "mail"),
        ("transition", "05", "resolved", ""),
        ("notification", "06", "resolved", "hook"),
        ("notification", "06", "resolved", "mail"),
    ]


def test_all_that_a_joined_message_tells_is_listed(tmp_path: Path) -> None:
    """Items include ends; `kind` is that of the first; csv has a row per message with all kinds."""
    lived(
        tmp_path,
        [],
        [{"main": LOW, "grid": FINE}, {"main": FINE, "grid": LOW}, {"main": LOW, "grid": LOW}],
    )
    tables = (account(), account("grid"), RULE, CHANNEL.replace("url", 'group_wait = "12s"\nurl'))
    (told,) = data(tmp_path, tables=tables)["notifications"]
    assert (told["kind"], told["rules"], told["accounts"]) == ("firing", ["low"], ["grid", "main"])
    assert told["news"] == [
        {"rule": "low", "account": name, "kind": kind}
        for name, kind in (
            ("grid", "firing"),
            ("main", "firing"),
            ("main", "firing"),
            ("main", "resolved"),
        )
    ]
    rows = list(
        csv.DictReader(io.StringIO(backtest(tmp_path, "--format", "csv", tables=tables).stdout))
    )
    assert [
        (row["rule"], row["account"], row["kind"]) for row in rows if row["what"] == "notification"
    ] == [("low", "grid main", "firing resolved")]


def test_the_span_begins_with_full_windows(tmp_path: Path) -> None:
    """`--since` judges nothing earlier, but earlier inputs fill windows; `--until` ends it."""
    fell = '[[rules]]\nname = "fell"\nwhen = "delta(available_margin, 10s) < -400"\n'
    lived(tmp_path, [], alone(FINE, LOW, LOW, LOW, FINE))
    span = ("--since", "2026-01-01T12:00:10", "--until", "2026-01-01T12:00:20")
    found = data(tmp_path, *span, tables=(account(), fell, CHANNEL))
    assert [(each["at"][17:19], each["to"]) for each in found["transitions"]] == [
        ("10", "firing"),
        ("15", "resolved"),
    ]
    assert shown(tmp_path, *span, tables=(account(), fell, CHANNEL))[0].endswith(
        "1 account, 1 rule, 2 inputs"
    )


def test_the_headline_tells_what_was_judged(tmp_path: Path) -> None:
    """The headline spans the first to the last judged input, whatever was asked for."""
    lived(
        tmp_path,
        [],
        [{"main": FINE, "grid": FINE}, *alone(*[FINE] * 3), {"main": MISS, "grid": FINE}],
    )
    window = '[[rules]]\nname = "fell"\nwhen = "delta(available_margin, 10m) < -400"\n'
    for since, told in (
        (
            "12:00:11",
            "2026-01-01 12:00:15 to 2026-01-01 12:00:20, 5 s: 2 accounts, 1 rule, 3 inputs",
        ),
        (
            "11:00:00",
            "2026-01-01 12:00:00 to 2026-01-01 12:00:20, 20 s: 2 accounts, 1 rule, 7 inputs",
        ),
        (
            "12:00:20",
            "2026-01-01 12:00:20 to 2026-01-01 12:00:20, 0 ms: 2 accounts, 1 rule, 2 inputs",
        ),
    ):
        span = ("--since", f"2026-01-01T{since}")
        assert (
            shown(tmp_path, *span, tables=(account(), account("grid"), window, CHANNEL))[0] == told
        )


def test_a5_the_headline_moves_with_the_clock(tmp_path: Path) -> None:
    """A5: over a clock that was set back an hour the span is as long as it was."""
    lived(tmp_path, [], alone(FINE, Step(-HOUR), FINE, FINE))
    assert (
        shown(tmp_path)[0]
        == "2026-01-01 11:00:00 to 2026-01-01 11:00:15, 15 s: 1 account, 1 rule, 4 inputs"
    )


def test_windows_that_are_not_full_are_named_once(tmp_path: Path) -> None:
    """A record that begins within the span says when windows are full, or that they never were."""
    lived(tmp_path, [], alone(*[FINE] * 8))
    window = '[[rules]]\nname = "fell"\nwhen = "delta(available_margin, {}) < -400"\n'
    assert shown(tmp_path, tables=(account(), window.format("20s"), CHANNEL))[1] == (
        "windows fill as the record begins: the longest, 20 s, is full from 2026-01-01 12:00:20 on"
    )
    assert shown(tmp_path, tables=(account(), window.format("24h"), CHANNEL))[1] == (
        "the longest window, 1 d, is longer than this history: it was never full"
    )
    assert (
        shown(
            tmp_path,
            "--since",
            "2026-01-01T12:00:21",
            tables=(account(), window.format("20s"), CHANNEL),
        )[1]
        == ""
    )


def test_a_peak_begins_with_the_span_and_a_day_is_no_window(tmp_path: Path) -> None:
    """`today` and `prev` name no length; of a peak it is said where it begins."""
    rules = [
        f'[[rules]]\nname = "{name}"\nwhen = "{when}"\nkeep_firing_for = "1m"\n'
        for name, when in {
            "day": "today(available_margin) < -9_000",
            "step": "available_margin < prev(available_margin) - 9_000",
            "drawdown": "available_margin < 90% * peak(available_margin)",
        }.items()
    ]
    lived(tmp_path, [], alone(LOW, FINE, FINE, LOW))
    tables = (account(), *rules, CHANNEL)
    assert shown(tmp_path, tables=tables)[1] == (
        "begins with the first reading of this span: peak(available_margin)"
    )
    fired = [
        (each["rule"], each["at"][17:19]) for each in data(tmp_path, tables=tables)["transitions"]
    ]
    assert fired == [("drawdown", "15")]
    since = ("--since", "2026-01-01T12:00:15")
    assert data(tmp_path, *since, tables=tables)["transitions"] == []


def test_nothing_to_announce_is_said(tmp_path: Path) -> None:
    """An answer, not an empty page."""
    lived(tmp_path, [], alone(FINE, FINE))
    assert "nothing would have been announced" in shown(tmp_path)


def test_an_empty_record_is_said(tmp_path: Path) -> None:
    """No reading at all or in the span: one sentence for people, an empty object for programs."""
    record(tmp_path, accounts=())
    assert shown(tmp_path) == [
        "nothing is recorded yet: let the daemon run first, or import readings"
    ]
    assert data(tmp_path)["transitions"] == data(tmp_path)["notifications"] == []
    lived(tmp_path, [], alone(FINE))
    later = ("--since", "2026-01-01T12:30:00")
    assert shown(tmp_path, *later) == [
        "nothing is recorded in this span: choose another --since and --until"
    ]


def test_one_reading_is_enough(tmp_path: Path) -> None:
    """The alert fires at the first reading, and still fires at the end."""
    lived(tmp_path, [], alone(LOW))
    assert [each["to"] for each in data(tmp_path)["transitions"]] == ["firing"]
    assert data(tmp_path)["summary"][0]["firing_seconds"] == 0.0


def test_accounts_and_rules_that_do_not_meet_are_named(tmp_path: Path) -> None:
    """An account that is no longer configured is replayed; a rule that watches nobody is named."""
    lived(tmp_path, [], [{"main": FINE, "old": LOW}])
    grid = '[[rules]]\nname = "grid"\nwhen = "al_freeze > 5"\naccounts = ["grid-*"]\n'
    said = shown(tmp_path, tables=(account(), RULE, grid))
    assert said[1:4] == [
        "not in the configuration, and replayed all the same: old",
        "no account here is watched by: grid",
        "there is no channel, so nobody would have been told anything",
    ]
    assert [each["account"] for each in data(tmp_path)["transitions"]] == ["old"]
    assert data(tmp_path, "--account", "main")["transitions"] == []
    assert backtest(tmp_path, "--account", "x*").exit_code == 2


def test_other_rules_replace_those_of_the_configuration(tmp_path: Path) -> None:
    """--rules replaces the rules; database, accounts and channels stay as configured."""
    lived(tmp_path, [], alone(FINE, answer(available_margin="150"), FINE))
    other = tmp_path / "other.toml"
    other.write_text(RULE.replace("< 100", "< 200").replace("> 120", "> 220"), encoding="utf-8")
    assert data(tmp_path)["transitions"] == []
    found = data(tmp_path, "--rules", other)
    assert [each["to"] for each in found["transitions"]] == ["firing", "resolved"]
    assert {each["channel"] for each in found["notifications"]} == {"hook", "mail"}


def test_the_time_zone_of_other_rules_counts(tmp_path: Path) -> None:
    """--rules: nights, mute windows, messages and all times are in the zone of FILE."""
    lived(tmp_path, [], alone(LOW, LOW, FINE))
    other = tmp_path / "other.toml"
    other.write_text('[daemon]\ntimezone = "America/New_York"\n', encoding="utf-8")
    found = data(tmp_path, "--rules", other)
    assert found["transitions"][0]["at"] == "2026-01-01T06:00:00.000-05:00"
    assert found["summary"][0]["at_night"] == 1
    assert "06:00:00 to 06:00:10" in found["notifications"][-1]["text"]
    assert shown(tmp_path, "--rules", other, "--since", "2026-01-01T06:00:05")[0].startswith(
        "2026-01-01 06:00:05 to "
    )
    other.write_text('[daemon]\ntimezone = "America/New_York"\n' + MUTED, encoding="utf-8")
    assert data(tmp_path, "--rules", other)["notifications"] == []
    rows = csv.DictReader(
        io.StringIO(backtest(tmp_path, "--rules", other, "--format", "csv").stdout)
    )
    assert next(rows)["at"] == "2026-01-01T06:00:00.000-05:00"


def test_mistakes_of_other_rules_are_all_told(tmp_path: Path) -> None:
    """Exit status 78, with the file and the place of each."""
    lived(tmp_path, [], alone(FINE))
    other = tmp_path / "other.toml"
    other.write_text(
        RULE.replace("< 100", "<") + 'channels = ["telegrm"]\nfro = "5s"\n', encoding="utf-8"
    )
    answered = backtest(tmp_path, "--rules", other)
    assert answered.exit_code == 78
    places = [
        line
        for line in answered.stderr.splitlines()
        if line.startswith('other.toml: rules "low" (line 2).')
    ]
    assert [line.split(": ")[1] for line in places] == [
        'rules "low" (line 2).when',
        'rules "low" (line 2).fro',
        'rules "low" (line 2).channels',
    ]


def test_what_does_not_go_together_is_bad_usage(tmp_path: Path) -> None:
    """Exit status 2, and a sentence with the remedy."""
    other = tmp_path / "other.toml"
    other.write_text(RULE, encoding="utf-8")
    for options in (
        ("--diff",),
        ("--verify", "--rules", other),
        ("--verify", "--since", "1h"),
        ("--rules", "none"),
    ):
        answered = backtest(tmp_path, *options)
        assert (answered.exit_code, len(answered.stderr.splitlines())) == (2, 1)


def test_imported_readings_are_played_too(tmp_path: Path) -> None:
    """Readings are sorted whatever their order in the file, also several at one instant."""
    lines = [
        "account,time,available_margin",
        "main,1767200002,500",
        "main,1767200000,500",
        "main,1767200001,90",
    ]
    (tmp_path / "old.csv").write_text(
        "\n".join([*lines, "main,1767200001,80", ""]), encoding="utf-8"
    )
    config = write(tmp_path)
    assert call("import", tmp_path / "old.csv", "--config", config, clock=LATER).exit_code == 0
    assert [each["to"] for each in data(tmp_path)["transitions"]] == ["firing", "resolved"]


def test_what_cannot_fire_over_imported_readings_is_said(tmp_path: Path) -> None:
    """A note appears where imported readings are judged and a rule acts on missing ones."""
    lived(tmp_path, [], alone(FINE, FINE))
    (tmp_path / "old.csv").write_text(
        "account,time,available_margin\nmain,1767200000,500\n", encoding="utf-8"
    )
    assert (
        call("import", tmp_path / "old.csv", "--config", write(tmp_path), clock=LATER).exit_code
        == 0
    )
    off = '[system]\nno-readings = "off"\n'
    silent = '[[rules]]\nname = "silent"\nwhen = "age > 1m"\n'
    assert shown(tmp_path)[1] == NO_MISSES
    assert shown(tmp_path, "--since", "2026-01-01T12:00")[1] == ""
    assert shown(tmp_path, tables=(account(), RULE, CHANNEL, off))[1] == ""
    assert shown(tmp_path, tables=(account(), silent, CHANNEL, off))[1] == NO_MISSES
    assert (
        shown(tmp_path, tables=(account(), RULE + 'on_missing = "firing"\n', CHANNEL, off))[1]
        == NO_MISSES
    )


def test_a_record_out_of_order_is_played_as_it_stands(tmp_path: Path) -> None:
    """Instants that go back without a step of the clock cause no failure and no endless loop."""
    lived(tmp_path, [], alone(FINE, LOW, FINE, LOW, FINE))
    with closing(sqlite3.connect(tmp_path / "marginwatch.db")) as connection, connection:
        connection.execute("UPDATE snapshots SET at = at - 3600000 WHERE seq IN (3, 4)")
    window = '[[rules]]\nname = "fell"\nwhen = "delta(available_margin, 10s) < -400"\nfor = "1s"\n'
    for tables in ((account(), RULE, CHANNEL), (account(), window, CHANNEL)):
        assert data(tmp_path, tables=tables)["summary"]
        assert data(tmp_path, "--since", "2026-01-01T12:00:00", tables=tables)["summary"]
        assert backtest(tmp_path, tables=tables).exit_code == 0


def test_a5_misses_and_steps_of_the_clock_keep_durations_true(tmp_path: Path) -> None:
    """A5: an alert that lasts over a clock set back an hour has lasted as long as it did."""
    lived(tmp_path, [], alone(LOW, MISS, Step(-HOUR), LOW, FINE))
    found = data(tmp_path)
    assert [each["to"] for each in found["transitions"]] == ["firing", "resolved"]
    assert found["summary"][0]["firing_seconds"] == 20.0


def test_a_reader_that_leaves_ends_it_quietly(tmp_path: Path) -> None:
    """`| head -1`: no traceback."""
    lived(tmp_path, [], alone(*[LOW, FINE] * 200))
    command = [
        sys.executable,
        "-m",
        "daemon",
        "backtest",
        "--format",
        "csv",
        "--config",
        str(write(tmp_path)),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(SECRETS)
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read().strip() == b""
        assert running.wait(60) in {0, 1}


def test_ctrl_c_ends_it_at_once(tmp_path: Path) -> None:
    """Exit status 130 and no traceback, even where nobody takes what it still has to print."""
    lived(tmp_path, [], alone(*[LOW, FINE] * 250))
    command = [
        sys.executable,
        "-m",
        "daemon",
        "backtest",
        "--format",
        "json",
        "--config",
        str(write(tmp_path)),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(SECRETS)
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.read(1)  # it prints, and soon waits: the rest is more than a pipe holds
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 130
        assert running.stderr.read().strip() == b""


def test_a_terminal_sees_how_far_it_is(tmp_path: Path) -> None:
    """A bar on stderr, where that is a terminal; what is printed goes elsewhere."""
    lived(tmp_path, [], alone(*[FINE] * 5))
    printed, seen = beside_a_terminal("backtest", "--config", write(tmp_path))
    assert b"replaying" in seen
    assert b"nothing would have been announced" in printed


@pytest.mark.parametrize(
    "options", [(), ("--rules", "other.toml", "--diff")], ids=["alone", "diff"]
)
def test_rows_go_where_they_are_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    """With a bar on the terminal, `--format csv > file` still has every row, the terminal none."""
    monkeypatch.chdir(tmp_path)
    lived(tmp_path, [], alone(FINE, LOW, FINE))
    (tmp_path / "other.toml").write_text(RULE.replace("< 100", "< 50"), encoding="utf-8")
    config = write(tmp_path)
    for output in ("csv", "json"):
        printed, seen = beside_a_terminal(
            "backtest", *options, "--format", output, "--config", config
        )
        assert (
            printed.decode()
            == call("backtest", *options, "--format", output, "--config", config).stdout
        )
        assert b"2026-01-01T" in printed
        assert b"2026-01-01T" not in seen
