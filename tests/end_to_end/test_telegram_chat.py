"""The daemon and Telegram, behind TLS at its real name: what stands in the chat, and what in
`attempts`.
"""

import asyncio
from pathlib import Path

from tests.end_to_end.running import RULE, stage
from tests.notifiers.botapi import URL, BotApi, refusing
from tests.service.lives import rows

PHONE = f"""
[[channels]]
name = "phone"
url = "{URL}"
"""
ATTEMPTS = """
    SELECT outcome, detail FROM attempts JOIN messages ON messages.id = message_id
    WHERE channel = 'phone' ORDER BY attempts.id LIMIT 2
"""


async def test_an_alert_stands_in_the_chat(tmp_path: Path) -> None:
    """F1, F2: a rate-limited message comes after Telegram's pause; both attempts are recorded."""
    with BotApi(
        refusing(429, "Too Many Requests: retry after 1", retry_after=1)
    ).serving() as telegram:
        loop = asyncio.get_running_loop()
        async with stage(tmp_path, rules=PHONE + RULE) as it:
            telegram.heard = lambda: loop.call_soon_threadsafe(it.bell.ring)
            it.environ.update(telegram.environment(tmp_path))
            it.show("main", "92.5")
            await it.start()
            await it.until(lambda: telegram.chat)
            await it.stop()
    (title,) = telegram.chat[0].bold
    assert title.startswith("WARNING main: available_margin 92.5 (below ")
    assert "92.5" in telegram.chat[0].text
    assert rows(it.database, ATTEMPTS) == [
        ("later", "Telegram answered HTTP 429 (Too Many Requests: retry after 1)"),
        ("delivered", ""),
    ]
