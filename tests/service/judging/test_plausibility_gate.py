"""The plausibility gate in front of a real engine and a real store (B5, B6): what is judged, told
and recorded.
"""

import logging
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from daemon.log import FailureLog
from daemon.readings.plausibility import PendingSuspect
from daemon.readings.sum_check import SENTENCE
from daemon.service.judging.confirmer import Overdue
from daemon.service.judging.plausibility_gate import Gate
from daemon.types import MINUTE, SECOND, Answer, MissReason, NoAnswer, Quality, Reading, Source
from tests.fakes import ManualClock
from tests.service.lives import KILL, RELOAD, STOP, Late, Life, RestlessClock, Told, rows
from tests.values import answer, confirming, reading, rule

ZERO = answer(available_margin="0")
FINE = answer(available_margin="500")
LOST = NoAnswer(MissReason.TIMEOUT, "no answer within 10 s")
LOW = (rule("low"), rule("stale", "age > 1m"))

INPUTS = """
    SELECT seq, source, quality, available_margin FROM snapshots
    UNION ALL SELECT seq, 'miss', reason, NULL FROM misses ORDER BY seq
"""
MOVES = (
    "SELECT rule, to_state FROM transitions JOIN alerts ON alerts.id = alert_id ORDER BY"
    " transitions.id"
)


async def told(path: Path, *arrivals: Told, ending: Sequence[str] = ()) -> Life:
    """Run instances on one database: one arrival a second, and an end after those marked."""
    clock = RestlessClock()
    life, ends = Life(f"sqlite:///{path}", ["main"], LOW, clock=clock), list(ending)
    pending = list(arrivals)
    while pending:
        async with life:
            while pending:
                await life.tell({"main": pending.pop(0)})
                await clock.advance(SECOND)
                if ends and (end := ends.pop(0)):
                    life.ending = end
                    break
        if pending:
            life = Life(f"sqlite:///{path}", ["main"], LOW, clock=clock)
    return life


SETTLED: list[tuple[list[Told], list[tuple[str, str, float | None]], list[tuple[str, str]]]] = [
    (
        [confirming(ZERO)],
        [("rest", "suspect", 0), ("confirm", "confirmed", 0)],
        [("low", "firing")],
    ),
    ([ZERO], [("rest", "suspect", 0), ("rest", "confirmed", 0)], [("low", "firing")]),
    ([confirming(FINE)], [("rest", "contradicted", 0), ("confirm", "ok", 500)], []),
    ([Late()], [("rest", "suspect", 0), ("rest", "unconfirmed", 0)], [("low", "firing")]),
    (
        [LOST],
        [("rest", "suspect", 0), ("rest", "unconfirmed", 0), ("miss", "timeout", None)],
        [("low", "firing")],
    ),
    (
        [Late(), ZERO, FINE],
        [
            ("rest", "suspect", 0),
            ("rest", "unconfirmed", 0),
            ("rest", "ok", 0),
            ("rest", "ok", 500),
        ],
        [("low", "firing"), ("low", "resolved")],
    ),
    (
        [confirming(ZERO), Late()],  # a word that comes too late changes nothing
        [("rest", "suspect", 0), ("confirm", "confirmed", 0)],
        [("low", "firing")],
    ),
]


@pytest.mark.parametrize("ending", ["", STOP, KILL, RELOAD])
@pytest.mark.parametrize(("then", "inputs", "moves"), SETTLED)
async def test_b5_a_suspect_judges_nothing_until_it_is_settled(
    tmp_path: Path,
    then: list[Told],
    inputs: list[tuple[str, str, float | None]],
    moves: list[tuple[str, str]],
    ending: str,
) -> None:
    """B5, A1: by whatever comes, also where the daemon ended in between, in whatever way."""
    path = tmp_path / "m.db"
    await told(path, FINE, ZERO, *then, ending=["", ending])
    found = rows(path, INPUTS)
    assert [row[1:] for row in found] == [("rest", "ok", 500), *inputs]
    assert rows(path, MOVES) == moves


async def test_b5_messages_say_that_nothing_confirmed_it(tmp_path: Path) -> None:
    """B5: a firing judged after all is marked as unconfirmed; its end is not."""
    life = await told(tmp_path / "m.db", FINE, ZERO, Late(), FINE)
    facts = [entry.notice.facts for entry in life.notifications.waiting("telegram")]
    assert [each.unconfirmed for each in facts] == [True, False]
    assert facts[0].balances.available_margin == 0


async def test_b5_an_old_suspect_of_a_miss_is_no_end_of_readings(tmp_path: Path) -> None:
    """B5, D7: an earlier suspect is judged before a miss: readings are neither missing nor back."""
    path, clock = tmp_path / "m.db", RestlessClock()
    async with Life(f"sqlite:///{path}", ["main"], LOW, clock=clock) as life:
        await life.tell({"main": FINE})
        await life.tell({"main": ZERO})
    await clock.advance(10 * MINUTE)
    async with Life(f"sqlite:///{path}", ["main"], LOW, clock=clock) as life:
        await life.tell({"main": LOST})
    assert rows(path, MOVES) == [("low", "firing")]


async def test_b5_a_jump_that_never_settles_is_judged_all_the_same(tmp_path: Path) -> None:
    """B5: jumps at every answer share one timeout, and the last value is judged at its end."""
    path = tmp_path / "m.db"
    async with Life(f"sqlite:///{path}", ["main"], LOW, max_jump=Decimal("0.5")) as life:
        for margin in ("500", "1200", "90", "1300"):
            await life.tell({"main": answer(available_margin=margin)})
        first = life.doubted["main"].first
        await life.tell({"main": answer(available_margin="80")})
        assert life.doubted["main"].first == first
        await life.tell({"main": Late()})
    assert [row[2:] for row in rows(path, INPUTS)] == [
        ("ok", 500),
        ("contradicted", 1200),
        ("contradicted", 90),
        ("contradicted", 1300),
        ("suspect", 80),
        ("unconfirmed", 80),
    ]
    assert rows(path, MOVES) == [("low", "firing")]


async def test_b5_the_next_life_is_told_what_the_last_one_left(tmp_path: Path) -> None:
    """B5: the confirmer hears of it before anything is judged."""
    path = tmp_path / "m.db"
    left = await told(path, FINE, ZERO)
    again = await told(path, Late())
    assert left.doubted == again.doubted
    assert rows(path, MOVES) == [("low", "firing")]


def gate(caplog: pytest.LogCaptureFixture) -> tuple[Gate, list[PendingSuspect]]:
    caplog.set_level(logging.INFO)
    heard = list[PendingSuspect]()
    return (
        Gate("main", None, FailureLog(logging.getLogger("gate"), ManualClock()), heard.append),
        heard,
    )


@pytest.mark.parametrize(
    ("quality", "said"),
    [
        (Quality.CONFIRMED, "a second reading agrees: it is judged"),
        (Quality.OK, "another reading contradicts it: it is ignored"),
    ],
)
def test_b5_the_log_says_why_and_how_it_ended(
    caplog: pytest.LogCaptureFixture, quality: Quality, said: str
) -> None:
    """B5: once, and once its end."""
    it, heard = gate(caplog)
    for seq, each in enumerate((Quality.OK, Quality.SUSPECT, Quality.SUSPECT, quality), 1):
        it.adopt(
            reading(seq, quality=each, available_margin="0" if each is Quality.SUSPECT else "500")
        )
    assert [each.reading.seq for each in heard] == [2, 3]
    assert caplog.messages == [
        ("a reading of main looks wrong (all fields are zero): it waits for another to confirm it"),
        said,
    ]


def test_b5_b7_a_stale_answer_contradicts_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """B7: a stale answer is older than the suspect."""
    it, _ = gate(caplog)
    it.adopt(reading(1))
    it.adopt(reading(2, quality=Quality.SUSPECT, available_margin="0"))
    assert it.contradicted(reading(3, quality=Quality.STALE)) is None
    assert it.contradicted(reading(3)) == 2
    assert (it.unsettled(Overdue(1)), it.unsettled(Overdue(2))) == (
        None,
        it.suspicion and it.suspicion.reading,
    )


def unlike(seq: int) -> Reading:
    sent: Answer = answer(available_margin="500")
    fields = sent.balances
    return Reading(
        seq,
        seq,
        Source.REST,
        Quality.OK,
        None,
        type(fields)(Decimal(400), fields.available_usdt, Decimal(0)),
    )


def test_b6_it_is_logged_once_and_never_again_after_a_restart(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """B6: three in a row; what the last life said already is known from the record."""
    it, _ = gate(caplog)
    for seq in range(1, 9):
        it.adopt(unlike(seq))
    assert caplog.messages == [f"main: {SENTENCE}"]
    caplog.clear()
    again, _ = gate(caplog)
    again.recall([unlike(seq) for seq in range(1, 9)])
    again.adopt(unlike(9))
    assert caplog.messages == []
