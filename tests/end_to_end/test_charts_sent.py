"""The charts of a running daemon: after the text on a phone, within a mail; never before, never
instead.

The rule is critical and `group_wait` long, so that whatever waits for a chart waits for nothing
else.
"""

from email.message import EmailMessage
from pathlib import Path

from tests.end_to_end.gates import Step
from tests.end_to_end.running import ENDED, FIRED, HIGH
from tests.end_to_end.street import CHANNELS, MAIL, PHONE, SKETCH, Street, street
from tests.notifiers.botapi import Shown
from tests.service.lives import rows

DELIVERED = "SELECT count(*) FROM notifications WHERE state = 'delivered'"


async def all_delivered(it: Street, times: int) -> None:
    """Whether so many notifications have reached every channel."""
    await it.stage.until(lambda: rows(it.stage.database, DELIVERED) == [(times * len(CHANNELS),)])


def pictures(mail: EmailMessage) -> list[tuple[str | None, bytes]]:
    return [
        (part.get_filename(), part.get_content())
        for part in mail.walk()
        if part.get_content_type() == "image/png"
    ]


async def test_f8_texts_arrive_first_and_charts_as_each_service_takes_them(tmp_path: Path) -> None:
    """F8: Telegram gets a silent photo, a mail includes its chart, a webhook gets none."""
    async with street(tmp_path, group_wait="1m", rule_more='severity = "critical"') as it:
        it.sketch_charts()
        await it.stage.start()
        it.stage.show("main", "90")
        await it.stage.until(lambda: len(it.telegram.chat) == 2)
        text, photo = it.telegram.chat
        assert (text.text.splitlines()[0], text.silent) == (
            "CRITICAL main: available_margin 90 (below 100)",
            False,
        )
        assert photo == Shown("", silent=True, photo=SKETCH)
        it.stage.show("main", HIGH)
        await all_delivered(it, 2)
        assert await it.stage.stop() == 0
    assert [pictures(mail) for mail in it.box.got] == [[], [("chart.png", SKETCH)]]
    assert [shown.photo for shown in it.telegram.chat] == [b"", SKETCH, b""]
    assert len(it.stage.receiver.heard) == 2


async def test_f8_a_chart_that_hangs_delays_no_text_and_dies_with_its_daemon(
    tmp_path: Path,
) -> None:
    """F8, promise 2: the end arrives while a chart hangs; after a kill nothing is repeated."""
    async with street(tmp_path, rule_more='severity = "critical"') as it:
        it.sketch_charts()
        await it.stage.start()
        phone = it.gates[PHONE]
        phone.hold = Step.TAKEN
        it.stage.show("main", "90")
        await it.stage.until(lambda: phone.held)
        await phone.let_on()
        phone.hold = Step.CONNECTED
        await it.stage.until(lambda: phone.held)
        phone.hold = None
        it.stage.show("main", HIGH)
        await all_delivered(it, 2)
        assert phone.held
        await it.kill()
        await it.stage.start()
        it.stage.show("main", "80")
        await all_delivered(it, 3)
        assert await it.stage.stop() == 0
        for name in (PHONE, MAIL):
            told = [
                (kind, news.maybe_repeat) for news in it.news(name) for kind in sorted(news.kinds)
            ]
            assert told == [(FIRED, False), (ENDED, False), (FIRED, False)]
