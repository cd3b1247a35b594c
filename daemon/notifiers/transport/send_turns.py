"""Lets calls of different channels leave one after another.

    begin ──► the call before is away, or has had its LEAD ──► prepare, send ──► away

Python runs one thread at a time. Calls that prepare their requests side by side slow each other
down, so that all leave as late as the last one. In turns only the last one leaves so late, and a
channel that works is no later for what others do.
"""

import threading

LEAD = 0.005
"""Seconds for which a call that is not away yet holds up the next one: its receiver may be slow."""


class SendTurns:
    """The turn of all calls of this process. Safe to use from several threads."""

    def __init__(self, lead: float = LEAD) -> None:
        self._lead = lead
        self._changed = threading.Condition()
        self._holder: object = None

    def begin(self, call: object) -> bool:
        """Wait for the turn, at most for a lead, and take it. Returns whether it was free."""
        with self._changed:
            free = self._changed.wait_for(lambda: self._holder is None, self._lead)
            self._holder = call
            return free

    def away(self, call: object) -> None:
        """Hand on the turn: the call waits for its receiver, or has ended."""
        with self._changed:
            if self._holder is call:
                self._holder = None
                self._changed.notify()


ALL = SendTurns()
"""Those of this process."""
