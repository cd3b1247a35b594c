"""`marginwatch last-words`: tells every usable channel that systemd has given the daemon up.

The configuration may be the reason, so only its channels are read. The database is not used, and
nothing is queued for later. Each channel is tried a few times, all of them in parallel.
"""

import asyncio
import socket
from typing import TYPE_CHECKING

import click

from daemon.cli import options
from daemon.cli.output.terminal import say
from daemon.cli.session import CommandSession
from daemon.errors import UsageError

if TYPE_CHECKING:
    from daemon.cli.last_words.unit_status import UnitStatus
    from daemon.clock import Clock
    from daemon.config.channels_only import Salvaged
    from daemon.types import AttemptResult, Message, Millis

TRIES = 3
"""Attempts for each channel, with PAUSE between; all together they take less than two minutes."""

PAUSE: "Millis" = 15_000

ROOM = 500
"""The most characters of the daemon's last message, so that any service takes it whole."""


@click.command("last-words")
@options.config
@click.option(
    "--unit",
    metavar="NAME",
    default="marginwatch.service",
    show_default=True,
    help="The daemon's unit.",
)
@click.pass_obj
def last_words(session: CommandSession, unit: str) -> int:
    """Tell every channel that the daemon is down, and why, after systemd gave up on it.

    systemd calls it by marginwatch-last-words.service (OnFailure=). It works with a rules.toml that
    has mistakes: channels without mistakes are used. While the unit runs or is restarted, nothing
    is sent.

    \b
    Example:
      marginwatch last-words --config /etc/marginwatch/rules.toml
    """  # noqa: D301 -- click's mark for lines to be kept
    from daemon.cli.last_words import unit_status  # noqa: PLC0415 -- on use

    ended = unit_status.ask(unit, session.program_folders or unit_status.PROGRAM_FOLDERS)
    if not ended.state and "INVOCATION_ID" not in session.environ:
        raise UsageError(
            f"systemd does not know how {unit} is: this command is for systemd itself to call"
        )
    # Where systemd does not answer its own service, the channels are told all the same.
    if ended.state not in {"failed", ""}:
        say(f"{unit} is {ended.state}: nobody is told anything")
        return 0
    found = channels(session)
    if not found:
        say(
            "no channel of the configuration can be used: nobody is told; marginwatch check"
            " says why",
            err=True,
        )
        return 1
    return 0 if asyncio.run(_tell(found, message(ended, unit, session), session.clock)) else 1


def channels(session: CommandSession) -> "list[Salvaged]":
    """The channels that can be used, whatever mistakes the rest of the file has.

    Raises:
        ConfigError: where the file is missing, unreadable, or writable for other users.

    """
    from daemon import config, notifiers  # noqa: PLC0415 -- on use
    from daemon.config import channels_only  # noqa: PLC0415

    path = config.find(session.path, session.environ)
    found = channels_only.channels(
        config.read_text(path, protected=True),
        path=path,
        environ=session.environ,
        problem=notifiers.problem,
    )
    for channel in found:
        session.secrets |= channel.secrets
    return found


def message(ended: "UnitStatus", unit: str, session: CommandSession) -> "Message":
    """The message: nobody watches the accounts, why, and what to do."""
    from daemon.cli.output import times  # noqa: PLC0415 -- on use
    from daemon.redaction import Redactor  # noqa: PLC0415
    from daemon.text.printable import one_line, printable  # noqa: PLC0415
    from daemon.types import Message, Severity  # noqa: PLC0415

    said = one_line(Redactor(session.revealed()).redact(ended.said), ROOM)
    unit = printable(unit)
    look = "marginwatch check" if ended.status == 78 else f"journalctl -u {unit}"
    lines = (
        f"{ended.sentence[0].upper()}{ended.sentence[1:]}, and systemd does not start it again.",
        "Until it runs no balance is read, and nobody is warned.",
        f"It said last: {said}" if said else "",
        f"{unit} on {socket.gethostname()}, {times.format_time(session.clock.now(), None)}",
        f"then: {look}, and systemctl restart {unit}",
    )
    return Message(
        "DOWN marginwatch: nobody watches your accounts",
        "\n".join(filter(None, lines)),
        Severity.CRITICAL,
    )


async def _tell(channels: "list[Salvaged]", news: "Message", clock: "Clock") -> bool:
    """Print the result of each channel, and return whether at least one was told."""
    from daemon.cli.output.tables import attempt_text  # noqa: PLC0415 -- on use
    from daemon.types import Outcome  # noqa: PLC0415

    attempts = await asyncio.gather(*(_try(channel, news, clock) for channel in channels))
    for channel, attempted in zip(channels, attempts, strict=True):
        say(f"{channel.name}: {attempt_text(attempted.outcome, attempted.detail)}")
    return any(attempted.outcome is Outcome.DELIVERED for attempted in attempts)


async def _try(channel: "Salvaged", news: "Message", clock: "Clock") -> "AttemptResult":
    from daemon.notifiers.apprise import AppriseNotifier  # noqa: PLC0415 -- on use
    from daemon.types import Outcome  # noqa: PLC0415

    notifier = AppriseNotifier(channel.resolved.text.reveal(), clock)
    attempted = await notifier.send(news)
    for _ in range(TRIES - 1):
        if attempted.outcome in {Outcome.DELIVERED, Outcome.REFUSED}:
            break
        await clock.sleep(PAUSE)
        attempted = await notifier.send(news)
    return attempted
