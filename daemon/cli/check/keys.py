"""`check --online`: makes one signed call per account, within the daemon's budget (SEMANTICS B3).

    latest recorded calls ──► budget ──► one call per account ──► answer; the call is recorded

It stores no reading and judges nothing. Without a record the budget begins empty and no call is
recorded. While a daemon collects, each call is announced first, so that the daemon leaves room.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter

from daemon import exchanges
from daemon.cli.check.report import CheckReport
from daemon.cli.check.same_user import known_users, same_user_warnings
from daemon.cli.configuration import exchange_account
from daemon.cli.output.tables import Row, exact
from daemon.cli.record_access import open_existing_record
from daemon.cli.status.exchange import ENDPOINT, own_calls
from daemon.clock import Clock
from daemon.config import Account, Config
from daemon.errors import StoreError
from daemon.exchanges.common import http, proxies
from daemon.exchanges.common.rate_limit import ANNOUNCED, HALVED, Budget, Budgets, remaining_halving
from daemon.readings.fields import CORE
from daemon.store import write_once
from daemon.store.database.running_daemon import running_daemon
from daemon.store.operations import RecordCall
from daemon.text.numbers import format_amount
from daemon.types import SECOND, Answer, Millis, NoAnswer

HEARD: Millis = 2 * SECOND
"""Time in which a daemon learns of an announced call and finishes calls already begun."""

_amounts = attrgetter(*CORE)


@dataclass(frozen=True, slots=True)
class RecordedCalls:
    """The facts in the record that concern the budget."""

    user_ids: Mapping[str, str] = field(default_factory=dict)
    calls: tuple[RecordCall, ...] = ()
    halved_for: Mapping[str, Millis] = field(default_factory=dict)
    """By host, how much longer its limits are halved, since the exchange complained."""
    writable: bool = False
    """Whether there is a record into which calls can be written."""
    beside: bool = False
    """Whether a daemon collects: it counts its own calls and must be told of ours."""


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """One call and its answer."""

    at: Millis
    """The end of the call."""
    answer: Answer | NoAnswer


def ask(config: Config, clock: Clock, report: CheckReport) -> bool:
    """Print the exchange's answer for each account, in order; return whether all answered."""
    told = recorded_calls(config, clock.now(), report)
    answers = asyncio.run(_ask_all(config, clock, told, report))
    users = {name: answer.user_id for name, answer in answers.items() if isinstance(answer, Answer)}
    before = set(same_user_warnings(known_users(config, told.user_ids), config.hosts))
    for warning in same_user_warnings(users, config.hosts):
        if warning not in before:  # the others were printed from the record
            report.warn(warning)
    return all(isinstance(answer, Answer) for answer in answers.values())


def recorded_calls(config: Config, now: Millis, report: CheckReport | None = None) -> RecordedCalls:
    """The facts in the record; empty without one, or with a warning where it cannot be read."""
    report = report or CheckReport()
    since = now - config.budget.longest
    try:
        with open_existing_record(config) as history:
            if history is None:
                return RecordedCalls()
            user_ids = history.user_ids()
            beside = running_daemon(config.daemon.database.reveal()) is not None
            booked = history.external_calls(since)
            halved_for = remaining_halving(
                history.last_rate_limited(now - HALVED), config.hosts, now
            )
            counted = tuple(booked if beside else own_calls(config, history, since) + booked)
            return RecordedCalls(user_ids, counted, halved_for, writable=True, beside=beside)
    except StoreError as error:
        report.warn(f"asking without the record, which cannot be read: {error}")
        return RecordedCalls()


async def _ask_all(
    config: Config, clock: Clock, told: RecordedCalls, report: CheckReport
) -> dict[str, Answer | NoAnswer]:
    answers = {}
    async with http.open_session() as session:
        budgets = _budgets(config, clock, told)
        dependencies = [
            exchanges.ExchangeDependencies(session, budgets.at(each.host), clock)
            for each in config.accounts
        ]
        asking = zip(config.accounts, dependencies, strict=True)
        tasks = [
            asyncio.create_task(_ask(each, told, config, tool, n, report))
            for n, (each, tool) in enumerate(asking)
        ]
        for index, (account, task) in enumerate(zip(config.accounts, tasks, strict=True)):
            asked = await task
            answers[account.name] = asked.answer
            line = f"{account.name}: {_said(asked.answer)}{_way(account, asked.answer)}"
            report.add("keys", line, _row(account.name, asked.answer))
            if told.writable:
                user = _user(account, told, asked.answer)
                await asyncio.to_thread(
                    _book, config, RecordCall(asked.at, ENDPOINT, user, index, account.host), report
                )
    return answers


def _budgets(config: Config, clock: Clock, told: RecordedCalls) -> Budgets:
    limits = config.budget

    def budget() -> Budget:
        return Budget(clock, limits.host, limits.user, {ENDPOINT: limits.assets})

    budgets = Budgets(config.hosts.values(), budget)
    for call in told.calls:
        budgets.book(call.host, call.at, call.endpoint, call.user)
    for host, halved_for in told.halved_for.items():
        budgets.halve(host, halved_for)
    return budgets


async def _ask(
    account: Account,
    told: RecordedCalls,
    config: Config,
    dependencies: exchanges.ExchangeDependencies,
    n: int,
    report: CheckReport,
) -> KeyCheck:
    if told.beside:
        await _announce(account, told, config, dependencies.clock, n, report)
    keys = exchange_account(account, told.user_ids.get(account.name, ""), config.daemon.timeout)
    exchange = exchanges.load(account.exchange).connect(keys, dependencies)
    try:
        answer = await exchange.read()
        return KeyCheck(dependencies.clock.now(), answer)
    finally:
        await exchange.close()


async def _announce(
    account: Account,
    told: RecordedCalls,
    config: Config,
    clock: Clock,
    n: int,
    report: CheckReport,
) -> None:
    """Announce the call in the record, and return when its time has come.

    A daemon that uses its whole budget makes room only as earlier calls leave the windows.
    Therefore announcements come more slowly than the host's budget frees permits, and a user's
    whole window passes before a call.
    """
    limits = config.budget
    await clock.sleep(n * limits.host.per * 5 // (limits.host.count * 4))
    ahead = min(HEARD + limits.assets.per, ANNOUNCED)
    announced = RecordCall(clock.now() + ahead, ENDPOINT, _user(account, told), n, account.host)
    await asyncio.to_thread(_book, config, announced, report)
    await clock.sleep(ahead)


def _user(account: Account, told: RecordedCalls, answer: Answer | NoAnswer | None = None) -> str:
    """The user id of the call; empty where it is unknown, as in the budget."""
    if isinstance(answer, Answer):
        return answer.user_id
    return account.user_id or told.user_ids.get(account.name, "")


def _book(config: Config, call: RecordCall, report: CheckReport) -> None:
    try:
        write_once(config.daemon.database.reveal(), call)
    except StoreError as error:
        report.warn(f"the call could not be booked for the daemon's budget: {error}")


def _way(account: Account, answer: Answer | NoAnswer) -> str:
    """The route of the account's calls and pushes, where it is not the direct one.

    A failed call names its own route, so only the pushes are described then.
    """
    calls, pushes = (
        proxies.describe_route(account.rest_route),
        proxies.describe_route(account.ws_route),
    )
    pushes = f"pushes {pushes or 'directly'}" if account.ws_url and pushes != calls else ""
    ways = [calls if isinstance(answer, Answer) else "", pushes]
    return f" ({'; '.join(filter(None, ways))})" if any(ways) else ""


def _row(account: str, answer: Answer | NoAnswer) -> Row:
    """The answer for programs, with all digits; `reason` is why there is none."""
    if isinstance(answer, NoAnswer):
        return {"account": account, "reason": answer.reason.value, "detail": answer.detail}
    values = zip(CORE, _amounts(answer.balances), strict=True)
    amounts = {name: exact(value) for name, value in values}
    return {"account": account, "reason": None, "user_id": answer.user_id, **amounts}


def _said(answer: Answer | NoAnswer) -> str:
    if isinstance(answer, NoAnswer):
        return f"{answer.reason}: {answer.detail}"
    values = zip(CORE, _amounts(answer.balances), strict=True)
    shown = "  ".join(
        f"{name} {format_amount(value)}" for name, value in values if value is not None
    )
    missing = f"  (not sent: {', '.join(answer.missing)})" if answer.missing else ""
    return f"user {answer.user_id}  {shown}{missing}"
