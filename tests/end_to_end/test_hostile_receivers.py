"""Receivers without an end, before the running daemon: it tells everybody, and its memory stays
what it is.
"""

import re
from pathlib import Path

from tests.end_to_end.running import Stage, stage
from tests.notifiers import hostile
from tests.notifiers.hostile import STEPS, Hostile, mailing
from tests.notifiers.mailserver import address
from tests.service.lives import rows

CHANNEL = """
[[channels]]
name = "{name}"
url = "{url}"
group_wait = "0s"
"""

ENDED = """
    SELECT DISTINCT channel, outcome FROM attempts JOIN messages ON messages.id = message_id
    WHERE outcome IS NOT NULL ORDER BY channel
"""

BOUND = 200 * 1024
"""kB: twice what the daemon needs, and a tenth of what one such answer once cost."""


async def test_s1_receivers_without_an_end_cost_the_daemon_nothing(tmp_path: Path) -> None:
    """S1: an endless webhook takes its message, an endless mail server none; others are prompt."""
    webhook = Hostile(hostile.ENDLESS_AFTER_THE_STATUS["chunks"])
    mail = Hostile(mailing(STEPS[1], hostile.ENDLESS_REPLIES["lines"]))
    with webhook.serving(), mail.serving():
        async with stage(tmp_path) as it:
            with it.config.open("a") as file:
                file.write(CHANNEL.format(name="webhook", url=f"json://127.0.0.1:{webhook.port}/"))
                file.write(CHANNEL.format(name="mail", url=address(mail.port)))
            await it.start()
            it.show("main", "90")
            expected = [("desk", "delivered"), ("mail", "later"), ("webhook", "delivered")]
            await it.until(lambda: rows(it.database, ENDED) == expected)
            assert _highest(it) < BOUND
            assert await it.stop() == 0


def _highest(it: Stage) -> int:
    status = Path(f"/proc/{it.life.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])  # type: ignore[index]
