"""Compares received messages with the database: promises 2, 3 and 4, and SEMANTICS E3.

It looks at a whole story when everything is over: at each call that was claimed on disk, in order,
and at the last state of each notification.
"""

import json
import re
from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

from daemon.types import ENDS, NEWS, Kind, Millis, NoticeKey, base
from tests.service.delivery.deliveries import Call
from tests.service.lives import rows

Episode: TypeAlias = tuple[str, str, int, str]
"""Account, rule, seq, channel."""


class Oracle:
    """Judges a whole story when everything is over."""

    def __init__(
        self,
        path: Path,
        calls: Sequence[Call],
        *,
        gone: set[str],
        repeat: Millis | None,
        killed: set[int],
    ) -> None:
        """`killed` are the lives that ended so."""
        self.gone, self.repeat, self.killed = gone, repeat, killed
        query = (
            "SELECT channel, messages.at, n, outcome FROM messages JOIN attempts ON message_id ="
            " messages.id"
        )
        self.outcomes = {(c, at, n): outcome for c, at, n, outcome in rows(path, query)}
        self.calls = [call for call in calls if _number(call) in self.outcomes]
        query = """
            SELECT name, rule, alerts.seq, channel, kind,
                notifications.seq, notifications.state, facts, code
            FROM notifications JOIN alerts ON alerts.id = alert_id
                JOIN accounts ON accounts.id = account_id
        """
        self.notices: dict[NoticeKey, str] = {}
        self.handed: set[NoticeKey] = set()
        self.codes: dict[Episode, str] = {}
        for account, name, alert_seq, channel, kind, seq, state, facts, code in rows(path, query):
            key = NoticeKey(
                str(account), str(name), _int(alert_seq), str(channel), Kind(str(kind)), _int(seq)
            )
            self.notices[key] = str(state)
            self.codes[_episode(key)] = str(code)
            if json.loads(str(facts))["handed_over_by"]:
                self.handed.add(key)

    def check(self) -> None:
        self.claims()
        self.nothing_waits()
        self.nothing_is_lost()
        self.ends()
        self.duplicates()
        self.repeats()
        self.acks()

    def claims(self) -> None:
        """F7: a recorded attempt was made, or is marked as not, unless a kill came between."""
        for call in self.calls:
            outcome = self.outcomes[_number(call)]
            assert call.made == (outcome != "never_made") or call.life in self.killed, (
                outcome,
                call,
            )

    def nothing_waits(self) -> None:
        """Promise 2: everything came to its end."""
        assert set(self.notices.values()) <= {"delivered", "refused", "superseded"}, self.notices

    def nothing_is_lost(self) -> None:
        """Promise 2: delivered means that it arrived; refused, that another channel has it."""
        arrived = {key for call in self.calls if call.arrived for key in call.keys}
        for key, state in self.notices.items():
            assert state != "delivered" or key in arrived, key
            if state == "refused":
                others = [
                    other for other in self.notices if other != key and _alert(other) == _alert(key)
                ]
                assert key.kind is Kind.ACK or any(
                    self.notices[other] in {"delivered", "superseded"} for other in others
                ), key

    def ends(self) -> None:
        """Promise 3: the end goes to channels that may know the firing; else joined with it."""
        told = {
            _episode(key)
            for call in self.calls
            if self._may_tell(call)
            for key in call.keys
            if key.kind in NEWS
        }
        ended = {
            _episode(key)
            for key, state in self.notices.items()
            if state == "delivered" and key.kind in ENDS
        }
        for episode in told - ended:
            refused = [
                k
                for k, s in self.notices.items()
                if _episode(k) == episode and k.kind in ENDS and s == "refused"
            ]
            gone = any(other[:3] == episode[:3] for other in ended)
            assert gone, f"no end for {episode}: {refused}"
            assert refused or episode[3] in self.gone, f"no end for {episode}"
        before: set[Episode] = set()
        for call in self.calls:
            news = {_episode(key) for key in call.keys if key.kind in NEWS}
            for key in call.keys:
                if key.kind in ENDS and _episode(key) not in before | news:
                    assert re.search("fired|flapping since", self._headline(call, key)), (
                        f"{key}, the end of something unheard of: {call.text}"
                    )
                if key.kind is Kind.ACK:
                    assert _episode(key) in before, (
                        f"{key}, an ack of something unheard of: {call.text}"
                    )
            before |= news if self._may_tell(call) else set()

    def duplicates(self) -> None:
        """Promise 4: a known delivery is never repeated; a possible repeat says so."""
        delivered: set[NoticeKey] = set()
        doubtful: set[NoticeKey] = set()
        unheard: set[NoticeKey] = set()
        for call in self.calls:
            assert not delivered & set(call.keys), f"{delivered & set(call.keys)} again"
            for key in call.keys:
                section = self._section(call, key)
                says = "may be a repeat" in section
                partners = {other for other in call.keys if self._section(call, other) == section}
                if call.made and key in doubtful:
                    assert says, call.text
                if says:
                    assert partners & (doubtful | unheard), call.text
            outcome = self.outcomes[_number(call)]
            delivered |= set(call.keys) if outcome == "delivered" else set()
            if outcome in {None, "unknown"}:
                (doubtful if call.made else unheard).update(call.keys)
        self.once(delivered)

    def once(self, delivered: set[NoticeKey]) -> None:
        """One message tells of a firing, and one of its end."""
        messages: dict[tuple[Episode, bool], set[object]] = defaultdict(set)
        for call in self.calls:
            for key in (
                delivered & set(call.keys) if self.outcomes[_number(call)] == "delivered" else ()
            ):
                if key.kind not in {Kind.REPEAT, Kind.WORSE, Kind.ACK}:
                    messages[_episode(key), key.kind is Kind.FIRING].add(_number(call))
        assert [episode for episode, found in messages.items() if len(found) > 1] == []

    def repeats(self) -> None:
        """E3: no sooner than `repeat` after a delivery (None: unknown, the clock was set)."""
        if self.repeat is None:
            return
        told: dict[Episode, list[tuple[NoticeKey, Call]]] = defaultdict(list)
        for call in self.calls:
            for key in call.keys:
                if key.kind in NEWS and self._may_tell(call):
                    told[_episode(key)].append((key, call))
        for news in told.values():
            for (first, earlier), (second, later) in pairwise(news):
                if first != second and second not in self.handed and second.kind is not Kind.WORSE:
                    assert later.at - earlier.at >= self.repeat, (earlier, later)

    def acks(self) -> None:
        """E1: told once to each channel, and not of what is over already."""
        acked = [
            _episode(key)
            for key, state in self.notices.items()
            if key.kind is Kind.ACK and state == "delivered"
        ]
        assert len(acked) == len(set(acked))

    def escalations(self, acked: Mapping[str, Millis], later: Mapping[str, Container[str]]) -> None:
        """E6: after an acknowledgement no channel of `escalate` gets the first news of an alert.

        `acked` is when, by code (elapsed); `later` are the channels of `escalate`, by rule.
        """
        before: set[Episode] = set()
        for call in self.calls:
            for key in call.keys:
                at = acked.get(self.codes[_episode(key)])
                is_first = key.kind in NEWS and _episode(key) not in before
                if is_first and call.made and key.channel in later.get(base(key.rule), ()):
                    assert at is None or call.at <= at, (
                        f"escalated after it was acknowledged: {key}"
                    )
            before |= {_episode(key) for key in call.keys if self._may_tell(call)}

    def _may_tell(self, call: Call) -> bool:
        return self.outcomes[_number(call)] in {None, "delivered", "unknown"}

    def _section(self, call: Call, key: NoticeKey) -> str:
        code = self.codes[_episode(key)]
        named = re.compile(rf"(?:^| · )alerts?(?: \w{{4}})*? {code}\b", re.MULTILINE)
        return next(part for part in call.text.body.split("\n\n") if named.search(part))

    def _headline(self, call: Call, key: NoticeKey) -> str:
        first = self._section(call, key).splitlines()[0]
        return first if re.match(r"[A-Z]+ ", first) else f"{call.text.title}\n{first}"


def _number(call: Call) -> tuple[object, object, object]:
    return call.message.channel, call.message.at, call.message.n


def _episode(key: NoticeKey) -> Episode:
    return key.account, key.rule, key.alert_seq, key.channel


def _alert(key: NoticeKey) -> tuple[str, str, int]:
    return key.account, key.rule, key.alert_seq


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value
