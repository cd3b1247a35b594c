"""What a person reads of each decision on a channel (daemon/cli/channel_news.py)."""

import pytest

from daemon.alerts.hold_reasons import Hold, HoldReason
from daemon.cli.channel_news import ChannelNews
from daemon.types import Kind, Millis

SILENCED = Hold(HoldReason.SILENCED, "3", "moving funds", 9)


@pytest.mark.parametrize(
    ("decided", "told_at", "text"),
    [
        (Kind.FIRING, None, "not told: no message is queued yet"),
        (Hold(HoldReason.QUEUED), None, "not told: a message waits to be sent"),
        (Hold(HoldReason.QUEUED), 5, "told t5: a message waits to be sent"),
        (Hold(HoldReason.SENDING), None, "not told: a message is being sent"),
        (
            Hold(HoldReason.REFUSED),
            None,
            "not told: the channel refused for good, and others are told instead",
        ),
        (Hold(HoldReason.NEVER_REPEATS), 5, "told t5: the rule sends no reminders"),
        (Hold(HoldReason.NOT_DUE, until=9), 5, "told t5: no reminder before t9"),
        (
            Hold(HoldReason.NOT_ESCALATED, until=9),
            None,
            "not told: told at t9 if nobody acknowledges it before",
        ),
        (
            Hold(HoldReason.NOT_ESCALATED),
            None,
            "not told: told only if nobody acknowledges it in time",
        ),
        (SILENCED, None, "not told: silence 3 (moving funds), until t9"),
        (SILENCED, 5, "told t5: no reminder, silence 3 (moving funds), until t9"),
        (Hold(HoldReason.ACKNOWLEDGED), 5, "told t5: acknowledged: no reminders"),
        (Hold(HoldReason.FLAPPING), None, "not told: it flaps, which is told as one thing"),
    ],
)
def test_each_decision_in_words(decided: Kind | Hold, told_at: Millis | None, text: str) -> None:
    """When it was told, and the reason why it is told nothing now."""
    assert ChannelNews("phone", decided, told_at).text(lambda at: f"t{at}") == text
