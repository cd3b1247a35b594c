"""The log of the simulated exchange: requests, answers, times and counts."""

import json
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from daemon.simulator.log import Caller, Log, LoggedRequest, busiest
from daemon.types import Balances
from tests.fakes import NOON, ManualClock


def test_entries_carry_both_times() -> None:
    """An entry has the wall time and the time that never steps, of the clock that was passed in."""
    clock = ManualClock(NOON)
    log = Log(clock, keep=10)
    clock.step(5_000)
    log.note(
        Caller("main", "7", timestamp="1701944491793"), "/x", "balances", Balances(Decimal(1)), 99
    )
    entry = LoggedRequest(
        NOON + 5_000,
        clock.elapsed(),
        "main",
        "7",
        "/x",
        "balances",
        Balances(Decimal(1)),
        99,
        "1701944491793",
    )
    assert [entry] == list(log.entries)


def test_only_the_last_entries_are_kept() -> None:
    """A long run does not fill the memory."""
    log = Log(ManualClock(NOON), keep=2)
    for said in "abc":
        log.note(Caller(), "/x", said)
    assert [entry.said for entry in log.entries] == ["b", "c"]


def test_journal_has_everything_with_exact_digits(tmp_path: Path) -> None:
    """The file keeps every entry as a line of JSON, numbers as text."""
    log = Log(ManualClock(NOON), keep=1, path=tmp_path / "asked.jsonl")
    log.note(Caller("main"), "/x", "hang")
    log.note(Caller("main"), "/x", "balances", Balances(Decimal("499.71964459000003")), 5)
    lines = [json.loads(line) for line in (tmp_path / "asked.jsonl").read_text().splitlines()]
    assert [line["said"] for line in lines] == ["hang", "balances"]
    assert [(line["balances"] or {}).get("available_margin") for line in lines] == [
        None,
        "499.71964459000003",
    ]


def test_busiest_window_has_an_open_start() -> None:
    """Two instants exactly a window apart are not in one window."""
    assert [busiest(instants, 10) for instants in ([], [0, 10], [0, 9], [0, 1, 9, 10, 11])] == [
        0,
        1,
        2,
        3,
    ]


@given(st.lists(st.integers(0, 500), max_size=40), st.integers(1, 100))
def test_busiest_is_what_counting_from_every_instant_gives(
    instants: list[int], window: int
) -> None:
    """The sliding count equals the naive one."""
    ordered = sorted(instants)
    naive = max((sum(end - window < at <= end for at in ordered) for end in ordered), default=0)
    assert naive == busiest(ordered, window)
