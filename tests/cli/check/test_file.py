"""`check`: what it says of the file alone."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from daemon.cli.check.window_memory import window_memory
from daemon.cli.configuration import configuration
from daemon.config.checks.warnings import NO_HEARTBEAT
from daemon.config.effective_intervals import settled_intervals
from daemon.store.operations import SetUserId
from daemon.types import Millis
from tests.cli.calls import CHANNEL, RULE, SECRETS, account, call, collecting, record, write

FIELDS = 5 * (121 * 70 + 2 * 8_000)
"""The memory for the changes of ten minutes."""

WINDOW = """
[[rules]]
name = "spike"
when = "delta(al_freeze, 1h) > 200 and max(al_freeze, 7d) > 5"
clear_when = "al_freeze < 150"
"""


def test_a_good_file_is_counted(tmp_path: Path) -> None:
    """The sentence a person wants to read, then the warnings, the pace and the memory."""
    result = call("check", "--config", write(tmp_path, account(), account("b"), RULE, CHANNEL))
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "rules.toml is good: 2 accounts, 1 channel, 1 rule",
        f"warning: {NO_HEARTBEAT}",
        (
            'warning: accounts "b" (line 11).api_key: the same key as that of "main"; both read one'
            " account"
        ),
        "warning: channels: there is only one; add a second of another kind, for when it fails",
        "the database is not there yet, or empty: it will be set up at the first start",
        "main: read every 5s",
        "b: read every 5s",
    ]


HEARTBEAT = '[daemon]\nheartbeat = "https://example.com/{env:HEARTBEAT}"\n'


def test_a_missing_secret_hides_no_warning(tmp_path: Path) -> None:
    """A rules.toml is written on one machine and run on another, where the keys are."""
    record(tmp_path)
    rule = RULE.replace("< 100", "< delta(al_freeze, 3s)")
    path = write(tmp_path, account(), account("b"), rule, CHANNEL)
    path.write_text(path.read_text().replace("[daemon]\n", HEARTBEAT), encoding="utf-8")
    good = call("check", "--config", path, environ={**SECRETS, "HEARTBEAT": "planted"})
    answer = call("check", "--config", path, environ={})
    assert (good.exit_code, answer.exit_code) == (0, 78)
    told = [line for line in good.stdout.splitlines() if line.startswith(("warning: ", "reload: "))]
    both = 'accounts "b" (line 12).api_key: the same key'
    assert answer.stdout.splitlines() == [line for line in told if both not in line]
    assert 'rules "low" (line 20).when: delta(al_freeze, 3s) is too short' in answer.stdout
    assert "reload: " in answer.stdout
    assert len(answer.stderr.splitlines()) == 6
    assert 'accounts "main" (line 5).api_key: the environment variable MAIN_KEY' in answer.stderr


def test_another_mistake_comes_before_all_warnings(tmp_path: Path) -> None:
    """Half a configuration would be warned of what is only misspelt."""
    answer = call("check", "--config", write(tmp_path, account(), RULE.replace("<", "<<")))
    assert (answer.exit_code, answer.stdout) == (78, "")


def test_reports_are_told_with_when_they_come(tmp_path: Path) -> None:
    """By the clock on the wall: manual clocks stand at noon in Berlin."""
    daily, weekly = (
        f'[[reports]]\nname = "{name}"\ncron = "{cron}"\n'
        for name, cron in (("d", "0 13 * * *"), ("w", "0 8 * * mon"))
    )
    path = write(tmp_path, account(), RULE, CHANNEL, daily, f'{weekly}channels = ["hook"]\n')
    assert [
        line
        for line in call("check", "--config", path).stdout.splitlines()
        if line.startswith("report ")
    ] == [
        "report d: next 13:00:00, to all channels",
        "report w: next 2026-01-05 08:00:00, to hook",
    ]


def test_a_stretched_interval_is_told(tmp_path: Path) -> None:
    """SEMANTICS B3: when wishes exceed the budget, `check` shows what is left of them."""
    many = [account(f"a{n}", every="400ms", api_key=f"key-number-{n}") for n in range(4)]
    result = call("check", "--config", write(tmp_path, *many, "[budget]\nhost = '5 per 2s'\n"))
    assert (
        "a0: read every 1s760ms instead of 400ms, to stay within [budget]"
        in result.stdout.splitlines()
    )


def effective(path: Path, user_ids: Mapping[str, str]) -> Mapping[str, Millis]:
    config = configuration(path, SECRETS)
    return settled_intervals(config.accounts, config.budget, user_ids)


def test_accounts_of_one_user_share_its_allowance(tmp_path: Path) -> None:
    """SEMANTICS B3: known from the file, from the record, or from a shared key."""
    keys = {"every": "1s"}
    same = write(tmp_path, *(account(name, api_key="key-a", **keys) for name in "abc"))
    assert effective(same, {}) == {
        "a": 1_320,
        "b": 1_320,
        "c": 1_320,
    }
    own = write(tmp_path, *(account(name, api_key=f"key-{name}", **keys) for name in "abc"))
    assert effective(own, {}) == {
        "a": 1_000,
        "b": 1_000,
        "c": 1_000,
    }
    users = {"a": "7", "b": "7", "c": "8"}
    assert effective(own, users) == {
        "a": 1_000,
        "b": 1_000,
        "c": 1_000,
    }
    assert effective(own, dict.fromkeys("abc", "7"))["a"] == 1_320


def test_the_record_tells_whose_key_it_is(tmp_path: Path) -> None:
    """User ids that the daemon has learned count."""
    keys = {"every": "500ms"}
    path = write(tmp_path, *(account(name, api_key=f"key-{name}", **keys) for name in "ab"))
    with collecting(tmp_path, accounts=("a", "b")) as store:
        for name in "ab":
            store.submit(SetUserId(name, "7")).result()
    assert "a: read every 880ms instead of 500ms" in call("check", "--config", path).stdout


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ((), FIELDS),
        ((RULE,), FIELDS),
        ((WINDOW,), FIELDS + 120_840 * 70 + 2 * 8_000),
        ((WINDOW, WINDOW.replace("spike", "other")), FIELDS + 120_840 * 70 + 2 * 8_000),
        ((WINDOW.replace("[[rules]]", '[[rules]]\naccounts = ["x*"]'),), FIELDS),
        ((WINDOW.replace("delta", "median"),), FIELDS + 120_840 * 70 + 2 * 8_000 + 721 * 120),
    ],
)
def test_memory_is_that_of_the_longest_window_of_each_expression(
    tmp_path: Path, rules: tuple[str, ...], expected: int
) -> None:
    """Equal windows are kept once; the five fields are kept for ten minutes anyway."""
    config = configuration(write(tmp_path, account(), *rules), SECRETS)
    assert window_memory(config, {"main": 5_000}) == expected


def test_much_memory_is_told(tmp_path: Path) -> None:
    """A week of readings every five seconds, of six accounts; less is nobody's business."""
    for number, told in ((1, False), (6, True)):
        accounts = [account(f"a{each}") for each in range(number)]
        result = call("check", "--config", write(tmp_path, *accounts, WINDOW, CHANNEL))
        assert ("memory for the rules' windows: about 52 MB" in result.stdout) is told, (
            result.stdout
        )


def test_a_damaged_database_is_told(tmp_path: Path) -> None:
    """A7: the facts of the file are printed all the same; the sentence has a remedy."""
    (tmp_path / "marginwatch.db").write_bytes(b"this is no database at all" * 100)
    result = call("check", "--config", write(tmp_path))
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0] == "rules.toml is good: 1 account, 1 channel, 1 rule"
    (sentence,) = result.stderr.splitlines()
    assert "is no SQLite database" in sentence


def test_nothing_secret_is_printed(tmp_path: Path) -> None:
    """Promise 9, in whatever `check` says."""
    record(tmp_path)
    result = call("check", "--config", write(tmp_path))
    assert "planted" not in result.output
