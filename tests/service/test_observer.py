from daemon.service.observer import Watchers
from daemon.types import Attempted, Message, Outcome, Record, Severity
from tests.fakes import RecordingWatcher
from tests.values import reading


def test_all_watchers_hear_of_everything() -> None:
    """Several as one, in order."""
    first, second = RecordingWatcher(), RecordingWatcher()
    both = Watchers([first, second])
    both.judged(Record("main", reading(1)))
    both.attempted("telegram", Message("t", "b", Severity.INFO), [], Attempted(Outcome.LATER))
    assert first.records == second.records == [Record("main", reading(1))]
    assert first.attempts == second.attempts == [("telegram", Attempted(Outcome.LATER))]
