"""The built-in exchange: CoinW as its documentation and its clients describe it, on loopback.

    simulator = Simulator(clock)
    main = simulator.account("main", story=demo("main"))
    await simulator.start()        # simulator.rest_url, simulator.ws_url
    main.set(available_margin="90")
    main.fault("html", times=3)

It shares no code with the part of the daemon that reads it, so tests can judge the daemon by it.
"""

from daemon.simulator.account import SimulatedAccount
from daemon.simulator.balances import SimulatedBalances
from daemon.simulator.faults import FAULTS, Fault, RestFault, slow
from daemon.simulator.log import LoggedRequest
from daemon.simulator.server import Simulator
from daemon.simulator.socket_faults import SOCKET_FAULTS, SocketFault
from daemon.simulator.stories import DEMO, Story, by_request, by_time, demo, demo_story, still

__all__ = [
    "DEMO",
    "FAULTS",
    "SOCKET_FAULTS",
    "Fault",
    "LoggedRequest",
    "RestFault",
    "SimulatedAccount",
    "SimulatedBalances",
    "Simulator",
    "SocketFault",
    "Story",
    "by_request",
    "by_time",
    "demo",
    "demo_story",
    "slow",
    "still",
]
