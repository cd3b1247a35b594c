"""Every way in which a push stream can fail, through the whole daemon: it costs latency, one line,
and nothing else.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from itertools import cycle, pairwise
from pathlib import Path

import pytest

from daemon.config import BudgetLimits
from daemon.simulator import SOCKET_FAULTS, LoggedRequest, SimulatedAccount, Simulator
from daemon.simulator.account import SOCKET_PATH
from daemon.simulator.socket_faults import Moment
from daemon.types import SECOND, Limit, Millis, Miss, Reading, Source
from tests.end_to_end.inside import LeapingClock, Line, Lookout, configured, exchange, life, lines

EVERY: Millis = SECOND
PLENTY = Limit(100_000, SECOND)

STEP: Millis = 7 * SECOND
"""Less than anybody waits for an answer, so that nobody loses patience with one that is on its
way.
"""

LOST = {
    "ws_login_refused": "refused the login to its push stream (1003: authentication error)",
    "ws_login_silent": (
        "refused the login to its push stream (1003: authentication error)"
    ),  # by the subscription
    "ws_login_failed": "refused the login to its push stream",
    "ws_login_exception": "refuses to push (500: exception)",
    "ws_login_drop": "closed its push stream",
    "ws_sub_refused": "refuses to push (1007: Invalid parameter)",
    "ws_sub_exception": "refuses to push (500: exception)",
    "ws_sub_silent": "answered neither login nor subscription within 10s",
    "ws_no_pong": "answered no ping within 10s",
    "ws_ping_drop": "closed its push stream",
    "ws_drop": "closed its push stream",
    "ws_not_utf8": "pushed what is not UTF-8 text",
    "ws_30_mib": "pushed over 1 MiB at once",
}
"""What ends the connection, and what is said of it."""

REFUSED = {"ws_login_refused", "ws_login_silent", "ws_login_failed"}
"""After these B2 asks for half a minute; after all others for a second at least."""

UNUSABLE = {
    "ws_field_nan": "availableMargin is NaN, not a number",
    "ws_garbage": "is not JSON",
    "ws_deep": "is nested too deeply",
    "ws_differs": "one push says different things about the same account",
    "ws_binary": "pushed bytes where it should push text",
    "ws_list": "is not a JSON object",
    "ws_data_null": "an entry is no object",
}
"""What is told by no number, and what is said of it; the connection goes on."""

FOREIGN = {"ws_foreign_user": "ignored pushes for user 9"}
"""Said, and never taken back: whoever pushes another's balances once may do so all the time."""

HARMLESS = {
    "ws_login_event",
    "ws_login_unheard",
    "ws_login_both",
    "ws_lost_push",
    "ws_duplicate",
    "ws_other_currency",
    "ws_currency_upper",
    "ws_time",
    "ws_field_missing",
    "ws_margin_wrong",
    "ws_server_ping",
}
"""Nobody needs to know."""


def test_every_fault_has_its_place() -> None:
    """A fault that is added to the simulator is given its meaning here."""
    assert Counter([*LOST, *UNUSABLE, *FOREIGN, *HARMLESS]) == Counter(SOCKET_FAULTS.keys())


INCOMPLETE = {"ws_field_missing": "pushes of the exchange are without available_margin: "}
"""What a push lacks (B3a)."""


def said(name: str) -> list[Line]:
    """Log lines about the account: the failure, with its required text, and the end."""
    if name in LOST:
        return [("WARNING", LOST[name], None), ("INFO", "balances are pushed again", 1)]
    if name in UNUSABLE:
        return [("WARNING", UNUSABLE[name], None), ("INFO", "pushes can be used again", 1)]
    if name in INCOMPLETE:
        return [
            ("WARNING", INCOMPLETE[name], None),
            ("INFO", "pushes of the exchange are complete again", 1),
        ]
    return [("WARNING", FOREIGN[name], None)] if name in FOREIGN else []


def alike(found: Sequence[Line], expected: Sequence[Line]) -> bool:
    return len(found) == len(expected) and all(
        level == its_level and part in sentence and failures == its_failures
        for (level, sentence, failures), (its_level, part, its_failures) in zip(
            found, expected, strict=True
        )
    )


def noted(there: Simulator, name: str) -> list[LoggedRequest]:
    """Messages of the account's streams to the exchange, and its answers."""
    return [entry for entry in there.log if (entry.account, entry.path) == (name, SOCKET_PATH)]


def logins(there: Simulator, name: str) -> list[LoggedRequest]:
    """One for each connection that the exchange counted."""
    refused = {fault.name for fault in SOCKET_FAULTS.values() if fault.on is Moment.LOGIN}
    return [entry for entry in noted(there, name) if entry.said in {"login", *refused}]


def subscriptions(name: str, *moments: Moment) -> int:
    """Expected subscriptions: one more than connections lost while they were up."""
    return 2 if name in LOST and SOCKET_FAULTS[name].on in moments else 1


class Day:
    """Accounts that are pushed to, each named after the fault that strikes it."""

    def __init__(self, there: Simulator, lookout: Lookout, clock: LeapingClock) -> None:
        self.accounts = [
            there.account(name, f"planted-key-{name}", f"planted-secret-{name}")
            for name in SOCKET_FAULTS
        ]
        self._there, self._lookout, self._clock = there, lookout, clock
        for account in self.accounts:
            account.fault(account.name, times=1)
        self.show("500")

    def show(self, margin: str) -> None:
        for account in self.accounts:
            account.set(available_margin=margin)

    async def read(self, source: Source, margin: int) -> None:
        """Returns when every account was found to have so much."""
        await self._lookout.until(
            lambda: all(margin in margins(self._lookout, name, source) for name in SOCKET_FAULTS)
        )

    async def pushed(self, *shown: str) -> None:
        """Set margins until every account was pushed one: an answer may have come first."""
        for margin in cycle(shown):
            self.show(margin)
            await self._lookout.until(
                lambda: all(self._last(name) == int(margin) for name in SOCKET_FAULTS)  # noqa: B023
            )
            if all(
                margins(self._lookout, name, Source.WS) & {*map(int, shown)}
                for name in SOCKET_FAULTS
            ):
                return

    def _last(self, name: str) -> Decimal | None:
        last = self._lookout.brought[name][-1]
        return last.balances.available_margin if isinstance(last, Reading) else None

    async def up(self, *moments: Moment) -> None:
        """Let time pass until everybody listens who fails in no other moments than these."""
        while not all(
            self._listens(account, subscriptions(account.name, *moments))
            for account in self.accounts
        ):
            self._clock.leap(STEP)
            seen = {name: len(brought) for name, brought in self._lookout.brought.items()}
            await self._lookout.until(partial(self._have_more, seen))

    def _have_more(self, seen: Mapping[str, int]) -> bool:
        """Whether every account has brought more since."""
        return all(len(self._lookout.brought[name]) > count for name, count in seen.items())

    def _listens(self, account: SimulatedAccount, times: int) -> bool:
        subscribed = sum(entry.said == "sub" for entry in noted(self._there, account.name))
        return subscribed == times and any(socket.subscribed for socket in account.sockets)


def margins(lookout: Lookout, name: str, *sources: Source) -> set[Decimal | None]:
    readings = (each for each in lookout.brought.get(name, ()) if isinstance(each, Reading))
    return {each.balances.available_margin for each in readings if each.source in sources}


async def test_b7_every_fault_of_a_stream(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """B2, B4, B7: each fault ends its connection alone, is logged once, and invents no balance."""
    caplog.set_level(logging.DEBUG)
    lookout, clock = Lookout(), LeapingClock()
    async with exchange(clock) as there:
        there.limit = 1_000
        day = Day(there, lookout, clock)
        budget = BudgetLimits(*[PLENTY] * 3)
        config = configured(
            tmp_path, there, day.accounts, every=EVERY, ws_url=there.ws_url, budget=budget
        )
        async with life(config, lookout, clock):
            await day.read(Source.REST, 500)
            await day.up(Moment.PING)
            day.show("90")
            await day.read(Source.REST, 90)
            await day.up(Moment.PING, Moment.PUSH)
            await day.pushed("80", "70")
        dials = {name: [entry.elapsed for entry in logins(there, name)] for name in SOCKET_FAULTS}
        answers = Counter(entry.said for entry in there.log if entry.path != SOCKET_PATH)
    judged = [event for brought in lookout.brought.values() for event in brought]
    assert answers == {
        "balances": sum(isinstance(event, Miss) or event.source is Source.REST for event in judged)
    }
    assert {type(event) for event in judged} == {Reading}
    assert set().union(*(margins(lookout, name, *Source) for name in SOCKET_FAULTS)) - {70} == {
        500,
        90,
        80,
        None,
    }
    assert {name: len(times) for name, times in dials.items()} == {
        name: 1 + (name in LOST) for name in SOCKET_FAULTS
    }
    assert [name for name, times in dials.items() if too_soon(name, times)] == []
    told = lines(caplog.records, SOCKET_FAULTS)
    assert {name: found for name, found in told.items() if not alike(found, said(name))} == {}
    assert not any(
        record.exc_info for record in caplog.records if record.name.startswith("marginwatch")
    )
    assert "planted" not in caplog.text


def too_soon(name: str, dials: Iterable[Millis]) -> bool:
    pause = 30 * SECOND if name in REFUSED else SECOND
    return any(following - last < pause for last, following in pairwise(dials))
