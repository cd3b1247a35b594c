"""`last-words`: the message when systemd has given the daemon up, with a fake systemctl."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from click.testing import Result

from daemon.cli.last_words.command import PAUSE, TRIES
from daemon.clock import SystemClock
from daemon.types import Millis
from tests.cli.calls import CHANNEL, RULE, SECRETS, account, call, write
from tests.notifiers.receiver import Post, Receiver, answering, in_turn

SHOWN = (
    "ActiveState=failed\nResult=exit-code\nExecMainCode=1\n"
    "ExecMainStatus={status}\nStatusText={said}\n"
)
BY_SYSTEMD = {**SECRETS, "INVOCATION_ID": "1"}


class Brief(SystemClock):
    """A clock whose pauses are short, and kept; the timeout of a call is not one of them."""

    def __init__(self) -> None:
        self.pauses: list[Millis] = []

    async def sleep(self, duration: Millis) -> None:
        if duration == PAUSE:
            self.pauses.append(duration)
            duration = 1
        await super().sleep(duration)


@pytest.fixture
def systemctl(tmp_path: Path) -> Callable[[str], None]:
    """Gives systemctl its answer; without one it fails, as where systemd does not run."""
    programs = tmp_path / "programs"
    programs.mkdir()

    def answer(shown: str) -> None:
        program = programs / "systemctl"
        (tmp_path / "shown").write_text(shown)
        program.write_text(f'#!/bin/sh\n[ -s "{tmp_path}/shown" ] && cat "{tmp_path}/shown"\n')
        program.chmod(0o755)

    return answer


def last_words(path: Path, clock: Brief | None = None) -> Result:
    programs = [path.parent / "programs"]
    result = call(
        "last-words",
        "--config",
        path,
        environ=BY_SYSTEMD,
        clock=clock or Brief(),
        programs=programs,
    )
    assert "planted" not in result.output
    return result


def channel(receiver: Receiver, name: str = "hook") -> str:
    return CHANNEL.replace("127.0.0.1:9", f"127.0.0.1:{receiver.port}").replace(
        '"hook"', f'"{name}"'
    )


def test_everybody_is_told_why_and_what_to_do(
    tmp_path: Path, systemctl: Callable[[str], None]
) -> None:
    """Good channels of a file with mistakes are told, in words for a phone at night."""
    systemctl(
        SHOWN.format(
            status=78, said='failed: rules "low" (line 3).when: no such field planted-token-4711'
        )
    )
    with Receiver(answering(200)).serving() as receiver:
        path = write(
            tmp_path,
            account(),
            channel(receiver),
            channel(receiver, "other"),
            RULE.replace('100"', "100"),
        )
        result = last_words(path)
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        ["hook: delivered", "other: delivered"],
    )
    told, again = (post.json for post in receiver.got)
    assert told == again
    assert (told["title"], told["type"]) == (
        "DOWN marginwatch: nobody watches your accounts",
        "failure",
    )
    lines = told["message"].splitlines()
    assert lines[:3] == [
        "It ended with exit status 78 (bad configuration), and systemd does not start it again.",
        "Until it runs no balance is read, and nobody is warned.",
        'It said last: rules "low" (line 3).when: no such field ***',
    ]
    assert lines[3].startswith("marginwatch.service on ")
    assert lines[4:] == ["then: marginwatch check, and systemctl restart marginwatch.service"]


def test_other_endings_are_looked_up_in_the_log(
    tmp_path: Path, systemctl: Callable[[str], None]
) -> None:
    """Killed: there are no last words."""
    systemctl(
        "ActiveState=failed\nResult=oom-kill\nExecMainCode=2\nExecMainStatus=9\nStatusText=reloaded\n"
    )
    with Receiver(answering(200)).serving() as receiver:
        last_words(write(tmp_path, account(), channel(receiver)))
    text = receiver.got[0].json["message"]
    assert text.startswith(
        "It was killed because the machine ran out of memory, and systemd does not start it again."
    )
    assert "It said last" not in text
    assert text.endswith(
        "then: journalctl -u marginwatch.service, and systemctl restart marginwatch.service"
    )


@pytest.mark.parametrize("state", ["activating", "active", "inactive"])
def test_nobody_is_told_of_what_is_started_again(
    tmp_path: Path, systemctl: Callable[[str], None], state: str
) -> None:
    """Since systemd 254 each failure starts the unit: twenty restarts are not twenty messages."""
    systemctl(SHOWN.format(status=1, said="").replace("failed", state))
    with Receiver(answering(200)).serving() as receiver:
        result = last_words(write(tmp_path, account(), channel(receiver)))
    assert (result.exit_code, result.stdout) == (
        0,
        f"marginwatch.service is {state}: nobody is told anything\n",
    )
    assert receiver.got == []


def test_where_systemd_does_not_answer_its_own_service_people_are_told(
    tmp_path: Path, systemctl: Callable[[str], None]
) -> None:
    """An unknown status is told; but a person who calls it without systemd wakes nobody."""
    systemctl("")
    with Receiver(answering(200)).serving() as receiver:
        path = write(tmp_path, account(), channel(receiver))
        assert last_words(path).exit_code == 0
        by_hand = call(
            "last-words", "--config", path, clock=Brief(), programs=[tmp_path / "programs"]
        )
    assert len(receiver.got) == 1
    assert (
        receiver.got[0]
        .json["message"]
        .startswith("It ended, and systemd does not say why, and systemd does not")
    )
    assert (by_hand.exit_code, by_hand.stderr) == (
        2,
        (
            "systemd does not know how marginwatch.service is: this command is for systemd itself"
            " to call\n"
        ),
    )


def test_a_channel_that_fails_is_tried_again_and_holds_up_no_other(
    tmp_path: Path, systemctl: Callable[[str], None]
) -> None:
    """Three times with a pause between; one that refuses for good is not."""
    systemctl(SHOWN.format(status=1, said=""))
    clock, good = Brief(), threading.Event()

    def late(handler: BaseHTTPRequestHandler, post: Post) -> None:
        """Answers when the other channel has been told."""
        good.wait(10)
        answering(500)(handler, post)

    def now(handler: BaseHTTPRequestHandler, post: Post) -> None:
        answering(200)(handler, post)
        good.set()

    with (
        Receiver(late).serving() as dead,
        Receiver(now).serving() as alive,
        Receiver(in_turn(answering(503), answering(200))).serving() as shaky,
        Receiver(answering(410)).serving() as gone,
    ):
        servers = {"dead": dead, "alive": alive, "shaky": shaky, "gone": gone}
        path = write(
            tmp_path, account(), *(channel(server, name) for name, server in servers.items())
        )
        result = last_words(path, clock)
    assert {name: len(server.got) for name, server in servers.items()} == {
        "dead": TRIES,
        "alive": 1,
        "shaky": 2,
        "gone": 1,
    }
    assert len(clock.pauses) == TRIES
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "dead: not delivered: JSON answered HTTP 500",
        "alive: delivered",
        "shaky: delivered",
        "gone: refused for good: JSON answered HTTP 410",
    ]


@pytest.mark.parametrize("tables", [[], [CHANNEL.replace("HOOK_TOKEN", "NOT_SET")]])
def test_without_a_usable_channel_it_fails(
    tmp_path: Path, systemctl: Callable[[str], None], tables: list[str]
) -> None:
    """The unit is failed then, too: whoever looks sees it."""
    systemctl(SHOWN.format(status=1, said=""))
    result = last_words(write(tmp_path, account(), *tables))
    assert (result.exit_code, result.stderr) == (
        1,
        "no channel of the configuration can be used: nobody is told; marginwatch check says why\n",
    )


def test_where_no_channel_takes_it_it_fails(
    tmp_path: Path, systemctl: Callable[[str], None]
) -> None:
    """Likewise."""
    systemctl(SHOWN.format(status=1, said=""))
    with Receiver(answering(410)).serving() as receiver:
        assert last_words(write(tmp_path, account(), channel(receiver))).exit_code == 1


def test_without_a_configuration_it_says_so(
    tmp_path: Path, systemctl: Callable[[str], None]
) -> None:
    """As every command does."""
    systemctl(SHOWN.format(status=78, said=""))
    result = last_words(tmp_path / "none.toml")
    assert (result.exit_code, result.stderr) == (
        78,
        f"{tmp_path}/none.toml: there is no such file; `marginwatch init` writes one\n",
    )


def test_s4_a_file_that_others_could_write_gets_no_secret(
    tmp_path: Path, systemctl: Callable[[str], None]
) -> None:
    """S4: a file that others can write is refused: its channels could send our tokens anywhere."""
    systemctl(SHOWN.format(status=78, said=""))
    with Receiver(answering(200)).serving() as receiver:
        path = write(tmp_path, account(), channel(receiver))
        path.chmod(0o666)
        result = last_words(path)
    assert receiver.got == []
    remedy = f"can be written by every user of this machine; chmod go-w {path}"
    assert (result.exit_code, result.stderr) == (78, f"{path}: {remedy}\n")
