"""`check --notify`: sends a test message through every channel and records it as an attempt.

    claim (committed) ──► the channel ──► recorded attempt (committed)

A running daemon that parked a channel tries it again once a test got through (SEMANTICS F3). The
tests are sent even where they cannot be recorded.
"""

import asyncio
from dataclasses import dataclass, field

from daemon.cli.check.report import CheckReport
from daemon.cli.output import times
from daemon.cli.output.tables import attempt_text
from daemon.clock import Clock
from daemon.config import Channel, Config
from daemon.errors import AbsentError, StoreError
from daemon.notifiers.apprise import AppriseNotifier
from daemon.store import write_once
from daemon.store.operations import TEST, Claim, MessageKey, RecordAttempt
from daemon.types import AttemptResult, Message, Outcome, Severity


@dataclass(slots=True)
class AttemptRecorder:
    """Records the tests in the database at a URL, if it exists and can be written."""

    url: str = field(repr=False)
    trouble: str = ""
    """The reason why something is not recorded; empty if all is."""

    async def note(self, what: Claim | RecordAttempt) -> bool:
        """Record it, and return whether that worked."""
        try:
            await asyncio.to_thread(write_once, self.url, what)
        except AbsentError:
            return False  # before the first start, there is no record to be missed
        except StoreError as error:
            self.trouble = str(error)
        else:
            return True
        return False


def send(config: Config, clock: Clock, report: CheckReport) -> bool:
    """Print the result of each channel, in their order, and return whether all delivered."""
    book = AttemptRecorder(config.daemon.database.reveal())
    good = asyncio.run(_send_all(config, clock, book, report))
    if book.trouble:
        report.note(f"the tests are not on record: {book.trouble}")
    return good


async def _send_all(
    config: Config, clock: Clock, book: AttemptRecorder, report: CheckReport
) -> bool:
    at = times.format_time(clock.now(), config.daemon.timezone)
    tasks = [
        asyncio.create_task(_try(each, message(each.name, at), clock, book))
        for each in config.channels
    ]
    good = True
    for channel, task in zip(config.channels, tasks, strict=True):
        attempted = await task
        good &= attempted.outcome is Outcome.DELIVERED
        line = f"{channel.name}: {attempt_text(attempted.outcome, attempted.detail)}"
        outcome, detail = attempted.outcome.value, attempted.detail or None
        row = {"channel": channel.name, "outcome": outcome, "detail": detail}
        report.add("channels", line, row)
    return good


async def _try(
    channel: Channel, test: Message, clock: Clock, book: AttemptRecorder
) -> AttemptResult:
    key = MessageKey(channel.name, clock.now(), TEST)
    claimed = await book.note(Claim(key, (), test))
    attempted = await AppriseNotifier(channel.url.reveal(), clock).send(test)
    if claimed:
        await book.note(RecordAttempt(key, clock.now(), attempted, {}))
    return attempted


def message(channel: str, at: str) -> Message:
    """The test message, which nobody may take for an alert."""
    body = (
        f'This is a test of the channel "{channel}", sent by marginwatch check --notify at {at}.'
        " Nothing is wrong."
    )
    return Message("TEST: marginwatch reaches you", body, Severity.INFO)
