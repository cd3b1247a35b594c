from daemon.service.observer import Observers
from daemon.types import AttemptResult, Message, Outcome, Record, Severity
from tests.fakes import RecordingWatcher
from tests.values import reading


def test_all_watchers_hear_of_everything() -> None:
    """Several as one, in order."""
    first, second = RecordingWatcher(), RecordingWatcher()
    both = Observers([first, second])
    both.judged(Record("main", reading(1)))
    both.attempted("telegram", Message("t", "b", Severity.INFO), [], AttemptResult(Outcome.LATER))
    assert first.records == second.records == [Record("main", reading(1))]
    assert first.attempts == second.attempts == [("telegram", AttemptResult(Outcome.LATER))]
