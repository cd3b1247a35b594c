"""The data of a report, as read from the record."""

from datetime import UTC, time
from pathlib import Path

from daemon.alerts.mutes import DAYS, MutedRules, Mutes, MuteWindow
from daemon.hidden import Secret
from daemon.messages.report_data import ReportSpan
from daemon.service.reporting.data import ReportReader
from daemon.service.reporting.scheduler import ReportPeriod
from daemon.store.write.silence_commands import Quiet
from daemon.types import DAY, HOUR, SECOND, Alert, Millis, Record, Severity, Silence, State
from tests.cli.calls import record, url
from tests.fakes import NOON, ManualClock
from tests.values import judged, reading, rule

AT = NOON + 5 * SECOND
ALERT = Alert(
    "low", 2, "ab3d", Severity.WARNING, State.FIRING, "when x", AT, AT, None, judged("90")
)
MUTES = Mutes({"noon": MuteWindow("noon", frozenset(DAYS), time(11), time(14))}, UTC)


def silence(code: str, ended_at: Millis | None) -> Silence:
    return Silence(0, False, "low", "main", code, AT, ended_at)


def test_what_is_silenced_and_muted_is_read(tmp_path: Path) -> None:
    """Silences that are over no longer stand."""
    record(tmp_path, Record("main", reading(2, AT), (ALERT,)))
    for each in (silence("", AT + HOUR), silence("", AT + SECOND), silence("ab3d", None)):
        Quiet(url(tmp_path)).add(each, AT)
    reader = ReportReader(
        Secret(url(tmp_path)),
        ManualClock(AT + 2 * SECOND),
        UTC,  # type: ignore[arg-type]
        ("main",),
        ("phone",),
        lambda _: 5 * SECOND,
        [rule("low", mute=("noon",))],
        MUTES,
    )
    facts = reader.facts(ReportPeriod("daily", ReportSpan(AT - DAY, AT + SECOND), AT + DAY))
    assert [(each.code, each.ended_at) for each in facts.silences] == [
        ("", AT + HOUR),
        ("ab3d", None),
    ]
    assert facts.muted == (MutedRules(("noon",), NOON + 3 * HOUR, ("low",)),)
