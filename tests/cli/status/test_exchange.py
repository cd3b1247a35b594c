"""`status`: the state of calls to the exchange, as another process finds it in the record."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from daemon.cli.check.keys import recorded_calls
from daemon.cli.configuration import configuration
from daemon.exchanges.common.rate_limit import HALVED
from daemon.store.operations import Operation, RecordCall, SetUserId
from daemon.types import MINUTE, SECOND, Millis, Miss, MissReason, Record
from tests.cli.calls import SECRETS, account, call, collecting, write
from tests.fakes import NOON, ManualClock
from tests.values import reading

NOW = NOON + MINUTE


def read(seq: int, ago: Millis, account: str = "main", ahead: Millis = 0) -> Record:
    one = reading(seq, NOW - ago)
    return Record(account, replace(one, exchange_at=one.at + ahead))


def refused(seq: int, ago: Millis, reason: MissReason = MissReason.RATE_LIMITED) -> Record:
    return Record("main", Miss(seq, NOW - ago, reason, "CoinW says too many calls: pausing"))


def status(folder: Path, operations: Sequence[Operation], output: str = "table") -> str:
    """The status of two accounts of two users, while a daemon collects."""
    with collecting(folder, accounts=("main", "grid")) as store:
        for operation in (SetUserId("main", "7"), SetUserId("grid", "8"), *operations):
            store.submit(operation).result()
        path = write(folder, account(), account("grid", every="1s"))
        result = call("status", "--format", output, "--config", path, clock=ManualClock(NOW))
    assert result.stderr == ""
    return result.stdout


def as_json(folder: Path, *operations: Operation) -> Any:
    return json.loads(status(folder, operations, "json"))


def lines(folder: Path, *operations: Operation) -> list[str]:
    return status(folder, operations).splitlines()


def test_b3_status_shows_what_is_used_of_the_budget(tmp_path: Path) -> None:
    """B3: calls within each window, of the host and its busiest user, without announced ones."""
    calls: tuple[Operation, ...] = (
        *(read(seq, 11_000 - seq * SECOND) for seq in range(1, 6)),
        read(1, 500, "grid"),
        RecordCall(NOW - 1_000, "assets", "8"),
        RecordCall(NOW - 3_000, "assets", "8"),
        RecordCall(NOW + 1_000, "assets", "8", 1),
        read(6, 60_000, "grid"),
    )
    assert as_json(tmp_path, *calls)["budget"] == {
        "host": {"used": 8, "allowed": 50, "per": "10s"},
        "user": {"used": 5, "allowed": 50, "per": "10s"},
        "assets": {"used": 2, "allowed": 5, "per": "2s"},
        "halved_until": None,
    }
    assert not any(line.startswith("budget") for line in lines(tmp_path))  # enough is left


@pytest.mark.parametrize(("others", "shown"), [(3, False), (4, True)])
def test_people_are_told_of_a_tight_budget_only(tmp_path: Path, others: int, shown: bool) -> None:
    """Four fifths of one of its limits."""
    calls = [RecordCall(NOW - 1_000, "assets", "8", n) for n in range(others)]
    busiest = f"by its busiest user {others} of 50 calls in 10s and {others} of 5 calls in 2s"
    line = f"budget: {others} of 50 calls in 10s by this machine; {busiest}"
    assert (line in lines(tmp_path, *calls)) == shown


def test_b2_status_shows_the_pause_the_halved_budget_and_the_intervals_it_makes(
    tmp_path: Path,
) -> None:
    """B2: the end and the reason of a pause, and the halved budget; other accounts go on."""
    told = lines(
        tmp_path,
        read(1, 30 * SECOND),
        refused(2, 25 * SECOND),
        refused(3, 10 * SECOND),
        read(2, SECOND, "grid"),
    )
    assert "main: CoinW says too many calls: pausing" in told
    assert "main: not asked before 2026-01-01 12:01:20 (rate_limited, 2 times in a row)" in told
    assert any(
        line.startswith("budget: 2 of 25 calls")
        and line.endswith("; halved until 2026-01-01 12:05:50, for the exchange complained")
        for line in told
    )
    found = as_json(tmp_path)
    assert found["budget"]["halved_until"] == "2026-01-01T12:05:50.000+01:00"
    assert [
        (each["account"], each["every"], each["paused_until"], each["pause_reason"])
        for each in found["accounts"]
    ] == [
        ("main", "5s", "2026-01-01T12:01:20.000+01:00", "rate_limited"),
        ("grid", "1s100ms", None, None),
    ]


def test_strict_7_status_shows_each_host(tmp_path: Path) -> None:
    """Strict 7: accounts at different hosts: each host has its own calls and its own halving."""
    with collecting(tmp_path, accounts=("main", "grid")) as store:
        operations: tuple[Operation, ...] = (
            SetUserId("main", "7"),
            SetUserId("grid", "7"),
            read(1, SECOND),
            refused(2, 500),
            read(1, SECOND, "grid"),
            RecordCall(NOW - 1_000, "assets", "7", 0, "127.0.0.1:10"),
            RecordCall(NOW - 1_000, "assets", "7", 1),
        )
        for operation in operations:
            store.submit(operation).result()
        path = write(
            tmp_path, account(every="400ms"), account("grid", "http://127.0.0.1:10", every="400ms")
        )
        options = ("--config", path)
        table = call("status", *options, clock=ManualClock(NOW)).stdout.splitlines()
        found = json.loads(
            call("status", "--format", "json", *options, clock=ManualClock(NOW)).stdout
        )
        told = recorded_calls(configuration(path, SECRETS), NOW)
    busiest = "by this machine; by its busiest user"
    end = "halved until 2026-01-01 12:05:59, for the exchange complained"
    assert [line for line in table if line.startswith("budget")] == [
        (
            f"budget at 127.0.0.1:9: 3 of 25 calls in 10s {busiest} 3 of 25 calls in 10s and 3 of 2"
            f" calls in 2s; {end}"
        ),
        (
            f"budget at 127.0.0.1:10: 3 of 50 calls in 10s {busiest} 3 of 50 calls in 10s and 3 of"
            " 5 calls in 2s"
        ),
    ]
    assert [each["address"] for each in found["budgets"]] == ["127.0.0.1:9", "127.0.0.1:10"]
    assert found["budget"] == {
        key: value for key, value in found["budgets"][0].items() if key != "address"
    }
    assert [each["every"] for each in found["accounts"]] == ["1s100ms", "440ms"]
    assert told.halved_for == {"127.0.0.1:9": HALVED - 500}


@pytest.mark.parametrize(
    ("then", "paused"),
    [
        ([read(3, 5 * SECOND)], False),
        ([], True),
        ([refused(3, 5 * SECOND, MissReason.TIMEOUT)], False),
    ],
    ids=["answered", "not-yet", "the-next-slot-is-used"],
)
def test_b2_a_pause_ends_as_the_daemon_ends_it(
    tmp_path: Path, then: list[Record], paused: bool
) -> None:
    """B2: by an answer; after another kind of miss the next slot is used."""
    main, _ = as_json(tmp_path, refused(2, 10 * SECOND, MissReason.BLOCKED), *then)["accounts"]
    assert (main["paused_until"] is not None) == paused


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (42_000, ["main: this machine's clock is 42 s behind the exchange's: set it"]),
        (-90_000, ["main: this machine's clock is 1 min 30 s ahead of the exchange's: set it"]),
        (-300, []),
    ],
)
def test_a_clock_that_is_wrong_is_said(tmp_path: Path, ahead: Millis, said: list[str]) -> None:
    """By what the exchange's answers say; less than a second is nothing that a person must know."""
    told = lines(tmp_path, read(1, 6_000, ahead=ahead), read(2, 1_000, ahead=ahead))
    assert [line for line in told if "clock" in line] == said
    rows = list(csv.DictReader(io.StringIO(status(tmp_path, [], "csv"))))
    assert [row["clock_ahead_ms"] for row in rows] == [str(ahead), ""]


def test_b2_check_keeps_to_the_halved_budget(tmp_path: Path) -> None:
    """B2, B3: what the exchange said to the daemon holds for commands beside it, for as long."""
    with collecting(tmp_path, refused(2, MINUTE)):
        config = configuration(write(tmp_path), SECRETS)
        assert recorded_calls(config, NOW).halved_for == {"127.0.0.1:9": HALVED - MINUTE}
        assert recorded_calls(config, NOW + HALVED).halved_for == {}
