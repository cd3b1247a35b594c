"""Findings about what is not well: for the first line, the json and the exit status of `status`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from daemon.cli.status.channels import ChannelOverview
from daemon.cli.status.open_alerts import OpenAlert
from daemon.cli.status.state import AccountOverview, Overview
from daemon.service.heartbeat import late_after
from daemon.text.names import account_label, rule_label
from daemon.text.numbers import format_duration
from daemon.types import State

WELL, ALERTING, BLIND = 0, 1, 2
"""Exit statuses; the highest one of all findings counts."""


class Trouble(StrEnum):
    """The kinds of findings, the worst first."""

    NO_DAEMON = "no_daemon"
    NOT_RECORDING = "not_recording"
    """The database refuses to write, so all that is shown is old."""
    STALE = "stale"
    """An account has had no reading for as long as withholds the heartbeat (SEMANTICS F9)."""
    PARKED = "parked"
    """A channel refused for good (SEMANTICS F3)."""
    FIRING = "firing"
    WAITING = "waiting"
    """A message waits for its channel. One that a mute window holds back does not count."""


@dataclass(frozen=True, slots=True)
class Finding:
    why: Trouble
    text: str

    @property
    def exit_status(self) -> int:
        return ALERTING if self.why in {Trouble.FIRING, Trouble.WAITING} else BLIND


def findings(overview: Overview) -> list[Finding]:
    """All that is not well, worst first; empty if all is well."""
    return [
        *_daemon(overview),
        *(_channel(each) for each in overview.channels if each.refuses),
        *_firing([each for each in overview.alerts if each.alert.state is State.FIRING]),
        *_waiting(overview),
    ]


def exit_status(found: Sequence[Finding]) -> int:
    return max((each.exit_status for each in found), default=WELL)


def headline(found: Sequence[Finding]) -> str:
    """The first line for people."""
    return f"not well: {'; '.join(each.text for each in found)}" if found else "all is well"


def _daemon(overview: Overview) -> Iterator[Finding]:
    """Whether accounts are read and recorded; if none is, no account needs to be named."""
    if overview.daemon is None:
        yield Finding(Trouble.NO_DAEMON, "no daemon is collecting")
        return
    if overview.daemon.trouble:
        yield Finding(Trouble.NOT_RECORDING, "the daemon cannot record")
        return
    for account in overview.accounts:
        if (text := _stale(account, overview)) is not None:
            yield Finding(Trouble.STALE, text)


def _stale(account: AccountOverview, overview: Overview) -> str | None:
    """The account without a recent reading, as a sentence; None if it has one."""
    reading = None if account.recorded is None else account.recorded.reading
    if reading is None:
        return f"{account.name} has no reading yet"
    pause = overview.traffic.pauses.get(account.name)
    length = 0 if pause is None else pause.length
    age = overview.now.now - reading.at
    if age <= late_after(account.every, overview.timeout, length):
        return None
    return f"{account.name} has no reading for {format_duration(age)}"


def _channel(channel: ChannelOverview) -> Finding:
    """The finding about a channel that refused; if all did, none is parked (SEMANTICS F3)."""
    word = "is parked" if channel.instead else "refuses for good"
    return Finding(Trouble.PARKED, f"{channel.name} {word}")


def _firing(alerts: Sequence[OpenAlert]) -> Iterator[Finding]:
    if alerts:
        first = f"{rule_label(alerts[0].alert.rule)} on {account_label(alerts[0].account)}"
        more = f" and {len(alerts) - 1} more" if alerts[1:] else ""
        yield Finding(Trouble.FIRING, f"{first}{more} fire{'' if more else 's'}")


def _waiting(overview: Overview) -> Iterator[Finding]:
    for channel in overview.channels:
        number = len(channel.due(overview.now.now))
        if number:
            text = f"{number} message{' waits' if number == 1 else 's wait'} for {channel.name}"
            yield Finding(Trouble.WAITING, text)
