"""A channel that refused for good, from that on until somebody mended it: the daemon, and the
commands beside it.
"""

import json
from pathlib import Path
from typing import Any

from tests.end_to_end.running import HIGH, RULE, Receiver, Stage, stage
from tests.service.lives import rows

PAGER = """
[[channels]]
name = "pager"
url = "json://127.0.0.1:{port}/"
group_wait = "0s"
"""
TESTS = """
    SELECT channel, n, title, outcome FROM attempts JOIN messages ON messages.id = message_id
    WHERE title LIKE 'TEST%' ORDER BY channel
"""
TEST = "TEST: marginwatch reaches you"


async def pager_of(it: Stage) -> Any:
    _, printed = await it.command("status", "--format", "json")
    return next(each for each in json.loads(printed)["channels"] if each["channel"] == "pager")


async def test_f3_check_notify_un_parks_a_channel_of_the_daemon_that_runs(tmp_path: Path) -> None:
    """F3: after a refusal others are told and `status` shows it, until a test is delivered."""
    async with stage(tmp_path, rules=RULE) as it:
        pager = Receiver(it.bell)
        await pager.start()
        with it.config.open("a") as file:
            file.write(PAGER.format(port=pager.port))
        pager.status = 410
        await it.start()
        it.show("main", "90")
        await it.until(lambda: pager.heard and it.receiver.heard)
        while not (found := await pager_of(it))["parked"]:
            pass
        assert (found["outcome"], found["detail"]) == ("refused", "JSON answered HTTP 410")

        pager.status = 200
        status, printed = await it.command("check", "--notify")
        assert (status, printed.splitlines()[-2:]) == (0, ["desk: delivered", "pager: delivered"])
        assert rows(it.database, TESTS) == [
            ("desk", -1, TEST, "delivered"),
            ("pager", -1, TEST, "delivered"),
        ]
        assert (found := await pager_of(it))["parked"] is False
        assert found["delivered_test"] is True

        it.show("main", HIGH)
        await it.until(lambda: it.receiver.heard[-1].title.startswith("OVER"))
        it.show("main", "80")
        await it.until(
            lambda: pager.heard[-1].title.startswith("WARNING main: available_margin 80 (below ")
        )
        await it.stop()
        await pager.stop()
