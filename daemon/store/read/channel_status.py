"""Channel status of one alert at an instant, from its recorded notifications. Pure."""

from collections.abc import Iterable

from daemon.alerts.channel_decisions import UNTOLD, ChannelStatus
from daemon.store.operations import NoticeState
from daemon.store.read.recorded import PastNotice
from daemon.store.read.recovery import KeptNotice, updated_status
from daemon.types import Millis


def status_at(notices: Iterable[PastNotice], at: Millis) -> dict[str, ChannelStatus]:
    """Channel status of one alert, by channel. `notices` are its own, in order of recording."""
    found: dict[str, ChannelStatus] = {}
    for each in notices:
        channel = each.notice.key.channel
        found[channel] = updated_status(found.get(channel, UNTOLD), _as_it_stood(each, at))
    return found


def _as_it_stood(past: PastNotice, at: Millis) -> KeptNotice:
    """The notification at the instant: what was settled only later still waited then."""
    settled = past.done_at is not None and past.done_at <= at
    told_at = past.told_at if past.told_at is not None and past.told_at <= at else None
    return KeptNotice(
        past.notice,
        past.state if settled else NoticeState.QUEUED,
        past.attempts,
        told_at,
        handed_over=bool(past.handed_to),
        begun=past.notice.facts.since,
    )
