"""Facts of a day as tests tell them: one account that was well, and one that was not."""

from decimal import Decimal

from daemon.messages.report_data import (
    Down,
    FieldSummary,
    Posted,
    ReportData,
    ReportedAlert,
    ReportSpan,
    Seen,
    Watched,
)
from daemon.types import DAY, HOUR, MINUTE, MissReason, Severity

MORNING = 1_767_254_400_000
"""2026-01-01 08:00 UTC."""
SPAN = ReportSpan(MORNING, MORNING + DAY)


def course(low: str, high: str, last: str) -> FieldSummary:
    return FieldSummary(
        Seen(Decimal(low), MORNING + 3 * HOUR),
        Seen(Decimal(high), MORNING + 9 * HOUR),
        Seen(Decimal(last), SPAN.until),
    )


COURSES = {
    "available_margin": course("431.5", "502.25", "480.12"),
    "available_usdt": course("431.5", "502.25", "480.12"),
    "almighty_gold": course("0", "0", "0"),
    "al_margin": course("20", "122.5", "80"),
    "al_freeze": course("0", "12", "3.5"),
}
WELL = Watched("main", MORNING, 17_280, COURSES)
QUIET = ReportData("daily", SPAN, (WELL,), channels=(Posted("phone", 3),), next_at=SPAN.until + DAY)

NIGHT = ReportSpan(MORNING + 18 * HOUR, MORNING + 18 * HOUR + 7 * MINUTE)
ILL = Watched(
    "grid", MORNING, 16_000, COURSES, {MissReason.NETWORK: 3, MissReason.TIMEOUT: 12}, (NIGHT,)
)
LOW = ReportedAlert("grid", "low-margin", Severity.WARNING, MORNING + HOUR, MORNING + 2 * HOUR)
BAD = ReportData(
    "daily",
    SPAN,
    (WELL, ILL),
    (
        LOW,
        ReportedAlert(
            "grid", "low-margin", Severity.WARNING, MORNING + 4 * HOUR, MORNING + 5 * HOUR
        ),
        ReportedAlert("grid", "margin-critical", Severity.CRITICAL, MORNING - 4 * HOUR, None),
        ReportedAlert("", "channel-failing", Severity.WARNING, MORNING + HOUR, MORNING + 2 * HOUR),
    ),
    (Posted("phone", 12), Posted("mail", 3, 4, 2, MORNING + 22 * HOUR)),
    (Down(NIGHT, killed=True),),
    SPAN.until + DAY,
)
