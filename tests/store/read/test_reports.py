"""The data of a report's span: exact, and found with few queries."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from daemon.errors import StoreError
from daemon.messages.report_data import Down, FieldSummary, Posted, ReportedAlert, ReportSpan, Seen
from daemon.store import History, Store
from daemon.store.database.engine import parse, writing
from daemon.store.operations import (
    TEST,
    Claim,
    EndEpoch,
    MessageKey,
    NoticeState,
    RecordAttempt,
    Withdraw,
)
from daemon.types import (
    HOUR,
    JUDGED,
    MINUTE,
    SECOND,
    AttemptResult,
    Balances,
    ClockStep,
    MissReason,
    Outcome,
    Quality,
    Reading,
    Record,
    Severity,
    Source,
)
from tests.store.records import ACCOUNT, clears, epoch, fires, key, notice, read
from tests.values import T0, miss, reading

Write = Callable[..., None]
SPAN = ReportSpan(T0, T0 + HOUR)


@pytest.fixture
def history(store: Store, url: str) -> Iterator[History]:
    with History.open(url) as opened:
        yield opened


def stepped(seq: int, at: int, by: int) -> Record:
    return Record(ACCOUNT, ClockStep(seq, at, by))


def test_low_high_and_last_of_a_field(history: History, write: Write) -> None:
    """Only judged readings of the half-open span count; of equal minima the first is taken."""
    write(read(2, T0 - 1, available_margin="1"), read(3, T0, available_margin="90"))
    write(
        *(
            read(seq, T0 + seq, available_margin=value)
            for seq, value in enumerate(("500", "90", "480"), start=4)
        )
    )
    write(Record(ACCOUNT, reading(7, T0 + 7, Quality.STALE, available_margin="2")))
    write(read(8, SPAN.until, available_margin="3"))
    went = history.watched(ACCOUNT, SPAN, MINUTE)
    assert went.readings == 4
    assert went.courses["available_margin"] == FieldSummary(
        Seen(Decimal(90), T0), Seen(Decimal(500), T0 + 4), Seen(Decimal(480), T0 + 6)
    )
    assert "cross_un_pnl" not in went.courses


def test_promise_7_digits_that_a_float_does_not_keep_decide(history: History, write: Write) -> None:
    """Promise 7: among values equal to SQLite, all digits decide about minimum and maximum."""
    values = (
        "996660.6064387699998485",
        "996660.6064387699998484",
        "996660.6064387699998486",
        "996660.60643877",
    )
    write(
        *(read(seq, T0 + seq, available_margin=value) for seq, value in enumerate(values, start=2))
    )
    went = history.watched(ACCOUNT, SPAN, MINUTE).courses["available_margin"]
    assert (str(went.low.value), str(went.high.value)) == (values[1], values[3])


NUMBERS = st.sampled_from(
    ["0", "-1.5", "7", "7.00000000000000000001", "7.00000000000000000002", "1e3"]
)
FIELDS = st.one_of(st.none(), NUMBERS.map(Decimal))
READINGS = st.lists(st.tuples(FIELDS, FIELDS, st.sampled_from(Quality)), max_size=12)


@settings(max_examples=25)
@given(READINGS)
def test_promise_7_it_is_what_one_by_one_would_find(
    tmp_path_factory: pytest.TempPathFactory,
    told: list[tuple[Decimal | None, Decimal | None, Quality]],
) -> None:
    """Promise 7: for any digits, missing fields and qualities."""
    url = f"sqlite:///{tmp_path_factory.mktemp('report') / 'm.db'}"
    events = [
        Reading(
            seq,
            T0 + seq,
            Source.REST,
            quality,
            None,
            Balances(available_margin=margin, al_freeze=freeze),
        )
        for seq, (margin, freeze, quality) in enumerate(told, start=2)
    ]
    store = Store.open(url)
    written = [store.submit(epoch()), *(store.submit(Record(ACCOUNT, event)) for event in events)]
    written[-1].result(10)
    with History.open(url) as history:
        went = history.watched(ACCOUNT, SPAN, MINUTE)
    store.close()
    judged = [event for event in events if event.quality in JUDGED]
    assert went.readings == len(judged)
    for name in ("available_margin", "al_freeze"):
        seen = [
            Seen(value, each.at)
            for each in judged
            if (value := getattr(each.balances, name)) is not None
        ]
        course = went.courses.get(name)
        assert course == (
            FieldSummary(
                min(seen, key=lambda each: each.value),
                max(seen, key=lambda each: (each.value, -each.at)),
                seen[-1],
            )
            if seen
            else None
        )


def test_gaps_are_the_long_times_without_readings(history: History, write: Write) -> None:
    """Between judged readings and at both ends of the span, for any reason."""
    write(read(2, T0 - MINUTE), read(3, T0 + 2 * MINUTE), read(4, T0 + 3 * MINUTE))
    write(
        Record(ACCOUNT, miss(5, T0 + 4 * MINUTE)),
        Record(ACCOUNT, miss(6, T0 + 5 * MINUTE, MissReason.NETWORK)),
    )
    write(
        Record(ACCOUNT, miss(7, T0 + 6 * MINUTE)),
        read(8, T0 + 10 * MINUTE),
        read(9, SPAN.until - MINUTE),
    )
    went = history.watched(ACCOUNT, SPAN, MINUTE)
    assert went.gaps == (
        ReportSpan(T0, T0 + 2 * MINUTE),
        ReportSpan(T0 + 3 * MINUTE, T0 + 10 * MINUTE),
        ReportSpan(T0 + 10 * MINUTE, SPAN.until - MINUTE),
    )
    assert went.misses == {MissReason.TIMEOUT: 2, MissReason.NETWORK: 1}


def test_a_span_without_readings_is_one_gap(history: History, write: Write) -> None:
    """Also after earlier readings; an account never recorded is not missing."""
    write(read(2, T0 - MINUTE))
    assert history.watched(ACCOUNT, SPAN, MINUTE).gaps == (SPAN,)
    ghost = history.watched("ghost", SPAN, MINUTE)
    assert (ghost.since, ghost.readings, ghost.gaps) == (SPAN.until, 0, ())


def test_an_account_is_missed_from_its_beginning_on(history: History, write: Write) -> None:
    """The time before the first record of an account is no gap."""
    write(read(2, T0 + 30 * MINUTE), read(3, SPAN.until - SECOND))
    went = history.watched(ACCOUNT, SPAN, MINUTE)
    assert (went.since, went.gaps) == (
        T0 + 30 * MINUTE,
        (ReportSpan(T0 + 30 * MINUTE, SPAN.until - SECOND),),
    )


def test_a5_instants_are_those_that_are_meant(history: History, write: Write) -> None:
    """A5: a clock that is set within the span makes no gap, and hides none."""
    write(
        read(2, T0 - HOUR),
        stepped(3, T0, HOUR),
        read(4, T0 + SECOND),
        read(5, T0 + 2 * SECOND, available_margin="9"),
    )
    write(
        stepped(6, T0 - HOUR, -HOUR - 2 * SECOND),
        read(7, T0 - HOUR + 5 * MINUTE),
        read(8, T0 + MINUTE),
    )
    went = history.watched(ACCOUNT, ReportSpan(T0 - 2 * HOUR, T0 + MINUTE + 1), 2 * MINUTE)
    assert went.courses["available_margin"].low == Seen(Decimal(9), T0 - HOUR)
    assert went.gaps == (
        ReportSpan(T0 - HOUR, T0 - HOUR + 5 * MINUTE),
        ReportSpan(T0 - HOUR + 5 * MINUTE, T0 + MINUTE),
    )


def test_a_value_that_is_no_number_is_named(sqlite: str) -> None:
    """SQLite keeps whatever it is given: the sentence names the row, and nothing is guessed."""
    store = Store.open(sqlite)
    for operation in (epoch(), read(2), read(3)):
        store.submit(operation).result(10)
    engine = writing(parse(sqlite))
    with engine.begin() as connection:
        connection.execute(text("UPDATE snapshots SET al_margin = 'much' WHERE seq = 3"))
    engine.dispose()
    with (
        History.open(sqlite) as history,
        pytest.raises(StoreError, match=r"snapshots .* main with account_id 1 and seq 3"),
    ):
        history.watched(ACCOUNT, SPAN, MINUTE)
    store.close()


def test_episodes_are_those_that_fired_in_the_span(history: History, write: Write) -> None:
    """Or before it and were not over; what never fired is none."""
    write(fires(2), clears(3), fires(10), fires(20), read(29), clears(30, alert_seq=20), fires(90))
    write(replace(fires(40), alerts=(replace(fires(40).alerts[0], fired_at=None),)))
    told = history.episodes(ReportSpan(T0 + 15 * SECOND, T0 + 80 * SECOND))
    assert told == [
        ReportedAlert(ACCOUNT, "low", Severity.WARNING, T0 + 10 * SECOND, None, "k7m2"),
        ReportedAlert(ACCOUNT, "low", Severity.WARNING, T0 + 20 * SECOND, T0 + 30 * SECOND, "k7m2"),
    ]


def test_a5_episodes_move_with_the_clock(history: History, write: Write) -> None:
    """A5: an alert that ended before a clock step lies at its corrected instant."""
    write(fires(2), Record(ACCOUNT, clears(3).event, (replace(clears(3).alerts[0], ended_seq=3),)))
    write(stepped(4, T0 + HOUR, HOUR))
    assert history.episodes(ReportSpan(T0, T0 + MINUTE)) == []
    (told,) = history.episodes(ReportSpan(T0 + HOUR, T0 + HOUR + MINUTE))
    assert (told.since, told.until) == (T0 + HOUR + 2 * SECOND, T0 + HOUR + 3 * SECOND)


def test_deliveries_are_counted_by_channel(history: History, write: Write) -> None:
    """Attempts of the span count, unless of unknown outcome; a message just due does not wait."""
    write(fires(2), fires(3))
    for n, outcome in enumerate((Outcome.DELIVERED, Outcome.LATER, Outcome.UNKNOWN)):
        message = MessageKey("phone", T0 + 5_000, n)
        write(
            Claim(message, (key(),)),
            RecordAttempt(message, T0 + 6_000, AttemptResult(outcome), {key(): NoticeState.QUEUED}),
        )
    never = MessageKey("phone", T0 + 7_500)
    write(Claim(never, (key(),)), Withdraw(never, T0 + 8_000))
    write(
        Claim(MessageKey("phone", T0 + 7_000), (key(),)),
        Claim(MessageKey("phone", SPAN.until), (key(),)),
    )
    assert history.posted(("phone", "mail"), SPAN, SPAN.until) == [
        Posted("phone", delivered=1, failed=2, waiting=2, waiting_since=T0 + 2_000),
        Posted("mail"),
    ]
    assert history.posted(("phone",), SPAN, T0 + MINUTE) == [Posted("phone", delivered=1, failed=2)]


def test_tests_of_a_channel_are_no_deliveries(history: History, write: Write) -> None:
    """`check --notify` is somebody's own doing."""
    tested = MessageKey("phone", T0 + 5_000, TEST)
    write(Claim(tested, ()), RecordAttempt(tested, T0 + 6_000, AttemptResult(Outcome.LATER), {}))
    assert history.posted(("phone",), SPAN, SPAN.until) == [Posted("phone")]


def test_what_a_mute_window_holds_back_waits_from_its_end_on(
    history: History, write: Write
) -> None:
    """E2: the mute is no fault of the channel; each notification counts by itself."""
    held = notice(key("phone"))
    write(
        replace(
            fires(2),
            notices=(
                replace(held, facts=replace(held.facts, not_before=T0 + HOUR)),
                notice(key("mail")),
            ),
        )
    )
    channels, late = ("phone", "mail"), T0 + HOUR + MINUTE
    assert [each.waiting for each in history.posted(channels, SPAN, late)] == [0, 1]
    assert history.posted(channels, SPAN, late + 1)[0] == Posted(
        "phone", waiting=1, waiting_since=T0 + HOUR
    )


def test_downs_lie_between_lives(history: History, write: Write) -> None:
    """Times after a stop or a kill count, not a reload or the time before the first start."""
    write(
        EndEpoch(T0 + MINUTE),
        epoch(at=T0 + 10 * MINUTE, seq=2),
        epoch(at=T0 + 11 * MINUTE, seq=3, reason="reload"),
    )
    write(read(4, T0 + 12 * MINUTE), epoch(at=T0 + 30 * MINUTE, seq=5))
    assert history.downs(SPAN, MINUTE) == [
        Down(ReportSpan(T0 + MINUTE, T0 + 10 * MINUTE), killed=False),
        Down(ReportSpan(T0 + 12 * MINUTE, T0 + 30 * MINUTE), killed=True),
    ]
    assert history.downs(ReportSpan(T0 + 35 * MINUTE, SPAN.until), MINUTE) == []
    assert history.downs(ReportSpan(T0 + 15 * MINUTE, T0 + 20 * MINUTE), MINUTE)[0].killed
