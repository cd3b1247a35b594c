"""`check --notify`: a message that says it is a test, through every channel, and recorded as an
attempt of its own.

    claim (committed) ──► the channel ──► mark (committed)

A daemon that runs, and had parked a channel that refused, tries it again when a test got through
(SEMANTICS F3). Where nothing can be recorded, the tests are sent all the same.
"""

import asyncio
from dataclasses import dataclass, field

from daemon.cli.output import times
from daemon.cli.output.attempts import said
from daemon.cli.output.tables import say
from daemon.clock import Clock
from daemon.config import Channel, Config
from daemon.errors import AbsentError, StoreError
from daemon.notifiers.apprise import AppriseNotifier
from daemon.store import write_once
from daemon.store.operations import TEST, Claim, MessageKey, RecordAttempt
from daemon.types import AttemptResult, Message, Outcome, Severity


@dataclass(slots=True)
class AttemptRecorder:
    """Where the tests are recorded: the database at a URL, if it is there and can be written."""

    url: str = field(repr=False)
    trouble: str = ""
    """Why something is not recorded."""

    async def note(self, what: Claim | RecordAttempt) -> bool:
        """Whether it is recorded."""
        try:
            await asyncio.to_thread(write_once, self.url, what)
        except AbsentError as error:
            self.trouble = f"{error.what} yet"
        except StoreError as error:
            self.trouble = str(error)
        else:
            return True
        return False


def send(config: Config, clock: Clock) -> bool:
    """Print how each channel fared, in their order; whether all delivered."""
    if not config.channels:
        say("there is no channel to try: add [[channels]]")
        return False
    book = AttemptRecorder(config.daemon.database.reveal())
    good = asyncio.run(_send_all(config, clock, book))
    if book.trouble:
        say(f"the tests are not on record: {book.trouble}")
    return good


async def _send_all(config: Config, clock: Clock, book: AttemptRecorder) -> bool:
    at = times.shown(clock.now(), config.daemon.timezone)
    tasks = [
        asyncio.create_task(_try(each, message(each.name, at), clock, book))
        for each in config.channels
    ]
    good = True
    for channel, task in zip(config.channels, tasks, strict=True):
        attempted = await task
        good &= attempted.outcome is Outcome.DELIVERED
        say(f"{channel.name}: {said(attempted.outcome, attempted.detail)}")
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
    """What arrives; nobody must take it for an alert."""
    body = (
        f'This is a test of the channel "{channel}", sent by marginwatch check --notify at {at}.'
        " Nothing is wrong."
    )
    return Message("TEST: marginwatch reaches you", body, Severity.INFO)
