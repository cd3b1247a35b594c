"""Schedules the polls of each account: APScheduler, set so that runs neither get lost nor pile up.

Slots are spread by a stable hash of the account's name, so that a restart does not bunch them.
APScheduler computes its runs from the wall clock, and sleeps on a clock that stops in suspend;
`realign` corrects them after either.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from daemon.readings.slots import slot
from daemon.text.durations import duration_text
from daemon.types import Millis

BUSY = 3
"""Busy slots in a row before that is logged: fewer are a slow answer or a start."""

Trouble = Callable[[str, str], None]
"""Callback: account, and what happened to its run."""

Slow = Callable[[str, bool], None]
"""Callback: account, and whether its calls take longer than its interval."""

_WAITS = (
    "its calls wait for their turn in [budget]",
    "set a longer every, or see what else uses the budget of this key",
)
_ANSWERS_LATE = ("the exchange takes longer to answer", "check the network, or set a longer every")

_TROUBLES = {EVENT_JOB_MISSED: "missed its slot", EVENT_JOB_ERROR: "failed"}


class Schedule:
    def __init__(self, trouble: Trouble, slow: Slow = lambda _account, _is_slow: None) -> None:
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._trouble = trouble
        self._slow = slow
        self._triggers: dict[str, IntervalTrigger] = {}
        self._busy = Counter[str]()
        """By account: slots since its call began that found it busy."""
        self._stopping = False
        self._scheduler.add_listener(
            self._listen, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES | EVENT_JOB_ERROR
        )

    def add(
        self, account: str, every: Millis, tick: Callable[[], Awaitable[None]], now: Millis
    ) -> None:
        """Call `tick` every `every` ms from the account's own slot on; the first time at once."""

        async def run() -> None:
            # A stop cancels running calls, which APScheduler would log as failures.
            try:
                await tick()
            except asyncio.CancelledError:
                if not self._stopping:
                    raise
                return
            if not self._busy.pop(account, 0):
                self._slow(account, False)

        trigger = self._triggers[account] = _trigger(account, every, now)
        self._scheduler.add_job(run, trigger, id=account, next_run_time=_instant(now))

    def set_interval(self, account: str, every: Millis, now: Millis) -> None:
        """Call the account's `tick` every `every` ms from its next slot on."""
        if self._triggers[account].interval != timedelta(milliseconds=every):
            self._reschedule(account, every, now)

    def start(self) -> None:
        self._scheduler.start()

    def realign(self, now: Millis) -> None:
        """Restart all intervals from the next slots, after a clock step or a suspend.

        A trigger that began when the clock was ahead would not run before that instant comes again;
        after a suspend all would be due at once.
        """
        for account, trigger in self._triggers.items():
            self._reschedule(account, round(trigger.interval.total_seconds() * 1_000), now)

    def _reschedule(self, account: str, every: Millis, now: Millis) -> None:
        self._triggers[account] = _trigger(account, every, now)
        self._scheduler.reschedule_job(account, trigger=self._triggers[account])

    def stop(self) -> None:
        """Begin no further run. APScheduler cancels runs under way, so wait for them first."""
        self._stopping = True
        self._scheduler.shutdown(wait=False)

    def pause(self) -> None:
        self._scheduler.pause()

    def _listen(self, event: JobEvent) -> None:
        if event.code == EVENT_JOB_MAX_INSTANCES:
            self._busy[event.job_id] += 1
            if self._busy[event.job_id] >= BUSY:
                self._slow(event.job_id, True)
            return
        reason = getattr(event, "exception", None)
        self._trouble(event.job_id, _TROUBLES[event.code] + (f": {reason}" if reason else ""))


def slow_sentence(account: str, every: Millis, *, waits: bool) -> str:
    """The log line of an account whose calls take too long. `waits`: they wait for the budget."""
    cause, remedy = _WAITS if waits else _ANSWERS_LATE
    return (
        f"{account} is read less often than every {duration_text(every)}, because {cause}: {remedy}"
    )


def _trigger(account: str, every: Millis, now: Millis) -> IntervalTrigger:
    first = now - now % every + slot(account, every)
    return IntervalTrigger(seconds=every / 1_000, start_date=_instant(first), timezone=UTC)


def _instant(at: Millis) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=at)
