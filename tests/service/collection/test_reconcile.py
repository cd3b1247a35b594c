"""SEMANTICS B7: answers and pushes on their way into the mailbox, in the order in which they
arrived.
"""

import logging
from dataclasses import replace
from decimal import Decimal

import pytest

from daemon.log import FailureLog
from daemon.readings.push_check import LIMIT
from daemon.service.collection.reconcile import PushRestReconciler
from daemon.types import SECOND, Answer, MissReason, NoAnswer, Source
from tests.fakes import ManualClock
from tests.values import answer


def push(available_margin: str) -> Answer:
    return replace(answer(available_margin=available_margin), exchange_at=None, source=Source.WS)


def intake_of(
    posted: list[Answer | NoAnswer], clock: ManualClock, limit: int = LIMIT
) -> PushRestReconciler:
    return PushRestReconciler(
        "main", posted.append, clock, FailureLog(logging.getLogger("marginwatch"), clock), limit
    )


async def test_b7_a_push_is_handed_on_at_once() -> None:
    """B7: a push is posted without delay."""
    posted: list[Answer | NoAnswer] = []
    intake_of(posted, ManualClock()).pushed(push("90"))
    assert posted == [push("90")]


async def test_b7_an_answer_that_a_push_overtook_is_marked_and_asked_for_again() -> None:
    """B7: the mailbox gets it, as what it is; one that agrees, or left later, is like any other."""
    clock, posted = ManualClock(), list[Answer | NoAnswer]()
    reconciler = intake_of(posted, clock)
    asked_at = clock.elapsed()
    await clock.advance(SECOND)
    reconciler.pushed(push("90"))
    told = [
        reconciler.answered(replace(answer(available_margin="500"), asked_at=asked_at)),
        reconciler.answered(replace(answer(available_margin="90"), asked_at=asked_at)),
        reconciler.answered(replace(answer(available_margin="500"), asked_at=clock.elapsed() + 1)),
    ]
    assert told == [True, False, False]
    assert [isinstance(each, Answer) and each.overtaken for each in posted] == [
        False,
        True,
        False,
        False,
    ]


async def test_b7_what_was_not_asked_at_a_known_time_is_not_compared() -> None:
    """A miss says nothing, and an exchange that does not tell when it asked is believed."""
    clock, posted = ManualClock(), list[Answer | NoAnswer]()
    reconciler = intake_of(posted, clock)
    reconciler.pushed(push("90"))
    assert not reconciler.answered(answer(available_margin="500"))
    assert not reconciler.answered(NoAnswer(MissReason.TIMEOUT, "no"))
    assert len(posted) == 3


async def test_b7_a_field_that_is_contradicted_is_not_handed_on() -> None:
    """B7: it is dropped after `limit` disagreements in a row; an empty push is not posted."""
    clock, posted = ManualClock(), list[Answer | NoAnswer]()
    reconciler = intake_of(posted, clock, limit=1)
    reconciler.pushed(push("90"))
    reconciler.answered(replace(answer(available_margin="91"), asked_at=clock.elapsed() + 1))
    reconciler.pushed(push("80"))
    balances = posted[-1].balances if isinstance(posted[-1], Answer) else None
    assert balances is not None
    assert reconciler.pushes.contradicted == ("available_margin", "available_usdt")
    assert (balances.available_margin, balances.available_usdt, balances.al_margin) == (
        None,
        None,
        Decimal(0),
    )


async def test_a5_what_is_not_sent_is_told_once_and_its_end_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A5, B3a: one line per set of missing fields and source, one for the end; all answers kept."""
    caplog.set_level(logging.INFO)
    posted = list[Answer | NoAnswer]()
    reconciler = intake_of(posted, ManualClock())
    without_coupon = replace(answer(), missing=("almighty_gold",))
    for each in (
        without_coupon,
        without_coupon,
        replace(without_coupon, missing=("almighty_gold", "time")),
    ):
        reconciler.answered(each)
    reconciler.pushed(push("90"))
    reconciler.answered(NoAnswer(MissReason.TIMEOUT, "no"))
    reconciler.pushed(replace(push("80"), missing=("al_freeze",)))
    reconciler.answered(answer())
    reconciler.answered(answer())
    rest = "rules that need it cannot be judged, all others are"
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", f"answers of the exchange are without almighty_gold: {rest}"),
        ("WARNING", f"answers of the exchange are without almighty_gold, time: {rest}"),
        ("WARNING", f"pushes of the exchange are without al_freeze: {rest}"),
        ("INFO", "answers of the exchange are complete again"),
    ]
    assert len(posted) == 8


async def test_s3_unknown_fields_beyond_the_bound_are_left_out_and_named_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """S3: logged once per instance for answers and for pushes; applied to each reading."""
    posted: list[Answer | NoAnswer] = []
    reconciler = intake_of(posted, ManualClock())
    many: dict[str, object] = {f"field-{number}-{'x' * 60}": number for number in range(60)}
    for extra in (many, {}, many):
        reconciler.answered(replace(answer(), extra=extra))
        reconciler.pushed(replace(push("90"), extra=extra))
    counts = [each.extra.get("left_out_fields") for each in posted if isinstance(each, Answer)]
    assert (counts[0], counts[2:4], counts[1] == counts[0]) == (counts[4], [None, None], True)
    assert isinstance(counts[0], int)
    assert counts[0] >= 17
    told = [record.getMessage() for record in caplog.records]
    assert [sentence.split(" of ")[0] for sentence in told] == ["answers", "pushes"]
    assert all(
        f" and {counts[0] - 3} more are left out" in sentence and "x" * 50 not in sentence
        for sentence in told
    )
