"""A provider is down for two hours, forty alerts come and go, the daemon dies twice: what a person
reads then (F6).

Every count, time, value, name and id of the messages is held against the record: the transitions,
and the readings between them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from pathlib import Path

import pytest

from daemon.messages.grouping import LISTED
from daemon.text.numbers import format_amount, format_duration, rough
from daemon.types import MINUTE, SECOND, Millis, Severity
from tests.fakes import ManualClock
from tests.service.delivery.deliveries import Call, Fate, House, Mood, Plan, begin
from tests.service.lives import rows
from tests.values import answer, rule

LOW = rule(
    "low",
    "available_margin < 100",
    clear_when="available_margin > 120",
    flapping=None,
    severity=Severity.INFO,
)
DEEP = rule("deep", "available_margin < 50", flapping=None)
ACCOUNTS = ("one", "two", "three", "four")
SINKING = {"deep": (7, 6, 4, 1), "low": (8, 7, 5, 2)}
"""How often each rule fires on each account while nobody can be told: forty times."""
LASTING = ("two", "three")
"""Accounts that are low when the provider is back, in one episode more."""

PLAN = Plan((LOW, DEEP), ("phone",), ACCOUNTS)
EPISODE = 12
"""Minutes from the beginning of one to that of the next."""
DOWN = 120
"""Minutes of the outage."""
DEAD = {*range(41, 44), *range(87, 90)}
"""Minutes in which no daemon lives: it was killed in the one before, while alerts were firing."""
POLLS = 1
"""Readings of each account in a minute."""

TRANSITIONS = """
    SELECT rule, name, code, fired.at, ended.at
    FROM alerts JOIN accounts ON accounts.id = account_id
    JOIN transitions AS fired ON fired.alert_id = alerts.id AND fired.to_state = 'firing'
    LEFT JOIN transitions AS ended ON ended.alert_id = alerts.id AND ended.to_state = 'resolved'
    ORDER BY rule, name, fired.at
"""
LOWEST = """
    SELECT min(available_margin) FROM snapshots JOIN accounts ON accounts.id = account_id
    WHERE name = '{}' AND snapshots.at BETWEEN {} AND {}
"""
AT = """
    SELECT available_margin FROM snapshots JOIN accounts ON accounts.id = account_id
    WHERE name = '{}' AND snapshots.at <= {} ORDER BY snapshots.at DESC LIMIT 1
"""
FIRST_FAILURE = "SELECT min(done_at) FROM attempts"
LAST_ABSENCE = """
    SELECT (SELECT max(at) FROM snapshots WHERE at < started_at), started_at
    FROM epochs ORDER BY id DESC LIMIT 1
"""


@dataclass(frozen=True)
class Episode:
    """As it is recorded."""

    rule: str
    account: str
    code: str
    fired: Millis
    ended: Millis | None
    lowest: Decimal
    """Of the readings from its firing to its end."""


def margin(account: int, number: int) -> str:
    """The reading of that number: no two are the same, and each episode has a depth of its own."""
    minute, _ = divmod(number, POLLS)
    episode, phase = divmod(minute, EPISODE)
    falls, sinks = (episode < SINKING[name][account] for name in ("low", "deep"))
    if ACCOUNTS[account] in LASTING and minute >= DOWN - 5:
        return f"7{account}.{number:03}"
    depth = 4 if sinks else 8
    level = {2: 90, 3: 10 * depth + account, 4: 10 * depth + episode % 5, 5: 75, 6: 110}.get(
        phase, 500
    )
    return f"{level if falls else 500}.{number:03}"


class Story:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "m.db"
        self.fate = Fate(ManualClock(), moods={"phone": [Mood.LATER] * 9_999})
        self.house = self.begin()

    def begin(self) -> House:
        return begin(f"sqlite:///{self.path}", PLAN, self.fate)

    async def tell(self, number: int) -> None:
        """All accounts are read, one after the other."""
        for account, name in enumerate(ACCOUNTS):
            await self.house.tell({name: answer(available_margin=margin(account, number))})
            await self.fate.clock.advance(SECOND)
        await self.fate.clock.advance(MINUTE // POLLS - len(ACCOUNTS) * SECOND)

    async def minute(self, minute: int) -> None:
        if minute in DEAD:
            await self.fate.clock.advance(MINUTE)
            return
        if minute - 1 in DEAD:
            self.house = self.begin()
        for number in range(minute * POLLS, (minute + 1) * POLLS):
            await self.tell(number)
        if minute + 1 in DEAD:
            await self.house.kill()

    async def play(self) -> Call:
        """The one message that is read when the provider is back."""
        for minute in range(DOWN):
            await self.minute(minute)
        assert not [call for call in self.fate.calls if call.arrived]
        self.fate.moods.clear()
        await self.minute(DOWN)
        await self.house.stop()
        (call,) = [call for call in self.fate.calls if call.arrived]
        return call

    def episodes(self) -> list[Episode]:
        return [self.episode(*row) for row in rows(self.path, TRANSITIONS)]

    def episode(
        self, rule: object, account: object, code: object, fired: object, ended: object
    ) -> Episode:
        assert isinstance(fired, int)
        assert isinstance(ended, int | None)
        lowest = self.amount(LOWEST.format(account, fired, fired if ended is None else ended))
        return Episode(str(rule), str(account), str(code), fired, ended, lowest)

    def amount(self, query: str) -> Decimal:
        ((found,),) = rows(self.path, query)
        return Decimal(str(found))

    def instants(self, query: str) -> list[str]:
        return [clock(int(str(at))) for at in rows(self.path, query)[0]]

    def still(self, each: Episode, *, first: bool) -> list[str]:
        """The expected text of a firing alert, from the record alone.

        The title tells the value of the first one, and that it is old.
        """
        then = self.amount(AT.format(each.account, each.fired))
        now = format_amount(rough(then))
        return [
            "below 100" if first else f"{self.title(each)} · low",
            self.step(each, then),
            f"last known {clock(each.fired)}, may be different now:",
            "in positions 0",
            "frozen 0",
            f"to stop reminders: marginwatch ack {each.code}",
            f"to hear nothing of it for 2 h: marginwatch silence add --alert {each.code} --for 2h",
            f"{'low · ' if first else ''}alert {each.code} · since {clock(each.fired)}",
            f"rule: available_margin < 100 · available_usdt {now}, almighty_gold 0",
        ]

    def title(self, each: Episode) -> str:
        """The expected headline of a firing alert."""
        now = format_amount(rough(self.amount(AT.format(each.account, each.fired))))
        when = f"below 100, at {clock(each.fired)}"
        return f"INFO {each.account}: available_margin {now} ({when})"

    def step(self, each: Episode, then: Decimal) -> str:
        """The fall within the minute before it fired, by far the largest of the hour."""
        at = each.fired - MINUTE
        before = self.amount(AT.format(each.account, at))
        was, now, moved = (format_amount(rough(value)) for value in (before, then, then - before))
        return f"{was} at {clock(at)} -> {now} at {clock(each.fired)}: {moved} in 1 min"


def clock(at: Millis) -> str:
    return datetime.fromtimestamp(at / 1_000, UTC).strftime("%H:%M:%S")


def over(alike: Sequence[Episode]) -> str:
    """The one line that is true of these episodes, made of the record alone."""
    spans = [(clock(each.fired), clock(each.ended or 0)) for each in alike]
    name = f"OVER {alike[0].account}: {alike[0].rule} fired"
    if len(alike) == 1:
        return f"{name} {spans[0][0]}, cleared {spans[0][1]} · alert {alike[0].code}"
    listed = [f"{fired} to {ended}" for fired, ended in spans]
    if len(alike) > LISTED:
        lasted = format_duration(sum((each.ended or 0) - each.fired for each in alike))
        listed = [f"first {listed[0]}", f"last {listed[-1]}", f"{lasted} in all"]
    worst, codes = (
        format_amount(rough(min(each.lowest for each in alike))),
        " ".join(each.code for each in alike),
    )
    return (
        f"{name} {len(alike)} times, cleared each time: {', '.join(listed)}; worst {worst} · alerts"
        f" {codes}"
    )


@pytest.mark.no_cover
async def test_f6_forty_alerts_of_two_hours_are_one_short_and_true_account(tmp_path: Path) -> None:
    """F6: firing alerts first, then a line per rule and account, then the cause of the delay."""
    story = Story(tmp_path)
    call, episodes = await story.play(), story.episodes()
    gone = [each for each in episodes if each.ended is not None]
    firing = [each for each in episodes if each.ended is None]
    assert (len(gone), sorted(each.account for each in firing)) == (40, sorted(LASTING))
    since, (died, begun) = *story.instants(FIRST_FAILURE), story.instants(LAST_ABSENCE)
    *paragraphs, why = call.text.body.split("\n\n")
    late = format_duration(call.message.at - min(each.fired for each in episodes))
    assert why == (
        f"late by up to {late}: phone could not be reached since {since} (later); marginwatch did"
        f" not run from {died} to {begun}"
    )
    told = [
        over(list(alike)) for _, alike in groupby(gone, key=lambda each: (each.rule, each.account))
    ]
    assert sorted(paragraphs[len(firing) :]) == sorted(told)
    assert [line.split()[2] for line in paragraphs[len(firing) :]] == ["deep"] * 4 + ["low"] * 4
    (first,) = [each for each in firing if f"alert {each.code}" in paragraphs[0]]
    stills = ["\n".join(story.still(each, first=each is first)) for each in firing]
    assert sorted(paragraphs[: len(firing)]) == sorted(stills)
    head, when = story.title(first).split("below 100, ")
    assert call.text.title == f"{head}{when} and {len(episodes) - 1} more"
    assert set(rows(story.path, "SELECT state FROM notifications")) == {("delivered",)}
