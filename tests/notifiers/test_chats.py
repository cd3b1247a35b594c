"""Channels through ntfy, Slack and Discord, over real HTTP: their answers and what they receive."""

import asyncio
from threading import Event
from typing import Any

import pytest

from daemon.notifiers import Pictures
from daemon.notifiers.apprise import TIMEOUT, AppriseNotifier
from daemon.types import MINUTE, SECOND, AttemptResult, Limit, Message, Outcome, Severity
from tests.fakes import ManualClock
from tests.notifiers.receiver import PAGE, Answer, Receiver, answering, hanging, in_turn

TITLE = "WARNING low-margin · main"
TEXT = "available_margin 92 < 100 & 'more'\n\n*since* 03:12:21 [x] 😀 <@123> <!channel>"
MESSAGE = Message(TITLE, TEXT, Severity.WARNING)
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
ALONE = Message("", "", Severity.WARNING, picture=PICTURE)
PICTURES = 3
"""Calls that may hang; beyond that none begins."""
TOPIC = "t0pic-9fK2xQ"
TOKENS = ("T1JJ3T3L2", "A1BRTD4JD", "TIiajkdnlazkcOXrIdevi7FQ")


def ntfy(receiver: Receiver, query: str = "") -> AppriseNotifier:
    return AppriseNotifier(f"ntfy://127.0.0.1:{receiver.port}/{TOPIC}{query}", ManualClock())


def slack(receiver: Receiver, query: str = "") -> AppriseNotifier:
    return _led_to(receiver, "webhook_url", f"slack://{'/'.join(TOKENS)}/#alerts{query}")


def discord(receiver: Receiver, query: str = "") -> AppriseNotifier:
    return _led_to(
        receiver, "notify_url", f"discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js{query}"
    )


def _led_to(receiver: Receiver, attribute: str, url: str) -> AppriseNotifier:
    """A service of one fixed address, which is the receiver's instead."""
    notifier = AppriseNotifier(url, ManualClock())
    plugin: Any = notifier._apprise[0]
    setattr(plugin, attribute, f"http://127.0.0.1:{receiver.port}/api")
    return notifier


def wrong(code: int, error: str) -> Answer:
    """An error in ntfy's own form."""
    return answering(
        code // 100,
        {"code": code, "http": code // 100, "error": error, "link": "https://ntfy.sh/docs"},
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (answering(200, {"id": "x"}), AttemptResult(Outcome.DELIVERED)),
        (
            wrong(40101, "unauthorized"),
            AttemptResult(Outcome.REFUSED, "ntfy answered HTTP 401 (unauthorized)"),
        ),
        (
            wrong(40301, "forbidden"),
            AttemptResult(Outcome.REFUSED, "ntfy answered HTTP 403 (forbidden)"),
        ),
        (answering(403, PAGE), AttemptResult(Outcome.LATER, "ntfy answered HTTP 403")),
        (
            answering(401, {"error": "unauthorized"}),
            AttemptResult(Outcome.LATER, "ntfy answered HTTP 401"),
        ),
        (
            wrong(40401, "page not found"),
            AttemptResult(Outcome.LATER, "ntfy answered HTTP 404 (page not found)"),
        ),
        (
            wrong(42901, "limit reached: too many requests, please be nice"),
            AttemptResult(
                Outcome.LATER,
                "ntfy answered HTTP 429 (limit reached: too many requests, please be nice)",
            ),
        ),
        (
            wrong(50701, f"cannot publish to {TOPIC}"),
            AttemptResult(Outcome.LATER, "ntfy answered HTTP 507 (cannot publish to ***)"),
        ),
        (
            wrong(50001, "internal server error"),
            AttemptResult(Outcome.LATER, "ntfy answered HTTP 500 (internal server error)"),
        ),
    ],
)
async def test_what_ntfy_answers(answer: Answer, expected: AttemptResult) -> None:
    """F1: refused only in ntfy's own words and codes; the topic, a secret, is not shown."""
    with Receiver(answer).serving() as receiver:
        assert await ntfy(receiver).send(MESSAGE) == expected
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (answering(200, "ok"), AttemptResult(Outcome.DELIVERED)),
        (answering(403, "invalid_token"), AttemptResult(Outcome.LATER, "Slack answered HTTP 403")),
        (
            answering(404, "channel_not_found"),
            AttemptResult(Outcome.LATER, "Slack answered HTTP 404"),
        ),
        (
            answering(410, "channel_is_archived"),
            AttemptResult(Outcome.REFUSED, "Slack answered HTTP 410"),
        ),
        (
            answering(429, "", Retry_After="30"),
            AttemptResult(Outcome.LATER, "Slack answered HTTP 429"),
        ),
        (answering(500, "rollup_error"), AttemptResult(Outcome.LATER, "Slack answered HTTP 500")),
        (
            answering(200, {"ok": False, "error": "invalid_auth"}),
            AttemptResult(
                Outcome.LATER,
                "Slack answered HTTP 200, but did not take the message; Apprise does not say why",
            ),
        ),
    ],
)
async def test_what_slack_answers(answer: Answer, expected: AttemptResult) -> None:
    """F1: Apprise reports only the status of Slack's answers; only 410 is final."""
    with Receiver(answer).serving() as receiver:
        assert await slack(receiver).send(MESSAGE) == expected
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (answering(204), AttemptResult(Outcome.DELIVERED)),
        (
            answering(404, {"message": "Unknown Webhook", "code": 10015}),
            AttemptResult(Outcome.LATER, "Discord answered HTTP 404"),
        ),
        (
            answering(401, {"message": "Invalid Webhook Token"}),
            AttemptResult(Outcome.LATER, "Discord answered HTTP 401"),
        ),
        (answering(502, PAGE), AttemptResult(Outcome.LATER, "Discord answered HTTP 502")),
    ],
)
async def test_what_discord_answers(answer: Answer, expected: AttemptResult) -> None:
    """F1: Apprise reports only the status of Discord's answers; none is final."""
    with Receiver(answer).serving() as receiver:
        assert await discord(receiver).send(MESSAGE) == expected
    assert len(receiver.got) == 1


LIMITED = answering(
    429,
    {"message": "You are being rate limited.", "retry_after": 64.57, "global": False},
    X_RateLimit_Remaining="0",
    X_RateLimit_Reset="99999999999",
)
"""Until a day in the year 5138."""


async def test_discord_does_not_sleep_on_our_threads() -> None:
    """F2: it fails at once where Apprise would wait, and then send a given-up message."""
    with Receiver(LIMITED).serving() as receiver:
        assert await discord(receiver).send(MESSAGE) == AttemptResult(
            Outcome.LATER, "Discord answered HTTP 429"
        )
    assert len(receiver.got) == 2


async def test_discord_that_takes_it_at_the_second_try() -> None:
    """F1: a limit that is over when Apprise tries again is no failure."""
    with Receiver(in_turn(LIMITED, answering(204))).serving() as receiver:
        assert await discord(receiver).send(MESSAGE) == AttemptResult(Outcome.DELIVERED)
    assert len(receiver.got) == 2


async def test_what_a_person_reads() -> None:
    """F5: the text as it was written: on Slack its signs are escaped so that they mean nothing."""
    with Receiver(answering(200, "ok")).serving() as receiver:
        for notifier in (ntfy(receiver), slack(receiver), discord(receiver)):
            assert await notifier.send(MESSAGE) == AttemptResult(Outcome.DELIVERED)
    on_ntfy, on_slack, on_discord = (post.json for post in receiver.got)
    assert (on_ntfy["title"], on_ntfy["message"], on_ntfy["topic"]) == (TITLE, TEXT, TOPIC)
    (shown,) = on_slack["attachments"]
    escaped = TEXT.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert (shown["title"], shown["text"], on_slack["channel"]) == (TITLE, escaped, "#alerts")
    assert on_discord["content"] == f"{TITLE}\r\n{TEXT}"


@pytest.mark.parametrize("sign", ["x", "<", "&", "😀", "é", "日", "\n.", "\\", ":a:"])
async def test_what_fits_arrives_whole_in_one_message(sign: str) -> None:
    """F5: a text that fills the room is one message within what the service's documents allow."""
    with Receiver(answering(200, "ok")).serving() as receiver:
        for notifier in (
            ntfy(receiver),
            slack(receiver),
            slack(receiver, "?blocks=yes"),
            discord(receiver),
        ):
            weigh, room = notifier.traits.weigh, notifier.traits.room
            text = sign * ((room - weigh(TITLE)) // weigh(sign))
            assert await notifier.send(Message(TITLE, text, Severity.WARNING)) == AttemptResult(
                Outcome.DELIVERED
            )
    on_ntfy, on_slack, in_blocks, on_discord = (post.json for post in receiver.got)
    assert len(on_ntfy["message"].encode()) <= 4_096
    assert len(on_slack["attachments"][0]["text"]) <= 40_000
    assert len(in_blocks["attachments"][0]["blocks"][1]["text"]["text"]) <= 3_000
    assert len(on_discord["content"].encode("utf-16-le")) // 2 <= 2_000


async def test_a_picture_follows_silently() -> None:
    """F8: on ntfy and Discord the picture is a silent message; the next text rings again."""
    with Receiver(answering(200, "ok")).serving() as receiver:
        for notifier in (ntfy(receiver), discord(receiver)):
            for message in (
                Message(TITLE, TEXT, Severity.WARNING, picture=PICTURE),
                ALONE,
                MESSAGE,
            ):
                assert await notifier.send(message) == AttemptResult(Outcome.DELIVERED)
    first, chart, last = receiver.got[:3]
    assert (chart.body, chart.headers["X-Priority"], chart.path) == (
        PICTURE,
        "low",
        f"/{TOPIC}?filename=chart.png",
    )
    assert ["X-Priority" in post.headers for post in (first, last)] == [False, False]
    first, chart, last = receiver.got[3:]
    assert chart.form["files[0]"] == PICTURE
    assert b'"flags": 4096' in chart.form["payload_json"]
    assert b'"content"' not in chart.form["payload_json"]
    assert ["flags" in post.json for post in (first, last)] == [False, False]


async def test_a_picture_that_hangs_delays_no_text() -> None:
    """F8: the text leaves beside hanging pictures; a given-up picture delays no later one."""
    ended = Event()
    with Receiver(
        in_turn(*[hanging(ended)] * PICTURES, answering(200, "ok"))
    ).serving() as receiver:
        clock = ManualClock()
        notifier = AppriseNotifier(f"ntfy://127.0.0.1:{receiver.port}/{TOPIC}", clock)
        for _ in range(PICTURES - 1):
            given_up = asyncio.create_task(notifier.send(ALONE))
            await asyncio.to_thread(receiver.arrived.acquire)
            await clock.advance(TIMEOUT)
            assert (await given_up).outcome is Outcome.UNKNOWN
        chart = asyncio.create_task(notifier.send(ALONE))
        await asyncio.to_thread(receiver.arrived.acquire)
        assert await notifier.send(MESSAGE) == AttemptResult(Outcome.DELIVERED)
        assert not chart.done()
        assert (await asyncio.gather(chart, _in_time(clock)))[0].outcome is Outcome.UNKNOWN
        assert await notifier.send(ALONE) == AttemptResult(Outcome.DELIVERED)
        assert await notifier.send(MESSAGE) == AttemptResult(Outcome.DELIVERED)
        ended.set()


async def _in_time(clock: ManualClock) -> None:
    await clock.advance(TIMEOUT)


async def test_slack_gets_no_picture() -> None:
    """F8: a failed picture on Slack would make a delivered text look undelivered."""
    with Receiver(answering(200, "ok")).serving() as receiver:
        notifier = slack(receiver)
        assert await notifier.send(
            Message(TITLE, TEXT, Severity.WARNING, picture=PICTURE)
        ) == AttemptResult(Outcome.DELIVERED)
        assert (await notifier.send(ALONE)).outcome is Outcome.DELIVERED
    assert len(receiver.got) == 1


def test_what_they_take() -> None:
    """F5, F8: each service's own pace, and whether it takes pictures."""
    receiver = Receiver(answering(200))
    known = [
        (one.traits.pace, one.traits.pictures)
        for one in (ntfy(receiver), slack(receiver), discord(receiver))
    ]
    receiver.server.server_close()
    assert known == [
        ((Limit(60, 5 * MINUTE),), Pictures.AFTER),
        ((Limit(1, SECOND),), Pictures.NONE),
        ((Limit(5, 2 * SECOND), Limit(30, MINUTE)), Pictures.AFTER),
    ]
