"""`check --online`: one call per account, at a real HTTP server."""

import contextlib
import re
import sqlite3
from pathlib import Path

import pytest

from daemon.cli.check.keys import HEARD, recorded_calls
from daemon.cli.check.same_user import same_user_warnings
from daemon.cli.configuration import configuration
from daemon.clock import SystemClock
from daemon.store import History
from daemon.store.operations import SetUserId
from daemon.types import Record
from tests.cli.calls import (
    CHANNEL,
    SECRETS,
    account,
    call,
    collecting,
    exchange,
    record,
    url,
    write,
)
from tests.fakes import NOON
from tests.values import miss, reading

TWINS = (
    "a and b are the same user 77: they are read, and alert, twice, and share one allowance; keep"
    " one of them"
)
KEYS = ("planted-key-4711", "planted-secret-4711")


def configured(folder: Path, *tables: str) -> Path:
    """A rules.toml of these tables and a channel."""
    return write(folder, *tables, CHANNEL)


def online(path: Path, *complaints: str) -> tuple[int, list[str]]:
    """The exit status and the lines about the exchange; warnings contain `complaints`."""
    result = call("check", "--online", "--config", path, clock=SystemClock())
    assert "planted" not in result.output
    assert len(result.stderr.splitlines()) == len(complaints)
    assert [each for each in complaints if each not in result.stderr] == []
    lines = result.stdout.splitlines()
    report = max(index for index, line in enumerate(lines) if ": read every " in line)
    return result.exit_code, lines[report + 1 :]


def test_an_account_that_answers_shows_user_and_fields(tmp_path: Path) -> None:
    """The person sees that it is the right account, with its numbers."""
    with exchange() as simulator:
        simulator.account("main", *KEYS, user_id="77").set(available_margin="123.45", al_freeze="6")
        status, lines = online(configured(tmp_path, account(rest_url=simulator.rest_url)))
    assert status == 0
    assert lines == [
        (
            "main: user 77  available_margin 123.45  available_usdt 123.45"
            "  almighty_gold 0  al_margin 0  al_freeze 6"
        )
    ]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("code_6000", r"auth: CoinW refused the key .*: check api_key and secret_key.*"),
        ("code_6003", r"permission: .*"),
        ("html", r"blocked: CoinW keeps this machine out \(HTTP 403, a web page, Attention .*\).*"),
        ("http_502", r"http_5xx: .*"),
        ("redirect", r"bad_answer: .*check rest_url"),
    ],
)
def test_a_refusal_is_its_reason_and_a_sentence(tmp_path: Path, fault: str, sentence: str) -> None:
    """The reason for machines, the remedy for people, status 1."""
    with exchange() as simulator:
        simulator.account("main", *KEYS).fault(fault)
        status, (line,) = online(configured(tmp_path, account(rest_url=simulator.rest_url)))
    assert status == 1
    assert re.fullmatch(f"main: {sentence}", line)


def test_a_wrong_key_and_a_wrong_secret_are_told_beside_a_good_account(tmp_path: Path) -> None:
    """One account's failure does not hide the others."""
    with exchange() as simulator:
        simulator.account("main", *KEYS)
        tables = (
            account("key", simulator.rest_url, api_key="planted-other-key"),
            account("secret", simulator.rest_url, secret_key="planted-other-secret"),
            account("main", simulator.rest_url),
        )
        status, lines = online(configured(tmp_path, *tables))
    assert status == 1
    assert [line.split(" ")[:2] for line in lines] == [
        ["key:", "auth:"],
        ["secret:", "auth:"],
        ["main:", "user"],
    ]


def test_an_unreachable_host_is_one_sentence(tmp_path: Path) -> None:
    """Which host, and what to look at."""
    expected = (
        "main: network: 127.0.0.1:9 refused the connection: check the address and that it is up"
    )
    assert online(configured(tmp_path, account())) == (1, [expected])


def test_two_accounts_of_one_user_are_warned_of(tmp_path: Path) -> None:
    """SEMANTICS B4: they would be read and alert twice; still both work."""
    with exchange() as simulator:
        simulator.account("main", *KEYS, user_id="77")
        both = (account("a", simulator.rest_url), account("b", simulator.rest_url))
        status, lines = online(configured(tmp_path, *both))
    assert status == 0
    assert lines[-1] == f"warning: {TWINS}"


def test_b4_twins_that_the_record_knows_are_told_once(tmp_path: Path) -> None:
    """B4: `check` warns of them without a call, and not a second time after one."""
    with collecting(tmp_path, accounts=("a", "b")) as store:
        store.submit(SetUserId("a", "77")).result()
    with exchange() as simulator:
        simulator.account("main", *KEYS, user_id="77")
        tables = account("a", simulator.rest_url), account("b", simulator.rest_url, user_id="77")
        result = call(
            "check", "--online", "--config", configured(tmp_path, *tables), clock=SystemClock()
        )
    assert result.stdout.splitlines().count(f"warning: {TWINS}") == 1


def test_a_key_of_another_user_is_refused(tmp_path: Path) -> None:
    """SEMANTICS B4: what the record learned counts; both ids and the remedy are named."""
    with collecting(tmp_path) as store:
        store.submit(SetUserId("main", "66")).result()
    with exchange() as simulator:
        simulator.account("main", *KEYS, user_id="77")
        status, (line,) = online(configured(tmp_path, account(rest_url=simulator.rest_url)))
    assert status == 1
    assert all(part in line for part in ("wrong_user", "user 77", "user 66", 'set user_id = "77"'))


def test_each_call_is_booked_beside_a_running_daemon(tmp_path: Path) -> None:
    """SEMANTICS B3: `check` books into the budget, whether it was answered or not."""
    with collecting(tmp_path, accounts=("main", "down")), exchange() as simulator:
        simulator.account("main", *KEYS, user_id="77")
        online(configured(tmp_path, account(rest_url=simulator.rest_url), account("down")))
    with History.open(url(tmp_path)) as history:
        assert {(book.endpoint, book.user) for book in history.external_calls(0)} == {
            ("assets", "77"),
            ("assets", ""),
        }


def test_beside_a_daemon_a_call_is_announced_before_it_is_made(tmp_path: Path) -> None:
    """SEMANTICS B3: the call is announced seconds ahead, for the instant at which it is made."""
    with collecting(tmp_path), exchange() as simulator:
        simulator.account("main", *KEYS)
        before = SystemClock().now()
        online(configured(tmp_path, account(rest_url=simulator.rest_url)))
        asked = simulator.log[0].at
    with History.open(url(tmp_path)) as history:
        announced, booked = (book.at for book in history.external_calls(0))
    assert before + HEARD < announced <= asked <= booked


def test_the_budget_begins_with_what_is_recorded(tmp_path: Path) -> None:
    """SEMANTICS B3: readings and misses of the daemon and booked calls use up the budget."""
    with collecting(
        tmp_path, Record("main", reading(1, NOON)), Record("main", miss(2, NOON + 1))
    ) as store:
        store.submit(SetUserId("main", "77")).result()
    told = recorded_calls(configuration(write(tmp_path), SECRETS), NOON + 9_000)
    assert [(call_.at, call_.user) for call_ in told.calls] == [(NOON, "77"), (NOON + 1, "77")]
    assert recorded_calls(configuration(write(tmp_path), SECRETS), NOON + 60_000).calls == ()


def test_without_a_record_nothing_is_booked_and_none_is_made(tmp_path: Path) -> None:
    """`check` before the first `run`."""
    online(configured(tmp_path, account()))
    assert not (tmp_path / "marginwatch.db").exists()


def test_a_damaged_record_does_not_keep_from_asking(tmp_path: Path) -> None:
    """A warning is printed, and the exchange is asked all the same."""
    (tmp_path / "marginwatch.db").write_bytes(b"this is no database at all" * 100)
    status, lines = online(configured(tmp_path, account()), "is no SQLite database")
    assert status == 1
    assert lines[0].startswith("warning: asking without the record, which cannot be read: ")
    assert lines[1].startswith("main: network: ")


def test_a_record_that_refuses_the_booking_is_a_warning(tmp_path: Path) -> None:
    """The answer counts all the same."""
    record(tmp_path)
    with (
        exchange() as simulator,
        contextlib.closing(sqlite3.connect(tmp_path / "marginwatch.db")) as other,
    ):
        simulator.account("main", *KEYS)
        other.execute("BEGIN IMMEDIATE")
        status, lines = online(configured(tmp_path, account(rest_url=simulator.rest_url)))
    assert status == 0
    assert lines[1].startswith(
        "warning: the call could not be booked for the daemon's budget: the database"
    )


def test_strict_7_calls_are_booked_with_their_host(tmp_path: Path) -> None:
    """Strict 7: the daemon leaves room at that exchange only; equal ids elsewhere are no twins."""
    with collecting(tmp_path, accounts=("a", "b")), exchange() as one, exchange() as other:
        for simulator in (one, other):
            simulator.account("main", *KEYS, user_id="77")
        tables = account("a", one.rest_url), account("b", other.rest_url)
        status, lines = online(configured(tmp_path, *tables))
        with History.open(url(tmp_path)) as history:
            booked = {(each.host, each.endpoint, each.user) for each in history.external_calls(0)}
    hosts = [simulator.rest_url.removeprefix("http://") for simulator in (one, other)]
    assert (status, len(lines)) == (0, 2)
    assert booked == {(host, "assets", user) for host in hosts for user in ("", "77")}


def test_strict_7_check_says_who_shares_a_budget(tmp_path: Path) -> None:
    """Strict 7: where there are several hosts; where there is one, nothing needs to be said."""
    two = call(
        "check",
        "--config",
        configured(tmp_path, account("a"), account("b"), account("c", "http://127.0.0.1:10")),
    )
    one = call("check", "--config", configured(tmp_path, account("a"), account("b")))
    said = ["budget at 127.0.0.1:9: shared by a, b", "budget at 127.0.0.1:10: shared by c"]
    assert [line for line in two.stdout.splitlines() if line.startswith("budget")] == said
    assert "budget at" not in one.stdout


def test_a3_what_is_not_used_of_the_environment_is_said(tmp_path: Path) -> None:
    """A3: also of a call that succeeds; loopback has no proxy, so that nothing is said of it."""
    environ = SECRETS | {"HTTPS_PROXY": "http://me:planted-pw@127.0.0.1:9"}
    with exchange() as simulator:
        simulator.account("main", *KEYS, user_id="77")
        tables = (
            account("near", simulator.rest_url),
            account("mixed", simulator.rest_url, ws_url="wss://ws.exchange.invalid/x"),
            account("own", simulator.rest_url, proxy="http://me:planted-pw@127.0.0.1:9"),
        )
        path = configured(tmp_path, *tables)
        result = call("check", "--online", "--config", path, clock=SystemClock(), environ=environ)
    near, mixed, own, _twins = result.stdout.splitlines()[-4:]
    assert "proxy" not in near.lower()
    assert mixed.endswith(" (pushes directly, although HTTPS_PROXY is set)")
    assert (
        own == "own: network: the proxy 127.0.0.1:9 refused the connection: check proxy and that it"
        " is up"
    )
    assert "planted-pw" not in result.output


def test_different_users_are_no_twins() -> None:
    """B4: of three accounts the two that are one user are named."""
    assert list(same_user_warnings({"a": "1", "c": "2"}, dict.fromkeys("abc", "here"))) == []
    (sentence,) = same_user_warnings({"a": "1", "b": "2", "c": "1"}, dict.fromkeys("abc", "here"))
    assert sentence.startswith("a and c are the same user 1:")
