"""`sum`, `avg`, `median`, `stddev`: exact, whatever enters and leaves."""

from decimal import localcontext

from tests.rules.functions.sliding import slid, steady


def test_c3_sum_avg_median() -> None:
    """C2, C3: known from one reading."""
    series = ((0, "100"), (5, "104"), (10, "102"), (15, "994"), (21, "100"))
    assert slid("sum", 15, *series) == ["100", "204", "306", "1300", "1196"]
    assert slid("avg", 15, *series) == ["100", "102", "102", "325", "398.6666666666666666666666667"]
    assert slid("median", 15, *series) == ["100", "102", "102", "103", "102"]


def test_c3_stddev_is_of_the_population() -> None:
    """C3: divided by how many there are, not by one less; of a single reading it is 0."""
    assert slid("stddev", 9_000, *steady("2", "4", "4", "4", "5", "5", "7", "9"))[-1] == "2"
    assert slid("stddev", 9_000, *steady("5", "6")) == ["0", "0.5"]


def test_c4_infinities_come_and_go() -> None:
    """C4: a sum with +∞ is +∞, with -∞ -∞, with both unknown; once they leave, it is finite."""
    series = steady("1", "Infinity", "-Infinity", "2", "3", "4")
    assert slid("sum", 1_000, *series) == ["1", "Infinity", None, "-Infinity", "5", "7"]
    assert slid("avg", 1_000, *series) == ["1", "Infinity", None, "-Infinity", "2.5", "3.5"]
    assert slid("median", 1_000, *series) == ["1", "Infinity", None, "-Infinity", "2.5", "3.5"]
    assert slid("stddev", 1_000, *series) == ["0", None, None, None, "0.5", "0.5"]


def test_what_has_left_leaves_no_digit() -> None:
    """Promise 7: a huge value that came and went took nothing of the small ones with it."""
    series = steady("1e27", "3e-27", "1e27", "1e-30", "2e-30")
    assert slid("sum", 1_000, *series)[-1] == "3E-30"
    assert slid("stddev", 1_000, *series)[-1] == "5E-31"


def test_no_context_of_the_thread() -> None:
    """Promise 7: whatever the thread's context says, every digit counts."""
    with localcontext() as context:
        context.prec = 2
        context.traps = dict.fromkeys(context.traps, True)
        assert slid("avg", 9_000, *steady("1234.5678", "1234.5679"))[-1] == "1234.56785"
        assert slid("stddev", 9_000, *steady("1234.5678", "1234.5679"))[-1] == "0.00005"
        assert slid("slope", 9_000, *steady("1234.5678", "1234.5679", "1234.5680"))[-1] == "0.36"
