"""The payload that each service's real Apprise plugin sends for a text, over real HTTP."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest

from daemon.notifiers.apprise import AppriseNotifier
from daemon.types import Message, Severity
from tests.fakes import ManualClock
from tests.notifiers.receiver import Post, Receiver, answering

TITLE = "WARNING low_margin · main: 92 < 100 & *more*"
TEXT = "al_margin * 2 < 100 & _x_ *b* # > [a](b) \\ `c` ~d~ |e| - f\n# head\n- item\n\n> said 1. z"
MESSAGE = Message(TITLE, TEXT, Severity.WARNING)
TAKEN = answering(
    200,
    {
        "ok": True,
        "success": True,
        "status": "success",
        "result": "success",
        "data": {"userId": "u", "authToken": "t"},
        "access_token": "t",
        "user_id": "@a:b",
        "home_server": "b",
        "device_id": "d",
        "room_id": "!r:b",
        "event_id": "$1",
    },
)
"""An answer that pleases them all."""
TOKEN = "a" * 32

Shown = Callable[[Any], tuple[str, str]]


def _keys(title: str, text: str) -> Shown:
    return lambda payload: (payload[title], payload[text])


def _above(text: str) -> Shown:
    """For services without titles: the title as first line."""

    def shown(payload: Any) -> tuple[str, str]:
        title, _, below = payload[text].replace("\r\n", "\n").partition("\n")
        return title, below

    return shown


def _entities(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _attached(payload: Any) -> tuple[str, str]:
    (attached,) = payload["attachments"]
    return attached["title"], attached["text"]


def _lines(payload: Any) -> tuple[str, str]:
    (content,) = payload["content"]
    return payload["subject"], content["value"]


@pytest.mark.parametrize(
    ("url", "attribute", "shown", "title", "text"),
    [
        pytest.param("rocket://u:p@{host}/#c", "", _above("text"), TITLE, TEXT, id="Rocket.Chat"),
        pytest.param(
            "rocket://abcdefgh/ijklmnop@{host}/#c",
            "",
            _above("text"),
            TITLE,
            TEXT,
            id="Rocket.Chat, webhook",
        ),
        pytest.param(
            "matrix://u:p@{host}/!room:b.example", "", _above("body"), TITLE, TEXT, id="Matrix"
        ),
        pytest.param(
            "matrix://T0ken@{host}/?mode=matrix",
            "",
            _above("text"),
            TITLE,
            TEXT,
            id="Matrix, webhook",
        ),
        pytest.param(
            "mmost://{host}/3ccdd113474722377935511fc85d3dd4",
            "",
            _above("text"),
            TITLE,
            TEXT,
            id="Mattermost",
        ),
        pytest.param("ntfy://{host}/topic", "", _keys("title", "message"), TITLE, TEXT, id="ntfy"),
        pytest.param(
            "gotify://{host}/t0kent0ken", "", _keys("title", "message"), TITLE, TEXT, id="Gotify"
        ),
        pytest.param(
            "signal://{host}/+15551234567/+15557654321",
            "",
            _above("message"),
            TITLE,
            TEXT,
            id="Signal",
        ),
        pytest.param("json://{host}/", "", _keys("title", "message"), TITLE, TEXT, id="json"),
        pytest.param(
            "hassio://{host}/t0ken", "", _keys("title", "message"), TITLE, TEXT, id="Home Assistant"
        ),
        pytest.param("bark://{host}/device", "", _keys("title", "body"), TITLE, TEXT, id="Bark"),
        pytest.param(
            "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
            "notify_url",
            _above("content"),
            TITLE,
            TEXT,
            id="Discord",
        ),
        pytest.param(
            "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#a",
            "webhook_url",
            _attached,
            _entities(TITLE),
            _entities(TEXT),
            id="Slack",
        ),
        pytest.param(
            f"pover://{'u' * 30}@{'t' * 30}",
            "notify_url",
            _keys("title", "message"),
            TITLE,
            TEXT,
            id="Pushover",
        ),
        pytest.param(
            f"zulip://bot@org/{TOKEN}/chan",
            "notify_url",
            _keys("topic", "content"),
            TITLE,
            TEXT,
            id="Zulip",
        ),
        pytest.param(
            f"wxteams://{'a' * 80}", "notify_url", _above("text"), TITLE, TEXT, id="Webex"
        ),
        pytest.param(
            f"sendgrid://{TOKEN}:a@example.com/b@example.com",
            "notify_url",
            _lines,
            TITLE,
            _entities(TEXT).replace("\n", "<br/>"),
            id="SendGrid",
        ),
    ],
)
async def test_b10_a_text_is_shown_as_it_was_written(
    url: str, attribute: str, shown: Shown, title: str, text: str
) -> None:
    """B10: no character is escaped, decorated or lost, except where the service wants it so."""
    with Receiver(TAKEN).serving() as receiver:
        notifier = AppriseNotifier(url.format(host=f"127.0.0.1:{receiver.port}"), ManualClock())
        if attribute:
            plugin: Any = notifier._apprise[0]
            setattr(plugin, attribute, f"http://127.0.0.1:{receiver.port}/api")
        await notifier.send(MESSAGE)
    assert [shown(_payload(post)) for post in receiver.got if b"low_margin" in post.body] == [
        (title, text)
    ]


def _payload(post: Post) -> Any:
    if post.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        return {name: values[0] for name, values in parse_qs(post.body.decode()).items()}
    return post.json


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (Message("t", "b", Severity.CRITICAL), "failure"),
        (Message("t", "b", Severity.WARNING), "warning"),
        (Message("t", "b", Severity.INFO), "info"),
        (Message("t", "b", Severity.INFO, good=True), "success"),
    ],
)
async def test_c8_good_news_is_sent_as_such(message: Message, kind: str) -> None:
    """C8: Services that have colours show by the type of a message how bad it is."""
    with Receiver(answering(200)).serving() as receiver:
        await AppriseNotifier(f"json://127.0.0.1:{receiver.port}/", ManualClock()).send(message)
    assert [post.json["type"] for post in receiver.got] == [kind]


@pytest.mark.parametrize("good", [True, False])
async def test_c8_services_that_would_drop_good_news_get_a_warning(good: bool) -> None:
    """C8: for good news, Opsgenie and its like only close an incident of that title."""
    with Receiver(answering(202, {"requestId": "r"})).serving() as receiver:
        notifier = AppriseNotifier(f"incidentio://{TOKEN}/{TOKEN}", ManualClock())
        plugin: Any = notifier._apprise[0]
        plugin.notify_url = f"http://127.0.0.1:{receiver.port}/api"
        await notifier.send(Message("RESOLVED low", "over after 4 min", Severity.INFO, good=good))
    assert [post.json["status"] for post in receiver.got] == ["firing"]
