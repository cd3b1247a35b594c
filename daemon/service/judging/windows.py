"""The evaluator of one account, with its windows rebuilt from the record.

Where the record cannot be read, rules without windows are judged all the same: a database outage
must not keep `available_margin < 100` from firing.
"""

from collections.abc import Mapping

from daemon.alerts.decide import judge
from daemon.errors import StoreError
from daemon.rules.evaluation.evaluator import Evaluator, Verdict
from daemon.rules.rule import Rule
from daemon.service.judging.context import JudgingContext
from daemon.types import SECOND, AccountState, Input, Millis

COLD: Millis = 5 * SECOND
"""Time between attempts to rebuild windows from an unreadable database."""

SLICE: Millis = 20
"""Longest time that rebuilding one account's windows may block the others."""


class AccountWindows:
    """Evaluator of the rules that watch one account."""

    def __init__(
        self, state: AccountState, rules: tuple[Rule, ...], context: JudgingContext
    ) -> None:
        self.evaluator = Evaluator(rules, zone=context.mutes.zone, recorded=state.values)
        self._account = state.account
        self._rules = rules
        self._context = context
        self._cold_since: Millis | None = None
        """When rebuilding failed (elapsed); meanwhile only rules without windows are judged."""

    @property
    def is_due(self) -> bool:
        """Whether rebuilding failed long enough ago to be tried again."""
        since = self._cold_since
        return since is not None and self._context.clock.elapsed() - since >= COLD

    def verdicts(self, event: Input, state: AccountState) -> Mapping[str, Verdict]:
        """Verdicts on an input, of the rules that can be judged."""
        verdicts = judge(self.evaluator, event, state.alerts)
        if self._cold_since is None:
            return verdicts
        windowed = self.evaluator.windowed
        return {rule: verdict for rule, verdict in verdicts.items() if rule not in windowed}

    def failed(self, error: StoreError) -> None:
        """Go on without windows, and log why."""
        self._cold_since = self._context.clock.elapsed()
        sentence = (
            f"rules of {self._account} with time windows are not judged, because earlier readings"
            f" cannot be read: {error}"
        )
        self._context.failure_log.failed(
            ("windows", self._account), sentence, account=self._account
        )

    def recovered(self) -> None:
        """Judge all rules again."""
        self._cold_since = None
        self._context.failure_log.ended(
            ("windows", self._account), "all rules are judged", account=self._account
        )

    async def rebuild(self, state: AccountState) -> None:
        """Read the windows that end with the state, in slices, so that no account waits for it.

        Raises:
            StoreError: if the record cannot be read; the present windows stay.
        """
        evaluator = Evaluator(self._rules, zone=self._context.mutes.zone, recorded=state.values)
        clock = self._context.clock
        started = clock.elapsed()
        since = state.at - evaluator.look_back
        async for reading in self._context.async_store.recent(self._account, since):
            evaluator.warm(reading)
            if clock.elapsed() - started >= SLICE:
                await clock.sleep(0)
                started = clock.elapsed()
        self.evaluator = evaluator
