"""An account that a test moves and breaks: fields by hand, faults in order, pushes on change."""

import pytest

from daemon.simulator import SimulatedAccount, SimulatedBalances, slow, still
from daemon.simulator.account import Keys
from daemon.simulator.balances import push_frame
from daemon.simulator.log import Log
from daemon.simulator.socket_faults import Frame, Moment
from tests.fakes import ManualClock

BEGIN = SimulatedBalances(available_margin="14.5", available_usdt="10", almighty_gold="4.5")


class Ear:
    """Someone who listens to an account."""

    def __init__(self, *, subscribed: bool = True) -> None:
        self.subscribed = subscribed
        self.heard: list[Frame] = []

    def say(self, frame: Frame) -> None:
        self.heard.append(frame)


def account(*callbacks: Ear) -> tuple[SimulatedAccount, Log]:
    log = Log(ManualClock(), keep=100)
    made = SimulatedAccount("main", Keys("key", "secret", "7"), still(BEGIN), log, lambda: 0)
    made.sockets.update(callbacks)
    return made, log


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"available_margin": "90"}, ("90", "85.5", "4.5")),
        ({"available_usdt": "1.25"}, ("5.75", "1.25", "4.5")),
        ({"almighty_gold": "0"}, ("10", "10", "0")),
        ({"available_margin": "90", "almighty_gold": "0"}, ("90", "90", "0")),
        ({"available_margin": "90", "available_usdt": "1"}, ("90", "1", "4.5")),
        ({"al_freeze": '"500"'}, ("14.5", "10", "4.5")),
    ],
)
def test_fields_set_by_hand_keep_the_relation(
    named: dict[str, str], expected: tuple[str, str, str]
) -> None:
    """B6: other fields move so that available_margin = available_usdt + almighty_gold."""
    made, _ = account()
    made.set(**named)
    assert expected == (
        made.current.available_margin,
        made.current.available_usdt,
        made.current.almighty_gold,
    )


def test_a_change_is_pushed_once_to_who_subscribed() -> None:
    """Pushes come on change only, and only to subscribers; the log has the five values."""
    near, far = Ear(), Ear(subscribed=False)
    made, log = account(near, far)
    made.set(al_freeze="500")
    made.set(al_freeze="500")
    assert ([push_frame(made.current, "7")], []) == (near.heard, far.heard)
    assert [("push", made.current.balances())] == [
        (entry.said, entry.balances) for entry in log.entries
    ]


def test_a_change_that_nobody_hears_is_not_pushed_later() -> None:
    """There is no snapshot: who comes later hears later changes only."""
    made, log = account()
    made.set(al_freeze="500")
    late = Ear()
    made.sockets.add(late)
    made.refresh()
    assert (late.heard, list(log.entries)) == ([], [])


def test_faults_strike_in_the_order_told() -> None:
    """Each strikes as often as told, an endless one until healed."""
    made, _ = account()
    made.fault("html", times=2)
    made.fault(slow(5), times=1)
    made.fault("hang")
    struck = [fault.name if (fault := made.rest_fault()) else "" for _ in range(5)]
    assert struck == ["html", "html", "slow", "hang", "hang"]
    made.heal()
    assert made.rest_fault() is None


def test_faults_wait_for_their_own_moment() -> None:
    """A fault of the socket does not stop a request, nor the other way round."""
    made, _ = account()
    made.fault("ws_no_pong", times=1)
    made.fault("http_500", times=1)
    assert made.socket_fault(Moment.PUSH) is None
    assert (fault := made.rest_fault()) is not None
    assert fault.name == "http_500"
    assert (silent := made.socket_fault(Moment.PING)) is not None
    assert silent.name == "ws_no_pong"


def test_an_unknown_fault_names_what_there_is() -> None:
    """A mistyped fault fails where it is told."""
    made, _ = account()
    with pytest.raises(KeyError, match=r"no fault 'htlm'.*html"):
        made.fault("htlm")


def test_a_faulty_push_is_logged_by_the_fault() -> None:
    """The log never claims values that were not told."""
    ear = Ear()
    made, log = account(ear)
    made.fault("ws_duplicate", times=1)
    made.push()
    assert [push_frame(BEGIN, "7")] * 2 == ear.heard
    assert [(entry.said, entry.balances) for entry in log.entries] == [("ws_duplicate", None)]


def test_drop_reaches_every_connection() -> None:
    """Dropping tells each connection to end, subscribed or not."""
    callbacks = (Ear(), Ear(subscribed=False))
    made, _ = account(*callbacks)
    made.drop()
    assert [ear.heard for ear in callbacks] == [[None], [None]]


def test_keys_do_not_show() -> None:
    """Promise 9: no key in a repr, simulated or not."""
    made, _ = account()
    assert repr(made.keys) == "Keys(user_id='7')"
