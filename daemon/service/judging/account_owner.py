"""The one owner of an account: a mailbox, and a task that judges what arrives, in order.

    mailbox ──► clock, stamp ──► evaluator ──► engine.step ──► dispatch ──► ONE transaction
    then: adopt the state ──► fill the notification queue; withdraw claims that cannot leave

It adopts the new state only after the commit (or after the store said that it keeps the record
until it can write again). A commit that failed, or whose outcome is unknown, restarts this
account's engine: it loads the recorded state, rebuilds the windows, and judges the input again
unless that is recorded. This module decides nothing about alerts, and knows no SQL.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, repeat

from daemon.alerts.channel_decisions import NotificationPolicy
from daemon.alerts.decide import Decision, decide, snapshot
from daemon.alerts.ids import alert_code
from daemon.alerts.notification_facts import EvaluationSnapshot
from daemon.alerts.silences import NO_SILENCES, unexpired_silences
from daemon.errors import StoreError
from daemon.readings.plausibility import PendingSuspect
from daemon.rules.rule import Rule
from daemon.service.clock_monitor import ClockDrift
from daemon.service.delivery.immediate import EagerClaims
from daemon.service.judging.arrivals import Arrival, InputStamper, Slept
from daemon.service.judging.context import JudgingContext, concerns
from daemon.service.judging.first_reading import FirstReading
from daemon.service.judging.hourly_change import HourlyBaseline
from daemon.service.judging.plausibility_gate import Gate
from daemon.service.judging.windows import AccountWindows
from daemon.store.operations import (
    Claim,
    CommitFailed,
    Operation,
    RecordWithClaims,
    StaleSilences,
    Withdraw,
    Written,
)
from daemon.types import (
    SECOND,
    AccountState,
    Answer,
    ClockStep,
    Input,
    Millis,
    NoAnswer,
    Silence,
)

QUICK = 3
"""Commits that are tried again at once; after that once a second."""

CROWD = 100
"""Mailbox length at which producers are asked to wait."""


@dataclass(slots=True)
class PendingInput:
    """An input that is being judged and committed: judged once, decided as often as necessary."""

    event: Input
    snapshot: EvaluationSnapshot = field(init=False)
    decision: Decision = field(init=False)
    eager_claims: EagerClaims = field(default_factory=EagerClaims)


@dataclass(frozen=True, slots=True)
class SuspectListener:
    """Callbacks for readings that are not believed at once (SEMANTICS B5)."""

    doubted: Callable[[PendingSuspect], None] = lambda _: None
    left: Callable[[PendingSuspect], None] = lambda _: None
    """Called for a suspect reading that the last instance left."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of an owner with the readings and misses that arrived in this instance."""

    judged: int
    """Number of arrivals up to the last one that was judged and stored."""
    behind: bool
    """Whether a later one is in hand, was lost when the loop broke, or waits for a broken loop."""


NO_LISTENER = SuspectListener()
"""Suspects are settled by the next inputs alone."""


class Owner:
    """Owner of one account. `rules` are those that watch it, `every` gives its polling interval."""

    def __init__(
        self,
        context: JudgingContext,
        state: AccountState,
        rules: Iterable[Rule],
        suspect_listener: SuspectListener = NO_LISTENER,
        every: Callable[[], Millis] = lambda: 0,
    ) -> None:
        self._context = context
        self._state = state
        self._rules = {rule.name: rule for rule in rules}
        self._policy = NotificationPolicy(self._rules, context.channels, context.mutes)
        self._windows = AccountWindows(state, tuple(self._rules.values()), context)
        self._drift = ClockDrift(context.clock, context.offset)
        self._suspect_listener = suspect_listener
        self._gate = Gate(
            state.account, context.max_jump, context.failure_log, self._suspect_listener.doubted
        )
        self._hourly_baseline = HourlyBaseline(state.account, context.async_store)
        self._silences: Sequence[Silence] = NO_SILENCES
        self._stamper = InputStamper(self._gate, lambda: self._state, every)
        self._mailbox: asyncio.Queue[Arrival] = asyncio.Queue()
        self._first_reading = FirstReading(self._rules)
        self._starts = 0
        """Starts of the loop: more than one if it broke."""
        self._arrived = self._begun = self._done = 0
        """Readings and misses of this instance: posted, begun, and done."""

    @property
    def account(self) -> str:
        return self._state.account

    @property
    def progress(self) -> Progress:
        # A first start may rebuild windows for minutes; until then a waiting item is no fault.
        begun = self._arrived if self._starts > 1 else self._begun
        return Progress(self._done, begun > self._done)

    def post(self, arrival: Arrival) -> None:
        self._arrived += isinstance(arrival, Answer | NoAnswer)
        self._mailbox.put_nowait(arrival)

    async def run(self) -> None:
        """Judge mailbox items until cancelled; a cancellation never splits an input."""
        self._starts += 1
        await self._warm_or_wait()
        await self._hourly_baseline.renew(self._context.clock.now())
        if self._gate.suspicion is not None:
            self._suspect_listener.left(self._gate.suspicion)
        while True:
            arrival = await self._mailbox.get()
            task = asyncio.ensure_future(self._take(arrival))
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError:
                await task
                raise
            finally:
                self._mailbox.task_done()

    @property
    def waiting(self) -> int:
        """Number of mailbox items that are not begun yet."""
        return self._mailbox.qsize()

    async def room(self) -> None:
        """Wait while the mailbox is too long; otherwise return at once."""
        if self._mailbox.qsize() >= CROWD:
            await self._mailbox.join()

    async def drained(self) -> None:
        """Wait until everything that was posted has been judged and committed."""
        await self._mailbox.join()

    async def _take(self, arrival: Arrival) -> None:
        """Judge one item, after any clock step before it (A5)."""
        brings_input = isinstance(arrival, Answer | NoAnswer)
        self._begun += brings_input
        now, by = self._drift.look()
        if by:
            await self._enter(self._stamper.clock_step(now, by))
        if isinstance(arrival, Slept):
            self._stamper.suspended(arrival, now)
            return
        for event in self._stamper.inputs(arrival, now):
            await self._enter(event)
        await self._hourly_baseline.renew(self._state.at)
        if brings_input:
            self._done = self._begun

    async def _enter(self, event: Input) -> None:
        if self._windows.is_due:
            await self._warm_or_wait()
        case = PendingInput(event)
        await self._judge(case, event)
        try:
            recorded = await self._commit(case) is Written.COMMITTED
            if not recorded:
                await self._withdraw(case.eager_claims.release())  # their text must say so
            while overtaken := case.eager_claims.overtaken():
                await self._withdraw(overtaken)
            self._adopt(case, recorded=recorded)
        except BaseException:
            await self._withdraw(case.eager_claims.release())
            raise

    async def _withdraw(self, claims: Iterable[Claim]) -> None:
        """Withdraw claims that may be recorded, whose messages do not leave.

        Nobody else learns of their news until that is on record, so that nothing comes in between.
        """
        for claim in claims:
            await self._context.async_store.insist(
                Withdraw(claim.message, self._context.clock.now())
            )

    async def _commit(self, case: PendingInput) -> Written:
        """Commit the input, as often as necessary.

        After a failed commit the account's engine restarts from the record, and the input is judged
        again.
        """
        pauses = chain(repeat(0, QUICK), repeat(SECOND))
        while (written := await self._write(case)) is None:
            if pause := next(pauses):
                sentence = (
                    f"the database does not store the readings of {self.account}: they are written"
                    " again every second"
                )
                self._context.failure_log.failed(
                    ("commit", self.account), sentence, account=self.account
                )
            await self._context.clock.sleep(pause)
            recorded = await self._restart()
            if recorded is None:
                continue  # unreadable too: write the same record again, which is harmless
            if recorded >= case.event.seq:
                written = Written.COMMITTED
                break
            await self._withdraw(case.eager_claims.release())
            await self._judge(case, replace(case.event, seq=recorded + 1))
        self._context.failure_log.ended(
            ("commit", self.account), "its readings are stored again", account=self.account
        )
        return written

    async def _write(self, case: PendingInput) -> Written | None:
        """Write the record once; None if it is unknown whether it is recorded."""
        try:
            for _ in range(QUICK):
                try:
                    return await self._context.async_store.write(self._operation(case))
                except StaleSilences:
                    self._silences = await self._context.silences(self._silences, case.event.at)
                    await self._decide(case)
            case.eager_claims.release()
            # Give up after QUICK tries to claim: silences keep changing. Commit without claims.
            return await self._context.async_store.write(case.decision.record)
        except CommitFailed:
            return None

    def _operation(self, case: PendingInput) -> Operation:
        record = case.decision.record
        if not concerns(case.decision):
            return record
        return RecordWithClaims(
            record, unexpired_silences(self._silences, case.event.at), case.eager_claims.claims
        )

    async def _judge(self, case: PendingInput, event: Input) -> None:
        verdicts = self._windows.verdicts(event, self._state)
        evaluator = self._windows.evaluator
        seen = snapshot(evaluator, verdicts, self._state.alerts)
        case.event = event
        case.snapshot = replace(
            seen, hourly=self._hourly_baseline.hourly(event.at, evaluator.balances)
        )
        await self._decide(case)

    async def _decide(self, case: PendingInput) -> None:
        """Decide with the silences known last; the commit fails if they have changed."""
        case.eager_claims.release()  # none is recorded
        case.decision = self._weigh(case.event, case.snapshot)
        case.eager_claims = self._context.book(case.decision.record.notices)

    def _weigh(self, event: Input, snapshot: EvaluationSnapshot) -> Decision:
        told = self._context.notifications.channel_status(self.account)
        name_alert = partial(alert_code, taken=self._context.codes)
        decision = decide(
            self._state,
            event,
            snapshot,
            replace(self._policy, silences=self._silences),
            told,
            name_alert,
        )
        first, gap = self._gate.contradicted(event), self._stamper.suspend_ended_by(event)
        if first is None and gap is None:
            return decision
        return replace(decision, record=replace(decision.record, contradicts=first, gap=gap))

    def _adopt(self, case: PendingInput, *, recorded: bool) -> None:
        context, record = self._context, case.decision.record
        self._state = case.decision.state
        context.codes.update(alert.code for alert in record.alerts)
        context.notifications.adopt(record, context.clock.elapsed(), recorded=recorded)
        case.eager_claims.leave()
        self._gate.adopt(record.event)
        self._stamper.adopt(record.event)
        if isinstance(record.event, ClockStep):
            context.notifications.set_offset(self.account, self._drift.offset)
        context.observer.judged(record)
        self._first_reading.adopt(record.event, self._state)

    async def _restart(self) -> int | None:
        """Restart the engine from the record: its last `seq`, or None if it is unreadable."""
        try:
            self._state = await self._context.async_store.load(self.account)
            await self._warm()
        except StoreError:
            return None
        return self._state.seq

    async def _warm_or_wait(self) -> None:
        """Rebuild the windows, or go on without."""
        try:
            await self._warm()
        except StoreError as error:
            self._windows.failed(error)
        else:
            self._windows.recovered()

    async def _warm(self) -> None:
        """Rebuild windows and plausibility from the record: both, or neither if it fails."""
        latest = await self._context.async_store.latest(self.account)
        await self._windows.rebuild(self._state)
        self._gate.recall(latest)
