"""`check --notify`: a message that says it is a test, through every channel."""

import asyncio

import click

from daemon.cli import times
from daemon.clock import Clock
from daemon.config import Channel, Config
from daemon.notifiers.apprise import AppriseNotifier
from daemon.types import Attempted, Message, Outcome, Severity

_WORDS = {
    Outcome.DELIVERED: "delivered",
    Outcome.REFUSED: "refused for good",
    Outcome.LATER: "not delivered",
    Outcome.UNKNOWN: "nobody knows whether it arrived",
}


def send(config: Config, clock: Clock) -> bool:
    """Print how each channel fared, in their order; whether all delivered."""
    if not config.channels:
        click.echo("there is no channel to try: add [[channels]]")
        return False
    return asyncio.run(_send_all(config, clock))


async def _send_all(config: Config, clock: Clock) -> bool:
    at = times.shown(clock.now(), config.daemon.timezone)
    tasks = [asyncio.create_task(_send(each, message(each.name, at), clock)) for each in config.channels]
    good = True
    for channel, task in zip(config.channels, tasks, strict=True):
        attempted = await task
        good &= attempted.outcome is Outcome.DELIVERED
        click.echo(f"{channel.name}: {said(attempted)}")
    return good


async def _send(channel: Channel, test: Message, clock: Clock) -> Attempted:
    return await AppriseNotifier(channel.url.reveal(), clock).send(test)


def message(channel: str, at: str) -> Message:
    """What arrives; nobody must take it for an alert."""
    body = f'This is a test of the channel "{channel}", sent by marginwatch check --notify at {at}. Nothing is wrong.'
    return Message("TEST: marginwatch reaches you", body, Severity.INFO)


def said(attempted: Attempted) -> str:
    """How an attempt ended, for the line of its channel."""
    word = _WORDS[attempted.outcome]
    return f"{word}: {attempted.detail}" if attempted.detail else word
