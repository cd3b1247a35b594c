"""One account of the simulated exchange: its keys, balances, faults and subscribers.

It decides which balances are shown and pushed. It opens no connection and checks no signature.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from daemon.simulator.balances import SimulatedBalances, push_frame, token_value
from daemon.simulator.faults import Fault, RestFault, find_fault
from daemon.simulator.log import Caller, Log
from daemon.simulator.socket_faults import Frame, Moment, SocketFault
from daemon.simulator.stories import Story, still
from daemon.types import Millis

SOCKET_PATH = "/perpum"


class Hearer(Protocol):
    """A connection that is logged in to the account."""

    subscribed: bool

    def say(self, frame: Frame) -> None:
        """Queue a frame; None drops the connection."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The credentials of an account."""

    api_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    user_id: str


@dataclass(slots=True)
class _InjectedFault:
    """A fault and how often it still strikes (None: until `heal`)."""

    fault: Fault
    left: int | None


class SimulatedAccount:
    """A simulated account, which tests and the demo change, break and repair."""

    def __init__(
        self, name: str, keys: Keys, story: Story, log: Log, elapsed: Callable[[], Millis]
    ) -> None:
        self.name = name
        self.keys = keys
        self.answered = 0
        """REST requests answered with balances so far."""
        self.time_stopped_at: Millis | None = None
        """If set, the `time` of every answer, as if the exchange's data stood still."""
        self.sockets: set[Hearer] = set()
        self._story = story
        self._log = log
        self._elapsed = elapsed
        self._faults: deque[_InjectedFault] = deque()
        self._shown = self.current

    @property
    def current(self) -> SimulatedBalances:
        """The present balances."""
        return self._story(self._elapsed(), self.answered)

    def follow(self, story: Story) -> None:
        """Follow another story from now on."""
        self._story = story
        self.refresh()

    def set(self, **tokens: str) -> None:
        """Set fields by hand (`available_margin="90"`); balances stay constant from now on.

        A change is pushed. Other fields keep their values. But available_margin = available_usdt +
        almighty_gold is preserved: of the first two, the one that is not given moves. Give both to
        break the equation.
        """
        self.follow(still(replace(self.current, **_balanced(self.current, tokens))))

    def fault(self, fault: str | Fault, times: int | None = None) -> None:
        """Inject a fault for the next `times` occasions (None: until `heal`); faults queue."""
        self._faults.append(
            _InjectedFault(find_fault(fault) if isinstance(fault, str) else fault, times)
        )

    def heal(self) -> None:
        """Forget all faults."""
        self._faults.clear()

    def rest_fault(self) -> RestFault | None:
        """The fault for this request; counts as one occasion."""
        fault = self._strike(Moment.REQUEST)
        return fault if isinstance(fault, RestFault) else None

    def socket_fault(self, moment: Moment) -> SocketFault | None:
        """The fault for this WebSocket frame; counts as one occasion."""
        fault = self._strike(moment)
        return fault if isinstance(fault, SocketFault) else None

    def refresh(self) -> bool:
        """Push the balances if they have changed since the last push; True if so."""
        changed = self.current != self._shown
        if changed:
            self.push()
        return changed

    def push(self) -> None:
        """Push the balances to all subscribers, changed or not."""
        self._shown = self.current
        hearers = [socket for socket in self.sockets if socket.subscribed]
        if not hearers:
            return
        fault = self.socket_fault(Moment.PUSH)
        caller = Caller(self.name, self.keys.user_id)
        told = replace(self._shown.balances(), cross_un_pnl=None) if fault is None else None
        self._log.note(caller, SOCKET_PATH, "push" if fault is None else fault.name, told)
        for hearer in hearers:
            for frame in frames_to_send(fault, push_frame(self._shown, self.keys.user_id)):
                hearer.say(frame)

    def drop(self) -> None:
        """Drop every connection that has logged in, without a close frame."""
        for socket in list(self.sockets):
            socket.say(None)

    def _strike(self, moment: Moment) -> Fault | None:
        told = next((told for told in self._faults if told.fault.on == moment), None)
        if told is None:
            return None
        if told.left is not None:
            told.left -= 1
            if told.left <= 0:
                self._faults.remove(told)
        return told.fault


def frames_to_send(fault: SocketFault | None, frame: str) -> Sequence[Frame]:
    """The frames to send in place of the regular one."""
    return (frame,) if fault is None else fault.frames(frame)


def _balanced(balances: SimulatedBalances, tokens: dict[str, str]) -> dict[str, str]:
    margin, usdt, gold = (
        token_value(tokens.get(name, getattr(balances, name)))
        for name in ("available_margin", "available_usdt", "almighty_gold")
    )
    if "available_margin" not in tokens:
        return (
            {**tokens, "available_margin": f"{usdt + gold:f}"} if tokens.keys() & _PARTS else tokens
        )
    return (
        tokens if "available_usdt" in tokens else {**tokens, "available_usdt": f"{margin - gold:f}"}
    )


_PARTS = {"available_usdt", "almighty_gold"}
