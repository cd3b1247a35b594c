"""`rules test`: which rules a file tests, its mistakes, and the printed outcome."""

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from daemon import bundled
from daemon.cli import commands
from daemon.cli.rules_test.run import LONG
from daemon.cli.rules_test.table import MOST
from daemon.cli.session import CommandSession
from daemon.readings.fields import SENT
from tests.cli.calls import CHANNEL, RULE, account, beside_a_terminal, call, write
from tests.fakes import ManualClock

GOOD = """
[[tests]]
name = "low fires and ends"
series.available_margin = "500 90 130"
expect = ["5s low firing 90", "10s low resolved"]
"""

WRONG = """
[[tests]]
name = "low is late"
series = { available_margin = "500 -100x4 95 130", al_freeze = "0" }
expect = ["20s low firing", "30s low resolved"]
"""


def _test(
    folder: Path, *cases: str, name: str = "rules.test.toml", options: tuple[object, ...] = ()
) -> Result:
    """Write these cases beside the rules and play them."""
    if not (folder / "rules.toml").exists():
        write(folder)
    (folder / name).write_text("\n".join(cases), encoding="utf-8")
    return call("rules", "test", folder / name, *options, environ={})


def _mistakes(folder: Path, *cases: str) -> list[str]:
    result = _test(folder, *cases)
    assert (result.exit_code, result.stdout) == (78, "")
    return [line.removeprefix("rules.test.toml: ") for line in result.stderr.splitlines()]


# The rules that ship, and the output.


def test_the_shipped_rules_pass_their_tests() -> None:
    """No key is needed, and no environment."""
    path = bundled.path("rules.test.toml")
    result = call("rules", "test", path, environ={})
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == f"{path} with the rules of {path.with_name('rules.toml')}"
    assert all(line.startswith("ok    ") for line in lines[1:-2])
    assert lines[-1] == f"{len(lines) - 3} cases, all good, in 0.00 s"


@pytest.mark.parametrize(
    ("written", "changed"),
    [
        ('"available_margin < 100"', '"available_margin <= 100"'),
        ('"available_margin > 120"', '"available_margin > 110"'),
        ('"available_margin < 50"', '"available_margin < 49"'),
        ('"available_margin > 60"', '""'),
        ('inhibited_by = ["margin-critical"]', ""),
        ('severity = "critical"', ""),
        ('repeat = "5m"', ""),
        ('"delta(al_freeze, 10m) > 200"', '"delta(al_freeze, 10m) > 201"'),
        ('"al_freeze < 150"', '""'),
        ('# no-readings = "2m"', 'no-readings = "3m"'),
        ('key-refused = "1m"', 'key-refused = "0s"'),
    ],
)
def test_a_change_of_a_shipped_rule_fails_its_tests(
    tmp_path: Path, written: str, changed: str
) -> None:
    """Every rule is covered: what it fires at, its end, its policy."""
    text = bundled.path("rules.toml").read_text(encoding="utf-8")
    assert written in text
    (tmp_path / "rules.toml").write_text(text.replace(written, changed), encoding="utf-8")
    result = _test(tmp_path, bundled.path("rules.test.toml").read_text(encoding="utf-8"))
    assert result.exit_code == 1, result.output


def test_a_failure_says_what_differs_and_why(tmp_path: Path) -> None:
    """One line a case, the difference in the order of time, the readings around it, the sum."""
    result = _test(tmp_path, GOOD, WRONG)
    assert result.exit_code == 1
    assert (
        result.stdout == f"{tmp_path}/rules.test.toml with the rules of {tmp_path}/rules.toml\n"
        "ok    low fires and ends (3 attempts, 2 transitions)\n"
        "FAIL  low is late (7 attempts, 2 transitions)\n"
        "\n"
        "FAIL  low is late\n"
        f"      {tmp_path}/rules.test.toml; - was expected, + is what came\n"
        "  transitions\n"
        "  -  20s  low  firing\n"
        "  +  25s  low  firing    95   5s later than expected\n"
        "     30s  low  resolved  130\n"
        "  the readings, and what low made of them\n"
        "    when        available_margin < 100\n"
        "    clear_when  available_margin > 120\n"
        "     at   available_margin  when  clear_when  alert\n"
        "     10s  300               no    yes         ok\n"
        "     15s  200               no    yes         ok\n"
        "  >  20s  100               no    no          ok\n"
        "  >  25s  95                yes   no          firing\n"
        "     30s  130               no    yes         ok\n"
        "\n"
        "2 cases, 1 failed, in 0.00 s\n"
    )


def test_colour_is_for_terminals(tmp_path: Path) -> None:
    """Missing lines are red, unexpected ones green."""
    write(tmp_path)
    (tmp_path / "rules.test.toml").write_text(WRONG, encoding="utf-8")
    session = CommandSession(environ={}, own_clock=ManualClock())
    arguments = ["rules", "test", str(tmp_path / "rules.test.toml")]
    shown = CliRunner().invoke(commands, arguments, obj=session, color=True).stdout
    assert "\x1b[31m  -  20s  low  firing\x1b[0m" in shown
    assert "\x1b[32m  +  25s  low  firing    95" in shown


def test_what_was_left_out_is_seen(tmp_path: Path) -> None:
    """Far apart instants are shown with what is around each; a field never sent is pointed out."""
    rules = (
        '[[rules]]\nname = "spike"\nwhen = "delta(al_freeze, 10m) > 200 and available_margin <'
        ' 1000"\n'
    )
    write(tmp_path, account(), rules)
    cases = """
[[tests]]
name = "a spike"
series.available_margin = "500x40"
expect = ["5s spike firing", "2m5s spike firing"]
"""
    lines = _test(tmp_path, cases).stdout.splitlines()
    assert lines.count("    …") == 1
    assert "    al_freeze is not sent here, so nothing is known of it: give it a series" in lines


def test_a_message_is_shown_whole_where_it_lacks_words(tmp_path: Path) -> None:
    """So is everything but the readings, which do not explain it."""
    cases = """
[[tests]]
name = "text"
series.available_margin = "90"
told = [{ message = "1s low firing", contains = ["margin 90", "margin 91"] }]
"""
    lines = _test(tmp_path, cases).stdout.splitlines()
    assert '  -  1s  hook:  low firing  with "margin 91"' in lines
    assert "  what hook was told at 1s" in lines
    assert "    WARNING main: available_margin 90 (below 100)" in lines
    assert not any("the readings" in line for line in lines)


def test_a_long_comparison_is_cut(tmp_path: Path) -> None:
    """A rule that flaps must not fill the terminal."""
    write(
        tmp_path,
        account(),
        '[[rules]]\nname = "low"\nwhen = "available_margin < 100"\nflapping = ""\n',
    )
    series = " ".join(["90", "130"] * MOST)
    cases = f'[[tests]]\nname = "many"\nseries.available_margin = "{series}"\nexpect = []\n'
    assert (
        f"  … and {MOST} lines more, which --format json shows"
        in _test(tmp_path, cases).stdout.splitlines()
    )


def test_a_terminal_sees_how_far_a_long_case_is(tmp_path: Path) -> None:
    """A bar with the case's name, as it stands there, while it is played; short ones need none."""
    long = f'[[tests]]\nname = "[red] long"\nseries.available_margin = "500x{LONG}"\nexpect = []\n'
    (tmp_path / "rules.test.toml").write_text(long + GOOD, encoding="utf-8")
    printed, seen = beside_a_terminal("rules", "test", "--config", write(tmp_path))
    assert b"[red] long" in seen
    assert b"low fires" not in seen
    assert b"2 cases, all good" in printed


def test_json_has_everything(tmp_path: Path) -> None:
    """An object per case: what came, with exact values, and what differs."""
    result = _test(tmp_path, GOOD, WRONG, options=("--format", "json"))
    assert result.exit_code == 1
    good, wrong = json.loads(result.stdout)
    assert (good["case"], good["ok"], good["attempts"], good["differences"]) == (
        "low fires and ends",
        True,
        3,
        [],
    )
    assert good["transitions"][0] == {
        "after": "5s",
        "at": "2026-01-05T12:00:05.000+01:00",
        "rule": "low",
        "account": "main",
        "to": "firing",
        "value": "90",
        "reason": "condition",
    }
    told = good["messages"][0]
    assert (told["after"], told["channel"]) == ("6s", "hook")
    assert told["news"] == [{"rule": "low", "account": "main", "kind": "firing"}]
    assert told["text"].startswith("WARNING main: available_margin 90 (below 100)\n")
    assert "\nlow · alert " in told["text"]
    assert [
        (each["sign"], each["after"], each["what"], each["remark"]) for each in wrong["differences"]
    ] == [
        ("-", "20s", "low firing", ""),
        ("+", "25s", "low firing 95", "5s later than expected"),
    ]


def test_csv_has_a_row_per_case(tmp_path: Path) -> None:
    result = _test(tmp_path, GOOD, WRONG, options=("--format", "csv"))
    rows = list(csv.DictReader(StringIO(result.stdout)))
    assert [(row["case"], row["result"], row["attempts"], row["differences"]) for row in rows] == [
        ("low fires and ends", "ok", "3", "0"),
        ("low is late", "failed", "7", "2"),
    ]
    assert result.exit_code == 1
    assert _test(tmp_path, GOOD, options=("--format", "csv")).exit_code == 0


def test_cases_are_chosen_by_a_word_or_a_pattern(tmp_path: Path) -> None:
    """Upper and lower case are the same."""
    for pattern in ("ENDS", "low*ends"):
        result = _test(tmp_path, GOOD, WRONG, options=("-k", pattern))
        assert (result.exit_code, result.stdout.count("low fires and ends")) == (0, 1)
    none = _test(tmp_path, GOOD, options=("-k", "foo"))
    assert (none.exit_code, none.stderr) == (
        2,
        'no case is called "foo": give a word of its name, or a pattern such as "*margin*"\n',
    )


def test_pending_alerts_are_listed_where_they_are_wanted(tmp_path: Path) -> None:
    """By the key, or because a line says so."""
    write(tmp_path, account(), RULE + 'for = "10s"')
    case = '[[tests]]\nname = "a"\nseries.available_margin = "90 500"\n'
    assert _test(tmp_path, case + "expect = []").exit_code == 0
    assert _test(tmp_path, case + "expect = []\npending = true").exit_code == 1
    assert (
        _test(tmp_path, case + 'expect = ["0s low pending 90", "5s low resolved"]').exit_code == 0
    )


# Which files, which rules.


def test_without_a_file_all_beside_the_configuration_are_played(tmp_path: Path) -> None:
    """In the order of their names."""
    config = write(tmp_path)
    (tmp_path / "b.test.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "a.test.toml").write_text(GOOD, encoding="utf-8")
    result = call("rules", "test", "--config", config, environ={})
    assert [
        line.split()[0] for line in result.stdout.splitlines() if " with the rules of " in line
    ] == [
        str(tmp_path / "a.test.toml"),
        str(tmp_path / "b.test.toml"),
    ]
    assert result.stdout.splitlines()[-1] == "2 cases, all good, in 0.00 s"


def test_without_any_file_it_is_said_where_one_was_looked_for(tmp_path: Path) -> None:
    result = call("rules", "test", "--config", write(tmp_path), environ={})
    expected = f"there is no *.test.toml beside {tmp_path}/rules.toml; name a file, or write one\n"
    assert (result.exit_code, result.stderr) == (2, expected)


def test_the_rules_are_those_of_the_option_the_file_the_name_or_the_ones_in_force(
    tmp_path: Path,
) -> None:
    """In this order."""
    folders = {name: tmp_path / name for name in ("option", "file", "name", "force")}
    for folder in folders.values():
        folder.mkdir()
    option, named, force = (write(folders[name]) for name in ("option", "file", "force"))
    write(folders["name"]).rename(folders["name"] / "x.toml")
    tests = folders["name"] / "x.test.toml"
    environ = {"MARGINWATCH_CONFIG": str(force)}

    def rules(text: str, path: Path, *options: object) -> str:
        path.write_text(text, encoding="utf-8")
        head: str = call("rules", "test", path, *options, environ=environ).stdout.splitlines()[0]
        return head.partition(" with the rules of ")[2]

    own = 'rules = "../file/rules.toml"\n' + GOOD
    assert rules(own, tests, "--config", option) == str(option)
    assert Path(rules(own, tests)).resolve() == named
    assert rules(GOOD, tests) == str(folders["name"] / "x.toml")
    assert rules(GOOD, tests.with_name("other.test.toml")) == str(force)


def test_a_file_that_is_no_more_than_rules_has_a_channel_that_stands_for_all(
    tmp_path: Path,
) -> None:
    """Rules are tested without accounts, keys and channels."""
    (tmp_path / "rules.toml").write_text(RULE, encoding="utf-8")
    cases = (
        '[[tests]]\nname = "a"\nseries.available_margin = "90"\ntold = ["0s channel: low firing"]\n'
    )
    assert _test(tmp_path, cases).exit_code == 0


def test_the_time_zone_is_that_of_the_case_of_the_rules_or_utc(tmp_path: Path) -> None:
    """A mute window is judged in it, and messages tell its time."""
    rules = (
        '[[mutes]]\nname = "night"\nbetween = ["23:00", "07:00"]\n' + RULE + 'mute = ["night"]\n'
    )
    cases = """
[[tests]]
name = "muted until seven"
start = 2026-01-06T06:55:00{offset}
interval = "1m"
series.available_margin = "90x10"
told = [{{ message = "5m1s low firing", contains = ["since 06:55:00, muted"] }}]
{zone}
"""
    for own, zone, offset in (
        ("", "", ""),
        ("Asia/Tokyo", "", ""),
        ("", "Asia/Tokyo", ""),
        ("", "", "+00:00"),
    ):
        write(tmp_path, account(), rules, CHANNEL, timezone=own)
        written = f'timezone = "{zone}"' if zone else ""
        result = _test(tmp_path, cases.format(zone=written, offset=offset))
        assert result.exit_code == 0, result.output


# Mistakes.


def test_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    """Mistakes of tests and rules, each with its place; a broken file of rules is told once."""
    write(tmp_path, account(), RULE.replace("available_margin <", "avalable_margin <"))
    good = tmp_path / "good.toml"
    good.write_text(account() + RULE, encoding="utf-8")
    (tmp_path / "a.test.toml").write_text('rules = "rules.toml"\n' + GOOD, encoding="utf-8")
    (tmp_path / "b.test.toml").write_text('rules = "rules.toml"\n' + GOOD, encoding="utf-8")
    (tmp_path / "c.test.toml").write_text('rules = "good.toml"\nfoo =', encoding="utf-8")
    (tmp_path / "good.test.toml").write_text(GOOD.replace("expect", "expct"), encoding="utf-8")
    files = [tmp_path / f"{name}.test.toml" for name in ("a", "b", "c", "good")]
    result = call("rules", "test", *files, environ={})
    assert result.exit_code == 78
    assert result.stderr.splitlines() == [
        (
            'rules.toml: rules "low" (line 12).when: there is no field'
            " `avalable_margin`; did you mean"
            " `available_margin`?"
        ),
        "    avalable_margin < 100",
        "    ^",
        "c.test.toml: line 2, column 6: this is no value; texts stand in quotes",
        (
            'good.test.toml: tests "low fires and ends" (line 2).expct: unknown key; did you'
            ' mean "expect"?'
        ),
        (
            'good.test.toml: tests "low fires and ends" (line 2).expect: is missing;'
            " write what is to happen, [] for nothing,"
            " or what is told"
        ),
    ]


def test_a_file_of_rules_that_is_not_there_is_said(tmp_path: Path) -> None:
    """The sentence names file and key; `init` is no remedy, as it writes a configuration."""
    result = _test(tmp_path, 'rules = "other.toml"', GOOD)
    assert (result.exit_code, result.stderr) == (
        78,
        (
            f"rules.test.toml: rules: there is no file {tmp_path}/other.toml; name the one with the"
            " rules\n"
        ),
    )


def test_a_file_of_rules_is_no_file_of_tests(tmp_path: Path) -> None:
    """One sentence that says where its tests are, or would be."""
    config = write(tmp_path)

    def said(file: Path) -> tuple[int, str]:
        result = call("rules", "test", file, environ={})
        return result.exit_code, result.stderr

    where = f"{config}: this is a file of rules; its tests stand in rules.test.toml"
    assert said(config) == (78, f"{where}, which is still to be written\n")
    (tmp_path / "rules.test.toml").write_text(GOOD, encoding="utf-8")
    assert said(config) == (78, f"{where}\n")
    (tmp_path / "a.test.toml").write_text(RULE, encoding="utf-8")
    expected = (
        f"{tmp_path}/a.test.toml: this is a file of rules; those of tests begin with [[tests]]\n"
    )
    assert said(tmp_path / "a.test.toml") == (78, expected)


def test_nothing_written_is_obeyed_by_a_terminal(tmp_path: Path) -> None:
    """Control characters are not printed, wherever they stand."""
    case = (
        GOOD.replace("low fires and ends", "a")
        .replace("5s low", "5s l\\u001bow")
        .replace("500", "\\u001b")
    )
    assert "\x1b" not in _test(tmp_path, case).stderr
    told = (
        '[[tests]]\nname = "a"\nseries.available_margin = "90"\ntold = [{ message = "1s low'
        ' firing", '
    )
    assert "\x1b" not in _test(tmp_path, told + 'contains = ["\\u001b"] }]').stdout


def test_the_place_of_a_typo_in_a_series_is_shown(tmp_path: Path) -> None:
    """A caret under the character."""
    assert _mistakes(
        tmp_path, GOOD, GOOD.replace("low fires", "x").replace("500 90", "500 -1Ox3")
    ) == [
        (
            'tests "x and ends" (line 8).series.available_margin: `O` cannot stand here:'
            " a series is written as in"
            " `500 -10x30 _x5 480`"
        ),
        "    500 -1Ox3 130",
        "          ^",
    ]


KINDS = "expected firing, repeat, worse, ack or resolved behind the rule"
STATES = "expected pending, firing or resolved behind the rule"
NAME_THEM = "name accounts in [tests.accounts.NAME]"
EITHER = "write [tests.series], or [tests.accounts.NAME] for each of several accounts"
MESSAGE = 'must be a line such as "3m26s low-margin firing", or { message = "…", contains = ["…"] }'

A = 'tests "a" (line 1)'
CASE = '[[tests]]\nname = "a"\n'
SERIES = 'series.available_margin = "500 90"\n'


@pytest.mark.parametrize(
    ("case", "mistake"),
    [
        ("", "tests: must be tables that each begin with [[tests]], at least one"),
        ("tests = 3", "tests: must be tables that each begin with [[tests]], at least one"),
        ("rules = 3\n" + GOOD, "rules: must be the name of a file of rules, in quotes"),
        ("rule = 3\n" + GOOD, 'rule: unknown key; did you mean "rules"?'),
        (
            GOOD + GOOD,
            (
                'tests "low fires and ends" (line 7).name: "low fires and ends" is already'
                ' the name of tests "low fires and ends" (line 2)'
            ),
        ),
        ("[[tests]]\nexpect = []\n" + SERIES, "tests (line 1).name: is missing"),
        (
            '[[tests]]\nname = " "\nexpect = []\n' + SERIES,
            (
                'tests " " (line 1).name: must say in one line what is tested, in at most'
                " 200 characters"
            ),
        ),
        (
            CASE + SERIES + "start = 5\nexpect = []",
            f'{A}.start: must be a time such as "2026-01-05T12:00", not 5',
        ),
        (
            CASE + SERIES + 'start = "2026-13-05"\nexpect = []',
            f'{A}.start: must be a time such as "2026-01-05T12:00", not "2026-13-05"',
        ),
        (
            CASE + SERIES + 'start = "9999-01-05"\nexpect = []',
            f'{A}.start: must be a time such as "2026-01-05T12:00", not "9999-01-05"',
        ),
        (
            CASE + SERIES + 'start = "2026-10-25T02:30"\nexpect = []',
            (
                f'{A}.start: "2026-10-25T02:30:00" comes twice that day: write 02:30+02:00 or'
                " 02:30+01:00"
            ),
        ),
        (
            CASE + SERIES + "pending = 1\nexpect = []",
            f"{A}.pending: must be true or false, not 1",
        ),
        (
            CASE + SERIES + 'timezone = "Europe/Berln"\nexpect = []',
            f'{A}.timezone: no such time zone as "Europe/Berln"; write "Europe/Berlin"',
        ),
        (
            CASE + SERIES + 'rules = ["lw"]\nexpect = []',
            f'{A}.rules, entry 1: there is no rule "lw"; did you mean "low"?',
        ),
        (
            CASE + 'series.available_margin = "1x100000"\ninterval = "1h"\nexpect = []',
            f"{A}.interval: the case lasts longer than ten years; use a shorter interval",
        ),
        (
            CASE + SERIES + 'expect = "5s"',
            f'{A}.expect: must be a list of lines, not "5s"',
        ),
        (
            CASE + SERIES + "expect = [5]",
            f'{A}.expect, entry 1: must be a line such as "3m25s low-margin firing 90", not 5',
        ),
        # series
        (CASE + "expect = []", f"{A}.series: is missing; {EITHER}"),
        (
            CASE + SERIES + 'accounts.a.al_freeze = "0"\nexpect = []',
            f"{A}.series: stands beside accounts; {EITHER}",
        ),
        (
            CASE + "accounts = {}\nexpect = []",
            f"{A}.accounts: must be tables that each begin with [tests.accounts.NAME]",
        ),
        (
            CASE + 'accounts."a/b".al_freeze = "0"\nexpect = []',
            (
                f"{A}.accounts.a/b: the name must be 1 to 64 letters, digits, spaces or _ . -,"
                ' not "a/b"'
            ),
        ),
        (
            CASE
            + 'accounts.a.al_freeze = "0x50001"\naccounts.b.al_freeze = "0x50000"\nexpect = []',
            (
                f"{A}.accounts: these are more than 100000 attempts; use a longer interval or"
                " fewer of them"
            ),
        ),
        (
            CASE + "series = 5\nexpect = []",
            f'{A}.series: must be a table of fields, such as available_margin = "500 -10x30"',
        ),
        (
            CASE + 'series.xyz = "5"\nexpect = []',
            f"{A}.series.xyz: there is no such field; there are {', '.join(SENT)}",
        ),
        (
            CASE + 'series.avalableMargin = "5"\nexpect = []',
            (
                f"{A}.series.avalableMargin: there is no such field; did you mean"
                ' "available_margin"?'
            ),
        ),
        (
            CASE + 'series.free_margin = "5"\nexpect = []',
            (
                f"{A}.series.free_margin: is computed from available_margin and al_margin; give"
                " those"
            ),
        ),
        (
            CASE + 'series.age = "5"\nexpect = []',
            (
                f"{A}.series.age: is the time since the last reading; let readings be missed,"
                " as in `500 _x30`"
            ),
        ),
        (
            CASE + SERIES + 'series.availableMargin = "5"\nexpect = []',
            f"{A}.series.availableMargin: is available_margin, which is there already",
        ),
        (
            CASE + "series.al_freeze = 5\nexpect = []",
            f"{A}.series.al_freeze: must be a text in quotes, not 5",
        ),
        (
            CASE + 'series.al_freeze = "5 ~1m 6"\nseries.al_margin = "5 ~2m 6"\nexpect = []',
            (
                f"{A}.series.al_margin: another field pauses here for another time; say it in"
                " one of them"
            ),
        ),
        # messages
        (CASE + SERIES + "told = 5", f"{A}.told: must be a list of lines, not 5"),
        (
            CASE + SERIES + 'told = [{ mesage = "5s low firing" }]',
            f"{A}.told, entry 1: {MESSAGE}",
        ),
        (
            CASE + SERIES + 'told = [{ message = "5s low firing", contain = ["a"] }]',
            f'{A}.told, entry 1.contain: unknown key; did you mean "contains"?',
        ),
        (
            CASE + SERIES + 'told = [{ message = "5s low firing", contains = "a" }]',
            f'{A}.told, entry 1.contains: must be a list of texts, such as ["available_margin 90"]',
        ),
    ],
)
def test_each_mistake_has_its_sentence(tmp_path: Path, case: str, mistake: str) -> None:
    """With its place and what would be right."""
    assert _mistakes(tmp_path, case) == [mistake]


@pytest.mark.parametrize(
    ("key", "line", "column", "sentence"),
    [
        ("expect", "", 0, "the line is empty: expected one such as `3m25s low-margin firing`"),
        (
            "expect",
            "x low firing",
            0,
            "expected the time since the start, such as `3m25s`, found `x`",
        ),
        ("expect", "5s", 2, STATES),
        ("expect", "5s low", 3, STATES),
        ("expect", "5s low frng 9", 7, f'{STATES}; did you mean "firing"?'),
        ("expect", "5s firing", 3, "a rule is named before `firing`"),
        ("expect", "5s lwo firing", 3, 'there is no rule `lwo`; did you mean "low"?'),
        (
            "expect",
            "5s disk-full firing",
            3,
            "`disk-full` is off or about the daemon itself, and not played",
        ),
        ("expect", "5s b/low firing", 3, "this case has no account `b`"),
        (
            "expect",
            "5s low firing 9o",
            14,
            "expected the value judged, such as `90`, `20%`, `2m` or `∞`, found `9o`",
        ),
        ("expect", "5s low firing 90 91", 17, "nothing follows the value"),
        ("expect", "5s other firing", 3, f"the rule does not watch main, but b c; {NAME_THEM}"),
        ("expect", "5s other:flapping firing", 3, '`other` never flaps: flapping = ""'),
        ("told", "", 0, "the line is empty: expected one such as `3m25s low-margin firing`"),
        ("told", "5s hok: low firing", 3, 'there is no channel `hok`; did you mean "hook"?'),
        ("told", "5s hook: low firin", 13, f'{KINDS}; did you mean "firing"?'),
        ("told", "5s low firing, ", 14, KINDS),
        (
            "told",
            "5s low firing 90",
            14,
            'nothing follows; what stands in the text is said by contains = ["…"]',
        ),
        ("told", "5s low firing, low2 firing", 3, "no channel hears of these rules together"),
    ],
)
def test_each_mistake_of_a_line_has_its_place(
    tmp_path: Path, key: str, line: str, column: int, sentence: str
) -> None:
    """A caret under the word."""
    more = """
[[rules]]
name = "other"
when = "available_margin < 1"
accounts = ["b", "c"]
flapping = ""
channels = ["hook"]

[[rules]]
name = "low2"
when = "available_margin < 1"
channels = ["two"]

[[channels]]
name = "two"
url = "json://127.0.0.1:9/two"
"""
    write(tmp_path, account(), RULE + 'channels = ["hook"]', CHANNEL, more)
    quoted = json.dumps(line)
    assert _mistakes(tmp_path, f"{CASE}{SERIES}{key} = [{quoted}]") == [
        f"{A}.{key}, entry 1: {sentence}",
        f"    {line}",
        f"    {' ' * column}^",
    ]


def test_a_line_names_the_account_and_a_rule_that_is_looked_at(tmp_path: Path) -> None:
    """Several accounts need names, and rules must be among those of the case."""
    write(tmp_path, account(), RULE, RULE.replace('"low"', '"other"'), CHANNEL)
    accounts = 'accounts.a.al_freeze = "0"\naccounts.b.al_freeze = "0"\n'
    assert (
        _mistakes(tmp_path, CASE + accounts + 'expect = ["5s low firing"]')[0]
        == f"{A}.expect, entry 1: there are several accounts: write ACCOUNT/low"
    )
    assert (
        _mistakes(tmp_path, CASE + SERIES + 'rules = ["other"]\nexpect = ["5s low firing"]')[0]
        == f"{A}.expect, entry 1: `low` is not among the rules of this case"
    )


@pytest.mark.parametrize(
    ("when", "series", "value"),
    [
        ("al_freeze / al_margin > 1", 'al_freeze = "5", al_margin = "0"', "∞"),
        ("cross_un_pnl < 0", 'cross_un_pnl = "=-2.50"', "-2.5"),
        ("freeze_ratio > 10%", 'al_freeze = "20", available_margin = "100"', "20%"),
        ("age > 1m", 'available_margin = "5 _x13"', "1m5s"),
    ],
)
def test_values_are_written_as_people_write_them(
    tmp_path: Path, when: str, series: str, value: str
) -> None:
    """Infinity, signs, percentages and durations, compared exactly."""
    write(tmp_path, account(), f'[[rules]]\nname = "low"\nwhen = "{when}"\n')
    at = "1m5s" if "age" in when else "0s"
    case = f'{CASE}series = {{ {series} }}\nexpect = ["{at} low firing {value}"]'
    result = _test(tmp_path, case)
    assert result.exit_code == 0, result.output


CLIMBING = """
[[rules]]
name = "low"
when = "available_margin < 100"
channels = ["hook"]
repeat = ""
escalate = [{ after = "15m", channels = ["call"] }]
"""
ESCALATES = """
[[tests]]
name = "it escalates after a quarter of an hour"
interval = "5m"
series.available_margin = "90x4 500"
told = [
    "1s hook: low firing",
    { message = "15m1s call: low firing", contains = ["nobody acknowledged for 15 min"] },
    "20m1s hook: low resolved",
    "20m1s call: low resolved",
]
"""
ACKNOWLEDGED = """
[[tests]]
name = "an acknowledgement ends it"
interval = "5m"
series.available_margin = "90x4 500"
acks = ["7m low", "6m low", "1h low"]
told = ["1s low firing", "10m1s hook: low ack", "20m1s low resolved"]
"""


ENDS_IT = 'tests "an acknowledgement ends it" (line 2).acks'


def test_e6_a_case_plays_an_escalation_and_its_acknowledgement(tmp_path: Path) -> None:
    """E6: a line without a channel is about those that are told at once."""
    write(tmp_path, CLIMBING, CHANNEL, CHANNEL.replace('"hook"', '"call"'))
    result = _test(tmp_path, ESCALATES, ACKNOWLEDGED)
    assert result.exit_code == 0, result.output
    wrong = ACKNOWLEDGED.replace('"6m low"', '"6m lo"').replace('"7m low"', "7")
    assert _mistakes(tmp_path, wrong) == [
        f'{ENDS_IT}, entry 1: must be a line such as "5m low-margin", not 7',
        f'{ENDS_IT}, entry 2: there is no rule `lo`; did you mean "low"?',
        "    6m lo",
        "       ^",
    ]


def test_json_says_which_values_are_durations(tmp_path: Path) -> None:
    """An age of 12 s is `12000`, in milliseconds; an amount has no unit."""
    rules = RULE + RULE.replace('"low"', '"old"').replace("available_margin < 100", "age > 10s")
    write(tmp_path, account(), rules)
    case = '[[tests]]\nname = "a"\nseries.available_margin = "90 _ _ _ 130"\nexpect = []'
    result = _test(tmp_path, case, options=("--json",))
    (found,) = json.loads(result.stdout)
    fired = [each for each in found["transitions"] if each["to"] == "firing"]
    units = {each["rule"]: each.get("unit") for each in fired}
    assert units == {"low": None, "old": "ms"}
