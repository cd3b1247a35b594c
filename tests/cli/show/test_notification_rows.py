"""`notifications`, and channels in `status`: what was sent, what waits, and why (SEMANTICS F)."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from daemon.cli.output import tables
from daemon.store.operations import Reroute
from daemon.types import HOUR, MINUTE, SECOND, Late, Outcome
from tests.cli import notifications
from tests.cli.calls import CHANNEL, RULE, account, call, collecting, record, write
from tests.cli.notifications import AT, attempt, fires, notice, written
from tests.fakes import NOON, ManualClock

LATER = ManualClock(NOON + 65 * SECOND)
OTHER = CHANNEL.replace('"hook"', '"desk"')
REFUSED = Outcome.REFUSED


def configured(folder: Path, *more: str) -> str:
    return str(write(folder, account(), RULE, CHANNEL, OTHER, *more))


def ask(folder: Path, *words: str, clock: ManualClock = LATER) -> list[str]:
    """The lines of a command, blanks at the ends and between columns taken out."""
    result = call(*words, "--config", configured(folder), clock=clock)
    assert result.stderr == "", result.output
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


def test_a_row_says_what_was_told_to_whom_and_how_it_went(tmp_path: Path) -> None:
    """Delivered when; refused with what was answered; the id is what `ack` takes."""
    with collecting(tmp_path, fires(notice("hook"), notice("desk"))) as store:
        tried = (
            attempt("desk", 1, Outcome.DELIVERED),
            attempt("hook", 1, REFUSED, "JSON answered HTTP 410"),
        )
        written(store, *tried)
        assert ask(tmp_path, "notifications") == [
            "raised channel kind id rule account how it went",
            "12:00:05 hook firing ab3d low main refused for good: JSON answered HTTP 410",
            "12:00:05 desk firing ab3d low main delivered 12:00:06",
        ]


def test_what_waits_says_why_and_what_was_tried(tmp_path: Path) -> None:
    """F2: the latest end of a pause; --waiting shows nothing else, and has no limit of time."""
    with collecting(tmp_path, fires(notice("hook"), notice("desk"))) as store:
        tried = (attempt("hook", second, Outcome.LATER, "no such host") for second in (1, 40, 59))
        written(store, attempt("desk", 1, Outcome.DELIVERED), *tried)
        [_, row] = ask(tmp_path, "notifications", "--waiting")
        assert (
            row == "12:00:05 hook firing ab3d low main backing off until 12:01:12 at the latest; 3"
            " attempts; not delivered: no such host"
        )
        clock = ManualClock(NOON + 48 * HOUR)
        assert ask(tmp_path, "notifications", clock=clock) == [
            "no notifications in this span; an earlier --since looks further back"
        ]
        assert len(ask(tmp_path, "notifications", "--waiting", clock=clock)) == 2
        written(store, attempt("hook", 60, Outcome.DELIVERED))
        assert ask(tmp_path, "notifications", "--waiting") == ["nothing waits"]


def test_without_a_daemon_nothing_is_delivered(tmp_path: Path) -> None:
    """With the remedy."""
    record(tmp_path, fires(notice("hook")))
    _, row, remedy = ask(tmp_path, "notifications")
    assert row == "12:00:05 hook firing ab3d low main no daemon runs"
    assert remedy == "nothing is delivered, as no daemon runs: start it with marginwatch run"


def test_f3_what_a_parked_channel_was_not_told_says_who_was(tmp_path: Path) -> None:
    """F3: it was not even tried."""
    with collecting(tmp_path, fires(notice("hook"))) as store:
        written(
            store,
            [
                Reroute(
                    AT + SECOND, (notice("desk", by="hook"),), refused=(notifications.key("hook"),)
                )
            ],
        )
        _, refused, handed = ask(tmp_path, "notifications")
    assert (
        refused
        == "12:00:05 hook firing ab3d low main not tried, as the channel was parked; handed over to"
        " desk"
    )
    assert handed == "12:00:05 desk firing ab3d low main due now"


def test_they_can_be_chosen(tmp_path: Path) -> None:
    """By account, channel and time."""
    both = fires(notice("hook"), notice("desk")), fires(notice("hook", "other"), account="other")
    with collecting(tmp_path, *both, accounts=("main", "other")):
        for words, expected in (
            (("--account", "oth*"), 1),
            (("--channel", "hook"), 2),
            (("--channel", "hook", "--account", "main"), 1),
            (("--since", "30s"), 0),
            (("--until", "30s"), 3),
        ):
            result = call(
                "notifications",
                "--format",
                "json",
                *words,
                "--config",
                configured(tmp_path),
                clock=LATER,
            )
            assert len(json.loads(result.stdout)) == expected, words


def test_a_channel_that_there_is_not_is_bad_usage(tmp_path: Path) -> None:
    """An empty list would look as if nothing had been sent; a former channel has its history."""
    record(tmp_path, fires(notice("hook"), notice("desk")))
    path = str(write(tmp_path, account(), RULE, CHANNEL))
    done = call("notifications", "--channel", "hok", "--config", path, clock=LATER)
    assert (done.exit_code, done.stderr) == (
        2,
        'there is no channel "hok"; did you mean "hook"?\n',
    )
    for channel in ("hook", "desk", "nope*"):
        done = call("notifications", "--channel", channel, "--config", path, clock=LATER)
        assert done.exit_code == 0, channel
    done = call("notifications", "--channel", "hok*", "--config", path, clock=LATER)
    assert done.stderr.splitlines()[0] == 'no channel matches "hok*"; did you mean "hook*"?'


def test_a_table_shows_the_last_hundred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says where the rest is; json and csv are never cut."""
    monkeypatch.setattr(tables, "MOST", 1)
    with collecting(tmp_path, fires(notice("hook"), notice("desk"))):
        _, row, more = ask(tmp_path, "notifications")
        found = call(
            "notifications", "--format", "json", "--config", configured(tmp_path), clock=LATER
        )
    assert row.startswith("12:00:05 desk")
    assert more == "the last 1 of 2 notifications; --format csv and --format json have all"
    assert len(json.loads(found.stdout)) == 2


def test_programs_get_every_attempts_end(tmp_path: Path) -> None:
    """The same keys in json and csv; what does not apply is null, or empty."""
    with collecting(tmp_path, fires(notice("hook"))) as store:
        written(store, attempt("hook", 59, Outcome.UNKNOWN, "no answer within 20 s"))
        config = configured(tmp_path)
        [row] = json.loads(
            call("notifications", "--format", "json", "--config", config, clock=LATER).stdout
        )
        printed = call("notifications", "--format", "csv", "--config", config, clock=LATER).stdout
    assert row == {
        "at": "2026-01-01T12:00:05.000+01:00",
        "channel": "hook",
        "kind": "firing",
        "rule": "low",
        "account": "main",
        "id": "ab3d",
        "severity": "warning",
        "state": "queued",
        "done_at": None,
        "attempts": 1,
        "tried_at": "2026-01-01T12:01:04.000+01:00",
        "outcome": "unknown",
        "detail": "no answer within 20 s",
        "told_at": "2026-01-01T12:01:04.000+01:00",
        "message": 1,
        "title": "title",
        "why": "backing_off",
        "until": "2026-01-01T12:01:06.000+01:00",
        "handed_over_by": None,
        "handed_to": [],
        "late": None,
    }
    [flat] = csv.DictReader(io.StringIO(printed))
    assert flat == {name: "" if value in (None, []) else str(value) for name, value in row.items()}


def channels(folder: Path) -> list[str]:
    lines = ask(folder, "status")
    return lines[lines.index("channels") + 2 :]


PARKED = (
    "hook is parked: it refused for good, and what is for it goes to desk. Once it is mended, run"
    " marginwatch check --notify: a test that arrives un-parks it. After a change of rules.toml"
    " reload instead"
)


BACKING_OFF = (
    "hook is tried again by itself. Once it is mended, run marginwatch check --notify: after a test"
    " that arrives it is tried at once"
)


def test_f3_status_says_of_a_parked_channel_what_to_do(tmp_path: Path) -> None:
    """F3: who is told in its stead, and how it is un-parked; a test that arrived has done so."""
    with collecting(tmp_path, fires(notice("hook"))) as store:
        written(store, attempt("hook", 1, REFUSED, "JSON answered HTTP 410"))
        assert channels(tmp_path) == [
            "hook never 1 since 12:00:06, parked nothing",
            "desk never no nothing",
            "hook: refused for good: JSON answered HTTP 410",
            PARKED,
        ]
        written(store, attempt("hook", 30, Outcome.DELIVERED, test=True))
        assert channels(tmp_path) == ["hook 30 s ago (a test) no nothing", "desk never no nothing"]


def test_f2_status_says_how_a_channel_that_backs_off_is_tried_sooner(tmp_path: Path) -> None:
    """F2: with the remedy; a test that arrived has done so."""
    with collecting(tmp_path, fires(notice("hook"))) as store:
        written(store, attempt("hook", 59, Outcome.LATER, "no such host"))
        assert channels(tmp_path) == [
            "hook never 1 since 12:01:04 1 since 12:00:05",
            "desk never no nothing",
            "hook: not delivered: no such host",
            "hook: 1 waits: backing off until 12:01:06 at the latest",
            BACKING_OFF,
        ]


def test_f4_a_parked_channels_fallback_is_named_unless_it_is_parked_too(tmp_path: Path) -> None:
    """F4: then all others are told."""
    third = CHANNEL.replace('"hook"', '"mail"')
    path = write(tmp_path, account(), RULE, CHANNEL + 'fallback = "desk"\n', OTHER, third)

    def parked() -> dict[str, list[str]]:
        result = call("status", "--config", path, clock=LATER)
        sentences = [
            line.split(" is parked: ")
            for line in result.stdout.splitlines()
            if " is parked: " in line
        ]
        return {
            name: rest.partition("goes to ")[2].partition(".")[0].split(" and ")
            for name, rest in sentences
        }

    with collecting(tmp_path, fires(notice("hook"), notice("desk"))) as store:
        written(store, attempt("hook", 1, REFUSED))
        assert parked() == {"hook": ["desk"]}
        written(store, attempt("desk", 2, REFUSED))
        assert parked() == {"hook": ["mail"], "desk": ["mail"]}


def test_e2_status_tells_what_a_mute_window_holds_back(tmp_path: Path) -> None:
    """E2: until when; to programs it does not count as waiting, and its reason is there."""
    with collecting(tmp_path, fires(notice("hook", not_before=NOON + HOUR))):
        assert "hook: 1 waits: held by a mute window until 13:00:00" in channels(tmp_path)
        [hook, _] = objects(tmp_path)
    assert (hook["waiting"], hook["waiting_since"]) == (0, None)
    assert hook["waits"] == [
        {
            "why": "muted",
            "until": "2026-01-01T13:00:00.000+01:00",
            "notifications": 1,
            "since": "2026-01-01T12:00:05.000+01:00",
            "handed_to": [],
        }
    ]


def objects(folder: Path) -> list[dict[str, Any]]:
    result = call("status", "--format", "json", "--config", configured(folder), clock=LATER)
    found: list[dict[str, Any]] = json.loads(result.stdout)["channels"]
    return found


def test_f2_an_attempt_that_hangs_is_on_its_way(tmp_path: Path) -> None:
    """F2: and what came meanwhile is behind it."""
    other = fires(notice("hook", "other"), account="other")
    with collecting(tmp_path, fires(notice("hook")), other, accounts=("main", "other")) as store:
        written(store, attempt("hook", 55, None))
        lines = channels(tmp_path)
    assert lines[0] == "hook never no 2 since 12:00:05"
    assert lines[2:] == [
        "hook: 1 waits: on its way",
        "hook: 1 waits: behind a message that is on its way",
    ]


def test_f1_what_was_handed_over_and_waits_on_says_so(tmp_path: Path) -> None:
    """F1: others know of it, while this channel is still tried."""
    with collecting(tmp_path, fires(notice("hook"))) as store:
        written(store, attempt("hook", 30, Outcome.LATER, "no such host"))
        written(store, [Reroute(AT + MINUTE, (notice("desk", by="hook"),))])
        written(store, attempt("desk", 60, Outcome.DELIVERED))
        assert "hook: 1 waits: due now; handed over to desk" in channels(tmp_path)


def test_f5_a_services_own_pace_is_a_reason(tmp_path: Path) -> None:
    """F5: Telegram takes 20 messages a minute; what service it is, is known without any secret."""
    path = write(
        tmp_path,
        account(),
        RULE,
        CHANNEL.replace("json://127.0.0.1:9/", "tgram://").replace("}", "}/1"),
    )
    other = fires(notice("hook", "other"), account="other")
    with collecting(tmp_path, fires(notice("hook")), other, accounts=("main", "other")) as store:
        written(store, *(attempt("hook", second, Outcome.DELIVERED) for second in range(31, 51)))
        result = call("status", "--config", path, environ={}, clock=LATER)
    assert (
        "hook: 1 waits: the service takes no more messages until 12:01:36"
        in result.stdout.splitlines()
    )


def test_a_channel_that_is_gone_shows_while_something_waits_for_it(tmp_path: Path) -> None:
    """Nothing that is undelivered hides."""
    with collecting(tmp_path, fires(notice("gone"))):
        lines = channels(tmp_path)
    assert "gone never no 1 since 12:00:05" in lines
    assert "gone: 1 waits: the channel is not in rules.toml" in lines
    assert (
        "gone is not in rules.toml: a start or reload hands what waits there to other channels"
        in lines
    )


def test_e6_an_escalation_is_said(tmp_path: Path) -> None:
    """E6: to people and to programs, with the time for which nobody acknowledged the alert."""
    first = notice("hook")
    facts = replace(first.facts, late=Late.ESCALATED, unacknowledged=900 * SECOND)
    with collecting(tmp_path, fires(replace(first, facts=facts))):
        config = configured(tmp_path)
        shown = call("notifications", "--config", config, clock=LATER).stdout
        printed = call("notifications", "--format", "json", "--config", config, clock=LATER).stdout
    assert "escalated: nobody acknowledged for 15 min" in " ".join(shown.split())
    assert json.loads(printed)[0]["late"] == "escalated"
