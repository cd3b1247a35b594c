"""Charts from the record: one made by real account owners, and special cases of a record."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Context, Decimal
from pathlib import Path

import pytest

from daemon.charts import from_history
from daemon.charts.chart import Chart, ChartSpan, Level, Point, Unit
from daemon.charts.from_history import LAST_HOURS, Subject
from daemon.rules.rule import Rule
from daemon.store import History, Store
from daemon.store.operations import StartEpoch, StoreDownGap, Written
from daemon.store.read.replay import Replayed
from daemon.types import (
    MINUTE,
    SECOND,
    AccountState,
    Answer,
    ClockStep,
    Gap,
    GapReason,
    Millis,
    MissReason,
    NoAnswer,
    Quality,
    Reading,
    Record,
    Source,
    Unconfirmed,
)
from tests.fakes import NOON
from tests.service.lives import Life, Step, Told, play
from tests.values import T0, answer, ending, judged, miss, reading, rule

LOW = rule("low", clear_when="available_margin > 120")
MISS = NoAnswer(MissReason.TIMEOUT, "no answer within 10 s")


def lived(folder: Path, rules: Sequence[Rule], *arrivals: Told) -> str:
    """One life of the account main, an arrival each second; the URL of its database."""
    url = f"sqlite:///{folder / 'watch.db'}"
    rounds = [{"main": arrival} for arrival in arrivals]
    asyncio.run(
        play(lambda **how: Life(url, ["main"], list(rules), **how), rounds, SECOND, lambda _: "")
    )
    return url


def margins(*values: str) -> Iterator[Answer]:
    return (answer(available_margin=value) for value in values)


def drawn(
    url: str,
    rules: Sequence[Rule] = (LOW,),
    field: str = "available_margin",
    since: Millis = 0,
    until: Millis = MINUTE,
) -> Chart:
    subject = Subject("main", field, ChartSpan(NOON + since, NOON + until), every=SECOND)
    with History.open(url) as history:
        return from_history.field_chart(history, subject, rules)


def exact(value: Decimal) -> str:
    """All digits, without idle zeros."""
    return f"{value.normalize(Context(prec=60)):f}"


def points(chart: Chart) -> list[list[tuple[Millis, str]]]:
    """By line, milliseconds since noon and values."""
    return [[(point.at - NOON, exact(point.value)) for point in line] for line in chart.lines]


def since_noon(spans: Sequence[ChartSpan]) -> list[tuple[Millis, Millis]]:
    return [(span.since - NOON, span.until - NOON) for span in spans]


def test_f8_a_field_has_its_levels_and_firing_spans(tmp_path: Path) -> None:
    """F8: a chart has the line, the levels of rules on the field, and its firing spans."""
    url = lived(tmp_path, [LOW], *margins("500", "90", "110", "80", "130"))
    chart = drawn(url, until=5 * SECOND)
    assert points(chart) == [
        [(0, "500"), (1_000, "90"), (2_000, "110"), (3_000, "80"), (4_000, "130")]
    ]
    assert chart.levels == (Level(Decimal(100), "low"), Level(Decimal(120), "low", clear=True))
    assert since_noon(chart.firing) == [(1_000, 4_000)]
    assert (chart.gaps, chart.infinite, chart.unit, chart.note) == ((), (), Unit.USDT, "")


def test_f8_what_still_fires_does_so_to_the_end(tmp_path: Path) -> None:
    """F8: an open alert reaches the end, a pending one never fired; spans are cut at the edges."""
    held = rule("held", "available_margin < 200", hold=MINUTE)
    url = lived(tmp_path, [LOW, held], *margins("500", "90", "95", "95"))
    assert since_noon(drawn(url, [LOW, held], until=4 * SECOND).firing) == [(1_000, 4_000)]
    assert since_noon(drawn(url, [LOW, held], since=2 * SECOND, until=3 * SECOND).firing) == [
        (2_000, 3_000)
    ]
    assert drawn(url, [held], until=4 * SECOND).firing == ()


def test_f8_spans_of_several_rules_are_one_where_they_overlap(tmp_path: Path) -> None:
    """F8: a shade says that something fired, not how much of it."""
    deeper, later = rule("deeper", "available_margin < 95"), rule("later", "available_margin > 600")
    rules = [LOW, deeper, later]
    url = lived(tmp_path, rules, *margins("500", "99", "90", "500", "700", "500"))
    assert since_noon(drawn(url, rules).firing) == [(1_000, 3_000), (4_000, 5_000)]


def test_f8_a_miss_breaks_the_line(tmp_path: Path) -> None:
    """F8, promise 5: what was missed is no value, and no line leads over it."""
    url = lived(tmp_path, [LOW], *margins("500", "490"), MISS, MISS, *margins("470", "460"))
    chart = drawn(url, until=6 * SECOND)
    assert points(chart) == [[(0, "500"), (1_000, "490")], [(4_000, "470"), (5_000, "460")]]
    assert since_noon(chart.gaps) == [(1_000, 4_000)]


def test_f8_a_field_that_was_not_sent_is_missing(tmp_path: Path) -> None:
    """F8, promise 5: readings without it are no zeros."""
    url = lived(tmp_path, [LOW], *margins("500", "490"))
    chart = drawn(url, field="cross_un_pnl", until=2 * SECOND)
    assert (chart.lines, since_noon(chart.gaps), chart.levels) == ((), [(0, 2_000)], ())


def test_f8_derived_fields_are_drawn_as_they_are_judged(tmp_path: Path) -> None:
    """F8, C4: a ratio of nothing is infinite, and told as such; an estimate says that it is one."""
    url = lived(
        tmp_path,
        [LOW],
        answer(al_freeze="50"),
        answer(available_margin="0", al_freeze="50"),
        answer(),
    )
    chart = drawn(url, field="freeze_ratio", until=3 * SECOND)
    assert points(chart) == [[(0, "0.1")], [(2_000, "0")]]
    assert (since_noon(chart.infinite), chart.unit) == ([(1_000, 2_000)], Unit.RATIO)
    assert drawn(url, field="free_margin").note == "a cautious estimate"
    assert drawn(url, field="equity").note == "an estimate"


def test_a5_a_clock_that_was_set_makes_no_line_run_backwards(tmp_path: Path) -> None:
    """A5: readings and firing spans from before the step lie where they are meant now."""
    url = lived(tmp_path, [LOW], *margins("500", "90"), Step(-30 * SECOND), *margins("80", "500"))
    chart = drawn(url, since=-MINUTE)
    (line,) = points(chart)
    assert [value for _, value in line] == ["500", "90", "80", "500"]
    assert [at for at, _ in line] == [-30_000, -29_000, -27_000, -26_000]
    assert since_noon(chart.firing) == [(-29_000, -26_000)]


def test_a5_an_alert_that_ended_before_a_step_moves_with_it(tmp_path: Path) -> None:
    """A5: the span of an ended alert moves with its readings, although recorded instants stay."""
    url = lived(tmp_path, [LOW], *margins("90", "500"), Step(-30 * SECOND), *margins("500"))
    assert since_noon(drawn(url, since=-MINUTE).firing) == [(-30_000, -29_000)]


# What rules compare.


@pytest.mark.parametrize(
    ("when", "clear_when", "expected"),
    [
        ("available_margin < 100", None, ["100"]),
        ("100 >= availableMargin", "available_margin > 120", ["100", "120 clear"]),
        (
            "al_freeze > 5 and (available_margin < 50 or available_margin > 1_000)",
            None,
            ["50", "1000"],
        ),
        ("available_margin < -5", None, ["-5"]),
        ("available_margin < 100 or available_margin <= 100", None, ["100"]),
        ("delta(available_margin, 10m) < -50", "available_margin > 80", ["80 clear"]),
        ("available_margin < al_margin", None, []),
        ("min(available_margin, 10m) < 100", None, []),
        ("available_margin + al_margin < 100", None, []),
        ("al_margin > 100", None, []),
        ("age > 2m", None, []),
    ],
)
def test_f8_levels_are_plain_numbers_of_exactly_this_field(
    when: str, clear_when: str | None, expected: list[str]
) -> None:
    """F8: a level is a plain number compared with the field itself."""
    found = from_history.levels(rule("r", when, clear_when=clear_when), "available_margin")
    assert [f"{level.value:f}{' clear' if level.clear else ''}" for level in found] == expected


@pytest.mark.parametrize(
    ("field", "when", "unit"),
    [
        ("margin_usage", "margin_usage > 80%", Unit.PERCENT),
        ("margin_usage", "margin_usage > -80%", Unit.PERCENT),
        ("margin_usage", "margin_usage > 0.8", Unit.RATIO),
        ("margin_usage", "freeze_ratio > 80%", Unit.RATIO),
        ("available_margin", "available_margin < 80%", Unit.USDT),
    ],
)
def test_c4_a_chart_has_percentages_where_its_levels_are_such(
    write: Callable[..., str], field: str, when: str, unit: Unit
) -> None:
    """C4: The axis, the last value and the levels are read as the rule was written."""
    with History.open(write()) as history:
        subject = from_history.Subject("main", field, ChartSpan(T0, T0 + MINUTE))
        assert from_history.alert_chart(history, subject, rule("r", when)).unit is unit


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("al_freeze", "al_freeze"),
        ("delta(al_freeze, 10m)", "al_freeze"),
        ("al_margin / available_margin", "al_margin"),
        ("age", "available_margin"),
        ("disk_free", "available_margin"),
    ],
)
def test_f8_an_alert_is_shown_by_the_field_that_was_judged(field: str, expected: str) -> None:
    """F8: an expression is shown by its first field, an alert on anything else by the margin."""
    assert from_history.field_to_show(judged("1", field=field)) == expected


def test_f8_an_alert_without_a_comparison_is_shown_by_the_margin() -> None:
    """F8: as when readings are missing."""
    assert from_history.field_to_show(None) == "available_margin"


def test_f8_the_chart_of_an_alert_has_its_own_span_whatever_it_compares(tmp_path: Path) -> None:
    """F8: a rule on a change has no level, but a firing span; the last reading is drawn."""
    drop = rule("drop", "delta(available_margin, 10m) < -50")
    url = lived(tmp_path, [LOW, drop], *margins("500", "400"))
    subject = Subject(
        "main",
        from_history.field_to_show(judged("-100", field="delta(available_margin, 10m)")),
        from_history.span_before(NOON + SECOND),
    )
    with History.open(url) as history:
        chart = from_history.alert_chart(history, subject, drop)
        assert from_history.alert_chart(history, subject, LOW).firing == ()
    assert subject.span == ChartSpan(NOON + SECOND - LAST_HOURS, NOON + SECOND + 1)
    assert chart.span == ChartSpan(NOON + SECOND + 1 - MINUTE, NOON + SECOND + 1)
    assert chart.last == Point(NOON + SECOND, Decimal(400))
    assert (chart.levels, chart.firing) == ((), (ChartSpan(NOON + SECOND, NOON + SECOND + 1),))


# Where a record begins.


def span_of(chart: Chart) -> tuple[Millis, Millis]:
    (span,) = since_noon([chart.span])
    return span


def test_f8_a_chart_begins_at_the_first_record(tmp_path: Path) -> None:
    """F8: nothing is missing before it; the chart says that it begins there."""
    chart = drawn(lived(tmp_path, [], *margins(*["500"] * 90)), since=-MINUTE, until=90 * SECOND)
    assert (span_of(chart), chart.gaps, chart.begins) == ((0, 90 * SECOND), (), NOON)


def test_f8_a_span_within_the_record_stays_as_it_is(tmp_path: Path) -> None:
    """F8: also where it begins with the record."""
    url = lived(tmp_path, [], *margins(*["500"] * 9))
    for since in (0, SECOND):
        chart = drawn(url, since=since, until=9 * SECOND)
        assert (span_of(chart), chart.begins) == ((since, 9 * SECOND), None)


def test_f8_the_time_axis_of_a_young_record_is_a_minute_long(tmp_path: Path) -> None:
    """F8: one reading is a point at its end; the time before it is no gap."""
    url = lived(tmp_path, [], *margins("500"))
    chart = drawn(url, since=-5 * MINUTE, until=1)
    assert (span_of(chart), points(chart), chart.gaps) == ((1 - MINUTE, 1), [[(0, "500")]], ())
    short = drawn(url, since=-SECOND, until=1)
    assert span_of(short) == (-SECOND, 1)


def test_f8_a_record_that_begins_with_a_miss_begins_there(write: Callable[..., str]) -> None:
    """F8: since then readings are missing."""
    url = write(Record("main", miss(1, NOON + SECOND)), read(9))
    chart = drawn(url, since=-MINUTE, until=2 * MINUTE)
    assert chart.begins == NOON + SECOND
    assert since_noon(chart.gaps)[0] == (1_000, 9_000)


def test_f8_a_span_before_the_record_has_no_gap(write: Callable[..., str]) -> None:
    """F8: the chart is empty and says when the record begins."""
    chart = drawn(write(read(1)), since=-2 * MINUTE, until=-MINUTE)
    assert span_of(chart) == (-2 * MINUTE, -MINUTE)
    assert (chart.lines, chart.gaps, chart.begins) == ((), (), NOON + SECOND)


def test_a5_a_record_begins_where_its_first_reading_is_meant(tmp_path: Path) -> None:
    """A5: what was recorded before the clock was set back lies earlier now."""
    url = lived(tmp_path, [], *margins("500", "90"), Step(-30 * SECOND), *margins("80"))
    assert drawn(url, since=-MINUTE).begins == NOON - 30 * SECOND


# Odd records.


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Commits operations one by one; the URL of the database."""
    url = f"sqlite:///{tmp_path / 'watch.db'}"
    store = Store.open(url)
    begin = StartEpoch(
        T0,
        "start",
        "1",
        [],
        {"main": "coinw", "other": "coinw"},
        state={"main": AccountState("main")},
    )

    def commit(*operations: Record | StoreDownGap) -> str:
        for operation in (begin, *operations):
            assert store.submit(operation).result(10) is Written.COMMITTED
        return url

    yield commit
    store.close()


def read(
    seq: int, quality: Quality = Quality.OK, account: str = "main", value: str = "500"
) -> Record:
    return Record(account, reading(seq, NOON + seq * SECOND, quality, available_margin=value))


def test_b5_only_what_was_judged_is_drawn(write: Callable[..., str]) -> None:
    """B5: a refuted suspect zero is not drawn; an unconfirmed one, which was judged, is."""
    suspect = reading(4, NOON + 4 * SECOND, Quality.SUSPECT, available_margin="0")
    url = write(
        read(1),
        read(2, Quality.CONTRADICTED, value="0"),
        read(3, Quality.CONFIRMED, value="490"),
        Record("main", suspect),
        Record("main", Unconfirmed(5, NOON + 5 * SECOND, suspect)),
        read(6, Quality.STALE, value="7"),
        read(7),
    )
    found = points(drawn(url, until=8 * SECOND))
    assert found == [[(1_000, "500"), (3_000, "490"), (5_000, "0"), (7_000, "500")]]


def test_f8_recorded_gaps_break_the_line_also_where_readings_lie_close(
    write: Callable[..., str],
) -> None:
    """F8: a suspend of a second or lost readings break the line; gaps of other accounts do not."""
    suspended = ending(Gap("main", 3, NOON + 2_100, NOON + 2_900, GapReason.SUSPENDED))
    lost = StoreDownGap("main", 5, NOON + 5_000, NOON + 5_000, 1)
    url = write(
        read(1),
        read(2),
        suspended,
        read(4),
        lost,
        read(6),
        ending(Gap("other", 9, NOON + 6_100, NOON + 6_900, GapReason.SUSPENDED)),
        read(7),
    )
    chart = drawn(url, until=8 * SECOND)
    assert since_noon(chart.gaps) == [(2_000, 4_000), (4_000, 6_000)]


def test_a5_a_step_of_the_clock_is_no_gap(write: Callable[..., str]) -> None:
    """A5: time goes on, and its readings are there."""
    url = write(read(1), Record("main", ClockStep(2, NOON + 2 * SECOND, 400)), read(3), read(4))
    assert drawn(url, until=5 * SECOND).gaps == ()


def test_f8_imported_readings_are_drawn(write: Callable[..., str]) -> None:
    """F8: with all their digits, before the account's own."""
    old = Reading(
        -1,
        NOON,
        Source.IMPORT,
        Quality.OK,
        None,
        reading(1, available_margin="996660.6064387699998485").balances,
    )
    chart = drawn(write(Record("main", old), read(1)), until=2 * SECOND)
    assert points(chart) == [[(0, "996660.6064387699998485"), (1_000, "500")]]


def test_f8_an_account_without_a_record_has_an_empty_picture(write: Callable[..., str]) -> None:
    """F8: a gap from end to end, with the levels of its rules."""
    url = write(Record("main", miss(1, NOON)))
    chart = drawn(url)
    assert (chart.lines, since_noon(chart.gaps), len(chart.levels)) == ((), [(0, MINUTE)], 2)
    with History.open(url) as history:
        ghost = from_history.field_chart(
            history, replace(Subject("ghost", "al_margin", chart.span)), []
        )
    assert (ghost.lines, ghost.gaps) == ((), (chart.span,))


def test_f8_whoever_waits_sees_what_is_read(write: Callable[..., str]) -> None:
    """F8: a bar of a command counts every input."""
    seen: list[int] = []

    def note(each: Replayed) -> None:
        seen.append(each.seq)

    with History.open(
        write(read(1), read(2), Record("main", miss(3, NOON + 3 * SECOND)))
    ) as history:
        from_history.field_chart(
            history, Subject("main", "available_margin", ChartSpan(NOON, NOON + MINUTE)), [], note
        )
    assert seen == [1, 2, 3]
