"""Hostile receivers: an attempt is limited in time, bytes and threads, and reported correctly."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from daemon.notifiers import monitor
from daemon.notifiers.apprise import TIMEOUT, AppriseNotifier
from daemon.notifiers.monitor import HeartbeatMonitor
from daemon.types import SECOND, AttemptResult, Message, Outcome, Severity
from tests.fakes import ManualClock
from tests.notifiers import hostile
from tests.notifiers.hostile import STEPS, Hostile, Speak, mailing, no_call_is_left
from tests.notifiers.mailserver import address
from tests.notifiers.sending import sender

MESSAGE = Message("CRITICAL low-margin · main", "available_margin is 42 < 100", Severity.CRITICAL)

BOUND = 130 * 1024
"""Most kB that the sending process may need; half is Apprise. Unbounded answers take gigabytes."""


def webhook(port: int) -> str:
    """With all the patience that a URL can ask for."""
    return f"json://127.0.0.1:{port}/?rto=9999&cto=9999"


def outcomes_of(attempts: Mapping[str, AttemptResult]) -> Mapping[str, Outcome]:
    return {name: attempted.outcome for name, attempted in attempts.items()}


def test_s1_an_answer_without_an_end_costs_no_memory() -> None:
    """S1: only the status counts, an answer without one is unknown, and memory holds.

    Endless replies of a mail server are reported in plain words.
    """
    endless = {
        f"{step} {name}": mailing(step, say)
        for step in STEPS
        for name, say in hostile.ENDLESS_REPLIES.items()
    }
    webhooks = {
        Outcome.DELIVERED: hostile.ENDLESS_AFTER_THE_STATUS | hostile.TORN_AFTER_THE_STATUS,
        Outcome.UNKNOWN: hostile.ENDLESS_BEFORE_THE_STATUS,
    }
    mails = {outcome: _replies(endless, outcome) for outcome in (Outcome.DELIVERED, Outcome.LATER)}
    with sender({}) as sending, Hostile(hostile.well).serving() as server:
        for url, table in ((webhook(server.port), webhooks), (address(server.port), mails)):
            for outcome, rows in table.items():
                ended = {}
                for name, server.speak in rows.items():
                    ended[name] = sending.send(url, MESSAGE)
                assert outcomes_of(ended) == dict.fromkeys(rows, outcome)
                greetings = [
                    attempted.detail
                    for name, attempted in ended.items()
                    if name.startswith("banner")
                ]
                assert set(greetings) <= {"the mail server's replies do not end, so it got no mail"}
        status = Path(f"/proc/{sending.pid}/status").read_text()
    assert _figure("VmHWM", status) < BOUND
    assert _figure("Threads", status) <= 3


def _replies(endless: Mapping[str, Speak], outcome: Outcome) -> Mapping[str, Speak]:
    """Replies that end so: a mail is taken once its server said so, and unsent before."""
    taken = ("mail text", "quit")
    return {
        name: say
        for name, say in endless.items()
        if name.startswith(taken) is (outcome is Outcome.DELIVERED)
    }


def _figure(name: str, status: str) -> int:
    found = re.search(rf"{name}:\s+(\d+)", status)
    assert found is not None
    return int(found[1])


async def given_up(server: Hostile, url: str, speak: Speak) -> AttemptResult:
    """An attempt at a receiver that falls silent, until our timeout; then its thread ends."""
    server.speak, clock = speak, ManualClock()
    sending = asyncio.ensure_future(AppriseNotifier(url, clock).send(MESSAGE))
    await asyncio.to_thread(server.stuck.acquire)
    await clock.advance(TIMEOUT)
    attempted = await sending
    await asyncio.to_thread(no_call_is_left)
    return attempted


async def test_s5_a_webhook_that_falls_silent_is_given_up() -> None:
    """S5: its thread ends with the attempt; a status received by then counts."""
    rows = hostile.SILENT_AFTER_THE_STATUS | hostile.SILENT_BEFORE_THE_STATUS
    with Hostile(hostile.well).serving() as server:
        ended = {
            name: await given_up(server, webhook(server.port), say) for name, say in rows.items()
        }
    taken = dict.fromkeys(hostile.SILENT_AFTER_THE_STATUS, Outcome.DELIVERED)
    assert outcomes_of(ended) == taken | dict.fromkeys(
        hostile.SILENT_BEFORE_THE_STATUS, Outcome.UNKNOWN
    )
    assert (
        ended["at once"].detail == "JSON did not answer within 20 s; the message may have arrived"
    )


async def test_s5_a_mail_server_that_falls_silent_is_given_up() -> None:
    """S5: likewise at each step of a mail; before the server asks for the text nothing is sent."""
    silent = {
        f"{step} {name}": mailing(step, say)
        for step in STEPS
        for name, say in hostile.SILENT_REPLIES.items()
    }
    taken = {name: mailing("mail text", say) for name, say in hostile.SILENT_AFTER_THE_CODE.items()}
    with Hostile(hostile.well).serving() as server:
        url = address(server.port)
        ended = {name: await given_up(server, url, say) for name, say in (silent | taken).items()}
    sent = [name for name in silent if name.startswith("mail text")]
    quits = [name for name in silent if name.startswith("quit")]
    assert outcomes_of(ended) == (
        dict.fromkeys(silent, Outcome.LATER)
        | dict.fromkeys(sent, Outcome.UNKNOWN)
        | dict.fromkeys([*taken, *quits], Outcome.DELIVERED)
    )
    assert (
        ended["banner at once"].detail
        == "E-Mail did not answer within 20 s; nothing of the message was sent"
    )


async def outlasted(server: Hostile, url: str, speak: Speak) -> AttemptResult:
    """An attempt at a receiver that answers a byte a second, until our timeout."""
    server.speak, clock = speak, ManualClock()
    sending = asyncio.ensure_future(AppriseNotifier(url, clock).send(MESSAGE))
    for _ in range(TIMEOUT // SECOND):
        await asyncio.to_thread(server.stuck.acquire)
        assert not sending.done()
        await clock.advance(SECOND)
        server.visits[-1].more.release()
    attempted = await sending
    await asyncio.to_thread(no_call_is_left)
    return attempted


async def test_s5_a_webhook_that_answers_byte_by_byte_is_given_up() -> None:
    """S5: each byte is in time, all of them are not; a status received by then counts.

    Of half a status line either its code or the end of the connection is read first.
    """
    after, before = hostile.DRIPPING_AFTER_THE_STATUS, hostile.DRIPPING_BEFORE_THE_STATUS
    with Hostile(hostile.well).serving() as server:
        ended = {
            name: await outlasted(server, webhook(server.port), say)
            for name, say in (after | before).items()
        }
    half = ended.pop("the reason of a status")
    assert half.outcome in {Outcome.UNKNOWN, Outcome.DELIVERED}
    expected = dict.fromkeys(after, Outcome.DELIVERED) | dict.fromkeys(before, Outcome.UNKNOWN)
    assert outcomes_of(ended) == {name: expected[name] for name in ended}


async def test_s5_a_mail_server_that_answers_byte_by_byte_is_given_up() -> None:
    """S5: likewise at each step of a mail; after a first whole line the mail was taken.

    Of half a line to the mail's text either the code or the end of the connection is read first:
    then it was taken, or nobody knows.
    """
    rows = {step: mailing(step, hostile.dripping_reply(b"250-")) for step in STEPS}
    rows["taken"] = mailing("mail text", hostile.dripping_reply(b"250-taken\r\n"))
    with Hostile(hostile.well).serving() as server:
        url = address(server.port)
        ended = {name: await outlasted(server, url, say) for name, say in rows.items()}
    assert ended.pop("mail text").outcome in {Outcome.UNKNOWN, Outcome.DELIVERED}
    taken = dict.fromkeys(("quit", "taken"), Outcome.DELIVERED)
    assert outcomes_of(ended) == dict.fromkeys(ended, Outcome.LATER) | taken


async def test_s5_a_monitor_that_answers_byte_by_byte_is_given_up() -> None:
    """S5: the heartbeat counts as not heard."""
    clock = ManualClock()
    with Hostile(hostile.DRIPPING_BEFORE_THE_STATUS["the version"]).serving() as server:
        beating = asyncio.ensure_future(
            HeartbeatMonitor(f"http://127.0.0.1:{server.port}/", clock).beat()
        )
        for _ in range(monitor.TIMEOUT // SECOND):
            await asyncio.to_thread(server.stuck.acquire)
            assert not beating.done()
            await clock.advance(SECOND)
            server.visits[-1].more.release()
        assert await beating == "it does not answer in time"
        await asyncio.to_thread(no_call_is_left)


TLS = {
    "jsons": "jsons://127.0.0.1:{port}/",
    "mailtos": "mailtos://127.0.0.1:{port}?smtp=127.0.0.1&mode=ssl&from=watch@example.com&to=me@example.com",
}


@pytest.mark.parametrize(
    ("url", "outcome"),
    [
        (TLS["jsons"], Outcome.LATER),
        (TLS["mailtos"], Outcome.LATER),
        ("ircs://watch@127.0.0.1:{port}/desk", Outcome.UNKNOWN),
        ("irc://watch@127.0.0.1:{port}/desk", Outcome.UNKNOWN),
    ],
)
async def test_s5_every_protocol_can_be_given_up(url: str, outcome: Outcome) -> None:
    """S5, F1: before TLS nothing was sent; unknown for a protocol that does not tell."""
    with Hostile(hostile.well).serving() as server:
        attempted = await given_up(server, url.format(port=server.port), lambda visit: visit.hang())
    assert attempted.outcome is outcome


@pytest.mark.parametrize("service", TLS)
async def test_f1_a_connection_that_ends_before_tls_has_sent_nothing(service: str) -> None:
    """F1: the message cannot have arrived, so it is `later`, without an exception's name."""
    with Hostile(lambda visit: visit.end()).serving() as server:
        attempted = await AppriseNotifier(
            TLS[service].format(port=server.port), ManualClock()
        ).send(MESSAGE)
    assert attempted.outcome is Outcome.LATER
    assert "was not reached: " in attempted.detail


async def test_s5_no_channel_is_dead_after_silent_answers() -> None:
    """S5: however many attempts hung before, a recovered receiver gets the next message at once."""
    clock = ManualClock()
    with Hostile(hostile.SILENT_BEFORE_THE_STATUS["at once"]).serving() as server:
        notifier = AppriseNotifier(webhook(server.port), clock)
        for _ in range(5):
            sending = asyncio.ensure_future(notifier.send(MESSAGE))
            await asyncio.to_thread(server.stuck.acquire)
            await clock.advance(TIMEOUT)
            assert (await sending).outcome is Outcome.UNKNOWN
        server.speak = hostile.well
        assert await notifier.send(MESSAGE) == AttemptResult(Outcome.DELIVERED)


async def test_s5_a_call_that_is_cancelled_ends() -> None:
    """S5: a cancelled call has no waiter, so nothing of it stays."""
    with Hostile(hostile.SILENT_BEFORE_THE_STATUS["at once"]).serving() as server:
        sending = asyncio.ensure_future(
            AppriseNotifier(webhook(server.port), ManualClock()).send(MESSAGE)
        )
        await asyncio.to_thread(server.stuck.acquire)
        sending.cancel()
        await asyncio.wait([sending])
        await asyncio.to_thread(no_call_is_left)


async def test_s1_a_mail_without_an_answer_may_have_arrived() -> None:
    """S1: a mail server that ends within its final answer said nothing yet, or enough."""
    rows = {
        b"": Outcome.UNKNOWN,
        b"25": Outcome.UNKNOWN,
        b"250-a\r\n": Outcome.DELIVERED,
        b"250": Outcome.DELIVERED,
    }
    with Hostile(hostile.well).serving() as server:
        ended = {}
        for said in rows:
            server.speak = mailing("mail text", hostile.saying(said))
            ended[said] = (
                await AppriseNotifier(address(server.port), ManualClock()).send(MESSAGE)
            ).outcome
    assert ended == rows


async def test_s1_the_heartbeat_is_bounded_likewise() -> None:
    """S1: the monitor's answer is one of many that may never end."""
    rows = dict.fromkeys(hostile.ENDLESS_AFTER_THE_STATUS | hostile.TORN_AFTER_THE_STATUS)
    broken = dict.fromkeys(
        hostile.ENDLESS_BEFORE_THE_STATUS, "it gives no answer (ConnectionError)"
    )
    speaking = (
        hostile.ENDLESS_AFTER_THE_STATUS
        | hostile.TORN_AFTER_THE_STATUS
        | hostile.ENDLESS_BEFORE_THE_STATUS
    )
    with Hostile(hostile.well).serving() as server:
        told = {}
        for name, server.speak in speaking.items():
            told[name] = await HeartbeatMonitor(
                f"http://127.0.0.1:{server.port}/", ManualClock()
            ).beat()
    assert told == rows | broken


async def test_s1_a_service_whose_answer_breaks_off_may_have_taken_the_message() -> None:
    """S1: Rocket.Chat reports success in the body; an error status means that it failed."""
    rows = {
        Outcome.UNKNOWN: hostile.answering(hostile.OK + b"Content-Length: 99\r\n\r\n{"),
        Outcome.LATER: hostile.answering(b"HTTP/1.1 500 No\r\nContent-Length: 99\r\n\r\n{"),
    }
    with Hostile(hostile.well).serving() as server:
        notifier = AppriseNotifier(
            f"rocket://me:secret1@127.0.0.1:{server.port}/#desk", ManualClock()
        )
        for outcome, server.speak in rows.items():
            assert (await notifier.send(MESSAGE)).outcome is outcome
