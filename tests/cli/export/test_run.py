"""`marginwatch export`: what it writes, where, and how it goes on."""

import csv
import io
import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from click.testing import Result
from hypothesis import example, given, settings

from daemon.readings.fields import SENT
from daemon.store import History
from daemon.store.operations import Written
from daemon.types import SECOND, Balances, Outcome, Quality, Reading, Record, Source
from tests.cli.calls import (
    CHANNEL,
    RULE,
    account,
    beside_a_terminal,
    call,
    collecting,
    coloured,
    on_terminal,
    record,
    url,
    write,
)
from tests.cli.import_csv.test_own_csv import (
    ACCOUNTS,
    LATER,
    NOTHING,
    ZONES,
    bring_in,
    configured,
    history,
    meaning,
    readings,
)
from tests.cli.notifications import attempt, fires, notice, written
from tests.cli.past import FINE, LOW, alone, lived
from tests.fakes import NOON
from tests.values import reading, rule

TWO = ("main", "grid")


def export(path: Path, *options: object) -> Result:
    return call("export", *options, "--config", path, clock=LATER)


def seqs(text: str) -> list[tuple[str, int]]:
    return [(row["account"], int(row["seq"])) for row in csv.DictReader(io.StringIO(text))]


def two_accounts(folder: Path) -> Path:
    """The accounts main (seq 2, 3, 4) and grid (2, 3); their readings alternate."""
    record(
        folder,
        *(Record("main", reading(seq, NOON + seq * 10 * SECOND)) for seq in (2, 3, 4)),
        *(Record("grid", reading(seq, NOON + seq * 10 * SECOND + 1)) for seq in (2, 3)),
        accounts=TWO,
    )
    return write(folder)


@settings(max_examples=25, deadline=None)
@given(readings)
@example([("main", 1, *NOTHING), ("grid-bot", 0, *NOTHING), ("grid-bot", 1, *NOTHING)])
def test_readings_survive_export_and_import(
    found: list[tuple[str, int, Quality, Source, Balances]],
) -> None:
    """A12: a random record comes back digit by digit, whatever the order of its instants."""
    counters = dict.fromkeys(ACCOUNTS, 1)
    records = []
    for name, at, quality, source, values in found:
        counters[name] += 1
        seq = counters[name]
        records.append(Record(name, Reading(seq, NOON + at, source, quality, None, values)))
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        record(Path(one), *records, accounts=ACCOUNTS)
        path = configured(Path(one), ZONES[0])
        file = Path(one) / "readings.csv"
        assert export(path, "readings", "-o", file).exit_code == 0
        written = file.read_text(encoding="utf-8")
        assert sorted(written.splitlines()) == sorted(history(path).splitlines())
        fresh = configured(Path(other), ZONES[0])
        assert bring_in(fresh, written).exit_code == 0
        key = lambda row: sorted(row.items())  # noqa: E731
        assert sorted(meaning(history(fresh)), key=key) == sorted(meaning(written), key=key)


def test_all_digits_are_written(tmp_path: Path) -> None:
    """More digits than a float has, in csv and in jsonl."""
    digits = "996660.6064387699998485123"
    record(tmp_path, Record("main", reading(2, NOON, available_margin=digits)))
    path = write(tmp_path)
    (row,) = csv.DictReader(io.StringIO(export(path, "readings").stdout))
    assert row["available_margin"] == digits
    assert list(row)[-len(SENT) :] == list(SENT)
    found = json.loads(export(path, "readings", "--format", "jsonl").stdout)
    assert found == {name: cell or None for name, cell in row.items()} | {"seq": 2}


def test_the_printed_command_exports_what_came_since(tmp_path: Path) -> None:
    """Two exports hold each reading once, though an account was behind at the first one."""
    path = write(tmp_path)
    first = (Record("main", reading(2, NOON + 9_000)), Record("grid", reading(2, NOON)))
    # The reading of grid lies before the last one of main, but is recorded later.
    later = (Record("grid", reading(3, NOON + 5_000)), Record("main", reading(3, NOON + 10_000)))
    with collecting(tmp_path, *first, accounts=TWO) as store:
        one = export(path, "readings")
        again = "marginwatch export readings"
        for each in later:
            store.submit(each).result()
        assert seqs(one.stdout) == [("grid", 2), ("main", 2)]
        said = one.stderr.splitlines()
        assert said == [
            "2 readings written",
            f"what comes later: {again} --config {path} --after main=2,grid=2 -o FILE",
        ]
        two = export(path, "readings", "--after", "main=2,grid=2")
    assert seqs(two.stdout) == [("grid", 3), ("main", 3)]


def test_readings_after_a_clock_was_set_back_come_later(tmp_path: Path) -> None:
    """The order is that of recording, so `--after` loses nothing that has an earlier instant."""
    record(
        tmp_path,
        Record("main", reading(2, NOON + 60_000)),
        Record("main", reading(3, NOON)),
        Record("main", reading(4, NOON + 1_000)),
    )
    path = write(tmp_path)
    assert seqs(export(path, "readings").stdout) == [("main", 2), ("main", 3), ("main", 4)]
    assert seqs(export(path, "readings", "--after", 2).stdout) == [("main", 3), ("main", 4)]


def test_an_interrupted_export_goes_on_at_any_row(tmp_path: Path) -> None:
    """A part and what `--after` its last rows gives are the whole, more than a page long."""
    record(tmp_path, *(Record("main", reading(seq, NOON + seq)) for seq in range(2, 2_503)))
    path = write(tmp_path)
    whole = seqs(export(path, "readings").stdout)
    assert [seq for _, seq in whole] == list(range(2, 2_503))
    for last in (2, 1_001, 1_002, 2_501):
        assert seqs(export(path, "readings", "--after", last).stdout) == whole[last - 1 :]


def test_the_span_and_the_accounts_are_chosen(tmp_path: Path) -> None:
    """`--since` belongs to the span, `--until` does not."""
    path = two_accounts(tmp_path)
    span = ("--since", "2026-01-01T11:00:30Z", "--until", "2026-01-01T11:00:40Z")
    found = export(path, "readings", *span)
    assert seqs(found.stdout) == [("main", 3), ("grid", 3)]
    assert seqs(export(path, "readings", "--account", "gr*").stdout) == [("grid", 2), ("grid", 3)]


def test_a_file_is_for_its_owner_alone_and_never_replaced_unasked(tmp_path: Path) -> None:
    """0600 whatever the umask; nothing else is left in the folder; --force replaces it."""
    path, file = two_accounts(tmp_path), tmp_path / "out" / "readings.csv"
    file.parent.mkdir()
    mask = os.umask(0)
    try:
        result = export(path, "readings", "-o", file)
    finally:
        os.umask(mask)
    assert result.stderr == ""
    assert result.stdout.splitlines()[0] == f"5 readings written to {file}"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["readings.csv"]
    again = export(path, "readings", "-o", file, "--after", "main=4,grid=3")
    assert (again.exit_code, again.stderr) == (
        1,
        f"{file} exists already: name another one with -o, or add --force to replace it\n",
    )
    assert len(seqs(file.read_text())) == 5
    export(path, "readings", "-o", file, "--after", "main=4,grid=3", "--force")
    assert seqs(file.read_text()) == []


def test_the_name_of_the_file_decides_the_format(tmp_path: Path) -> None:
    """A name that ends in .jsonl, unless --format says otherwise."""
    path, file = two_accounts(tmp_path), tmp_path / "a.jsonl"
    result = export(path, "readings", "-o", file)
    assert [json.loads(line)["seq"] for line in file.read_text().splitlines()] == [2, 2, 3, 3, 4]
    assert "--format jsonl" in result.stdout
    export(path, "readings", "-o", file, "--force", "--format", "csv")
    assert len(seqs(file.read_text())) == 5


@pytest.mark.parametrize(
    "name", ["marginwatch.db", "marginwatch.db-wal", "marginwatch.db.lock", "rules.toml", "link"]
)
def test_our_own_files_are_never_replaced(tmp_path: Path, name: str) -> None:
    """Not even with --force, through a link, or while SQLite's files do not exist."""
    path = two_accounts(tmp_path)
    (tmp_path / "link").symlink_to("marginwatch.db")
    before = sorted((each.name, each.read_bytes()) for each in tmp_path.iterdir())
    result = export(path, "readings", "-o", tmp_path / name, "--force")
    assert (result.exit_code, result.stderr) == (
        1,
        f"{tmp_path / name} belongs to marginwatch itself: name another file with -o\n",
    )
    assert sorted((each.name, each.read_bytes()) for each in tmp_path.iterdir()) == before


def test_what_cannot_be_a_file_is_refused(tmp_path: Path) -> None:
    """A folder, a device, a folder that is missing, and a disk that is full."""
    path = two_accounts(tmp_path)
    for target, said in [
        (tmp_path, f"{tmp_path} is a folder: name a file in it, such as {tmp_path}/readings.csv\n"),
        ("/dev/full", "/dev/full is a pipe or a device, not a file: write -o - > /dev/full for"),
        (tmp_path / "no" / "a.csv", f"{tmp_path}/no/a.csv cannot be written (No such file or"),
    ]:
        result = export(path, "readings", "-o", target, "--force")
        assert (result.exit_code, result.stderr[: len(said)]) == (1, said)


@pytest.mark.no_cover
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    """Neither the file nor a part of it; one sentence says so."""
    record(tmp_path, *(Record("main", reading(seq, NOON + seq)) for seq in range(2, 1_000)))
    path, file = write(tmp_path), tmp_path / "out" / "a.csv"
    file.parent.mkdir()
    command = f"ulimit -f 16; {sys.executable} -m daemon export readings -o {file} --config {path}"
    shown = subprocess.run(["bash", "-c", command], check=False, capture_output=True, text=True)
    said = f"{file} cannot be written (File too large): name a place with room, in which this user"
    assert (shown.returncode, shown.stderr[: len(said)]) == (1, said)
    assert list(file.parent.iterdir()) == []


@pytest.mark.no_cover
def test_a_pipe_that_closes_is_no_complaint(tmp_path: Path) -> None:
    """`marginwatch export readings | head -1` prints one line."""
    record(tmp_path, *(Record("main", reading(seq, NOON + seq)) for seq in range(2, 2_000)))
    command = f"{sys.executable} -m daemon export readings --config {write(tmp_path)} | head -1"
    shown = subprocess.run(["bash", "-c", command], check=False, capture_output=True, text=True)
    assert (shown.stdout[:10], shown.stderr) == ("account,at", "")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--since", "1h", "--until", "2h"], "--until lies before --since"),
        (["--account", "mian"], 'no recorded account matches "mian"; did you mean "main"?'),
        (["--after", "x"], "--after x does not say of which account: write --after main=x,grid=x"),
        (["--after", "main=x"], '--after "x" is no seq: write that of the last row, such as 81234'),
        (["--after", "mian=2"], '--after names the account "mian", not exported here; did you'),
        (["--account", "grid", "--after", "99"], "--after 99 lies beyond the end of grid: the las"),
        (["--account", "grid", "--after", "9" * 5_000], '--after "999'),
    ],
)
def test_a_mistake_in_an_option_is_said(tmp_path: Path, options: list[str], said: str) -> None:
    """One sentence, status 2, and no file."""
    path, file = two_accounts(tmp_path), tmp_path / "a.csv"
    result = export(path, "readings", "-o", file, *options)
    assert (result.exit_code, result.stderr[: len(said)]) == (2, said)
    assert not file.exists()


def test_a_terminal_must_be_asked_for(tmp_path: Path) -> None:
    """Millions of rows are not poured over a terminal by mistake."""
    path = two_accounts(tmp_path)
    assert on_terminal(80, "export", "readings", "--config", path, clock=LATER) == []
    shown = coloured(80, "export", "readings", "-o", "-", "--config", path, clock=LATER)
    assert len(seqs(shown)) == 5


def an_alert(folder: Path) -> Path:
    """An alert that fired and ended, and its notifications."""
    lived(folder, [rule("low")], alone(FINE, LOW, FINE))
    return write(folder)


def test_alerts_are_their_transitions_as_alerts_prints_them(tmp_path: Path) -> None:
    """The same cells, with the order of recording before them."""
    path = an_alert(tmp_path)
    found = export(path, "alerts").stdout
    listed = call("alerts", "--format", "csv", "--config", path, clock=LATER).stdout
    assert [line.partition(",")[2] for line in found.splitlines()] == listed.splitlines()
    first = found.splitlines()[1].partition(",")[0]
    rest = export(path, "alerts", "--after", first).stdout
    assert rest.splitlines()[1:] == found.splitlines()[2:]
    assert export(path, "alerts", "--after", 10**6).exit_code == 2


def test_notifications_are_exported_as_listed(tmp_path: Path) -> None:
    """The same cells; the next export begins before the first one that waits."""
    path = write(tmp_path, account(), RULE, CHANNEL, CHANNEL.replace('"hook"', '"desk"'))
    told = fires(notice("desk"), notice("hook"), notice("more"))
    with collecting(tmp_path, told) as store:
        written(store, *(attempt(each, 1, Outcome.DELIVERED) for each in ("desk", "more")))
        result = export(path, "notifications")
        listed = call("notifications", "--format", "csv", "--config", path, clock=LATER).stdout
        lines = result.stdout.splitlines()
        assert [line.partition(",")[2] for line in lines] == listed.splitlines()
        assert result.stderr.endswith(" --after 1 -o FILE\n")
        written(store, attempt("hook", 2, Outcome.DELIVERED))
        rest = export(path, "notifications", "--after", 1)
    found = [(row["seq"], row["state"]) for row in csv.DictReader(io.StringIO(rest.stdout))]
    assert found == [("2", "delivered"), ("3", "delivered")]
    assert rest.stderr.endswith(" --after 3 -o FILE\n")


def test_gaps_are_exported_as_listed(tmp_path: Path) -> None:
    """They go on by time, so that a gap that lasts comes again when it is over."""
    path = an_alert(tmp_path)
    result = export(path, "gaps")
    listed = call("gaps", "--format", "csv", "--config", path, clock=LATER).stdout
    assert result.stdout == listed
    assert "--since 2026-01-0" in result.stderr
    refused = export(path, "gaps", "--after", 3)
    assert refused.exit_code == 2
    assert refused.stderr.startswith("gaps have no seq")


def test_an_empty_record_gives_a_header(tmp_path: Path) -> None:
    """And no command to go on with: a later export of everything is the same."""
    record(tmp_path)
    result = export(write(tmp_path), "readings")
    assert (len(result.stdout.splitlines()), result.stderr) == (1, "0 readings written\n")


def test_digits_are_those_recorded(tmp_path: Path) -> None:
    """Neither exponents nor zeros at the end."""
    record(tmp_path, Record("main", reading(2, NOON, available_margin="1E+3", al_freeze="1.50")))
    (row,) = csv.DictReader(io.StringIO(export(write(tmp_path), "readings").stdout))
    assert (row["available_margin"], row["al_freeze"]) == ("1000", "1.5")


def test_a_terminal_sees_how_far_it_is(tmp_path: Path) -> None:
    """A bar on stderr, where that is a terminal; the rows go elsewhere."""
    path = two_accounts(tmp_path)
    rows, seen = beside_a_terminal("export", "readings", "--config", path)
    assert b"exporting readings" in seen
    assert len(seqs(rows.decode())) == 5


def test_an_export_beside_a_daemon_holds_up_neither(tmp_path: Path) -> None:
    """A long export is read in pages: what is recorded meanwhile is committed, and not in it."""
    many = (Record("main", reading(seq, NOON + seq)) for seq in range(2, 3_000))
    with collecting(tmp_path, *many) as store, History.open(url(tmp_path)) as past:
        rows = past.recorded(past.recorded_range("main", 0, NOON * 2, 1))
        begun = [next(rows).seq]
        later = store.submit(Record("main", reading(3_000, NOON + 3_000)))
        assert later.result(10) is Written.COMMITTED
        assert [*begun, *(each.seq for each in rows)] == list(range(2, 3_000))
