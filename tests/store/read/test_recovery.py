"""The recorded state comes back as the daemon needs it."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from daemon.alerts.channel_decisions import ChannelStatus
from daemon.store import Store
from daemon.store.operations import (
    Claim,
    MessageKey,
    NoticeState,
    RecordAttempt,
    RecordCall,
    Reroute,
    SetUserId,
    StoreDownGap,
    Supersede,
)
from daemon.store.read import recovery as state_module
from daemon.types import (
    AccountState,
    AttemptResult,
    ClockStep,
    FlapEpisode,
    Kind,
    Millis,
    Outcome,
    Quality,
    Reading,
    Record,
    RecordedValue,
    Source,
    Unconfirmed,
)
from tests.store.records import ACCOUNT, alert, clears, epoch, fires, key, notice, read
from tests.values import T0, miss, reading

Write = Callable[..., None]

MAYBE = ChannelStatus(
    told_at=T0 + 3_000,
    last=notice().facts,
    waiting=key(),
    announced_after=2_000,
    doubtful=frozenset({key()}),
)
"""A delivery of a channel that got the news, or did not."""


def seqs(pages: list[list[Reading]]) -> list[int]:
    return [each.seq for page in pages for each in page]


def test_an_account_never_seen_begins_empty(store: Store) -> None:
    """An account without a record has the counter 0 and no alert."""
    assert store.load("other") == AccountState("other")


def test_a1_the_epoch_counts_as_the_last_input(store: Store) -> None:
    """A1: a ConfigChange has no row but its epoch's, and its counter is not used again."""
    assert store.load(ACCOUNT) == AccountState(ACCOUNT, 1, T0)


def test_state_follows_the_last_input(store: Store, write: Write) -> None:
    """Promise 4: counter, instant, last judged instant and open alerts come back exactly."""
    write(fires(2), Record(ACCOUNT, miss(3, T0 + 3_000)))
    began = alert(2)
    fired = {
        "low": (FlapEpisode(T0 + 2_000, began.worst, Decimal(90), began.meaning, began.judged),)
    }
    expected = AccountState(ACCOUNT, 3, T0 + 3_000, T0 + 2_000, {"low": began}, fired=fired)
    assert store.load(ACCOUNT) == expected


def test_ended_alerts_are_no_state(store: Store, write: Write) -> None:
    """An alert that was resolved is history."""
    write(fires(2), clears(3))
    assert store.load(ACCOUNT).alerts == {}


@pytest.mark.parametrize("quality", [Quality.SUSPECT, Quality.CONTRADICTED, Quality.STALE])
def test_unjudged_readings_do_not_count_as_judged(
    store: Store, write: Write, quality: Quality
) -> None:
    """B5, B7: `age` counts from the last judged reading."""
    write(read(2), Record(ACCOUNT, reading(3, T0 + 3_000, quality)))
    loaded = store.load(ACCOUNT)
    assert (loaded.seq, loaded.judged_at) == (3, T0 + 2_000)


def test_a5_clock_steps_move_the_last_judged_instant(store: Store, write: Write) -> None:
    """A5: instants from before a step are moved by it, so that durations stay true."""
    step = ClockStep(3, T0 - 57_000, -60_000)
    write(read(2), Record(ACCOUNT, step))
    loaded = store.load(ACCOUNT)
    assert (loaded.seq, loaded.at, loaded.judged_at) == (3, T0 - 57_000, T0 - 58_000)


def test_state_lost_to_a_gap_is_what_the_gap_tells(store: Store, write: Write) -> None:
    """Readings that were never stored have used their counters all the same."""
    write(read(2), StoreDownGap(ACCOUNT, 9, T0 + 3_000, T0 + 9_000, 7))
    loaded = store.load(ACCOUNT)
    assert (loaded.seq, loaded.at) == (9, T0 + 9_000)


def test_an_epoch_remembers_what_was_pruned_or_lost(store: Store, write: Write) -> None:
    """The epoch's word for the last judged instant counts where no row tells of it."""
    begun = epoch(at=T0 + 9_000, seq=9, reason="reload")
    state = {ACCOUNT: AccountState(ACCOUNT, 9, T0 + 9_000, T0 + 8_000)}
    write(replace(begun, state=state), Record(ACCOUNT, ClockStep(10, T0 + 20_000, 10_000)))
    assert store.load(ACCOUNT).judged_at == T0 + 18_000


def test_an_account_that_left_keeps_its_counter(store: Store, write: Write) -> None:
    """An epoch that does not name an account leaves its counter to an earlier one."""
    write(*(epoch("other", at=T0 + n, seq=1, reason="reload") for n in range(1, 10)))
    assert store.load(ACCOUNT).seq == 1


def test_warming_begins_at_the_last_reading_before(store: Store, write: Write) -> None:
    """C1: feeding starts at the last judged reading at or before the look-back."""
    write(
        *(read(seq) for seq in range(2, 6)), Record(ACCOUNT, reading(6, T0 + 6_000, Quality.STALE))
    )
    assert seqs(list(store.recent(ACCOUNT, T0 + 3_500))) == [3, 4, 5]
    assert seqs(list(store.recent(ACCOUNT, T0 + 4_000))) == [4, 5]


def test_c1_warming_begins_with_a_reading_that_was_asked_for(store: Store, write: Write) -> None:
    """C1: pushes have no exchange time, so they alone would not show that it stands still."""
    sources = {3: Source.WS, 4: Source.WS}
    made = (
        replace(reading(seq, T0 + seq * 1_000), source=sources.get(seq, Source.REST))
        for seq in range(2, 6)
    )
    write(*(Record(ACCOUNT, each) for each in made))
    assert seqs(list(store.recent(ACCOUNT, T0 + 4_500))) == [2, 3, 4, 5]
    found = store.standing(ACCOUNT, T0 + 4_500)
    assert found is not None
    assert found.seq == 4


def test_warming_takes_all_when_history_is_short(store: Store, write: Write) -> None:
    """Without a reading before the look-back, everything judged is fed."""
    write(read(2), read(3))
    assert seqs(list(store.recent(ACCOUNT, T0 - 10))) == [2, 3]


def test_a5_warming_shifts_by_later_steps(store: Store, write: Write) -> None:
    """A5: the windows get corrected instants, and the look-back reaches across a step."""
    back: Millis = -100_000
    step = Record(ACCOUNT, ClockStep(4, T0 + 4_000 + back, back))
    write(read(2), read(3), step, read(5, T0 + 5_000 + back))
    fed = [each for page in store.recent(ACCOUNT, T0 + 3_500 + back) for each in page]
    assert [(each.seq, each.at - T0 - back) for each in fed] == [(3, 3_000), (5, 5_000)]


def test_warming_gives_an_unconfirmed_reading_at_its_judgement(store: Store, write: Write) -> None:
    """B5: the suspect is judged when nothing confirmed it, at that instant, once."""
    suspect = reading(2, T0 + 2_000, Quality.SUSPECT, available_margin="0")
    write(Record(ACCOUNT, suspect), Record(ACCOUNT, Unconfirmed(3, T0 + 5_000, suspect)))
    expected = replace(suspect, seq=3, at=T0 + 5_000, quality=Quality.UNCONFIRMED)
    assert list(store.recent(ACCOUNT, T0)) == [[expected]]


def test_warming_goes_by_pages(store: Store, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """No reading is lost or repeated between two pages."""
    monkeypatch.setattr(state_module, "PAGE", 2)
    write(*(read(seq) for seq in range(2, 8)))
    pages = list(store.recent(ACCOUNT, T0))
    assert (seqs(pages), len(pages)) == ([2, 3, 4, 5, 6, 7], 3)


def test_an_unknown_account_has_nothing_to_warm(store: Store) -> None:
    """Nothing recorded, nothing fed."""
    assert list(store.recent("other", T0)) == []


def test_open_notices_come_back_exactly(store: Store, write: Write) -> None:
    """Promise 2: queued notifications are found at the next start, with exact facts."""
    write(fires(2))
    [kept] = store.open_notices()
    assert kept.notice == notice()
    assert (kept.state, kept.attempts, kept.told_at, kept.maybe_repeat) == (
        NoticeState.QUEUED,
        0,
        None,
        False,
    )


def test_a_claim_without_an_outcome_may_have_told(store: Store, write: Write) -> None:
    """Promise 2: an attempt that a crash cut short is unknown, and its retry may be a repeat."""
    write(fires(2), Claim(MessageKey("phone", T0 + 3_000), (key(),)))
    [kept] = store.open_notices()
    assert (kept.state, kept.attempts, kept.maybe_repeat) == (NoticeState.SENDING, 1, True)
    [told] = store.episode_deliveries()
    assert told.told == MAYBE


@pytest.mark.parametrize(
    ("outcome", "state", "told"),
    [
        (
            Outcome.DELIVERED,
            NoticeState.DELIVERED,
            ChannelStatus(told_at=T0 + 4_000, last=notice().facts, sure=True),
        ),
        (Outcome.REFUSED, NoticeState.REFUSED, ChannelStatus(given_up=True)),
        (Outcome.LATER, NoticeState.QUEUED, ChannelStatus(waiting=key())),
        (Outcome.UNKNOWN, NoticeState.QUEUED, replace(MAYBE, told_at=T0 + 4_000)),
    ],
)
def test_what_a_channel_was_told(
    store: Store, write: Write, outcome: Outcome, state: NoticeState, told: ChannelStatus
) -> None:
    """Promise 3: told is delivered or unknown, and nothing else."""
    message = MessageKey("phone", T0 + 3_000)
    write(
        fires(2),
        Claim(message, (key(),)),
        RecordAttempt(message, T0 + 4_000, AttemptResult(outcome), {key(): state}),
    )
    [found] = store.episode_deliveries()
    assert (found.key, found.told) == (key(), told.announced(notice().facts))


def test_e6_what_was_taken_back_before_it_left_announced_nothing(
    store: Store, write: Write
) -> None:
    """E6: an escalation counts from the next news; one that may have arrived stays announced."""
    held = Supersede(T0 + 5_000, (key(),))
    write(fires(2), held)
    assert [each.told for each in store.episode_deliveries()] == [ChannelStatus()]
    again = key(kind=Kind.REPEAT, seq=9)
    write(replace(read(9), notices=(notice(again),)))
    [found] = store.episode_deliveries()
    assert found.told == ChannelStatus(waiting=again, announced_after=9_000)


def test_e6_what_may_have_arrived_stays_announced(store: Store, write: Write) -> None:
    """E6: taken back after an attempt without an answer, it counts all the same."""
    message = MessageKey("phone", T0 + 3_000)
    doubted = RecordAttempt(
        message, T0 + 4_000, AttemptResult(Outcome.UNKNOWN), {key(): NoticeState.QUEUED}
    )
    write(fires(2), Claim(message, (key(),)), doubted, Supersede(T0 + 5_000, (key(),)))
    [found] = store.episode_deliveries()
    assert found.told.announced_after == 2_000


def test_a5_what_was_told_moves_with_the_clock(store: Store, write: Write) -> None:
    """A5: repeats keep their distance across a step, also after a restart."""
    message = MessageKey("phone", T0 + 3_000)
    delivered = RecordAttempt(
        message, T0 + 4_000, AttemptResult(Outcome.DELIVERED), {key(): NoticeState.DELIVERED}
    )
    write(
        fires(2),
        Claim(message, (key(),)),
        delivered,
        Record(ACCOUNT, ClockStep(3, T0 + 64_000, 60_000)),
    )
    assert [each.told.told_at for each in store.episode_deliveries()] == [T0 + 64_000]


def test_told_ends_with_the_alert_and_its_news(store: Store, write: Write) -> None:
    """A channel's knowledge of an alert is kept until it has ended and nothing waits."""
    write(fires(2), clears(3))
    assert [each.key for each in store.episode_deliveries()] == [key()]
    write(Reroute(T0 + 4_000, (), refused=(key(),)))
    assert store.episode_deliveries() == []


def test_ends_are_no_news_of_the_firing(store: Store, write: Write) -> None:
    """A waiting end does not imply a waiting firing."""
    end = notice(key(kind=Kind.RESOLVED, seq=3))
    write(fires(2, channels=()), replace(clears(3), notices=(end,)))
    assert [each.told for each in store.episode_deliveries()] == [ChannelStatus(ended=True)]
    assert [kept.notice for kept in store.open_notices()] == [end]


def test_what_was_handed_over_is_known(store: Store, write: Write) -> None:
    """F4: a notification visits each channel once, also across a restart."""
    write(fires(2), Reroute(T0 + 3_000, (notice(key("mail"), handed_over_by="phone"),)))
    found = {kept.notice.key.channel: kept.handed_over for kept in store.open_notices()}
    assert found == {"phone": True, "mail": False}
    message = MessageKey("mail", T0 + 4_000)
    write(Claim(message, (key("mail"),)))
    write(
        RecordAttempt(
            message,
            T0 + 5_000,
            AttemptResult(Outcome.DELIVERED),
            {key("mail"): NoticeState.DELIVERED},
        )
    )
    assert [kept.handed_over for kept in store.open_notices()] == [True]


def test_lists_for_a_start(store: Store, write: Write) -> None:
    """Codes, users and the accounts with open alerts."""
    write(
        epoch("main", "other", at=T0 + 1, reason="reload"), fires(2), SetUserId(ACCOUNT, "1162061")
    )
    assert store.codes() == {"k7m2"}
    assert store.user_ids() == {"main": "1162061", "other": ""}
    assert store.stateful() == [ACCOUNT]


def test_b3_calls_tell_the_budget(store: Store, write: Write) -> None:
    """B3: the budget survives restarts, from readings, misses and the calls of commands."""
    write(
        read(2), Record(ACCOUNT, miss(3, T0 + 3_000)), RecordCall(T0 + 4_000, "assets", "1162061")
    )
    assert [(call.account, call.at) for call in store.calls(T0 + 2_000)] == [
        (ACCOUNT, T0 + 2_000),
        (ACCOUNT, T0 + 3_000),
    ]
    assert store.external_calls(T0) == [RecordCall(T0 + 4_000, "assets", "1162061")]


def test_b3_an_unconfirmed_row_was_no_call(store: Store, write: Write) -> None:
    """B3: a suspect and its judgement are two rows of one call; a push is none."""
    suspect = reading(2, T0 + 2_000, Quality.SUSPECT)
    pushed = replace(reading(4, T0 + 6_000), source=Source.WS)
    write(
        *(Record(ACCOUNT, each) for each in (suspect, Unconfirmed(3, T0 + 5_000, suspect), pushed))
    )
    assert [call.at for call in store.calls(0)] == [T0 + 2_000]


def test_digits_survive(store: Store, write: Write) -> None:
    """Promise 7: a value that a float does not keep comes back with all its digits."""
    value = "996660.6064387699998485"
    write(read(2, available_margin=value))
    [[found]] = store.recent(ACCOUNT, T0)
    assert found.balances.available_margin == Decimal(value)


def test_values_that_rules_keep_come_back_to_the_digit(store: Store, write: Write) -> None:
    """Promises 4 and 7: a peak is stored with its reading, raised, and deleted."""
    high = RecordedValue("b", "peak(equity)", Decimal("996660.6064387699998485"))
    endless = RecordedValue("b", "peak(margin_usage)", Decimal("Infinity"))
    other = RecordedValue("a", "peak(equity)", Decimal("1.50"))
    write(replace(read(2), values=(replace(high, value=Decimal(1)), endless, other)))
    write(replace(read(3), values=(high,)))
    loaded = store.load(ACCOUNT).values
    assert loaded == (other, high, endless)
    assert str(loaded[1].value) == "996660.6064387699998485"
    assert store.stateful() == [ACCOUNT]
    write(replace(read(4), values=(replace(high, value=None), replace(other, value=None))))
    assert store.load(ACCOUNT).values == (endless,)


def test_values_of_readings_that_were_lost_are_in_their_gap(store: Store, write: Write) -> None:
    """Promise 4: also where the database refused the readings that raised them."""
    kept = RecordedValue("a", "peak(equity)", Decimal(7))
    write(StoreDownGap(ACCOUNT, 9, T0 + 3_000, T0 + 9_000, 7, values=(kept,)))
    assert store.load(ACCOUNT).values == (kept,)
