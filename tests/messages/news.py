"""News of one alert, and the messages that are composed of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from decimal import Decimal

from daemon.messages.compose import compose
from daemon.messages.section import MessageItem, RenderContext
from daemon.types import (
    SECOND,
    Kind,
    Message,
    Millis,
    Notice,
    NoticeKey,
    NotificationFacts,
    Severity,
)
from tests.values import T0, balances, judged

FACTS = NotificationFacts(
    severity=Severity.CRITICAL,
    code="k3f9",
    since=T0,
    fired_at=T0,
    at=T0,
    judged=judged("45.2", "50"),
    worst=Decimal("45.2"),
    balances=balances("45.2"),
    changes={"available_margin": Decimal("-54.8")},
)

QUIET = (
    "to stop reminders: marginwatch ack k3f9",
    "to hear nothing of it for 2 h: marginwatch silence add --alert k3f9 --for 2h",
)


def notice(
    kind: Kind = Kind.FIRING, rule: str = "margin-critical", account: str = "main", **facts: object
) -> Notice:
    changed = replace(FACTS, **facts)  # type: ignore[arg-type]
    return Notice(NoticeKey(account, rule, 1, "telegram", kind, 1), changed.at, changed)


def said(items: Sequence[MessageItem], now: Millis) -> Message:
    return compose(items, RenderContext(now, UTC)).message


def text(*items: MessageItem, now: Millis = T0 + SECOND) -> str:
    """What a channel gets that shows no title."""
    return compose(items, RenderContext(now, UTC, titled=False)).message.body
