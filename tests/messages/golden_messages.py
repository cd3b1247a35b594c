"""One message of each kind, as a phone shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from typing import Any

from daemon.cli.check import channels
from daemon.messages import report
from daemon.messages.compose import compose, pair
from daemon.messages.section import MessageItem, RenderContext
from daemon.types import (
    DAY,
    FLAPPING,
    HOUR,
    MINUTE,
    SECOND,
    Balances,
    DecidingComparison,
    FlapRange,
    Kind,
    Late,
    Message,
    Millis,
    Notice,
    NoticeKey,
    NotificationFacts,
    Severity,
    Step,
    Trend,
)
from tests.messages.facts import BAD, SPAN

NIGHT: Millis = 1_767_237_141_000
"""2026-01-01 03:12:21 UTC."""

GOLD = Decimal("4.64407694")


def _balances(margin: str) -> Balances:
    """Balances of which the first two fields add up to the available margin."""
    available = Decimal(margin)
    gold = min(GOLD, available)
    return Balances(available, available - gold, gold, Decimal("62.14"), Decimal(0))


LIMIT = DecidingComparison(
    "available_margin < 50",
    "available_margin",
    Decimal("45.64407694"),
    Decimal(50),
    falling=True,
)
FACTS = NotificationFacts(
    severity=Severity.CRITICAL,
    code="ct83",
    since=NIGHT,
    fired_at=NIGHT,
    at=NIGHT,
    judged=LIMIT,
    worst=LIMIT.value,
    balances=_balances("45.64407694"),
    minutely={"available_margin": Decimal("-308.35592306"), "al_margin": Decimal("62.14")},
    changes={"available_margin": Decimal("-348.1"), "al_margin": Decimal("62.14")},
    hourly={"available_margin": Decimal("-454.07556765")},
    trend=Trend(
        Step(Decimal(354), NIGHT - 40 * SECOND, Decimal("45.64407694"), NIGHT),
    ),
)
SILENCE = DecidingComparison(
    "age >= 30s", "age", Decimal(31_000), Decimal(30_000), falling=False, duration=True
)
REFUSED = DecidingComparison(
    "key_refused == 1", "key_refused", Decimal(1), Decimal(1), falling=False
)
DROP = DecidingComparison(
    "drop(available_margin, 7d) > 0.2",
    "drop(available_margin, 7d)",
    Decimal("0.25320"),
    Decimal("0.2"),
    falling=False,
    ratio=True,
)
DEPOSIT = DecidingComparison(
    "delta(available_margin, 1m) > 500",
    "delta(available_margin, 1m)",
    Decimal(759),
    Decimal(500),
    falling=False,
)
STILL_TOLD = (Kind.WORSE, Kind.RESOLVED)
SWINGS = FlapRange(7, Decimal("42.1"), Decimal("130.125"))


def _notice(kind: Kind, rule: str = "margin-critical", **facts: Any) -> Notice:
    """News of one alert; `margin` is the value now."""
    account = facts.pop("account", "main")
    if "margin" in facts:
        margin = facts.pop("margin")
        facts["judged"] = replace(LIMIT, value=Decimal(margin))
        facts["balances"] = _balances(margin)
        facts = {"minutely": {}, "changes": {}, "hourly": {}, **facts}
    if kind is not Kind.FIRING:
        facts = {"trend": Trend(), **facts}
    told = replace(FACTS, **facts)
    return Notice(NoticeKey(account, rule, 7, "phone", kind, 7), told.at, told)


def _message(*items: MessageItem, after: Millis = SECOND, why_late: str = "") -> Message:
    now = max(item.last.at for item in items) + after
    return compose(items, RenderContext(now, UTC, why_late=why_late)).message


def _said(kind: Kind, rule: str = "margin-critical", **facts: Any) -> Message:
    return _message(MessageItem(_notice(kind, rule, **facts)))


def _both(rule: str, code: str, begun: Millis, lasted: Millis) -> MessageItem:
    fired = {"code": code, "since": begun, "fired_at": begun}
    end = _notice(
        Kind.RESOLVED, rule, at=begun + lasted, margin="354.64", reason="cleared", **fired
    )
    [item] = pair([MessageItem(_notice(Kind.FIRING, rule, at=begun, **fired)), MessageItem(end)])
    return item


def _several() -> Sequence[MessageItem]:
    silence: Mapping[str, Any] = {
        "judged": SILENCE,
        "worst": None,
        "account": "desk",
        "read_at": NIGHT + 5 * MINUTE - 31 * SECOND,
        "trend": Trend(),
    }
    return (
        MessageItem(
            _notice(Kind.ACK, at=NIGHT + 5 * MINUTE, detail="adding margin", still_told=STILL_TOLD)
        ),
        MessageItem(
            _notice(
                Kind.FIRING,
                "no-readings",
                severity=Severity.WARNING,
                code="cx8g",
                at=NIGHT + 5 * MINUTE,
                **silence,
            )
        ),
        MessageItem(
            _notice(
                Kind.RESOLVED,
                "spike",
                account="grid",
                at=NIGHT + 5 * MINUTE,
                code="n4pe",
                margin="130",
            )
        ),
    )


def _flapping(kind: Kind, **facts: Any) -> Message:
    return _said(
        kind, "low-margin" + FLAPPING, severity=Severity.WARNING, swings=SWINGS, worst=None, **facts
    )


MESSAGES: Mapping[str, Message] = {
    "ack": _said(Kind.ACK, at=NIGHT + 5 * MINUTE, detail="adding margin", still_told=STILL_TOLD),
    "back": _said(Kind.RESOLVED, at=NIGHT + 12 * MINUTE, reason="back", margin="300", worst=None),
    "blind": _said(
        Kind.FIRING,
        "no-readings",
        severity=Severity.WARNING,
        judged=SILENCE,
        worst=None,
        trend=Trend(),
        read_at=NIGHT - 31 * SECOND,
        detail="CoinW answers HTTP 500: asking again",
    ),
    "blind-ended": _said(
        Kind.RESOLVED,
        at=NIGHT + 2 * MINUTE,
        reason="missing",
        read_at=NIGHT,
        detail="CoinW answers HTTP 500: asking again",
    ),
    "calm": _flapping(
        Kind.RESOLVED, at=NIGHT + HOUR, margin="500", detail="not firing now", reason="calm"
    ),
    "firing-critical": _said(Kind.FIRING),
    "firing-handed-over": _said(
        Kind.FIRING,
        handed_over_by="phone",
        handed_over_since=NIGHT - HOUR,
        handed_over_why="HTTP 502",
    ),
    "firing-joined": _message(
        MessageItem(_notice(Kind.FIRING)),
        MessageItem(
            _notice(
                Kind.FIRING,
                "low-margin",
                severity=Severity.WARNING,
                code="n4pe",
                judged=replace(LIMIT, text="available_margin < 100", threshold=Decimal(100)),
            )
        ),
    ),
    "firing-escalated": _said(
        Kind.FIRING,
        at=NIGHT + 15 * MINUTE,
        margin="41.14",
        late=Late.ESCALATED,
        unacknowledged=15 * MINUTE,
        trend=Trend(),
    ),
    "firing-muted": _said(
        Kind.FIRING, severity=Severity.WARNING, at=NIGHT + HOUR, late=Late.MUTED, trend=Trend()
    ),
    "firing-ratio": _said(
        Kind.FIRING,
        "drawdown",
        severity=Severity.INFO,
        judged=DROP,
        worst=None,
        trend=Trend(),
        balances=_balances("373.18"),
        minutely={},
        changes={"available_margin": Decimal("-2.5")},
        hourly={"available_margin": Decimal("-40.36")},
    ),
    "firing-several": _message(*_several()),
    "firing-summary": _said(
        Kind.FIRING, severity=Severity.WARNING, summary="add margin on main: 45.64 USDT are left"
    ),
    "firing-system": _said(
        Kind.FIRING,
        "key-refused",
        judged=REFUSED,
        worst=Decimal(1),
        trend=Trend(),
        detail="CoinW refused the key (6000: authentication error): check api_key and secret_key",
        read_at=NIGHT - 6 * SECOND,
    ),
    "firing-title": _said(
        Kind.FIRING,
        "deposit",
        severity=Severity.INFO,
        judged=DEPOSIT,
        worst=None,
        trend=Trend(),
        title="deposit arrived, 804.64 are available",
        unit="USDT",
        balances=_balances("804.64407694"),
        minutely={"available_margin": Decimal(759)},
        changes={},
        hourly={},
    ),
    "firing-unconfirmed": _said(Kind.FIRING, margin="0", unconfirmed=True, trend=Trend()),
    "flapping": _flapping(
        Kind.FIRING,
        at=NIGHT + 52 * MINUTE,
        detail="firing now",
        trend=Trend(),
        minutely={},
        changes={"available_margin": Decimal("-38.4")},
        hourly={},
    ),
    "late": _message(
        _both("low-margin", "ct83", NIGHT, 70 * SECOND),
        _both("margin-critical", "n4pe", NIGHT + 10 * SECOND, 20 * SECOND),
        after=2 * HOUR,
        why_late="phone could not be reached from 03:12:22 until 05:13:20 (HTTP 502)",
    ),
    "late-days": _message(
        MessageItem(_notice(Kind.FIRING, at=NIGHT)),
        _both("low-margin", "n4pe", NIGHT - HOUR, 70 * SECOND),
        after=DAY,
        why_late="phone could not be reached from 2026-01-01 02:12:22 until 03:12:09 (HTTP 502)",
    ),
    "over": _said(
        Kind.RESOLVED,
        at=NIGHT + 4 * MINUTE,
        margin="130",
        worst=Decimal("12.30001"),
        reason="cleared",
    ),
    "report": report.compose(BAD, RenderContext(SPAN.until, UTC)),
    "retired": _said(Kind.RETIRED, at=NIGHT + HOUR, margin="499.71964459", reason="rule_removed"),
    "still": _said(Kind.REPEAT, at=NIGHT + 4 * HOUR, margin="41.14407693", worst=Decimal("38.5")),
    "still-old": _said(
        Kind.REPEAT,
        at=NIGHT + 4 * HOUR,
        read_at=NIGHT + 4 * HOUR - 90 * SECOND,
        margin="41.14407693",
        worst=Decimal("38.5"),
    ),
    "test": channels.message("phone", "03:12:21"),
    "worse": _said(
        Kind.WORSE,
        at=NIGHT + MINUTE,
        margin="12.30001",
        told=Decimal("45.64407694"),
        told_at=NIGHT,
        minutely={"available_margin": Decimal("-33.34406694")},
        changes={"available_margin": Decimal("-381.7"), "al_margin": Decimal("62.14")},
        hourly={"available_margin": Decimal("-487.4")},
        worst=Decimal("12.30001"),
    ),
}
"""Messages by the names of their files."""


def shown(message: Message) -> str:
    """The text as a phone shows it: the title, and below it the body."""
    return f"{message.title}\n\n{message.body}\n"
